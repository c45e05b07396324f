//! Placeholder until the table of causes is there, which another commit brings; see its own file.
#![expect(
    dead_code,
    clippy::unused_self,
    reason = "the table follows in a commit of its own"
)]

#[derive(Clone, Default)]
pub(crate) struct Placeholders {
    pub(crate) target: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) tool: Option<String>,
}
pub(crate) struct Cause {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) meaning: &'static str,
}
impl Cause {
    pub(crate) fn commands(&self, _: &Placeholders) -> Vec<String> {
        Vec::new()
    }
}
pub(crate) fn by_id(_: &str) -> Option<&'static Cause> {
    None
}

//! Defines a connection as a tool needs it: every value filled in, as text that is checked for the
//! files of tools. `command::setup::targets` makes it.

use super::Machine;
use crate::config::GatewaySettings;
use crate::error::{Error, Result};
use crate::request::Request;
use crate::roots::TrustedRoots;
use crate::text;

/// A connection under the name that tools show.
pub(crate) struct ToolTarget {
    pub(crate) name: String,
    pub(crate) request: Request,
    /// The root certificates that verify the server; `None` if `sslmode` verifies nothing.
    pub(crate) roots: Option<TrustedRoots>,
    /// Where the local gateway listens for the connection, if it serves it.
    pub(crate) gateway: Option<GatewaySettings>,
    /// Whether the address is the gateway's, whose local password the tool needs.
    pub(crate) uses_gateway: bool,
}

/// The user that the last token of a connection is for, where the user comes with each token.
pub(crate) struct TokenUser {
    pub(crate) connection: String,
    pub(crate) user: String,
}

impl ToolTarget {
    /// Returns libpq's keywords besides the address: TLS that verifies, unless TARGET says
    /// otherwise.
    pub(crate) fn options(&self) -> Vec<(&str, String)> {
        let roots = self.roots.as_ref().map(TrustedRoots::value_for_libpq);
        self.request.all_keywords(roots.as_deref())
    }

    /// Returns pgjdbc's properties for the same: a file of root certificates, or Java's own trust
    /// store.
    pub(crate) fn java_tls(&self) -> Vec<(&'static str, String)> {
        const JAVAS_OWN: &str = "org.postgresql.ssl.DefaultJavaSSLFactory";
        let mut properties = vec![("sslmode", self.request.sslmode().to_owned())];
        if let Some(roots) = &self.roots {
            properties.push(match roots.file_for_java() {
                Some(file) => ("sslrootcert", file),
                None => ("sslfactory", JAVAS_OWN.to_owned()),
            });
        }
        properties
    }

    /// Returns every text of the connection that may come to stand in a tool's file.
    fn texts(&self) -> Vec<String> {
        let request = &self.request;
        let mut texts = vec![
            self.name.clone(),
            request.host.clone(),
            request.sign_host.clone(),
            request.user.clone(),
            request.dbname.clone(),
        ];
        texts.extend(request.profile.clone());
        if let Some(region) = &request.region {
            texts.push(region.to_string());
        }
        for (_, value) in self.options() {
            texts.push(value);
        }
        texts
    }
}

/// Refuses texts that a tool's file or command cannot hold: names and paths with control
/// characters, which would begin or break a line, and paths that are not UTF-8.
pub(crate) fn check_texts(machine: &Machine, targets: &[ToolTarget]) -> Result<()> {
    let mut paths = vec![&machine.pgcred, &machine.pgcred_config];
    paths.extend(&machine.named_config);
    let mut texts = Vec::new();
    for path in paths {
        let Some(text) = path.to_str() else {
            return Err(Error::path_not_utf8(path));
        };
        texts.push(text.to_owned());
    }
    for target in targets {
        texts.extend(target.texts());
    }
    match texts.iter().find(|text| text.contains(char::is_control)) {
        Some(text) => Err(Error::usage(format!(
            "`{}` has a control character, which no tool's file can hold",
            text::printable(text)
        ))
        .hint("rename the file, directory or profile that has this name")),
        None => Ok(()),
    }
}

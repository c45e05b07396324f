//! `pgcred prompt`: a short text for shell prompts and status bars, from the index; what is fresh
//! there needs no look into a passfile.

use std::cell::OnceCell;

use super::app::App;
use super::filed_tokens::{Standing, known_passfiles};
use super::line_owners::{is_taken, settle};
use super::run::Run;
use super::segment::{Segment, Times, segment};
use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::request::Request;
use crate::resolve::ConnectionOptions;
use crate::sys::terminal::Stdin;
use crate::text;
use crate::time::{Time, spoken};

#[derive(clap::Args)]
pub(crate) struct Prompt {
    /// Connection or other TARGET [default: the connection whose token ends first]
    target: Option<String>,
    /// Text to print; {name}, {left} and {state} (fresh, stale, expired, needs-login) are filled in
    #[arg(long, value_name = "TEXT", default_value = "{name} {left}")]
    format: String,
}

impl Run for Prompt {
    type End = ();
    const ASKS_AWS: bool = false;
    const IS_SILENT: bool = true;

    fn run(self, app: &mut App, _: Option<Stdin>) -> Result<()> {
        if let Some(name) = unknown_placeholder(&self.format) {
            return Err(Error::usage(format!("--format: there is no {{{name}}}"))
                .hint("{name}, {left} and {state} are filled in"));
        }
        let Some(index) = app.issuer.cache().map(Cache::index) else {
            return Ok(());
        };
        let (preferences, issuer) = (&app.preferences, &mut app.issuer);
        let standing = OnceCell::new();
        let in_passfile = |request: &Request| -> Option<Times> {
            let standing = standing.get_or_init(|| Standing::read(known_passfiles(&index)));
            standing
                .of(&request.key())
                .next()
                .map(|found| (found.issued_at, found.expires_at))
        };
        let segments: Vec<Segment> = if let Some(name) = &self.target {
            let request = match preferences.config.connection(name) {
                Some(_) => preferences.connection(name),
                None => preferences
                    .silent_resolver()
                    .request(&ConnectionOptions::default(), Some(name)),
            };
            let find = |request: Request| {
                let is_own = || !is_taken(name, &request.key(), preferences);
                segment(name, &request, &index, issuer, || {
                    is_own().then(|| in_passfile(&request)).flatten()
                })
            };
            request.ok().and_then(find).into_iter().collect()
        } else {
            let mut connections = preferences.named_connections();
            settle(&mut connections);
            let find = |(name, request): &(String, Request)| {
                let in_passfile = || {
                    request
                        .owns_its_line()
                        .then(|| in_passfile(request))
                        .flatten()
                };
                segment(name, request, &index, issuer, in_passfile)
            };
            connections.iter().filter_map(find).collect()
        };
        let Some(segment) = segments
            .into_iter()
            .min_by_key(|segment| segment.expires_at)
        else {
            return Ok(());
        };
        let left = match segment.state {
            "fresh" | "stale" => spoken(Time::now().until(segment.expires_at)),
            _ if self.format.contains("{state}") => "-".to_owned(), // said once is enough
            state => state.to_owned(),
        };
        let text = self
            .format
            .replace("{left}", &left)
            .replace("{state}", segment.state);
        Output::answer(&(text.replace("{name}", &text::shown(&segment.name)) + "\n"))
    }
}

/// Returns the first word in braces that is none to fill in, unless a shell or a status bar reads
/// it: `%F{red}`, `#{x}`.
fn unknown_placeholder(format: &str) -> Option<&str> {
    let mut done = 0;
    while let Some(at) = format[done..].find('{').map(|at| done + at) {
        done = at + 1;
        let word = format[done..].split_once('}').map_or("", |(word, _)| word);
        let is_word = !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        let mut before = format[..at].chars().rev();
        let last = before.next();
        let of_others = last.is_some_and(|c| "%#$".contains(c))
            || (last.is_some() && before.next() == Some('%'));
        if is_word && !of_others && !["name", "left", "state"].contains(&word) {
            return Some(word);
        }
    }
    None
}

//! `pgcred prompt`: a short text for shell prompts and status bars, from the index; what is fresh
//! there needs no look into a passfile.

use std::cell::OnceCell;

use super::owners::{is_taken, settle};
use super::place::Place;
use super::standing::{Standing, known_passfiles};
use super::{App, Run};
use crate::cache::{Cache, EntryId, Index};
use crate::error::{Error, Exit, Result};
use crate::issue::Issuer;
use crate::output::Output;
use crate::request::Request;
use crate::sys::terminal::Stdin;
use crate::text;
use crate::time::{Time, spoken};
use crate::token::{Age, age};

#[derive(clap::Args)]
pub(super) struct Prompt {
    /// Connection or other TARGET [default: the connection whose token ends first]
    target: Option<String>,
    /// Text to print; {name}, {left} and {state} (fresh, stale, expired, needs-login) are filled in
    #[arg(long, value_name = "TEXT", default_value = "{name} {left}")]
    format: String,
}

pub(super) struct Segment {
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) expires_at: Time,
}

/// When a token was signed, if that is known, and when it ends.
pub(super) type Times = (Option<Time>, Time);

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
                None => Place::default().request(
                    Some(name),
                    preferences,
                    Output {
                        quiet: true,
                        debug: false,
                    },
                ),
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

/// What is worth saying of a connection, if anything is. The passfile is asked for what the index
/// does not know as fresh: a token may have been filed there by somebody with another environment.
pub(super) fn segment(
    name: &str,
    request: &Request,
    index: &Index,
    issuer: &mut Issuer,
    in_passfile: impl FnOnce() -> Option<Times>,
) -> Option<Segment> {
    let now = Time::now();
    let age_of = |(issued_at, expires_at): Times| age(issued_at.unwrap_or(now), expires_at, now);
    let identity = issuer.identity(request.profile.as_deref());
    let record = index.records.get(EntryId::of(request, &identity).as_str());
    let recorded = record.map(|record| (Some(record.issued_at), record.expires_at));
    let known = match recorded {
        Some(times) if age_of(times) == Age::Fresh => recorded,
        _ => [in_passfile(), recorded]
            .into_iter()
            .flatten()
            .max_by_key(|(_, expires_at)| *expires_at),
    };
    let login = index
        .failure(&identity)
        .is_some_and(|failure| failure.error.exit() == Exit::Login);
    let state = match known.map_or(Age::Expired, age_of) {
        Age::Fresh => "fresh",
        _ if login => "needs-login",
        Age::Stale => "stale",
        Age::Expired => "expired",
    };
    (known.is_some() || login).then(|| Segment {
        name: name.to_owned(),
        state,
        expires_at: known.map_or(Time::from_unix(0), |(_, expires_at)| expires_at),
    })
}

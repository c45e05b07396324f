//! `pgcred prompt`: a short text for shell prompts and status bars, from the index alone.

use super::place::Place;
use super::{Context, Run};
use crate::cache::{Cache, EntryId, Index};
use crate::error::{Exit, Result};
use crate::issue::Issuer;
use crate::output::Output;
use crate::request::Request;
use crate::terminal::Stdin;
use crate::time::{Time, spoken};
use crate::token::Age;

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

impl Run for Prompt {
    type End = ();
    const ASKS_AWS: bool = false;

    fn run(self, context: &mut Context, _: Option<Stdin>) -> Result<()> {
        let Some(index) = context.issuer.cache().map(Cache::index) else { return Ok(()) };
        let names = match self.target {
            Some(name) => vec![name],
            None => context.world.config.connections.iter().map(|connection| connection.name.clone()).collect(),
        };
        let (world, issuer) = (&context.world, &mut context.issuer);
        let quiet = Output { quiet: true, debug: false };
        let segments = names.into_iter().filter_map(|name| {
            let request = match world.config.connection(&name) {
                Some(_) => world.connection(&name),
                None => Place::default().request(Some(&name), world, quiet),
            };
            let request = request.ok()?;
            segment(name, &request, &index, issuer)
        });
        let Some(segment) = segments.min_by_key(|segment| segment.expires_at) else { return Ok(()) };
        let left = match segment.state {
            "fresh" | "stale" => spoken(Time::now().until(segment.expires_at)),
            state => state.to_owned(),
        };
        let text = self.format.replace("{left}", &left).replace("{state}", segment.state);
        Output::answer(&(text.replace("{name}", &segment.name) + "\n"))
    }
}

/// What is worth saying of a connection, if anything is.
pub(super) fn segment(name: String, request: &Request, index: &Index, issuer: &mut Issuer) -> Option<Segment> {
    let identity = issuer.identity(request.profile.as_deref());
    let record = index.records.get(EntryId::of(request, &identity).as_str());
    let age = record.map_or(Age::Expired, |record| record.age(Time::now()));
    let login = index.failures.get(identity.as_str()).is_some_and(|failure| failure.error.exit() == Exit::Login);
    let state = match age {
        Age::Fresh => "fresh",
        _ if login => "needs-login",
        Age::Stale => "stale",
        Age::Expired => "expired",
    };
    (record.is_some() || login).then(|| Segment {
        name,
        state,
        expires_at: record.map_or(Time::from_unix(0), |record| record.expires_at),
    })
}

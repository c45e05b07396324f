//! Prints a short text for shell prompts and status bars, for `pgcred prompt`. It comes from the
//! index; the passfile is read only if the index has no fresh token.

use std::cell::OnceCell;

use super::app::App;
use super::line_owners::{assign_line_owners, is_owned_by_another};
use super::needs::CommandNeeds;
use super::passfile_tokens::{PassfileTokens, known_passfiles};
use super::run::RunCommand;
use super::segment::{PromptSegment, TokenState, segment_of};
use crate::cache::{Cache, CacheIndex};
use crate::error::{Error, Result};
use crate::output::Output;
use crate::request::Request;
use crate::resolve::ConnectionOptions;
use crate::sys::terminal::InheritedStdin;
use crate::text;
use crate::time::{Time, spoken_duration};
use crate::token::TokenTimes;

#[derive(clap::Args)]
pub(crate) struct PromptCommand {
    /// Connection or other TARGET [default: the connection whose token ends first]
    target: Option<String>,
    /// Text to print; {name}, {left} and {state} (fresh, stale, expired, needs-login) are filled in
    #[arg(long, value_name = "TEXT", default_value = "{name} {left}")]
    format: String,
}

impl RunCommand for PromptCommand {
    type Outcome = ();
    const NEEDS: CommandNeeds = CommandNeeds {
        asks_authority: false,
        is_silent: true,
        ..CommandNeeds::USUAL
    };

    fn run(self, app: &mut App, _: Option<InheritedStdin>) -> Result<()> {
        if let Some(name) = unknown_placeholder(&self.format) {
            return Err(Error::usage(format!("--format: there is no {{{name}}}"))
                .hint("use {name}, {left} and {state}, which are filled in"));
        }
        let Some(index) = app.issuer.cache().map(Cache::index) else {
            return Ok(());
        };
        let segments = match &self.target {
            Some(target) => segment_of_target(target, app, &index).into_iter().collect(),
            None => segments_of_connections(app, &index),
        };
        match segments.iter().min_by_key(|segment| segment.expires_at) {
            Some(first) => Output::answer(&self.text(first)),
            None => Ok(()),
        }
    }
}

impl PromptCommand {
    fn text(&self, segment: &PromptSegment) -> String {
        let state = segment.state.as_str();
        let left_in_words = match segment.state {
            TokenState::Fresh | TokenState::Stale => {
                spoken_duration(Time::now().until(segment.expires_at))
            }
            // The state stands in the text already.
            _ if self.format.contains("{state}") => "-".to_owned(),
            TokenState::Expired | TokenState::NeedsLogin => state.to_owned(),
        };
        let text = self
            .format
            .replace("{left}", &left_in_words)
            .replace("{state}", state)
            .replace("{name}", &text::printable(&segment.name));
        text + "\n"
    }
}

/// The passfiles, which are read when the first token has to be looked up there.
struct LazyPassfiles<'a> {
    index: &'a CacheIndex,
    tokens: OnceCell<PassfileTokens>,
}

impl<'a> LazyPassfiles<'a> {
    fn new(index: &'a CacheIndex) -> Self {
        Self {
            index,
            tokens: OnceCell::new(),
        }
    }

    fn times(&self, request: &Request) -> Option<TokenTimes> {
        let tokens = self
            .tokens
            .get_or_init(|| PassfileTokens::read(known_passfiles(self.index)));
        let line = request.passfile_line();
        let valid = tokens.valid_tokens(&line, self.index, request.provider.authority);
        let token = valid.first()?;
        Some(TokenTimes {
            issued_at: token.issued_at,
            fresh_until: token.fresh_until,
            expires_at: token.expires_at,
        })
    }
}

fn segment_of_target(target: &str, app: &mut App, index: &CacheIndex) -> Option<PromptSegment> {
    let (preferences, issuer) = (&app.preferences, &mut app.issuer);
    let request = match preferences.config.connection(target) {
        Some(_) => preferences.connection(target),
        None => preferences
            .silent_resolver()
            .resolve(&ConnectionOptions::default(), Some(target)),
    };
    let request = request.ok()?;
    let passfiles = LazyPassfiles::new(index);
    segment_of(target, &request, index, issuer, || {
        if is_owned_by_another(target, &request.passfile_line(), preferences) {
            None
        } else {
            passfiles.times(&request)
        }
    })
}

fn segments_of_connections(app: &mut App, index: &CacheIndex) -> Vec<PromptSegment> {
    let passfiles = LazyPassfiles::new(index);
    let mut connections = app.preferences.named_connections();
    assign_line_owners(&mut connections);
    let mut segments = Vec::new();
    for (name, request) in &connections {
        segments.extend(segment_of(name, request, index, &mut app.issuer, || {
            if request.owns_its_line() {
                passfiles.times(request)
            } else {
                None
            }
        }));
    }
    segments
}

/// Returns the first word in braces that is not a placeholder of pgcred's, unless a shell or a
/// status bar fills it in: `%F{red}`, `#{x}`.
fn unknown_placeholder(format: &str) -> Option<&str> {
    for (offset, _) in format.match_indices('{') {
        let Some((word, _)) = format[offset + 1..].split_once('}') else {
            continue;
        };
        let is_word = !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        if is_word
            && !is_of_other_program(&format[..offset])
            && !["name", "left", "state"].contains(&word)
        {
            return Some(word);
        }
    }
    None
}

/// Tells by what stands before a brace whether another program fills it: `#{`, `${`, `%{`, `%F{`.
fn is_of_other_program(preceding: &str) -> bool {
    let mut before = preceding.chars().rev();
    let (last, last_but_one) = (before.next(), before.next());
    matches!(last, Some('%' | '#' | '$')) || (last.is_some() && last_but_one == Some('%'))
}

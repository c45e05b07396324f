//! Leads the user from a profile to a login, in a conversation: this is `pgcred setup` at a
//! terminal, without a tool.
//!
//! ```text
//! run
//!  +--> conversation   the order of the questions, and the way back
//!  |      |
//!  |      +--> steps          the questions
//!  |      |     +--> step        what a question works with, and how it ends
//!  |      +--> surroundings   what there is to choose from, as a trait
//!  |             +--> real_surroundings   as it is
//!  v
//! changes      the plan of everything: it is shown, and made after the user's yes
//!  v
//! follow_up    tokens, a login that proves them, and what to open next
//! ```
//!
//! Nothing is written before the user has seen all changes and said yes, but for a login that the
//! user asks for, whose files are the authority's.

mod changes;
mod conversation;
mod follow_up;
mod real_surroundings;
mod step;
mod steps;
mod surroundings;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use crate::command::app::App;
use crate::command::errors::all_errors;
use crate::error::Result;
use crate::provider;
use crate::resolve::ConnectionOptions;
use crate::setup::Machine;
use crate::sys::dialog;
use conversation::ConversationEnd;
use real_surroundings::RealSurroundings;
use step::GuidedReplies;
use surroundings::SetupWishes;

/// What a shell returns for a program that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

/// Asks, shows the changes, and makes them.
pub(super) fn set_up_by_questions(
    options: &ConnectionOptions,
    machine: &Machine,
    app: &mut App,
) -> Result<ExitCode> {
    let dialog = dialog::open_dialog()?;
    let authority = provider::authority_of(options.provider.as_deref())?;
    let surroundings = RealSurroundings::new(app, machine, authority);
    let replies = GuidedReplies {
        given_profile: options.profile.clone(),
        ..GuidedReplies::default()
    };
    let code = match conversation::hold_conversation(dialog.as_ref(), &surroundings, replies)? {
        ConversationEnd::Agreed(wishes) => {
            make_changes(&wishes, &surroundings)?;
            return Ok(ExitCode::SUCCESS);
        }
        ConversationEnd::Declined => ExitCode::SUCCESS,
        ConversationEnd::Interrupted => ExitCode::from(INTERRUPTED),
    };
    surroundings
        .app
        .preferences
        .output
        .note("nothing was changed");
    Ok(code)
}

/// Makes the changes that the user has seen, and what follows from them. A failure of one tool or
/// of the login is reported at the end, and keeps nothing else from being done.
fn make_changes(wishes: &SetupWishes, surroundings: &RealSurroundings<'_>) -> Result<()> {
    let Some(changes) = surroundings.shown.take() else {
        return Ok(());
    };
    let mut errors = changes.make(surroundings.machine, surroundings.app)?;
    errors.extend(follow_up::try_one_login(
        wishes,
        &surroundings.users.borrow(),
        surroundings.app,
    ));
    follow_up::print_next_steps(wishes, &changes, surroundings.machine)?;
    all_errors(errors, surroundings.app.preferences.output, |count| {
        format!("{count} steps failed; what was made before stays")
    })
}

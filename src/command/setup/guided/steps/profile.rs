//! Asks which profile to use, and logs in with it.
//!
//! With one profile nothing is asked. Whoever has none may go on, if the machine itself has
//! credentials or connections are there already. Whoever declines the login can still type a host.

use crate::authority::LoginState;
use crate::command::setup::guided::step::{GuidedConversation, StepOutcome};
use crate::error::{Error, Result};
use crate::sys::dialog::{DialogAnswer, DialogChoice};

/// Asks for the profile, if there are several.
pub(in crate::command::setup::guided) fn choose_profile(
    conversation: &mut GuidedConversation<'_>,
) -> Result<StepOutcome> {
    let surroundings = conversation.surroundings;
    if let Some(profile) = &conversation.replies.given_profile {
        conversation.replies.profile = Some(profile.clone());
        return Ok(StepOutcome::Skipped);
    }
    let names = surroundings.profiles()?;
    let key = surroundings.key_variable();
    match (names.as_slice(), key) {
        ([], Some(variable)) => {
            surroundings.say(&format!("{variable} of this shell signs"));
            conversation.replies.profile = None;
            return Ok(StepOutcome::Skipped);
        }
        ([], None) => return go_on_without_profile(conversation),
        ([only_name], None) => {
            surroundings.say(&format!("profile {only_name}, the only one"));
            conversation.replies.profile = Some(only_name.clone());
            return Ok(StepOutcome::Skipped);
        }
        _ => {}
    }
    let choices = profile_choices(conversation, &names, key);
    let question = conversation.question("Which profile?", 0);
    let answer = conversation.dialog.select(question, &choices)?;
    Ok(StepOutcome::from_answer(answer, |index| {
        conversation.replies.profile = names.get(index).cloned();
    }))
}

/// Returns the profiles, and behind them the key of the shell, which needs none.
fn profile_choices(
    conversation: &GuidedConversation<'_>,
    names: &[String],
    key: Option<&'static str>,
) -> Vec<DialogChoice> {
    let mut current = conversation.replies.profile.clone();
    if current.is_none() {
        current = conversation.surroundings.current_profile();
    }
    let mut choices = Vec::new();
    for name in names {
        choices.push(DialogChoice {
            name: name.clone(),
            is_chosen: current.as_ref() == Some(name),
            ..DialogChoice::default()
        });
    }
    if let Some(variable) = key {
        choices.push(DialogChoice {
            name: format!("none: {variable} of this shell"),
            is_chosen: current.is_none(),
            ..DialogChoice::default()
        });
    }
    choices
}

/// Goes on without a profile where the machine itself has credentials, which only the user knows,
/// and where connections are there already: their tokens may need none. Else says how to make a
/// profile.
fn go_on_without_profile(conversation: &mut GuidedConversation<'_>) -> Result<StepOutcome> {
    let text = "There is no profile. Has this machine credentials of its own, such as a role?";
    let question = conversation.question(text, 0);
    match conversation.dialog.confirm(question, false)? {
        DialogAnswer::Given(has_credentials)
            if has_credentials || conversation.surroundings.configured_count() > 0 =>
        {
            conversation.replies.profile = None;
            conversation.replies.has_no_credentials = !has_credentials;
            conversation.replies.discovery = None;
            Ok(StepOutcome::Asked)
        }
        DialogAnswer::Given(_) => {
            let hint = conversation.surroundings.profile_command();
            Err(Error::usage("there is no profile, and no key in a variable").hint(hint))
        }
        DialogAnswer::Back => Ok(StepOutcome::Back),
        DialogAnswer::Interrupted => Ok(StepOutcome::Interrupted),
    }
}

/// Offers the login that the profile needs. Whoever declines can still type a host.
pub(in crate::command::setup::guided) fn log_in(
    conversation: &mut GuidedConversation<'_>,
) -> Result<StepOutcome> {
    let surroundings = conversation.surroundings;
    let profile = conversation.replies.profile.clone();
    if conversation.replies.has_no_credentials {
        return Ok(StepOutcome::Skipped);
    }
    let LoginState::Missing { reason, .. } = surroundings.login(profile.as_deref()) else {
        return Ok(StepOutcome::Skipped);
    };
    // What follows the colon, such as a file, is for the doctor.
    let reason = reason.split(": ").next().unwrap_or_default();
    let text = format!("{reason}. Log in now?");
    let question = conversation.question(&text, 0);
    match conversation.dialog.confirm(question, true)? {
        DialogAnswer::Given(true) => {
            if let Err(error) = surroundings.log_in(profile.as_deref()) {
                surroundings.say(&format!("no login: {error}"));
            }
            conversation.replies.discovery = None;
            Ok(StepOutcome::Asked)
        }
        DialogAnswer::Given(false) => Ok(StepOutcome::Asked),
        DialogAnswer::Back => Ok(StepOutcome::Back),
        DialogAnswer::Interrupted => Ok(StepOutcome::Interrupted),
    }
}

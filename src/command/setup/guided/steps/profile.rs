//! Which profile, and its login.

use crate::authority::LoginState;
use crate::command::setup::guided::step::{Conversation, Step};
use crate::error::{Error, Result};
use crate::sys::dialog::{Answer, Choice};

/// Asks for the profile, if there are several.
pub(in crate::command::setup::guided) fn choose(
    conversation: &mut Conversation<'_>,
) -> Result<Step> {
    let here = conversation.here;
    if let Some(given) = &conversation.replies.given_profile {
        conversation.replies.profile = Some(given.clone());
        return Ok(Step::Skipped);
    }
    let names = here.profiles()?;
    let key = here.key_variable();
    match (names.as_slice(), key) {
        ([], Some(variable)) => {
            here.say(&format!("{variable} of this shell signs"));
            conversation.replies.profile = None;
            return Ok(Step::Skipped);
        }
        ([], None) => return without_profile(conversation),
        ([only], None) => {
            here.say(&format!("profile {only}, the only one"));
            conversation.replies.profile = Some(only.clone());
            return Ok(Step::Skipped);
        }
        _ => {}
    }
    let choices = choices(conversation, &names, key);
    let question = conversation.question("Which profile?", 0);
    let answer = conversation.dialog.select(question, &choices)?;
    Ok(Step::of(answer, |index| {
        conversation.replies.profile = names.get(index).cloned();
    }))
}

/// Returns the profiles, and behind them the key of the shell, which needs none.
fn choices(
    conversation: &Conversation<'_>,
    names: &[String],
    key: Option<&'static str>,
) -> Vec<Choice> {
    let mut current = conversation.replies.profile.clone();
    if current.is_none() {
        current = conversation.here.current_profile();
    }
    let mut choices = Vec::new();
    for name in names {
        choices.push(Choice {
            name: name.clone(),
            is_chosen: current.as_ref() == Some(name),
            ..Choice::default()
        });
    }
    if let Some(variable) = key {
        choices.push(Choice {
            name: format!("none: {variable} of this shell"),
            is_chosen: current.is_none(),
            ..Choice::default()
        });
    }
    choices
}

/// Goes on without a profile where the machine itself has credentials, which only the user knows.
/// Else says how to make a profile.
fn without_profile(conversation: &mut Conversation<'_>) -> Result<Step> {
    let text = "There is no profile. Has this machine credentials of its own, such as a role?";
    let question = conversation.question(text, 0);
    match conversation.dialog.confirm(question, false)? {
        Answer::Given(true) => {
            conversation.replies.profile = None;
            Ok(Step::Asked)
        }
        Answer::Given(false) => {
            let hint = conversation.here.how_to_make_a_profile();
            Err(Error::usage("there is no profile, and no key in a variable").hint(hint))
        }
        Answer::Back => Ok(Step::Back),
        Answer::Interrupted => Ok(Step::Interrupted),
    }
}

/// Offers the login that the profile needs. Whoever declines can still type a host.
pub(in crate::command::setup::guided) fn log_in(
    conversation: &mut Conversation<'_>,
) -> Result<Step> {
    let here = conversation.here;
    let profile = conversation.replies.profile.clone();
    let LoginState::Missing { why, .. } = here.login(profile.as_deref()) else {
        return Ok(Step::Skipped);
    };
    // What follows the colon, such as a file, is for the doctor.
    let why = why.split(": ").next().unwrap_or_default();
    let text = format!("{why}. Log in now?");
    let question = conversation.question(&text, 0);
    match conversation.dialog.confirm(question, true)? {
        Answer::Given(true) => {
            if let Err(error) = here.log_in(profile.as_deref()) {
                here.say(&format!("no login: {error}"));
            }
            conversation.replies.discovery = None;
            Ok(Step::Asked)
        }
        Answer::Given(false) => Ok(Step::Asked),
        Answer::Back => Ok(Step::Back),
        Answer::Interrupted => Ok(Step::Interrupted),
    }
}

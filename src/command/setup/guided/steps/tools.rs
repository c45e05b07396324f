//! Asks which tools to set up, which connections get the user that they need, whether a scheduler
//! refreshes in the background, and for the line for the shell.

use crate::command::setup::guided::step::{GuidedConversation, StepOutcome};
use crate::command::setup::guided::surroundings::{SchedulerState, UnknownUser};
use crate::error::Result;
use crate::setup::ToolKind;
use crate::sys::dialog::DialogChoice;

/// Asks which tools are to be set up. Those that were found here and have files are picked already;
/// what the others print is long, and their programs, such as an editor, may have other uses.
pub(in crate::command::setup::guided) fn choose_tools(
    conversation: &mut GuidedConversation<'_>,
) -> Result<StepOutcome> {
    let tools = conversation.surroundings.tools();
    let mut choices = Vec::new();
    for candidate in &tools {
        let has_files = candidate.tool.files().is_some();
        let is_chosen = match &conversation.replies.tools {
            Some(picked_tools) => picked_tools
                .iter()
                .any(|tool| tool.name == candidate.tool.name),
            None => candidate.is_installed && has_files,
        };
        let mut detail = candidate.tool.name.to_owned();
        if !has_files {
            detail += ", prints what to enter";
        }
        if !candidate.is_installed {
            detail += ", not found here";
        }
        choices.push(DialogChoice {
            name: candidate.tool.title.to_owned(),
            detail,
            is_chosen,
            is_always_shown: false,
        });
    }
    let question = conversation.question("Which tools?", 0);
    let answer = conversation.dialog.multi_select(question, &choices)?;
    Ok(StepOutcome::from_answer(answer, |indices| {
        let mut chosen_tools = Vec::new();
        for index in indices {
            chosen_tools.push(tools[index].tool);
        }
        conversation.replies.tools = Some(chosen_tools);
    }))
}

/// Asks for which connections a token is issued now, because its user is what a tool needs. One
/// that would create a user of the database is not picked already.
pub(in crate::command::setup::guided) fn ask_token_users(
    conversation: &mut GuidedConversation<'_>,
) -> Result<StepOutcome> {
    let picked_tools = conversation.replies.tools.as_deref().unwrap_or_default();
    let follower = picked_tools.iter().find(|tool| tool.follows_users);
    let unknown_users = conversation.surroundings.unknown_users();
    let (Some(follower), false) = (follower, unknown_users.is_empty()) else {
        conversation.replies.connections_to_ask_users_for = None;
        return Ok(StepOutcome::Skipped);
    };
    let mut choices = Vec::new();
    for UnknownUser {
        connection,
        is_created,
    } in unknown_users
    {
        let is_chosen = match &conversation.replies.connections_to_ask_users_for {
            Some(names) => names.contains(connection),
            None => !is_created,
        };
        let detail = if *is_created {
            "creates a user of the database"
        } else {
            ""
        };
        choices.push(DialogChoice {
            name: connection.clone(),
            detail: detail.to_owned(),
            is_chosen,
            is_always_shown: false,
        });
    }
    let text = format!(
        "Users that come with each token: ask for which now, for {}?",
        follower.name
    );
    let question = conversation.question(&text, 0);
    let answer = conversation.dialog.multi_select(question, &choices)?;
    Ok(StepOutcome::from_answer(answer, |picked_tools| {
        let names = picked_tools
            .into_iter()
            .map(|index| unknown_users[index].connection.clone());
        conversation.replies.connections_to_ask_users_for = Some(names.collect());
    }))
}

/// Asks whether a scheduler is to refresh the tokens. Tools that read the passfile need that.
pub(in crate::command::setup::guided) fn ask_scheduler(
    conversation: &mut GuidedConversation<'_>,
) -> Result<StepOutcome> {
    let surroundings = conversation.surroundings;
    let tool = match surroundings.scheduler() {
        SchedulerState::AtWork(tool) => {
            surroundings.say(&format!("{} refreshes the tokens already", tool.title));
            conversation.replies.scheduler = None;
            return Ok(StepOutcome::Skipped);
        }
        SchedulerState::None => {
            conversation.replies.scheduler = None;
            return Ok(StepOutcome::Skipped);
        }
        SchedulerState::CanBeSetUp(tool) => tool,
    };
    let picked_tools = conversation.replies.tools.as_deref().unwrap_or_default();
    let needs_scheduler = picked_tools
        .iter()
        .any(|tool| tool.kind == ToolKind::Passfile);
    let text = format!("Keep tokens fresh in the background, by {}?", tool.title);
    let question = conversation.question(&text, 0);
    let answer = conversation.dialog.confirm(question, needs_scheduler)?;
    Ok(StepOutcome::from_answer(answer, |is_wanted| {
        conversation.replies.scheduler = is_wanted.then_some(tool);
    }))
}

/// Asks whether to print the line for the shell's start-up file. pgcred never edits that file.
pub(in crate::command::setup::guided) fn ask_shell(
    conversation: &mut GuidedConversation<'_>,
) -> Result<StepOutcome> {
    let Some(shell) = conversation.surroundings.shell() else {
        return Ok(StepOutcome::Skipped);
    };
    let text = format!(
        "Also refresh at prompts of {} (prints a line for you to paste)?",
        shell.name
    );
    let question = conversation.question(&text, 0);
    let default = conversation.replies.scheduler.is_none();
    let answer = conversation.dialog.confirm(question, default)?;
    Ok(StepOutcome::from_answer(answer, |is_wanted| {
        conversation.replies.shell = is_wanted.then_some(shell);
    }))
}

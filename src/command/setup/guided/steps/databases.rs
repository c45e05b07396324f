//! Asks which of the databases that were found to add, for the users of those that need one, and
//! for a host that the user types.
//!
//! Databases are looked for once, with the profile that was chosen. One that cannot be added is
//! said with its reason and left out. A user is asked for where the service has none of its own,
//! and a name is refused that another connection has.

use crate::command::setup::guided::step::{GuidedConversation, StepOutcome};
use crate::command::setup::guided::surroundings::{DatabaseOffer, DatabaseOffers};
use crate::error::{Error, Result};
use crate::sys::dialog::{DialogAnswer, DialogChoice};
use crate::text::{backquoted, suggest};

const OTHER_HOST: &str = "a host that is not listed";

/// Looks for databases and asks which of them become connections.
pub(in crate::command::setup::guided) fn choose_databases(
    conversation: &mut GuidedConversation<'_>,
) -> Result<StepOutcome> {
    let discovery = discovered_databases(conversation);
    let surroundings = conversation.surroundings;
    if discovery.new.is_empty() {
        conversation.replies.picked_rows.clear();
        return go_on_without_new_database(conversation, discovery.is_partial);
    }
    loop {
        let choices = database_choices(conversation, &discovery.new);
        let question = conversation.question("Which databases?", 0);
        let mut picked = match conversation.dialog.multi_select(question, &choices)? {
            DialogAnswer::Given(picked) => picked,
            DialogAnswer::Back => return Ok(StepOutcome::Back),
            DialogAnswer::Interrupted => return Ok(StepOutcome::Interrupted),
        };
        let wants_to_type_host = picked.last() == Some(&discovery.new.len());
        picked.retain(|index| *index < discovery.new.len());
        conversation.replies.wants_to_type_host = wants_to_type_host;
        if let Some(refusal) = drop_unaddable(&mut picked, &discovery.new) {
            surroundings.say(&refusal);
            conversation.replies.picked_rows = picked;
            continue;
        }
        if picked.is_empty() && !wants_to_type_host && surroundings.configured_count() == 0 {
            surroundings.say("pick at least one with the space bar");
            continue;
        }
        let replies = &mut conversation.replies;
        if replies.picked_rows != picked {
            replies.users.clear();
        }
        replies.picked_rows = picked;
        return Ok(StepOutcome::Asked);
    }
}

/// Returns what was found with the profile. Looks once, and says what could not be asked.
fn discovered_databases(conversation: &mut GuidedConversation<'_>) -> DatabaseOffers {
    let profile = conversation.replies.profile.clone();
    if let Some((searched_profile, earlier_offers)) = &conversation.replies.discovery
        && *searched_profile == profile
    {
        return earlier_offers.clone();
    }
    let surroundings = conversation.surroundings;
    let mut offers = DatabaseOffers::default();
    let search_result = if conversation.replies.has_no_credentials {
        Ok(DatabaseOffers::default())
    } else {
        surroundings.discover(profile.as_deref())
    };
    match search_result {
        Ok(discovery) => offers = discovery,
        Err(error) => {
            offers.is_partial = true;
            offers.remarks.push(error.to_string());
            offers.remarks.extend(error.hint_text().map(str::to_owned));
        }
    }
    for remark in &offers.remarks {
        surroundings.say(remark);
    }
    if !offers.configured.is_empty() {
        let names = suggest::list_names(&offers.configured);
        surroundings.say(&format!("configured already: {names}"));
    }
    conversation.replies.picked_rows.clear();
    conversation.replies.users.clear();
    conversation.replies.discovery = Some((profile, offers.clone()));
    offers
}

/// Goes on to a typed host, or asks for one if something is configured already.
fn go_on_without_new_database(
    conversation: &mut GuidedConversation<'_>,
    is_partial: bool,
) -> Result<StepOutcome> {
    let surroundings = conversation.surroundings;
    if surroundings.configured_count() == 0 {
        surroundings.say(if is_partial {
            "the databases could not be listed: type the host of one"
        } else {
            "no database was found: type the host of one"
        });
        conversation.replies.wants_to_type_host = true;
        return Ok(StepOutcome::Skipped);
    }
    let text = if is_partial {
        "Not every database could be listed. Type a host?"
    } else {
        "No other database was found. Type a host?"
    };
    let question = conversation.question(text, 0);
    let default = conversation.replies.wants_to_type_host;
    let answer = conversation.dialog.confirm(question, default)?;
    Ok(StepOutcome::from_answer(answer, |wants_to_type_host| {
        conversation.replies.wants_to_type_host = wants_to_type_host;
    }))
}

fn database_choices(
    conversation: &GuidedConversation<'_>,
    new: &[DatabaseOffer],
) -> Vec<DialogChoice> {
    let replies = &conversation.replies;
    let is_only = new.len() == 1 && conversation.surroundings.configured_count() == 0;
    let mut choices = Vec::new();
    for (index, offer) in new.iter().enumerate() {
        let detail = match &offer.not_added {
            Some(reason) => format!("{}: {reason}", offer.detail),
            None => offer.detail.clone(),
        };
        choices.push(DialogChoice {
            name: offer.connection.name.clone(),
            detail,
            is_chosen: replies.picked_rows.contains(&index)
                || (is_only && offer.not_added.is_none()),
            is_always_shown: false,
        });
    }
    choices.push(DialogChoice {
        name: OTHER_HOST.to_owned(),
        is_chosen: replies.wants_to_type_host,
        is_always_shown: true,
        ..DialogChoice::default()
    });
    choices
}

/// Takes out the databases that cannot be added. Returns why not, for the first of them.
fn drop_unaddable(indices: &mut Vec<usize>, new: &[DatabaseOffer]) -> Option<String> {
    let mut first = None;
    indices.retain(|index| {
        let offer = &new[*index];
        let Some(reason) = &offer.not_added else {
            return true;
        };
        first.get_or_insert_with(|| format!("{}: {reason}", offer.connection.name));
        false
    });
    first
}

/// Asks for the database user where the service has none of its own.
pub(in crate::command::setup::guided) fn ask_users(
    conversation: &mut GuidedConversation<'_>,
) -> Result<StepOutcome> {
    let Some((_, discovery)) = conversation.replies.discovery.clone() else {
        return Ok(StepOutcome::Skipped);
    };
    let mut open_users = Vec::new();
    for (position, offer_index) in conversation.replies.picked_rows.iter().enumerate() {
        let connection = &discovery.new[*offer_index].connection;
        if connection.target.user.is_none() {
            open_users.push((position, connection.name.clone()));
        }
    }
    if open_users.is_empty() {
        return Ok(StepOutcome::Skipped);
    }
    let picked_count = conversation.replies.picked_rows.len();
    conversation
        .replies
        .users
        .resize(picked_count, String::new());
    let mut question_index = 0;
    while let Some((position, name)) = open_users.get(question_index) {
        let text = format!("Database user of {name}?");
        let users = &conversation.replies.users;
        let mut default = users[*position].clone();
        if default.is_empty() && question_index > 0 {
            default.clone_from(&users[open_users[question_index - 1].0]);
        }
        let question = conversation.question(&text, question_index);
        match conversation
            .dialog
            .text(question, &default, &check_typed_user)?
        {
            DialogAnswer::Given(user) => {
                conversation.replies.users[*position] = user;
                question_index += 1;
            }
            DialogAnswer::Back if question_index == 0 => return Ok(StepOutcome::Back),
            DialogAnswer::Back => question_index -= 1,
            DialogAnswer::Interrupted => return Ok(StepOutcome::Interrupted),
        }
    }
    Ok(StepOutcome::Asked)
}

fn check_typed_user(user: &str) -> Result<()> {
    if user.is_empty() {
        let error = Error::usage("this service needs the name of a database user");
        return Err(error.hint("name the database user that logs in, such as app"));
    }
    crate::request::check_name("user", user.to_owned()).map(drop)
}

/// The questions about a database that the user types, in their order.
#[derive(Clone, Copy)]
enum TypedQuestion {
    Host,
    User,
    Name,
}

/// Asks for a host, its user, and the name of the connection.
pub(in crate::command::setup::guided) fn ask_typed_database(
    conversation: &mut GuidedConversation<'_>,
) -> Result<StepOutcome> {
    if !conversation.replies.wants_to_type_host {
        conversation.replies.typed_connection = None;
        return Ok(StepOutcome::Skipped);
    }
    let surroundings = conversation.surroundings;
    let mut question = TypedQuestion::Host;
    loop {
        let outcome = match question {
            TypedQuestion::Host => ask_host(conversation)?,
            TypedQuestion::User => ask_user(conversation)?,
            TypedQuestion::Name => ask_name(conversation)?,
        };
        let is_back = match outcome {
            StepOutcome::Interrupted => return Ok(StepOutcome::Interrupted),
            StepOutcome::Back => true,
            StepOutcome::Asked | StepOutcome::Skipped => false,
        };
        question = match question {
            TypedQuestion::Host if is_back => return Ok(StepOutcome::Back),
            TypedQuestion::Host => TypedQuestion::User,
            TypedQuestion::User if is_back => TypedQuestion::Host,
            TypedQuestion::User => TypedQuestion::Name,
            TypedQuestion::Name if !is_back => return Ok(StepOutcome::Asked),
            TypedQuestion::Name if conversation.replies.needs_typed_user(surroundings)? => {
                TypedQuestion::User
            }
            // The user of this host is known, so there was no question for it.
            TypedQuestion::Name => TypedQuestion::Host,
        };
    }
}

fn ask_host(conversation: &mut GuidedConversation<'_>) -> Result<StepOutcome> {
    let surroundings = conversation.surroundings;
    let profile = conversation.replies.profile.clone();
    let check = |text: &str| match text {
        "" => Err(Error::usage("the host is empty")
            .hint("name a host, a cluster ID or a postgres:// URI")),
        text => surroundings.needs_user(text, profile.as_deref()).map(drop),
    };
    let question = conversation.question("Host?", TypedQuestion::Host as usize);
    let default = conversation.replies.typed_host.clone();
    let answer = conversation.dialog.text(question, &default, &check)?;
    Ok(StepOutcome::from_answer(answer, |host| {
        conversation.replies.typed_host = host;
    }))
}

fn ask_user(conversation: &mut GuidedConversation<'_>) -> Result<StepOutcome> {
    let surroundings = conversation.surroundings;
    if !conversation.replies.needs_typed_user(surroundings)? {
        conversation.replies.typed_user.clear();
        return Ok(StepOutcome::Skipped);
    }
    let text = format!(
        "Database user of {}?",
        backquoted(&conversation.replies.typed_host)
    );
    let question = conversation.question(&text, TypedQuestion::User as usize);
    let default = conversation.replies.typed_user.clone();
    let answer = conversation
        .dialog
        .text(question, &default, &check_typed_user)?;
    Ok(StepOutcome::from_answer(answer, |user| {
        conversation.replies.typed_user = user;
    }))
}

fn ask_name(conversation: &mut GuidedConversation<'_>) -> Result<StepOutcome> {
    let surroundings = conversation.surroundings;
    let replies = &conversation.replies;
    let user = match replies.typed_user.as_str() {
        "" => None,
        user => Some(user),
    };
    let mut connection = match surroundings.connection_for_typed_host(
        &replies.typed_host,
        user,
        replies.profile.as_deref(),
    ) {
        Ok(connection) => connection,
        Err(error) => {
            surroundings.say(&error.to_string());
            return Ok(StepOutcome::Back);
        }
    };
    let mut others = replies.wishes();
    if replies.typed_connection.is_some() {
        others.connections.pop();
    }
    let host = connection.target.host.clone();
    let check = |name: &str| surroundings.check_name(name, host.as_deref(), &others);
    let question = conversation.question("Name of the connection?", TypedQuestion::Name as usize);
    let answer = conversation
        .dialog
        .text(question, &connection.name, &check)?;
    Ok(StepOutcome::from_answer(answer, |name| {
        connection.name = name;
        conversation.replies.typed_connection = Some(connection);
    }))
}

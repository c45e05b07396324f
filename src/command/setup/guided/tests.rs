//! The conversation with answers of a script, in surroundings that are made up: the way forward,
//! the way back from every question, and Ctrl-C at every question.

use std::cell::RefCell;

use super::conversation::{ConversationEnd, hold_conversation};
use super::step::GuidedReplies;
use super::surroundings::{
    DatabaseOffer, DatabaseOffers, FoundTool, GuidedSurroundings, SchedulerState, SetupWishes,
    UnknownUser,
};
use crate::authority::LoginState;
use crate::config::Connection;
use crate::error::{Error, Result};
use crate::integrations::TOOLS;
use crate::request::target::TargetSpec;
use crate::setup::Tool;
use crate::shell::{SHELLS, Shell};
use crate::sys::dialog::{Dialog, DialogAnswer, DialogChoice, DialogQuestion};

/// What happens at one question, by its number.
#[derive(Clone, Copy)]
enum Event {
    Back,
    Interrupt,
}

/// Answers every question with its default, and `yes` to the last one.
#[derive(Default)]
struct Script {
    event: Option<(usize, Event)>,
    /// Answers that are no defaults: the beginning of a question, and what to pick or type. A
    /// question that is asked again takes the next row, if there is one.
    picks: Vec<(&'static str, Vec<usize>)>,
    texts: Vec<(&'static str, &'static str)>,
    asked: RefCell<Vec<String>>,
}

impl Script {
    fn note<T>(&self, question: DialogQuestion<'_>, answer: T) -> DialogAnswer<T> {
        let mut asked = self.asked.borrow_mut();
        let number = asked.len();
        let is_first = if question.is_first { "first: " } else { "" };
        asked.push(format!("{is_first}{}", question.text));
        assert!(number < 60, "no end: {asked:?}");
        match self.event {
            Some((at, Event::Back)) if at == number => DialogAnswer::Back,
            Some((at, Event::Interrupt)) if at == number => DialogAnswer::Interrupted,
            _ => DialogAnswer::Given(answer),
        }
    }

    fn marked(&self, question: DialogQuestion<'_>, choices: &[DialogChoice]) -> Vec<usize> {
        let asked = self.asked.borrow();
        let before = asked
            .iter()
            .filter(|asked| asked.contains(question.text))
            .count();
        let mut picks = Vec::new();
        for (text, picked) in &self.picks {
            if question.text.starts_with(text) {
                picks.push(picked);
            }
        }
        if let Some(picked) = picks.get(before).or(picks.last()) {
            return (*picked).clone();
        }
        let numbered = choices.iter().enumerate();
        numbered
            .filter(|(_, choice)| choice.is_chosen)
            .map(|(index, _)| index)
            .collect()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }
}

impl Dialog for Script {
    fn select(
        &self,
        question: DialogQuestion<'_>,
        choices: &[DialogChoice],
    ) -> Result<DialogAnswer<usize>> {
        let marked = self.marked(question, choices);
        Ok(self.note(question, marked.first().copied().unwrap_or(0)))
    }

    fn multi_select(
        &self,
        question: DialogQuestion<'_>,
        choices: &[DialogChoice],
    ) -> Result<DialogAnswer<Vec<usize>>> {
        let marked = self.marked(question, choices);
        Ok(self.note(question, marked))
    }

    fn confirm(&self, question: DialogQuestion<'_>, default: bool) -> Result<DialogAnswer<bool>> {
        let is_yes = default || question.text.starts_with("Make");
        Ok(self.note(question, is_yes))
    }

    fn text(
        &self,
        question: DialogQuestion<'_>,
        default: &str,
        check: &dyn Fn(&str) -> Result<()>,
    ) -> Result<DialogAnswer<String>> {
        let mut typed = default.to_owned();
        for (text, answer) in &self.texts {
            if question.text.starts_with(text) {
                (*answer).clone_into(&mut typed);
            }
        }
        check(&typed).unwrap_or_else(|error| panic!("{}: {error}", question.text));
        Ok(self.note(question, typed))
    }
}

/// A machine that is made up.
#[derive(Default)]
struct World {
    profiles: Vec<String>,
    key: Option<&'static str>,
    found: Vec<DatabaseOffer>,
    configured: usize,
    needs_login: bool,
    cannot_discover: bool,
    has_no_scheduler: bool,
    unknown_users: Vec<UnknownUser>,
    searches: RefCell<Vec<Option<String>>>,
    said: RefCell<Vec<String>>,
}

fn connection(name: &str, user: Option<&str>) -> Connection {
    Connection {
        name: name.to_owned(),
        target: TargetSpec {
            host: Some(format!("{name}.example.com")),
            user: user.map(str::to_owned),
            ..TargetSpec::default()
        },
        ..Connection::default()
    }
}

fn found(name: &str, user: Option<&str>, not_added: Option<&str>) -> DatabaseOffer {
    DatabaseOffer {
        connection: connection(name, user),
        detail: "a database".to_owned(),
        not_added: not_added.map(str::to_owned),
    }
}

/// Two profiles, three databases of which one needs a user, and a login that is missing.
fn world() -> World {
    World {
        profiles: vec!["dev".to_owned(), "prod".to_owned()],
        found: vec![
            found("main", Some("admin"), None),
            found("orders", None, None),
            found("old", None, Some("it takes passwords only")),
        ],
        needs_login: true,
        unknown_users: vec![unknown_user("dwh", false), unknown_user("billing", true)],
        ..World::default()
    }
}

fn unknown_user(connection: &str, is_created: bool) -> UnknownUser {
    UnknownUser {
        connection: connection.to_owned(),
        is_created,
    }
}

fn tool(name: &str) -> &'static Tool {
    TOOLS.iter().find(|tool| tool.name == name).expect("a tool")
}

impl GuidedSurroundings for World {
    fn profiles(&self) -> Result<Vec<String>> {
        Ok(self.profiles.clone())
    }

    fn current_profile(&self) -> Option<String> {
        self.profiles.last().cloned()
    }

    fn key_variable(&self) -> Option<&'static str> {
        self.key
    }

    fn profile_command(&self) -> String {
        "make one".to_owned()
    }

    fn login(&self, _: Option<&str>) -> LoginState {
        if self.needs_login {
            return LoginState::Missing {
                reason: "the login has expired".to_owned(),
                command: String::new(),
            };
        }
        LoginState::NotNeeded
    }

    fn log_in(&self, _: Option<&str>) -> Result<()> {
        Ok(())
    }

    fn discover(&self, profile: Option<&str>) -> Result<DatabaseOffers> {
        self.searches.borrow_mut().push(profile.map(str::to_owned));
        if self.cannot_discover {
            return Err(Error::failure("nobody may list anything"));
        }
        Ok(DatabaseOffers {
            new: self.found.clone(),
            ..DatabaseOffers::default()
        })
    }

    fn needs_user(&self, host: &str, _: Option<&str>) -> Result<bool> {
        Ok(host.starts_with("rds"))
    }

    fn connection_for_typed_host(
        &self,
        host: &str,
        user: Option<&str>,
        _: Option<&str>,
    ) -> Result<Connection> {
        Ok(connection(host, user))
    }

    fn unknown_users(&self) -> &[UnknownUser] {
        &self.unknown_users
    }

    fn configured_count(&self) -> usize {
        self.configured
    }

    fn check_name(&self, name: &str, _: Option<&str>, wishes: &SetupWishes) -> Result<()> {
        assert!(wishes.connections.iter().all(|known| known.name != name));
        Ok(())
    }

    fn tools(&self) -> Vec<FoundTool> {
        let surroundings = |name, is_installed| FoundTool {
            tool: tool(name),
            is_installed,
        };
        vec![
            surroundings("psql", true),
            surroundings("tableplus", true),
            surroundings("pgadmin", false),
        ]
    }

    fn scheduler(&self) -> SchedulerState {
        if self.has_no_scheduler {
            SchedulerState::None
        } else {
            SchedulerState::CanBeSetUp(tool("cron"))
        }
    }

    fn shell(&self) -> Option<&'static Shell> {
        SHELLS.first()
    }

    fn show_changes(&self, _: &SetupWishes) -> Result<bool> {
        Ok(true)
    }

    fn say(&self, text: &str) {
        self.said.borrow_mut().push(text.to_owned());
    }
}

/// Returns the answers of a user who picks two databases and types a host besides.
fn everything() -> Script {
    Script {
        picks: vec![("Which databases", vec![0, 1, 3])],
        texts: vec![("Database user", "app"), ("Host", "rds1")],
        ..Script::default()
    }
}

fn agreed(ending: ConversationEnd) -> SetupWishes {
    match ending {
        ConversationEnd::Agreed(wishes) => wishes,
        ConversationEnd::Declined => panic!("declined"),
        ConversationEnd::Interrupted => panic!("interrupted"),
    }
}

fn in_words(wishes: &SetupWishes) -> String {
    let mut words = Vec::new();
    for connection in &wishes.connections {
        words.push(format!("{}:{:?}", connection.name, connection.target.user));
    }
    for tool in wishes.tools.iter().copied().chain(wishes.scheduler) {
        words.push(tool.name.to_owned());
    }
    words.extend(
        wishes
            .connections_to_ask_users_for
            .iter()
            .map(|name| format!("asks:{name}")),
    );
    words.extend(wishes.shell.map(|shell| shell.name.to_owned()));
    words.join(" ")
}

const EVERYTHING: &str = "main:Some(\"admin\") orders:Some(\"app\") \
                          rds1:Some(\"app\") psql cron asks:dwh";

#[test]
fn the_answers_become_wishes() {
    let (script, world) = (everything(), world());
    let wishes = agreed(hold_conversation(&script, &world, GuidedReplies::default()).unwrap());
    assert_eq!(in_words(&wishes), EVERYTHING);
    assert_eq!(
        script.asked(),
        [
            "first: Which profile?",
            "the login has expired. Log in now?",
            "Which databases?",
            "Database user of orders?",
            "Host?",
            "Database user of `rds1`?",
            "Name of the connection?",
            "Which tools?",
            "Users that come with each token: ask for which now, for psql?",
            "Keep tokens fresh in the background, by cron?",
            "Also refresh at prompts of bash (prints a line for you to paste)?",
            "Make these changes, write tokens, and try a login?",
        ]
    );
}

#[test]
fn whoever_goes_back_comes_to_the_same_end() {
    let all = everything();
    agreed(hold_conversation(&all, &world(), GuidedReplies::default()).unwrap());
    let questions = all.asked();
    for at in 1..questions.len() {
        let mut script = everything();
        script.event = Some((at, Event::Back));
        let world = world();
        let wishes = agreed(hold_conversation(&script, &world, GuidedReplies::default()).unwrap());
        assert_eq!(in_words(&wishes), EVERYTHING, "back at {}", questions[at]);
        // A step with several questions begins again.
        let asked = script.asked();
        let again = questions[..at]
            .iter()
            .position(|known| *known == asked[at + 1]);
        let again = again.unwrap_or_else(|| panic!("{asked:?}"));
        assert_eq!(
            asked[at + 1..],
            questions[again..],
            "back at {}",
            questions[at]
        );
    }
}

/// A user that would be created is not asked for unless it is picked.
#[test]
fn users_that_come_with_tokens_are_for_tools_that_follow_them() {
    let asked = |tools: Vec<usize>, users: Option<Vec<usize>>| {
        let mut script = everything();
        script.picks.push(("Which tools", tools));
        script
            .picks
            .extend(users.map(|picked| ("Users that come", picked)));
        let wishes =
            agreed(hold_conversation(&script, &world(), GuidedReplies::default()).unwrap());
        let is_asked = script.asked().iter().any(|text| text.contains("come with"));
        (is_asked, wishes.connections_to_ask_users_for.join(" "))
    };
    assert_eq!(asked(vec![0], None), (true, "dwh".to_owned()));
    assert_eq!(asked(vec![0], Some(vec![1])), (true, "billing".to_owned()));
    assert_eq!(asked(vec![0], Some(vec![])), (true, String::new()));
    assert_eq!(asked(vec![1], None), (false, String::new()));
}

#[test]
fn ctrl_c_ends_at_every_question_and_esc_at_the_first() {
    let all = everything();
    agreed(hold_conversation(&all, &world(), GuidedReplies::default()).unwrap());
    for at in 0..all.asked().len() {
        let mut script = everything();
        script.event = Some((at, Event::Interrupt));
        let ending = hold_conversation(&script, &world(), GuidedReplies::default()).unwrap();
        assert!(matches!(ending, ConversationEnd::Interrupted), "{at}");
        assert_eq!(script.asked().len(), at + 1);
    }
    let mut script = everything();
    script.event = Some((0, Event::Back));
    let ending = hold_conversation(&script, &world(), GuidedReplies::default()).unwrap();
    assert!(matches!(ending, ConversationEnd::Declined));
}

#[test]
fn one_look_is_enough_for_a_profile() {
    let mut script = everything();
    script.event = Some((7, Event::Back));
    let mut world = world();
    world.needs_login = false;
    agreed(hold_conversation(&script, &world, GuidedReplies::default()).unwrap());
    assert_eq!(*world.searches.borrow(), [Some("prod".to_owned())]);
}

#[test]
fn a_host_is_typed_where_nothing_can_be_listed() {
    let script = Script {
        texts: vec![("Host", "h1")],
        ..Script::default()
    };
    let world = World {
        profiles: vec!["dev".to_owned()],
        cannot_discover: true,
        has_no_scheduler: true,
        ..World::default()
    };
    let wishes = agreed(hold_conversation(&script, &world, GuidedReplies::default()).unwrap());
    assert_eq!(in_words(&wishes), "h1:None psql bash");
    assert_eq!(
        script.asked()[..2],
        ["first: Host?", "Name of the connection?"]
    );
    let said = world.said.borrow().join("\n");
    assert!(said.contains("nobody may list anything"), "{said}");
}

#[test]
fn the_list_is_asked_again_until_something_can_be_added() {
    let script = Script {
        picks: vec![
            ("Which databases", vec![2]),
            ("Which databases", vec![]),
            ("Which databases", vec![0]),
        ],
        ..Script::default()
    };
    let world = world();
    let wishes = agreed(hold_conversation(&script, &world, GuidedReplies::default()).unwrap());
    assert_eq!(wishes.connections.len(), 1);
    let said = world.said.borrow();
    assert_eq!(said[0], "old: it takes passwords only");
    assert!(said[1].starts_with("pick at least one"), "{said:?}");
}

#[test]
fn the_only_database_is_picked_and_others_are_not() {
    let world = World {
        profiles: vec!["dev".to_owned()],
        found: vec![found("main", Some("admin"), None)],
        ..World::default()
    };
    let wishes =
        agreed(hold_conversation(&Script::default(), &world, GuidedReplies::default()).unwrap());
    assert_eq!(wishes.connections.len(), 1);
    let world = World {
        configured: 1,
        ..world
    };
    let wishes =
        agreed(hold_conversation(&Script::default(), &world, GuidedReplies::default()).unwrap());
    assert!(wishes.connections.is_empty());
}

#[test]
fn without_any_credentials_the_user_learns_how_to_get_some() {
    let error = hold_conversation(
        &Script::default(),
        &World::default(),
        GuidedReplies::default(),
    );
    let Err(error) = error else {
        panic!("no error");
    };
    assert_eq!(error.hint_text(), Some("make one"));
    let world = World {
        key: Some("KEY_ID"),
        found: vec![found("main", Some("admin"), None)],
        ..World::default()
    };
    agreed(hold_conversation(&Script::default(), &world, GuidedReplies::default()).unwrap());
    assert_eq!(*world.searches.borrow(), [None]);
}

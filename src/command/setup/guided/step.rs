//! Defines what a step of the guided set-up works with, and how it ends. The steps know this file,
//! and not the order in which `conversation` takes them.

use super::surroundings::{DatabaseOffers, GuidedSurroundings, SetupWishes};
use crate::config::Connection;
use crate::error::Result;
use crate::setup::Tool;
use crate::shell::Shell;
use crate::sys::dialog::{Dialog, DialogAnswer, DialogQuestion};

/// How a step has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepOutcome {
    /// The user has answered.
    Asked,
    /// There was nothing to ask.
    Skipped,
    /// The user wants to go back.
    Back,
    /// The user has pressed Ctrl-C.
    Interrupted,
}

impl StepOutcome {
    /// Returns how a question has ended the step. `keep` is given the answer, if there is one.
    pub(super) fn from_answer<T>(answer: DialogAnswer<T>, keep: impl FnOnce(T)) -> Self {
        match answer {
            DialogAnswer::Given(value) => keep(value),
            DialogAnswer::Back => return Self::Back,
            DialogAnswer::Interrupted => return Self::Interrupted,
        }
        Self::Asked
    }
}

/// What a step works with.
pub(super) struct GuidedConversation<'a> {
    pub(super) dialog: &'a dyn Dialog,
    pub(super) surroundings: &'a dyn GuidedSurroundings,
    pub(super) replies: GuidedReplies,
    /// Whether no step before this one has asked.
    pub(super) is_first: bool,
}

impl GuidedConversation<'_> {
    /// Returns a question of this step; `question_index` counts the questions of the step.
    pub(super) fn question<'a>(&self, text: &'a str, question_index: usize) -> DialogQuestion<'a> {
        DialogQuestion {
            text,
            is_first: self.is_first && question_index == 0,
        }
    }
}

/// The answers so far. They are the defaults when the user comes back to a question.
#[derive(Default)]
pub(super) struct GuidedReplies {
    /// The profile that an option names: then there is no question.
    pub(super) given_profile: Option<String>,
    pub(super) profile: Option<String>,
    /// Whether nothing here can list databases.
    pub(super) has_no_credentials: bool,
    /// What was found with the profile of that name. Coming back does not ask again.
    pub(super) discovery: Option<(Option<String>, DatabaseOffers)>,
    /// The indices of the databases that were picked from the discovery.
    pub(super) picked_rows: Vec<usize>,
    /// The users of these, in the same order; empty where the connection has one.
    pub(super) users: Vec<String>,
    pub(super) wants_to_type_host: bool,
    pub(super) typed_host: String,
    pub(super) typed_user: String,
    pub(super) typed_connection: Option<Connection>,
    pub(super) tools: Option<Vec<&'static Tool>>,
    pub(super) connections_to_ask_users_for: Option<Vec<String>>,
    pub(super) scheduler: Option<&'static Tool>,
    pub(super) shell: Option<&'static Shell>,
    pub(super) is_agreed: bool,
}

impl GuidedReplies {
    /// Tells whether the host that was typed needs a user besides.
    pub(super) fn needs_typed_user(&self, surroundings: &dyn GuidedSurroundings) -> Result<bool> {
        surroundings.needs_user(&self.typed_host, self.profile.as_deref())
    }

    /// Returns what the answers amount to.
    pub(super) fn wishes(&self) -> SetupWishes {
        let mut connections = Vec::new();
        if let Some((_, discovery)) = &self.discovery {
            for (position, offer_index) in self.picked_rows.iter().enumerate() {
                let Some(offer) = discovery.new.get(*offer_index) else {
                    continue;
                };
                let mut connection = offer.connection.clone();
                if connection.target.user.is_none() {
                    connection.target.user = self.users.get(position).cloned();
                }
                connections.push(connection);
            }
        }
        connections.extend(self.typed_connection.clone());
        SetupWishes {
            connections,
            tools: self.tools.clone().unwrap_or_default(),
            connections_to_ask_users_for: self
                .connections_to_ask_users_for
                .clone()
                .unwrap_or_default(),
            scheduler: self.scheduler,
            shell: self.shell,
        }
    }
}

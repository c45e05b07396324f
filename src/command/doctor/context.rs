//! Holds what a check can look at: the machine, the configuration, one target, and the time that is
//! left.
//!
//! One [`Examination`] for the run, which owns the jobs, and one [`ExaminedTarget`] for each
//! target, which borrows it and owns the answers of server and authority. The runner makes both.

use std::time::Instant;

use super::inquiry::TargetInquiry;
use super::jobs::DoctorJobs;
use super::network::NetworkAnswers;
use crate::authority::TokenReading;
use crate::causes::CausePlaceholders;
use crate::command::app::App;
use crate::error::Result;
use crate::passfile::libpq_match::PasswordKind;
use crate::request::Request;
use crate::setup::Machine;
use crate::token::Token;

/// How much a check does besides looking at files and variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CheckLevel {
    /// It makes no connection.
    Offline,
    /// It connects to the server, or asks AWS what needs no permission.
    Network,
    /// It asks AWS what needs a permission: `--aws`.
    Aws,
}

/// One run of doctor, for the checks of the machine.
pub(super) struct Examination<'a> {
    pub(super) app: &'a mut App,
    pub(super) machine: Machine,
    /// When the whole run has to be over.
    pub(super) deadline: Instant,
    /// The highest level of the checks that the user asked for.
    pub(super) level: CheckLevel,
    /// The name of the authority of all targets; `None` if there are several, or no targets.
    pub(super) only_authority: Option<&'static str>,
    /// Whether there is anything to examine besides this machine.
    pub(super) has_targets: bool,
    pub(super) jobs: DoctorJobs,
}

/// One target of the run, for the checks of a target.
pub(super) struct ExaminedTarget<'a, 'b> {
    pub(super) examination: &'a mut Examination<'b>,
    /// What the user calls it.
    pub(super) name: String,
    pub(super) request: &'a Request,
    /// The token that `token.issued` has got. The login takes it, and nothing else shows it.
    pub(super) token: Option<Token>,
    /// The answers of the server; `None` if no connection is made.
    pub(super) network: Option<Result<NetworkAnswers>>,
    /// The answers of the authority; `None` if it is not asked.
    pub(super) inquiry: Option<TargetInquiry>,
}

impl ExaminedTarget<'_, '_> {
    /// Returns the values with which the commands of a cause are filled in.
    pub(super) fn placeholders(&self) -> CausePlaceholders {
        placeholders(&self.name, self.request)
    }

    /// Tells whether a password is a token such as those for this target.
    pub(super) fn kind_of(&self, password: &str) -> PasswordKind {
        match self.request.provider.authority.read_token(password) {
            TokenReading::Opaque => PasswordKind::Unreadable,
            TokenReading::NotAToken => PasswordKind::Other,
            TokenReading::Parts(parts) => PasswordKind::Token(parts.expires_at),
        }
    }
}

/// Returns the same for a target that is not examined.
pub(super) fn placeholders(name: &str, request: &Request) -> CausePlaceholders {
    let mut values = CausePlaceholders {
        authority: Some(request.provider.authority.name()),
        host: Some(request.host.clone()),
        port: Some(request.port.to_string()),
        user: Some(request.user.clone()),
        profile: request.profile.clone(),
        region: request.region.as_ref().map(ToString::to_string),
        ..CausePlaceholders::default()
    };
    // What stands for a URI in the report cannot be typed.
    if !name.contains(['@', ' ']) {
        values.target = Some(name.to_owned());
    }
    values
}

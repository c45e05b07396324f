//! Defines the interface between `issue` and an authority: a system, such as AWS, that issues
//! tokens.
//!
//! An authority turns a profile into an identity, and an identity into a signer:
//!
//! ```text
//! Provider.authority --> Identities --> Identity ----------> Signer
//!  (one for each          (what one      (who signs for a     (resolved credentials:
//!   kind of login)         run reads      profile; locks,      signs for as many
//!                          once)          failures and         connections as ask)
//!                                         cached tokens
//!                                         go by it)
//! ```
//!
//! Nothing here knows a cloud. AWS implements the four traits in `src/aws`, and `provider/command`
//! for programs that print tokens. `provider/example` is the smallest implementation, and the one
//! to copy; `provider/fake` is for unit tests, which tell it what happens.
//!
//! An authority has to say what the traits leave open, and nothing else. What only some authorities
//! can has a default; what only belongs together is a trait of its own, which one method of
//! [`Authority`] returns: [`Regions`], [`Lister`] and [`Inspector`].
//!
//! `ask` says how the user may be asked, and `notes` collects what there is to tell. `region` is
//! for authorities that have regions, `shell_settings` is what `pgcred setup` asks, and `inspect`
//! what `pgcred doctor` asks. `catalog` is what `pgcred discover` asks, and `access` what `pgcred
//! policy` asks. `option_help` is what the help says of options whose values are the authority's.
//! `token_parts` is what a token says of itself in clear, `jwt` reads the claims of a token that is
//! a JWT, and `signer_summary` says as values who would sign. `login_turn` lets one process log in
//! for all that wait.

mod access;
mod ask;
mod catalog;
mod inspect;
pub(crate) mod jwt;
mod login_turn;
mod notes;
mod option_help;
mod region;
mod shell_settings;
mod signer_summary;
mod token_parts;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use crate::error::{Error, Result};
use crate::time::Time;
use crate::token::Token;
pub(crate) use access::{AccessGoal, AccessPolicy, AccessQuery};
pub(crate) use ask::{AskPolicy, LoginPlace, LoginPolicy};
pub(crate) use catalog::{
    CatalogAnswer, CatalogStep, CompleteListing, DatabaseCatalog, EndpointRole, FailedListing,
    FoundDatabase, Lister, NoTokensWording, ProfileRegions,
};
pub(crate) use inspect::{
    CallerIdentity, DeniedBy, InspectionResult, Inspector, NoAnswer, NoAnswerReason, PolicyDenial,
    ServerLoginObstacle, ServerLoginPermission, ServerState,
};
pub(crate) use login_turn::{LoginTurn, OpenedPage};
pub(crate) use notes::RunNotes;
pub(crate) use option_help::OptionHelp;
pub(crate) use region::{Region, Regions};
pub(crate) use shell_settings::ShellSettings;
pub(crate) use signer_summary::{LoginState, SignerSummary, VariableKeys};
pub(crate) use token_parts::{TokenPart, TokenParts, TokenReading};

/// A system that issues tokens to those who have logged in to it. Each has to say the first three
/// methods. The others have a body that is right for an authority that cannot do such a thing.
pub(crate) trait Authority: Sync {
    /// Returns the name that stands for the authority in the native JSON (`aws` in `aws-dsql`). No
    /// two authorities have the same one.
    fn name(&self) -> &'static str;

    /// Returns the name in sentences, such as `AWS`.
    fn title(&self) -> &'static str;

    /// Starts a run. What several identities rest on, such as a configuration file, is read once
    /// for all of them.
    fn identities(&self) -> Box<dyn Identities>;

    /// Whether credentials are good for one [`TokenScope`] alone, such as the output of a program
    /// that is told host and user. Then every scope has an identity of its own, with its own lock,
    /// its own failures and its own resolution. Otherwise one identity signs for all scopes of a
    /// profile.
    fn has_identity_per_scope(&self) -> bool {
        false
    }

    /// Whether the authority decides how long a token lives, so that one that ends before the
    /// lifetime that was asked for is no surprise.
    fn decides_lifetime(&self) -> bool {
        false
    }

    /// Whether a token may be longer than 4 KB, which some tools cannot take from a command.
    fn has_long_tokens(&self) -> bool {
        false
    }

    /// Whether each new token leaves something behind that a user has to want, such as a new user
    /// of the database. Then nobody is asked for one but for a connection that a user names: not
    /// from the background, from a prompt, or together with others.
    fn issues_on_request_only(&self) -> bool {
        false
    }

    /// Returns the name of the command in the configuration that prints the tokens; `None` if no
    /// command does.
    fn command(&self) -> Option<&'static str> {
        None
    }

    /// Returns what the help says of options whose values are the authority's.
    fn option_help(&self) -> OptionHelp {
        OptionHelp::default()
    }

    /// Returns what is known of the regions in which tokens are good. `None` if there are none.
    fn regions(&self) -> Option<&dyn Regions> {
        None
    }

    /// Tells whether a host has a name that only this authority gives, whatever provider it is of.
    fn owns(&self, _host: &str) -> bool {
        false
    }

    /// Returns the names of the profiles that completions offer, in the order of the files.
    fn profile_names(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Returns a warning if the name of a profile looks wrong.
    fn profile_warning(&self, _profile: &str) -> Option<String> {
        None
    }

    /// Returns the names of the variables that decide who signs, or where the authority is asked.
    fn variables(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Returns the files of settings whose words may identify the user, for a report that is
    /// shared.
    fn setting_files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Returns the keys in these files whose values are such words.
    fn private_settings(&self) -> &'static [&'static str] {
        &[]
    }

    /// Returns what the variables of the user's shell say.
    fn shell_settings(&self) -> ShellSettings {
        ShellSettings::default()
    }

    /// Returns when a token was signed, if its text says so. It is asked for tokens of the passfile
    /// that the index does not know. One that does not say it counts as fresh until it expires.
    fn signing_time(&self, _token: &str) -> Option<Time> {
        None
    }

    /// Returns what a text says of itself that may be a token of this authority. An authority whose
    /// tokens can be read says of every other text that it is none.
    fn read_token(&self, _text: &str) -> TokenReading {
        TokenReading::Opaque
    }

    /// Returns the row of `causes`, by its id, of a token that names another host, port, user or
    /// the like than the request, which is for a service. `None` if the table has none.
    fn cause_of_difference(&self, part: TokenPart, _service: &str) -> Option<&'static str> {
        match part {
            TokenPart::Host | TokenPart::Port => Some("token.endpoint"),
            TokenPart::User => Some("token.user"),
            TokenPart::Service | TokenPart::Action | TokenPart::Region => None,
        }
    }

    /// Returns the row of `causes`, by its id, that an error of this authority's comes from. `None`
    /// if the table has none: then the error's own text and hint are all that `pgcred doctor` says.
    fn cause_of(&self, _error: &Error) -> Option<&'static str> {
        None
    }

    /// Returns the row of `causes`, by its id, of what [`Inspector`] says is in the way of a login
    /// to a server of this service. `None` if the table has none.
    fn cause_of_obstacle(
        &self,
        _obstacle: ServerLoginObstacle,
        _service: &str,
    ) -> Option<&'static str> {
        None
    }

    /// Returns the row of `causes`, by its id, of a question that [`Inspector`] has not answered.
    fn cause_of_no_answer(&self, _reason: NoAnswerReason) -> Option<&'static str> {
        None
    }

    /// Returns the row of `causes`, by its id, of which a message speaks that a server of this
    /// service sent. The table's texts are those of AWS's servers: another authority names a row by
    /// words of its own servers, or none. Then the server's words are what `pgcred doctor` says.
    fn cause_of_server_message(&self, _message: &str, _service: &str) -> Option<&'static str> {
        None
    }

    /// Returns the text at a public `https://` address, by the network settings of a profile.
    fn download(&self, _address: &str, _profile: Option<&str>, _: &AskPolicy) -> Result<String> {
        // No hint: the caller says where the user finds them.
        Err(Error::failure("pgcred downloads nothing for this service"))
    }

    /// Returns who answers questions about a login that fails, with the credentials of a profile.
    /// `None` if the authority has nobody to ask. This asks nothing yet.
    fn inspector(
        &self,
        _profile: Option<&str>,
        _: &AskPolicy,
        _deadline: Instant,
    ) -> Option<Box<dyn Inspector>> {
        None
    }

    /// Returns the policy that allows what is asked for, with what a login needs besides. `None` if
    /// the authority has no policies that pgcred knows; an error if what the user has typed is no
    /// name of the authority's. What cannot be found out by the deadline is no error.
    fn access(
        &self,
        _query: &AccessQuery<'_>,
        _: &AskPolicy,
        _deadline: Instant,
    ) -> Result<Option<AccessPolicy>> {
        Ok(None)
    }

    /// Returns who lists databases for `pgcred discover`. `None` if the authority cannot list them.
    fn lister(&self) -> Option<&dyn Lister> {
        None
    }
}

/// The identities of one run.
pub(crate) trait Identities {
    /// Returns who signs for the profile that the user named; without a name, the one that the
    /// authority's own rules select. A profile that cannot be used is an error of
    /// [`Identity::signer`], not of this.
    ///
    /// `scope` is given if [`Authority::has_identity_per_scope`] says so; then it has to go into
    /// the identity's digest. It is `None` also for a login and for the region of a host, which are
    /// for all scopes.
    fn identity(&self, profile: Option<&str>, scope: Option<&TokenScope<'_>>) -> Rc<dyn Identity>;
}

/// Who signs. Profiles that lead to the same credentials have the same identity, so that they are
/// resolved once and wait for one lock.
pub(crate) trait Identity {
    /// Returns 32 hex digits that stand for the identity. Locks and failures go by them.
    fn digest(&self) -> &str;

    /// Returns a digest that also changes when the user logs out, or another user logs in. Cached
    /// tokens go by it.
    fn digest_with_login(&self) -> &str;

    /// Returns a digest that changes when the user may have logged in. It ends the pause after a
    /// failure. Another one than the digest with login is for logins that change more than who
    /// signs, or take time to look at.
    fn login_stamp(&self) -> &str {
        self.digest_with_login()
    }

    /// Returns the login stamp to record with a failure, `stamp_before` being the one of before the
    /// authority was asked. That one ends the pause if a login has come meanwhile.
    fn stamp_of_failure(&self, stamp_before: String) -> String {
        stamp_before
    }

    /// Returns the files and directories that the login stamp is made of, for `--debug`: a login
    /// changes one of them.
    fn login_paths(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Returns the same identity with the files that it rests on as they are now: resolving
    /// credentials, or waiting for a process that does, may have changed them.
    fn reload(&self) -> Rc<dyn Identity>;

    /// Returns what decides the region of a request that names none, without asking anything:
    /// cached tokens go by it. `None` if the authority has no regions.
    fn configured_region(&self) -> Option<&str> {
        None
    }

    /// Finds the region of a request that names none, `host` being what is signed. `None` if the
    /// authority needs no region; an error if it needs one and nothing names it.
    fn find_region(&self, _host: &str, _: &AskPolicy, _: &RunNotes) -> Result<Option<Region>> {
        Ok(None)
    }

    /// Shows, for `--debug`, what decides who signs, and where each value came from. `region` is
    /// the region of the request, if it names one. Asks nothing.
    fn trace_identity(&self, region: Option<&Region>, notes: &RunNotes);

    /// Returns what [`Identity::trace_identity`] shows, as values. Asks nothing: `None` if the
    /// authority knows nothing before it is asked.
    fn signer_summary(&self) -> Option<SignerSummary> {
        None
    }

    /// Logs the user in. Returns false if there was no need.
    fn log_in(&self, ask_policy: &AskPolicy, notes: &RunNotes) -> Result<bool>;

    /// Resolves the credentials. This is what takes time: it may ask services, programs and the
    /// user. It is called once for each identity in a run, under the lock of the identity, and the
    /// signer is kept until the run ends.
    ///
    /// The signer then issues the tokens of all requests of this identity, also for other hosts,
    /// ports, users and lives than those of the query, unless the identity is that of one scope. So
    /// it may hold what is good for all of them, such as a key, or a token that every server takes.
    /// A token that is made for one host or user needs [`Authority::has_identity_per_scope`]. No
    /// token may be kept between runs: pgcred's cache has them. What a login yields, such as a
    /// refresh token, goes into a private file of the authority, which is one of
    /// [`Identity::login_paths`].
    fn signer(&self, query: &CredentialQuery<'_>, notes: &RunNotes) -> Result<Rc<dyn Signer>>;
}

/// What to resolve credentials for.
pub(crate) struct CredentialQuery<'a> {
    /// What the first token is for; where the identity is that of one scope, what all are for.
    #[allow(
        dead_code,
        reason = "AWS's credentials sign for every scope; another authority may read it"
    )]
    pub(crate) scope: &'a TokenScope<'a>,
    /// The region of the first token, if the authority has regions.
    pub(crate) region: Option<&'a Region>,
    /// How many seconds the credentials should last, if that can be had.
    pub(crate) lifetime_seconds: u32,
    /// How many seconds the first token must last.
    pub(crate) min_valid: u32,
    pub(crate) ask_policy: &'a AskPolicy,
    /// When the answer has to be there. Time that the user needs for a login does not count.
    pub(crate) deadline: Instant,
}

/// Resolved credentials. Signing asks nothing: an authority that fetches its tokens from a service
/// or a program fetches them in [`Identity::signer`], which has a deadline.
pub(crate) trait Signer {
    /// Issues a token that expires `lifetime_seconds` after `now`, or when the credentials do if
    /// that is earlier. Where the authority decides the lifetime itself, the token still says that
    /// it expires at `now` plus `lifetime_seconds` at the latest: pgcred does not use it for longer
    /// than the user allows.
    fn issue(
        &self,
        scope: &TokenScope<'_>,
        region: Option<&Region>,
        lifetime_seconds: u32,
        now: Time,
    ) -> Result<Token>;
}

/// What a token permits: one action of one service on one host. The provider fills it in.
#[derive(Debug, Hash)]
pub(crate) struct TokenScope<'a> {
    /// Empty if the authority knows no services.
    pub(crate) service: &'static str,
    /// Empty if the authority knows no actions.
    pub(crate) action: &'static str,
    /// The name that is signed, not the one that the client dials.
    pub(crate) host: &'a str,
    /// The only port that the token is good for; `None` if it is good for all.
    pub(crate) port: Option<u16>,
    /// The only user that the token is good for; `None` if the token names no user.
    pub(crate) user: Option<&'a str>,
    /// The database. Empty unless every scope has an identity of its own.
    pub(crate) dbname: &'a str,
    /// What the connection says besides, by name. Empty unless every scope has an identity of its
    /// own.
    pub(crate) vars: &'a [(String, String)],
}

//! Finds the one cause of a failing login, and says what to type, for `pgcred doctor`.
//!
//! ```text
//! mod           options; which targets; the exit code
//!  +--> selection     which checks are carried out: all, or those of --check and what they need
//!  +--> runner        carries out the checks in their order, and skips those whose needs failed
//!  |     +--> checks      every check, by stage: each looks at a context and returns a finding
//!  |     +--> context     what checks look at: the machine, one target, the time that is left
//!  |     +--> jobs        programs, keyring and files of tools: all started before the first check
//!  |     |     +--> aws_cli     the version of the AWS CLI, by its files
//!  |     +--> network     what the server of a target answers
//!  |     +--> inquiry     what AWS or another authority answers
//!  |     +--> pending_answer   by which the three above wait: an answer of a thread
//!  +--> report        the outcomes as lines or as JSON, and the first cause
//!  |     +--> wrap        lines that fit the terminal
//!  +--> share         the report as Markdown, without what identifies the user
//!  |     +--> redact      puts marks where names stand
//!  |     +--> private_names   the names in settings files, even in broken ones
//!  +--> explain       --explain: from the text of a client or a server to its cause
//!
//! values:  check (what a check is) --> finding (what it has found) --> outcome (what to type)
//! ```
//!
//! A check looks. What it may write is the cache: a token that was issued, as `token` does, and a
//! test entry that it deletes. It never asks the user for anything: a login that is missing
//! is a finding, with the exit code for it. Everything ends within `--timeout`, whatever hangs.

mod aws_cli;
mod check;
mod checks;
mod context;
mod explain;
mod finding;
mod inquiry;
mod jobs;
mod network;
mod outcome;
mod pending_answer;
mod private_names;
mod redact;
mod report;
mod runner;
mod selection;
mod share;
#[cfg(test)]
mod tests;
mod wrap;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use super::app::App;
use super::config_file::ConfigNeed;
use super::needs::{CommandNeeds, ForeignHomePolicy};
use super::run::{RunCommand, arguments_of, hide_options};
use crate::error::{Exit, Result};
use crate::output::Output;
use crate::request::Request;
use crate::resolve::ConnectionOptions;
use crate::setup::Machine;
use crate::sys::terminal::InheritedStdin;
use context::{CheckLevel, Examination};
use inquiry::AuthorityClock;
use jobs::DoctorJobs;
use outcome::{CheckOutcome, first_failure};
use report::DoctorReport;
use runner::NamedTarget;
use selection::CheckSelection;

#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "one per option")]
pub(crate) struct DoctorCommand {
    /// Connections, hosts, DSQL cluster IDs, postgres:// URIs or libpq conninfo strings [default:
    /// every connection]
    targets: Vec<String>,
    #[command(flatten)]
    connection: ConnectionOptions,
    /// Also ask AWS what needs a permission: the state of the server, and whether your policies
    /// allow the login
    #[arg(long, conflicts_with = "offline")]
    aws: bool,
    /// Make no connection at all
    #[arg(long)]
    offline: bool,
    /// Carry out only these checks: ids, or their first words, with commas between them
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    check: Vec<String>,
    /// List the checks, and carry out none
    #[arg(long, conflicts_with_all = ["aws", "offline", "check"])]
    list: bool,
    /// Print the report as Markdown to paste into an issue, without account numbers, names, hosts,
    /// users and directories
    #[arg(long, conflicts_with = "format")]
    share: bool,
    /// Say of which cause a message of a client or a server speaks, with --provider of its kind of
    /// server, and carry out no check
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true,
        conflicts_with_all = ["targets", "aws", "offline", "check", "list", "share"])]
    explain: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value = "text")]
    format: DoctorFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DoctorFormat {
    Text,
    Json,
}

/// The time that is left for the report when all checks are over.
const REPORT_TIME: Duration = Duration::from_millis(300);

impl RunCommand for DoctorCommand {
    type Outcome = ExitCode;
    /// A configuration that cannot be read is a finding.
    const NEEDS: CommandNeeds = CommandNeeds {
        configuration: ConfigNeed::Optional,
        foreign_home: ForeignHomePolicy::GoOn,
        ..CommandNeeds::USUAL
    };

    /// Nobody is asked for a login or a code, so that these options have no meaning.
    fn arguments(command: clap::Command) -> clap::Command {
        hide_options(arguments_of::<Self>(command), &["login", "mfa_code"])
    }

    fn run(self, app: &mut App, _: Option<InheritedStdin>) -> Result<ExitCode> {
        if self.list {
            Output::lines(report::list_of_checks())?;
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(text) = &self.explain {
            return explain::explain_message(
                text,
                self.connection.provider.as_deref(),
                self.format,
            );
        }
        let level = self.level();
        let selection = CheckSelection::parse(self.check.clone())?;
        forbid_questions(app);
        let targets = self.targets(app)?;
        let mut names = Vec::new();
        for request in targets.iter().flat_map(|target| &target.request) {
            names.extend(share::names_of(request));
        }
        let timeout = app.preferences.ask_policy.timeout;
        let deadline = Instant::now() + timeout.saturating_sub(REPORT_TIME);
        let machine = Machine::current(app.options.config.as_deref())?;
        let is_wanted = |word: &str| selection.includes_any(word);
        let mut jobs = DoctorJobs::start(app, &machine, deadline, is_wanted);
        if level >= CheckLevel::Network && (is_wanted("clock") || is_wanted("aws.reach")) {
            jobs.clocks = start_clocks(&targets, app, deadline);
        }
        share_time(app, &targets, deadline);
        let mut examination = Examination {
            machine,
            app,
            deadline,
            level,
            only_authority: runner::only_authority(&targets),
            has_targets: !targets.is_empty(),
            jobs,
        };
        let outcomes = runner::run_checks(&mut examination, &targets, &selection);
        let report = DoctorReport::new(&outcomes);
        match self.format {
            _ if self.share => {
                Output::lines(share::share_lines(&outcomes, names, &app.preferences))?;
            }
            DoctorFormat::Text => Output::lines(report.lines())?,
            DoctorFormat::Json => Output::answer(&format!("{}\n", report.json()))?,
        }
        Ok(exit_of_run(&outcomes).code().into())
    }
}

impl DoctorCommand {
    fn level(&self) -> CheckLevel {
        match (self.offline, self.aws) {
            (true, _) => CheckLevel::Offline,
            (false, true) => CheckLevel::Aws,
            (false, false) => CheckLevel::Network,
        }
    }

    /// Returns what to examine, with the name that the user gave it.
    fn targets(&self, app: &App) -> Result<Vec<NamedTarget>> {
        self.connection.address.check_targets(self.targets.len())?;
        let preferences = &app.preferences;
        let resolver = preferences.resolver();
        let mut targets = Vec::new();
        for (index, target) in self.targets.iter().enumerate() {
            let request = resolver.resolve(&self.connection, Some(target));
            let name = name_of(target, index, &request);
            targets.push(NamedTarget { name, request });
        }
        if !targets.is_empty() {
            return Ok(targets);
        }
        if let Some(host) = &self.connection.address.host {
            let name = host.clone();
            let request = resolver.resolve(&self.connection, None);
            return Ok(vec![NamedTarget { name, request }]);
        }
        for connection in &preferences.config.connections {
            targets.push(NamedTarget {
                name: connection.name.clone(),
                request: preferences.connection(&connection.name),
            });
        }
        Ok(targets)
    }
}

/// Starts to ask each authority for the time, where the first of its targets belongs to.
fn start_clocks(targets: &[NamedTarget], app: &App, deadline: Instant) -> Vec<AuthorityClock> {
    let (mut asked_authorities, mut clocks) = (BTreeSet::new(), Vec::new());
    for target in targets {
        if let Ok(request) = &target.request
            && asked_authorities.insert(request.provider.authority.name())
        {
            clocks.extend(AuthorityClock::start(
                request,
                &app.preferences.ask_policy,
                deadline,
            ));
        }
    }
    clocks
}

/// Returns what the report calls a target: what the user typed, unless that is a URI or a conninfo
/// string, which may contain a password.
fn name_of(typed_target: &str, index: usize, request: &Result<Request>) -> String {
    let is_name = !typed_target.contains(['=', '@', '/']);
    match request {
        _ if is_name => typed_target.to_owned(),
        Ok(request) => request.name(),
        Err(_) => format!("TARGET {}", index + 1),
    }
}

/// Never asks the user for anything, and ends the programs that the AWS configuration names
/// together with their children.
fn forbid_questions(app: &mut App) {
    app.preferences.ask_policy.terminal = false;
    app.preferences.ask_policy.mfa_code = None;
    app.never_ask_for_login();
}

/// Divides the time until the deadline among those who sign for the targets, so that one who hangs
/// leaves time for the others.
fn share_time(app: &mut App, targets: &[NamedTarget], deadline: Instant) {
    let mut names = BTreeSet::new();
    for target in targets {
        if let Ok(request) = &target.request {
            names.insert(app.issuer.identity(request).digest().to_owned());
        }
    }
    app.issuer.share_time(names.len());
    app.issuer.end_by(deadline);
}

/// Returns how the run ends: the first failure decides.
fn exit_of_run(outcomes: &[CheckOutcome]) -> Exit {
    match first_failure(outcomes) {
        None => Exit::Ok,
        Some(outcome) => outcome.exit,
    }
}

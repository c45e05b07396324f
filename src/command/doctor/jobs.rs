//! Starts what takes time and waits for nothing else: programs that tell their version, the
//! keyring, the tools' files. All of it is started before the first check, and runs side by side.
//!
//! Each answer is a `PendingAnswer`: whoever needs it waits, and goes on without it when the time
//! is over. Programs get a shorter time (`program_deadline`) than the run, so that one that hangs
//! costs little.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::aws_cli;
use super::inquiry::AuthorityClock;
use super::pending_answer::PendingAnswer;
use crate::cache::CacheTrial;
use crate::command::app::App;
use crate::command::passfile_option::{self, PassfileOption};
use crate::integrations::TOOLS;
use crate::setup::{Machine, ToolEntry, ToolKind};
use crate::sys::child::{self, ChildAttachment};

/// How long a program may take to tell its version, and git to tell what it ignores.
const PROGRAM_TIMEOUT: Duration = Duration::from_secs(3);
/// How much longer the answer of such a program is waited for: it is ended first.
const MARGIN: Duration = Duration::from_millis(300);

/// The checks, and the stage, that look at the tools.
const NEED_TOOLS: [&str; 4] = [
    "tools",
    "installation.schedule",
    "passfile.entry",
    "credentials.desktop",
];

/// The answers, each of which may not be there yet. `None` where no check asks for it.
#[derive(Default)]
pub(super) struct DoctorJobs {
    /// When the answers of programs are waited for no longer.
    pub(super) program_deadline: Option<Instant>,
    pub(super) cache: Option<PendingAnswer<CacheTrial>>,
    pub(super) tools: Option<PendingAnswer<Vec<ToolState>>>,
    /// Whether the passfile is in a git repository that does not ignore it.
    pub(super) repository: Option<PendingAnswer<bool>>,
    /// The pgcred that PATH leads to, if it is another one.
    pub(super) pgcred: Option<ProgramVersion>,
    /// The programs of PostgreSQL that are found.
    pub(super) clients: Vec<ProgramVersion>,
    pub(super) aws: Option<ProgramVersion>,
    /// The clocks of the targets' authorities.
    pub(super) clocks: Vec<AuthorityClock>,
}

/// A program, and what it says of its version.
pub(super) struct ProgramVersion {
    pub(super) name: &'static str,
    pub(super) path: PathBuf,
    pub(super) text: PendingAnswer<Option<String>>,
}

/// A tool that is set up by files, as it is on this machine.
pub(super) struct ToolState {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) kind: ToolKind,
    /// What pgcred has put there.
    pub(super) set_up: Vec<String>,
    pub(super) entries: Vec<ToolEntry>,
}

impl DoctorJobs {
    /// Starts what the checks of this run ask for. `is_wanted` tells whether a check, or a stage,
    /// is one of them.
    pub(super) fn start(
        app: &App,
        machine: &Machine,
        deadline: Instant,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Self {
        let now = Instant::now();
        let time_left = deadline.saturating_duration_since(now);
        let program_deadline = now + PROGRAM_TIMEOUT.min(time_left.saturating_sub(MARGIN));
        let mut jobs = Self {
            program_deadline: Some(program_deadline + MARGIN),
            ..Self::default()
        };
        if is_wanted("store")
            && let Some(cache) = app.issuer.cache()
        {
            jobs.cache = Some(PendingAnswer::start(cache.trial()));
        }
        if NEED_TOOLS.iter().any(|id| is_wanted(id)) {
            let machine = machine.clone();
            jobs.tools = Some(PendingAnswer::start(move || read_tools(&machine)));
        }
        if is_wanted("passfile.repository")
            && let Ok(path) = PassfileOption::default().path()
        {
            let work = move || passfile_option::may_be_published(&path);
            jobs.repository = Some(PendingAnswer::start(work));
        }
        if is_wanted("installation.path") {
            jobs.pgcred = start_other_pgcred(machine, program_deadline);
        }
        if is_wanted("clients") || is_wanted("environment.tls") {
            for name in ["psql", "pg_config"] {
                jobs.clients
                    .extend(ProgramVersion::find(name, program_deadline));
            }
        }
        if is_wanted("clients.aws") {
            jobs.aws = start_aws(program_deadline);
        }
        jobs
    }

    /// Returns the tools as they are; `None` if they are not known in time.
    pub(super) fn tools(&mut self, deadline: Instant) -> Option<&[ToolState]> {
        match &mut self.tools {
            Some(tools) => tools.get(deadline).map(Vec::as_slice),
            None => None,
        }
    }

    /// Returns what a client says of its version; `None` if there is no such client, or if it has
    /// said nothing in time.
    pub(super) fn client(&mut self, name: &str) -> Option<&str> {
        let program_deadline = self.program_deadline?;
        let mut clients = self.clients.iter_mut();
        clients
            .find(|client| client.name == name)?
            .text(program_deadline)
    }
}

impl ProgramVersion {
    /// Starts to ask a program for its version, if there is such a program.
    fn find(name: &'static str, deadline: Instant) -> Option<Self> {
        let path = child::find(name.as_ref())?;
        Some(Self::ask(name, path, deadline))
    }

    fn ask(name: &'static str, path: PathBuf, deadline: Instant) -> Self {
        let command_line = vec![path.display().to_string(), "--version".to_owned()];
        let text = PendingAnswer::start(move || read_version(&command_line, deadline));
        Self { name, path, text }
    }

    /// Returns what it says; `None` if it has said nothing in time.
    pub(super) fn text(&mut self, program_deadline: Instant) -> Option<&str> {
        self.text.get(program_deadline)?.as_deref()
    }
}

/// Returns the first line that a program prints on standard output.
fn read_version(command_line: &[String], deadline: Instant) -> Option<String> {
    let program_output = child::output(command_line, deadline, ChildAttachment::Alone).ok()?;
    let text = String::from_utf8_lossy(&program_output.stdout).into_owned();
    let line = text.lines().next()?.trim();
    if line.is_empty() || !program_output.status.success() {
        return None;
    }
    Some(crate::text::safe_excerpt(line))
}

/// Starts to ask the AWS CLI for its version. It takes half a second to start, so that its files
/// are asked first.
fn start_aws(deadline: Instant) -> Option<ProgramVersion> {
    const NAME: &str = "aws";
    let path = child::find(NAME.as_ref())?;
    let command_line = vec![path.display().to_string(), "--version".to_owned()];
    let program = path.clone();
    let text = PendingAnswer::start(move || match aws_cli::version_by_files(&program) {
        Some(version) => Some(version),
        None => read_version(&command_line, deadline),
    });
    Some(ProgramVersion {
        name: NAME,
        path,
        text,
    })
}

/// Returns the pgcred that is found first, if it is not the one that runs.
fn start_other_pgcred(machine: &Machine, deadline: Instant) -> Option<ProgramVersion> {
    let program = child::find("pgcred".as_ref())?;
    if program.canonicalize().ok() == machine.pgcred.canonicalize().ok() {
        return None;
    }
    Some(ProgramVersion::ask("pgcred", program, deadline))
}

fn read_tools(machine: &Machine) -> Vec<ToolState> {
    let mut states = Vec::new();
    for tool in TOOLS {
        if let Some(files) = tool.files()
            && tool.runs_on(machine)
        {
            states.push(ToolState {
                name: tool.name,
                title: tool.title,
                kind: tool.kind,
                set_up: files.configured_names(machine),
                entries: files.inspect(machine),
            });
        }
    }
    states
}

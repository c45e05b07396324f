//! Defines what the system runs for pgcred: `pgcred refresh` by the clock, or the gateway as a
//! service. It says how often, by which command, and what setting one up has in common for all
//! schedulers.
//!
//! It is for every connection and has no entry for a single one, so undoing it is always undoing it
//! as a whole.

use super::{
    EditDestination, FileOwnership, Machine, SetupCommands, SetupDirection, SetupEdit, ToolEntry,
    ToolFiles, ToolTarget, block, crontab,
};
use crate::config::GatewaySettings;
use crate::error::Result;
use crate::sys::{fs, paths};
use crate::text::digest::digest;

/// What differs between the schedulers, and the services.
pub(crate) struct Scheduler {
    pub(crate) work: ScheduledWork,
    /// Its files, or the crontab. The last one tells whether the scheduler is set up.
    pub(crate) texts: fn(&Machine) -> Vec<ScheduledText>,
    /// The commands that make a change known to it.
    pub(crate) commands: fn(&Machine, SetupDirection) -> SetupCommands,
    /// A command that succeeds only where the scheduler is running.
    pub(crate) probe: fn(&Machine) -> Option<&'static [&'static str]>,
    /// When it runs, in words for the user.
    pub(crate) remark: &'static str,
}

/// What the system runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScheduledWork {
    /// `pgcred refresh`, again and again.
    Refresh,
    /// `pgcred proxy`, for as long as tools need it.
    Gateway,
}

/// One of a scheduler's files, and how its text is made.
pub(crate) struct ScheduledText {
    pub(crate) destination: EditDestination,
    pub(crate) text: fn(&Schedule) -> String,
}

/// What is run, and how often.
pub(crate) struct Schedule {
    /// Between two runs of `refresh`.
    pub(crate) minutes: u32,
    /// The program and its arguments.
    pub(crate) command_line: Vec<String>,
    /// Where the gateway listens.
    pub(crate) listeners: Vec<GatewaySettings>,
    /// Another text whenever something changes that the gateway reads once, at its start.
    pub(crate) read_at_start: String,
}

impl Schedule {
    pub(crate) fn destination(
        work: ScheduledWork,
        machine: &Machine,
        targets: &[ToolTarget],
    ) -> Self {
        let arguments: &[&str] = match work {
            ScheduledWork::Refresh => &["refresh", "--quiet", "--background"],
            ScheduledWork::Gateway => &["proxy"],
        };
        Self {
            minutes: minutes_between_runs(targets),
            command_line: words(arguments, machine),
            listeners: targets.iter().filter_map(|target| target.gateway).collect(),
            read_at_start: digest_of_what_is_read(machine),
        }
    }
}

/// Returns a digest of the configuration, and of the state of the file with the key of the local
/// passwords.
fn digest_of_what_is_read(machine: &Machine) -> String {
    let (mut text, mut stamp) = (None, None);
    if let Some(file) = machine.named_config.clone().or_else(paths::config_file) {
        text = machine.planned_files.read(&file).ok().flatten();
    }
    if let Some(key) = paths::gateway_key() {
        stamp = fs::stamp(&key);
    }
    digest(
        [text.unwrap_or_default(), stamp.unwrap_or_default()]
            .each_ref()
            .map(String::as_str),
    )
}

impl ToolFiles for Scheduler {
    fn set_up(&self, machine: &Machine, targets: &[ToolTarget]) -> Result<Vec<SetupEdit>> {
        let schedule = Schedule::destination(self.work, machine, targets);
        let mut edits = Vec::new();
        for ScheduledText { destination, text } in (self.texts)(machine) {
            let text = text(&schedule);
            edits.push(match destination {
                EditDestination::File(path) => {
                    SetupEdit::changing(machine, path, &FileOwnership::WRITTEN_BY_SETUP, |_| {
                        Ok(text)
                    })?
                }
                EditDestination::Crontab => crontab_edit(&text)?,
            });
        }
        Ok(edits)
    }

    fn preview(&self, machine: &Machine, targets: &[ToolTarget]) -> String {
        let schedule = Schedule::destination(self.work, machine, targets);
        let texts: Vec<String> = (self.texts)(machine)
            .iter()
            .map(|scheduled_text| (scheduled_text.text)(&schedule))
            .collect();
        texts.join("\n")
    }

    /// Undoes in reverse: systemd's timer goes before the service that it starts.
    fn undo(&self, machine: &Machine) -> Result<Vec<SetupEdit>> {
        let mut edits = Vec::new();
        for scheduled_text in (self.texts)(machine).into_iter().rev() {
            edits.push(match scheduled_text.destination {
                EditDestination::File(path) => {
                    SetupEdit::restoring(machine, path, &FileOwnership::WRITTEN_BY_SETUP)?
                }
                EditDestination::Crontab => crontab_edit("")?,
            });
        }
        Ok(edits)
    }

    fn remove(&self, machine: &Machine, _: &[String]) -> Result<Vec<SetupEdit>> {
        self.undo(machine)
    }

    fn entries(&self, _: &Machine) -> Vec<String> {
        Vec::new()
    }

    fn configured_names(&self, machine: &Machine) -> Vec<String> {
        match (self.texts)(machine).last() {
            Some(scheduled_text) if is_set_up(&scheduled_text.destination) => {
                vec!["set up".to_owned()]
            }
            _ => Vec::new(),
        }
    }

    /// Returns each text of the scheduler's as a command.
    fn inspect(&self, machine: &Machine) -> Vec<ToolEntry> {
        let mut entries = Vec::new();
        for scheduled_text in (self.texts)(machine) {
            if let Some(text) = present_text(&scheduled_text.destination) {
                entries.push(ToolEntry {
                    name: match self.work {
                        ScheduledWork::Refresh => "its schedule".to_owned(),
                        ScheduledWork::Gateway => "its service".to_owned(),
                    },
                    commands: vec![text],
                    ..ToolEntry::default()
                });
            }
        }
        entries
    }

    fn steps(&self, _: &Machine, targets: &[ToolTarget]) -> Vec<String> {
        let mut steps = vec![self.remark.to_owned()];
        match self.work {
            ScheduledWork::Refresh => steps.extend(warning_about_short_lives(targets)),
            ScheduledWork::Gateway => steps.extend(addresses(targets)),
        }
        steps
    }

    fn commands(&self, machine: &Machine, direction: SetupDirection) -> SetupCommands {
        (self.commands)(machine, direction)
    }

    fn probe(&self, machine: &Machine) -> Option<&'static [&'static str]> {
        (self.probe)(machine)
    }
}

/// Returns the edit that makes these lines pgcred's block in the crontab; without lines the block
/// goes, and with it a crontab that has nothing else.
fn crontab_edit(lines: &str) -> Result<SetupEdit> {
    let old_text = crontab::read_crontab()?;
    let after = block::with_block(old_text.as_deref().unwrap_or_default(), lines)?;
    let there_is_none = after.is_empty() && old_text.as_deref() != Some("");
    Ok(SetupEdit {
        destination: EditDestination::Crontab,
        old_text,
        new_text: if there_is_none { None } else { Some(after) },
        backup_text: None,
    })
}

fn is_set_up(destination: &EditDestination) -> bool {
    present_text(destination).is_some()
}

/// Returns the text of a scheduler's file, or pgcred's lines in the crontab, if they are there.
fn present_text(destination: &EditDestination) -> Option<String> {
    match destination {
        EditDestination::File(path) => {
            let text = fs::read(path)?;
            Some(String::from_utf8_lossy(&text).into_owned())
        }
        EditDestination::Crontab => {
            let text = crontab::read_crontab().ok().flatten()?;
            let (block, _) = block::split_at_block(&text).ok()?;
            block.map(str::to_owned)
        }
    }
}

/// Returns the minutes between two runs: a token is due in the last third of its lifetime, and one
/// run may fail or be late.
///
/// They are two at most, however long tokens are to live: a token ends with the credentials that
/// sign it, and those may end soon. A run that has nothing to do takes milliseconds.
fn minutes_between_runs(targets: &[ToolTarget]) -> u32 {
    const RUNS_PER_LIFETIME: u32 = 6;
    const MAX_MINUTES: u32 = 2;
    match targets
        .iter()
        .map(|target| target.request.lifetime_seconds)
        .min()
    {
        Some(shortest) => (shortest / 60 / RUNS_PER_LIFETIME).clamp(1, MAX_MINUTES),
        None => MAX_MINUTES,
    }
}

/// Returns a warning that names the tokens whose lifetime is too short for a scheduler: it runs
/// once a minute at most, and the last third of their lifetime is shorter than that.
fn warning_about_short_lives(targets: &[ToolTarget]) -> Option<String> {
    const MIN_LIFETIME_SECONDS: u32 = 180;
    let mut names = Vec::new();
    for target in targets {
        if target.request.lifetime_seconds < MIN_LIFETIME_SECONDS {
            names.push(format!(
                "{} ({} s)",
                target.name, target.request.lifetime_seconds
            ));
        }
    }
    if names.is_empty() {
        return None;
    }
    let names = names.join(", ");
    Some(format!(
        "warning: tokens that live less than {MIN_LIFETIME_SECONDS} s may expire before the next \
         run: {names}; ask for longer ones, or run `pgcred refresh --watch` instead, \
         which wakes when a token is due"
    ))
}

/// Returns what a tool is given for each connection that the gateway serves.
fn addresses(targets: &[ToolTarget]) -> Vec<String> {
    let mut lines = Vec::new();
    for target in targets {
        let name = &target.name;
        if let Some(gateway) = target.gateway {
            let port = gateway.port;
            lines.push(format!(
                "{name}: give a tool the host 127.0.0.1, the port {port}, no TLS, and the password \
                 that `pgcred proxy --password {name}` prints"
            ));
        }
    }
    lines
}

fn words(arguments: &[&str], machine: &Machine) -> Vec<String> {
    let mut command_line = vec![machine.pgcred.display().to_string()];
    command_line.extend(arguments.iter().map(|word| (*word).to_owned()));
    if let Some(file) = &machine.named_config {
        command_line.extend(["--config".to_owned(), file.display().to_string()]);
    }
    command_line
}

//! `pgcred setup`: make a tool connect without a password ever typed, show it first, and take it back.

use std::time::{Duration, Instant};

use similar::TextDiff;

use super::place::Place;
use super::{Context, Run, World};
use crate::child::{self, Failure};
use crate::env;
use crate::error::{Error, Result};
use crate::fs;
use crate::integrations::TOOLS;
use crate::issue::default_region;
use crate::output::Output;
use crate::request::Request;
use crate::setup::crontab;
use crate::setup::{Commands, Edit, Machine, Place as Changed, Target, Tool, Way, Work};
use crate::terminal::{self, Stdin};

/// Variables of a shell that decide what `pgcred refresh` does, and that a scheduler's commands do not have.
const LEFT_BEHIND: [&str; 10] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "PGPASSFILE",
    "PGCRED_HOME",
    "PGCRED_CACHE",
];

#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "one per option")]
pub(super) struct Setup {
    /// The tool; without one: which are known, which are here, what is set up
    tool: Option<String>,
    /// Connections, hosts, DSQL cluster IDs or postgres:// URIs [default: every connection]
    targets: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with_all = ["print", "yes"])]
    dry_run: bool,
    /// Print what the tool needs, to paste by hand, and change nothing
    #[arg(long, conflicts_with = "undo")]
    print: bool,
    /// Take back what setup has changed
    #[arg(long, conflicts_with = "targets")]
    undo: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Run for Setup {
    type End = ();

    fn run(self, context: &mut Context, _: Option<Stdin>) -> Result<()> {
        let machine = Machine::this(context.global.config.as_deref())?;
        let Some(name) = &self.tool else { return Output::answer(&overview(&machine)) };
        let tool = TOOLS.iter().find(|tool| tool.name == *name).ok_or_else(|| {
            let known: Vec<_> = TOOLS.iter().map(|tool| tool.name).collect();
            Error::usage(format!("no such tool: {name}")).hint(format!("one of {}", known.join(", ")))
        })?;
        if self.undo {
            return match &tool.work {
                Work::Dialog(_) => Err(Error::usage(format!("{} was set up by hand", tool.title))
                    .hint(format!("remove the connection in {} itself", tool.title))),
                Work::Files(files) => {
                    let edits = files.undo(&machine)?;
                    self.apply(&edits, files.commands(&machine, true), context).map(drop)
                }
            };
        }
        let targets = self.targets(tool, context)?;
        match &tool.work {
            Work::Dialog(template) => {
                let texts = targets.iter().map(|target| Commands { machine: &machine, target }.fill(template));
                Output::answer(&texts.collect::<Vec<_>>().join("\n"))?;
            }
            Work::Files(files) => {
                if self.print {
                    return Output::answer(&files.text(&machine, &targets));
                }
                if !self.apply(&files.set_up(&machine, &targets)?, files.commands(&machine, false), context)? {
                    return Ok(());
                }
                for step in files.steps(&machine, &targets) {
                    context.world.output.note(&step);
                }
            }
        }
        if tool.way == Way::Passfile && !self.dry_run && !self.print {
            context
                .world
                .output
                .note("keep the passfile fresh: `pgcred refresh` now, and from a scheduler or `--watch`");
        }
        Ok(())
    }
}

impl Setup {
    /// The targets, or every connection of the configuration.
    fn targets(&self, tool: &Tool, context: &Context) -> Result<Vec<Target>> {
        let (world, output) = (&context.world, context.world.output);
        let all: Vec<String> = world.config.connections.iter().map(|connection| connection.name.clone()).collect();
        let typed = !self.targets.is_empty() || self.place.dial.host.is_some();
        self.place.dial.check_targets(self.targets.len())?;
        if tool.way == Way::Scheduler {
            if typed {
                return Err(Error::usage(format!("{} refreshes every connection, and no other target", tool.title))
                    .hint("`pgcred add NAME HOST --profile PROFILE`, then the same without targets"));
            }
            let set: Vec<_> = LEFT_BEHIND.into_iter().filter(|name| env::var_os(name).is_some()).collect();
            if !set.is_empty() {
                let set = set.join(", ");
                output.warn(&format!("{} will know nothing of {set}: let the configuration say it", tool.title));
            }
        }
        if !typed && all.is_empty() {
            return Err(Error::usage("no connection to set up").hint(
                "name one: pgcred setup TOOL HOST --profile PROFILE, or `pgcred add NAME HOST --profile PROFILE` first",
            ));
        }
        let names = if typed { self.targets.clone() } else { all };
        let one = |name: Option<&str>| {
            let mut request = self.place.request(name, world, output)?;
            if tool.way == Way::Command {
                leave_nothing_to_the_environment(&mut request, tool, world)?;
            }
            let known = name.filter(|name| world.config.connection(name).is_some());
            let name = known.map_or_else(|| short_name(&request.host), str::to_owned);
            Ok(Target { name, request })
        };
        let targets: Vec<Target> = if names.is_empty() {
            vec![one(None)?]
        } else {
            names.iter().map(|name| one(Some(name))).collect::<Result<_>>()?
        };
        let twice = |(at, target): (usize, &Target)| targets[..at].iter().any(|other| other.name == target.name);
        match targets.iter().enumerate().find(|item| twice(*item)) {
            Some((_, target)) => Err(Error::usage(format!("two connections would be called {}", target.name))
                .hint("name them: pgcred add NAME HOST, then pgcred setup TOOL NAME...")),
            None => Ok(targets),
        }
    }

    /// Shows the edits and makes them, if nobody objects; tells whether they stand.
    fn apply(&self, edits: &[Edit], [before, after]: [Vec<Vec<String>>; 2], context: &Context) -> Result<bool> {
        let output = context.world.output;
        let edits: Vec<&Edit> = edits.iter().filter(|edit| edit.changes_something()).collect();
        if edits.is_empty() {
            output.note("nothing to change");
            // What was written may not have been made known: that failed the last time, or was undone by hand.
            if self.undo || self.dry_run {
                return Ok(true);
            }
        } else {
            if self.dry_run || !self.yes {
                for edit in &edits {
                    Output::show(&diff(edit));
                }
            }
            if self.dry_run {
                return Ok(false);
            }
            if !self.yes && !agreed(context)? {
                output.note("nothing was changed");
                return Ok(false);
            }
        }
        for words in &before {
            // It takes away what may have been taken away by hand.
            if let Err(error) = run(words) {
                output.warn(&error.to_string());
            }
        }
        for edit in edits {
            let (before, after) = (edit.before.as_deref(), edit.after.as_deref());
            let backup = match &edit.place {
                Changed::File(path) => fs::replace(path, before, after, edit.keep.as_deref())?,
                Changed::Crontab => crontab::replace(before, after).map(|()| None)?,
            };
            let what = if edit.after.is_some() { "written" } else { "removed" };
            let kept = backup.map(|path| format!("; the old one is {}", path.display())).unwrap_or_default();
            output.note(&format!("{}: {what}{kept}", edit.place));
        }
        after.iter().try_for_each(|words| run(words))?;
        Ok(true)
    }
}

/// Fills in what a desktop's program will not find in its environment.
fn leave_nothing_to_the_environment(request: &mut Request, tool: &Tool, world: &World) -> Result<()> {
    if request.profile.is_none() {
        if env::var_os("AWS_ACCESS_KEY_ID").is_some() {
            let name = tool.title;
            world.output.warn(&format!("AWS_ACCESS_KEY_ID signs here; {name} may know nothing of it: use --profile"));
        } else {
            request.profile = env::var("AWS_PROFILE").or_else(|| env::var("AWS_DEFAULT_PROFILE"));
        }
    }
    if request.region.is_none() {
        request.region = Some(default_region(&request.sign_host, request.profile.as_deref(), &world.how)?);
    }
    Ok(())
}

/// Runs a command that a scheduler needs; its own words are the cause if it fails.
fn run(words: &[String]) -> Result<()> {
    let line = words.join(" ");
    let deadline = Instant::now() + Duration::from_secs(30);
    let failed = |why: &str| Error::failure(format!("`{line}` failed: {why}")).hint("run it by hand to see more");
    match child::output(words, deadline, false) {
        Ok(ended) if ended.status.success() => Ok(()),
        Ok(ended) => Err(failed(String::from_utf8_lossy(&ended.stderr).trim())),
        Err(Failure::Failed(error)) => Err(error),
        Err(Failure::TooLate) => Err(failed("no end within 30 s")),
    }
}

fn agreed(context: &Context) -> Result<bool> {
    if !context.world.how.terminal {
        return Err(Error::usage("nothing was changed: nobody is there to ask").hint("add --yes to change it"));
    }
    let answer = terminal::ask("change this? [y/N] ")?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

fn diff(edit: &Edit) -> String {
    let path = edit.place.to_string();
    let (before, after) = (edit.before.as_deref().unwrap_or_default(), edit.after.as_deref().unwrap_or_default());
    let missing = |text: &Option<String>| if text.is_some() { path.clone() } else { "/dev/null".to_owned() };
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff().context_radius(2).header(&missing(&edit.before), &missing(&edit.after)).to_string()
}

/// The first label of a host, cut to what a person can tell apart.
fn short_name(host: &str) -> String {
    const LONGEST: usize = 26;
    host.split('.').next().unwrap_or(host).chars().take(LONGEST).collect()
}

fn overview(machine: &Machine) -> String {
    let state = |tool: &Tool| match &tool.work {
        Work::Files(files) => files.state(machine).join(", "),
        Work::Dialog(_) => "by hand".to_owned(),
    };
    let rows = TOOLS.iter().map(|tool| {
        let found =
            machine.find(tool.programs, tool.traces).map_or_else(|| "-".to_owned(), |path| path.display().to_string());
        [tool.name.to_owned(), tool.title.to_owned(), tool.way.as_str().to_owned(), found, state(tool)]
    });
    let head = ["TOOL", "NAME", "BY", "FOUND", "SET UP"].map(str::to_owned);
    let rows: Vec<[String; 5]> = [head].into_iter().chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let line = |row: &[String; 5]| {
        let padded = row.iter().enumerate().map(|(column, text)| format!("{text:width$}", width = width(column)));
        format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

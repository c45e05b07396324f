//! `pgcred setup`: make a tool connect without a password ever typed, show it first, and take it
//! back.

use std::time::Duration;

use super::app::App;
use super::edits::{Manner, provide_roots, run_within};
use super::errors::all_errors;
use super::line_owners::settle;
use super::passfile::warn_about_variables;
use super::preferences::Preferences;
use super::run::Run;
use super::{undo, warnings};
use crate::aws;
use crate::cache::Cache;
use crate::config::{self, Connection, Life};
use crate::error::{Error, Result};
use crate::integrations::{TOOLS, takes_hostaddr};
use crate::issue::default_region;
use crate::output::Output;
use crate::provider;
use crate::request::Request;
use crate::request::target::{RootsChoice, TargetSpec};
use crate::resolve::ConnectionOptions;
use crate::roots;
use crate::setup::{
    Commands, Edit, Files, Machine, Os, Place as Changed, Target, Tool, Way, Work, check_words,
};
use crate::sys::env;
use crate::sys::fs;
use crate::sys::terminal::Stdin;
use crate::text::host::HostPort;
use crate::text::suggest;
use crate::text::{shortened, shown};

/// Variables of a shell that decide what `pgcred refresh` does, besides AWS's, and that a
/// scheduler's commands do not have.
const LEFT_BEHIND: [&str; 3] = ["PGPASSFILE", "PGCRED_HOME", "PGCRED_CACHE"];

#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "one per option")]
pub(crate) struct Setup {
    /// The tool; without one: which are known, which are here, what is set up
    tool: Option<String>,
    /// Connections, hosts, DSQL cluster IDs or postgres:// URIs [default: every connection]
    targets: Vec<String>,
    #[command(flatten)]
    connection: ConnectionOptions,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with_all = ["print", "yes"])]
    dry_run: bool,
    /// Print what the tool needs, to paste by hand, and change nothing
    #[arg(long, conflicts_with = "undo")]
    print: bool,
    /// Take back what setup has changed: for every tool, for one, or only the entries that are
    /// named
    #[arg(long)]
    undo: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Run for Setup {
    type End = ();

    /// What was set up can be taken back whatever is configured now.
    fn needs_configuration(&self) -> bool {
        !self.undo
    }

    fn run(self, app: &mut App, _: Option<Stdin>) -> Result<()> {
        let machine = Machine::this(app.options.config.as_deref())?;
        let Some(name) = &self.tool else {
            return if self.undo {
                undo::all(self.manner(), &machine, app)
            } else {
                Output::lines(overview(&machine))
            };
        };
        let tool = tool_named(name)?;
        if self.undo {
            return undo::one(
                self.manner(),
                tool,
                &self.entries(tool, &machine, &app.preferences),
                &machine,
                app,
            );
        }
        let (targets, mut errors) = self.targets(tool, app)?;
        let all = targets.len() + errors.len();
        let mut targets = self.without_clashes(tool, &machine, targets, &mut errors);
        check_words(&machine, &targets)?;
        if !targets.is_empty() {
            if tool.way != Way::Scheduler {
                say_doubts(tool, &mut targets, &app.preferences);
            }
            self.set_up(tool, &machine, &targets, app)?;
        }
        all_errors(errors, app.preferences.output, |failed| {
            format!("{failed} of {all} targets failed")
        })
    }
}

impl Setup {
    fn manner(&self) -> Manner {
        Manner {
            undo: self.undo,
            dry_run: self.dry_run,
            yes: self.yes,
        }
    }

    /// Returns the names of the entries that are to go: a host that is a connection's own stands
    /// for its name.
    fn entries(&self, tool: &Tool, machine: &Machine, preferences: &Preferences) -> Vec<String> {
        let connection = |target: &str| {
            preferences
                .silent_resolver()
                .configured(&self.connection, Some(target))
                .ok()?
                .connection
        };
        let name = |target: &String| {
            let is_entry = undo::tools_with(target, machine).any(|known| known.name == tool.name);
            if is_entry {
                target.clone()
            } else {
                connection(target).unwrap_or_else(|| target.clone())
            }
        };
        self.targets.iter().map(name).collect()
    }

    /// Leaves out the targets in whose place the tool has something of the user's own; the others
    /// can be set up.
    fn without_clashes(
        &self,
        tool: &Tool,
        machine: &Machine,
        mut targets: Vec<Target>,
        errors: &mut Vec<Error>,
    ) -> Vec<Target> {
        if let (Work::Files(files), false) = (&tool.work, self.print) {
            targets.retain(|target| {
                let clash = files.clash(machine, target);
                let is_free = clash.is_none();
                errors.extend(clash);
                is_free
            });
        }
        targets
    }

    fn set_up(&self, tool: &Tool, machine: &Machine, targets: &[Target], app: &App) -> Result<()> {
        let output = app.preferences.output;
        let new =
            |target: &&Target| tool.way == Way::Passfile && target.request.connection.is_none();
        let new: Vec<&Target> = targets.iter().filter(new).collect();
        match &tool.work {
            Work::Dialog(template) => {
                provide_roots(targets, app)?;
                let texts = targets
                    .iter()
                    .map(|target| Commands { machine, target }.fill(template));
                Output::answer(&texts.collect::<Vec<_>>().join("\n"))?;
                for target in new {
                    let add = Commands { machine, target }.line("add", &[&target.name]);
                    output.note(&format!(
                        "to have its token kept fresh, make it a connection: {add}"
                    ));
                }
            }
            Work::Files(files) => {
                if self.print {
                    provide_roots(targets, app)?;
                    return Output::answer(&files.text(machine, targets));
                }
                if tool.way == Way::Scheduler && !self.dry_run {
                    check_that_it_answers(tool, *files, machine)?;
                }
                let edits: Vec<Edit> = remember(&new, app)?
                    .into_iter()
                    .chain(files.set_up(machine, targets)?)
                    .collect();
                if !self.manner().apply(
                    &edits,
                    &files.commands(machine, false),
                    targets,
                    machine,
                    app,
                )? {
                    return Ok(());
                }
                app.issuer
                    .cache()
                    .filter(|_| !new.is_empty())
                    .map_or(Ok(()), Cache::forget_due)?;
                for step in files.steps(machine, targets) {
                    output.note(&step);
                }
            }
        }
        if self.dry_run || self.print {
            return Ok(());
        }
        match tool.way {
            Way::Passfile => {
                warn_about_variables(&app.preferences);
                output.note(&keep_fresh(machine));
            }
            Way::Command if app.preferences.config.login.is_none() => output.note(&format!(
                "when AWS needs a login, {} shows only an error; with the line login = \"browser\" in {} \
                 pgcred opens the login page",
                tool.title,
                app.preferences.config_path()?.display()
            )),
            Way::Command | Way::Scheduler => {}
        }
        Ok(())
    }

    /// The targets; or every connection of the configuration, and the errors of those that cannot
    /// be set up.
    fn targets(&self, tool: &Tool, app: &App) -> Result<(Vec<Target>, Vec<Error>)> {
        let (preferences, output) = (&app.preferences, app.preferences.output);
        let all: Vec<String> = preferences
            .config
            .connections
            .iter()
            .map(|connection| connection.name.clone())
            .collect();
        let typed = !self.targets.is_empty() || self.connection.address.host.is_some();
        self.connection.address.check_targets(self.targets.len())?;
        if tool.way == Way::Scheduler {
            if typed {
                return Err(Error::usage(format!(
                    "{} refreshes every connection, and no other target",
                    tool.title
                ))
                .hint("`pgcred add NAME HOST --profile PROFILE`, then the same without targets"));
            }
            let set: Vec<_> = {
                let own = LEFT_BEHIND
                    .into_iter()
                    .filter(|name| env::var_os(name).is_some());
                aws::set_and_left_behind().chain(own).collect()
            };
            if !set.is_empty() {
                let set = set.join(", ");
                output.warn(&format!(
                    "{} will know nothing of {set}: let the configuration say it",
                    tool.title
                ));
            }
        }
        if !typed && all.is_empty() {
            return Err(Error::usage("no connection to set up").hint(
                "name one: pgcred setup TOOL HOST --profile PROFILE, or `pgcred add NAME HOST --profile PROFILE` first",
            ));
        }
        let names = if typed { self.targets.clone() } else { all };
        let one = |name: Option<&str>| {
            let mut request = preferences.resolver().lasting(&self.connection, name)?;
            request.check_address()?;
            if tool.way == Way::Command || request.connection.is_none() {
                leave_nothing_to_the_environment(&mut request, tool, preferences)?;
            }
            let name = request
                .connection
                .clone()
                .unwrap_or_else(|| short_name(&request.host));
            let roots = roots::of(&request)?;
            Ok(Target {
                name,
                request,
                roots,
            })
        };
        let (mut targets, mut errors) = (Vec::new(), Vec::new());
        if typed && names.is_empty() {
            targets.push(one(None)?);
        }
        for name in &names {
            match one(Some(name)) {
                Ok(target) => targets.push(target),
                Err(error) if typed => return Err(error),
                Err(error) => errors.push(error.about(name)),
            }
        }
        if tool.way != Way::Command {
            for clash in settle(&mut preferences.named_connections()) {
                if targets.iter().any(|target| target.name == clash.later) {
                    output.warn(&clash.to_string());
                }
            }
        }
        let twice = |(at, target): (usize, &Target)| {
            targets[..at].iter().any(|other| other.name == target.name)
        };
        match targets.iter().enumerate().find(|item| twice(*item)) {
            Some((_, target)) => Err(Error::usage(format!(
                "two connections would be called {}",
                target.name
            ))
            .hint("name them: pgcred add NAME HOST, then pgcred setup TOOL NAME...")),
            None => Ok((targets, errors)),
        }
    }
}

/// Says what may be wrong with the targets, and what a tool without `hostaddr` needs in its place.
fn say_doubts(tool: &Tool, targets: &mut [Target], preferences: &Preferences) {
    let requests: Vec<_> = targets
        .iter()
        .map(|target| (target.name.as_str(), &target.request))
        .collect();
    warnings::say(&requests, preferences);
    if takes_hostaddr(tool) {
        return;
    }
    for Target { request, .. } in targets {
        let Some(address) = request.option("hostaddr") else {
            continue;
        };
        let (title, host, port) = (tool.title, &request.host, request.port);
        preferences.output.warn(&format!(
            "{title} takes no hostaddr and dials {host}:{port} by its name: the hosts file of this machine needs the \
             line `{address} {host}`"
        ));
        request.options.retain(|(keyword, _)| keyword != "hostaddr");
    }
}

/// Refuses a scheduler that is not there, before anything is written for it, and names one that is.
fn check_that_it_answers(tool: &Tool, files: &dyn Files, machine: &Machine) -> Result<()> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let why = match (Machine::program(tool.programs), files.greeting()) {
        (None, _) => format!("there is no program {}", tool.programs.join(", ")),
        (Some(_), None) => return Ok(()),
        (Some(_), Some(words)) => {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            match run_within(&words, PATIENCE) {
                Ok(()) => return Ok(()),
                Err(error) => error.to_string(),
            }
        }
    };
    let instead =
        |name: &str, program: &str| tool.name != name && Machine::program(&[program]).is_some();
    let hint = if instead("cron", "crontab") {
        "`pgcred setup cron` does the same by cron"
    } else if machine.os.scheduler() == "systemd" && instead("systemd", "systemctl") {
        "`pgcred setup systemd` does the same by systemd"
    } else {
        "`pgcred refresh --watch` does the same for as long as it runs"
    };
    Err(Error::failure(format!(
        "{} is not at work here, and nothing was changed: {why}",
        tool.title
    ))
    .hint(hint))
}

/// Returns the tool of that name, in any case.
fn tool_named(name: &str) -> Result<&'static Tool> {
    TOOLS
        .iter()
        .find(|tool| tool.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| {
            let typed = name.to_lowercase();
            let by_title = || {
                TOOLS
                    .iter()
                    .find(|tool| typed.len() > 2 && tool.title.to_lowercase().contains(&typed))
            };
            let near = suggest::nearest(name, TOOLS.iter().map(|tool| tool.name))
                .or_else(|| Some(by_title()?.name));
            let known = || {
                TOOLS
                    .iter()
                    .map(|tool| tool.name)
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            Error::usage(format!("no such tool: {name}")).hint(near.map_or_else(
                || format!("one of {}", known()),
                |near| format!("did you mean {near}?"),
            ))
        })
}

/// Returns the edit that makes connections of what is none yet: whoever reads the passfile needs
/// its token kept fresh.
fn remember(new: &[&Target], app: &App) -> Result<Option<Edit>> {
    if new.is_empty() {
        return Ok(None);
    }
    let path = app.preferences.config_path()?.clone();
    let before = fs::read_plain(&path)?;
    let mut after = before.clone().unwrap_or_default();
    for target in new {
        after = config::add(&after, &connection(target), false).map_err(|error| {
            error.hint("name it yourself: pgcred add NAME HOST, then pgcred setup TOOL NAME")
        })?;
    }
    Ok(Some(Edit {
        place: Changed::File(path),
        before,
        after: Some(after),
        keep: None,
    }))
}

/// Returns a target as the configuration keeps it.
fn connection(Target { name, request, .. }: &Target) -> Connection {
    let provider = request.provider;
    let elsewhere = request.sign_host != request.host || request.sign_port != request.port;
    let life = if request.life == provider.max_life {
        Life::Max
    } else {
        Life::Seconds(request.life)
    };
    Connection {
        name: name.clone(),
        target: TargetSpec {
            host: Some(request.host.clone()),
            port: Some(request.port).filter(|port| *port != provider::DEFAULT_PORT),
            user: Some(request.user.clone()),
            dbname: Some(request.dbname.clone()).filter(|name| name != provider.dbname),
            options: request
                .options
                .iter()
                .filter(|(keyword, _)| config::keeps(keyword))
                .cloned()
                .collect(),
        },
        roots: request.roots.clone().or_else(|| {
            request
                .option("sslrootcert")
                .and_then(|said| RootsChoice::parse(said).ok())
        }),
        profile: request.profile.clone(),
        region: request
            .region
            .clone()
            .filter(|region| (provider.region)(&request.sign_host) != Some(region)),
        provider: provider::of_host(&request.sign_host)
            .is_none()
            .then(|| provider.name.to_owned()),
        sign_host: elsewhere.then(|| HostPort {
            host: request.sign_host.clone(),
            port: Some(request.sign_port),
        }),
        life: (request.life != provider::DEFAULT_LIFE).then_some(life),
        ..Connection::default()
    }
}

/// Says who keeps the passfile fresh on this machine, or will.
fn keep_fresh(machine: &Machine) -> String {
    let runs = |tool: &&Tool| {
        let is_set_up = |files: &dyn Files| !files.state(machine).is_empty();
        tool.way == Way::Scheduler && matches!(&tool.work, Work::Files(files) if is_set_up(*files))
    };
    match TOOLS.iter().find(runs) {
        Some(tool) => format!(
            "keep the passfile fresh: run `pgcred refresh` now; {} repeats it",
            tool.title
        ),
        None => format!(
            "keep the passfile fresh: run `pgcred refresh` now, and once `pgcred setup {}`, which repeats it",
            machine.os.scheduler()
        ),
    }
}

/// Fills in what a desktop's program will not find in its environment.
fn leave_nothing_to_the_environment(
    request: &mut Request,
    tool: &Tool,
    preferences: &Preferences,
) -> Result<()> {
    if request.profile.is_none() {
        if env::var_os("AWS_ACCESS_KEY_ID").is_some() {
            let name = tool.title;
            preferences.output.warn(&format!(
                "AWS_ACCESS_KEY_ID signs here; {name} may know nothing of it: use --profile"
            ));
        } else {
            request.profile = env::var("AWS_PROFILE").or_else(|| env::var("AWS_DEFAULT_PROFILE"));
        }
    }
    if request.region.is_none() {
        request.region = Some(default_region(
            &request.sign_host,
            request.profile.as_deref(),
            &preferences.ask,
        )?);
    }
    Ok(())
}

/// The first label of a host, cut to what a person can tell apart.
fn short_name(host: &str) -> String {
    const LONGEST: usize = 26;
    host.split('.')
        .next()
        .unwrap_or(host)
        .chars()
        .take(LONGEST)
        .collect()
}

/// The one system that a tool is for, if it is for one.
fn only_on(tool: &Tool) -> Option<(Os, &'static str)> {
    match tool.name {
        "launchd" | "postico" => Some((Os::Mac, "macOS")),
        "task-scheduler" => Some((Os::Windows, "Windows")),
        "systemd" => Some((Os::Linux, "Linux")),
        _ => None,
    }
}

fn overview(machine: &Machine) -> Vec<String> {
    /// No terminal has a line that long.
    const LONGEST: usize = 1000;
    let state = |tool: &Tool| match &tool.work {
        Work::Files(files) => files.state(machine).join(", "),
        Work::Dialog(_) => "prints what to enter".to_owned(),
    };
    let rows = TOOLS.iter().map(|tool| {
        let elsewhere = only_on(tool)
            .filter(|(os, _)| *os != machine.os)
            .map(|(_, name)| format!("only on {name}"));
        let path = || {
            machine
                .find(tool.programs, tool.traces)
                .map(|path| path.display().to_string())
        };
        let found = elsewhere.or_else(path).unwrap_or_else(|| "-".to_owned());
        let cells = [
            tool.name.to_owned(),
            tool.title.to_owned(),
            tool.way.as_str().to_owned(),
            found,
            state(tool),
        ];
        cells.map(|cell| shortened(&shown(&cell), LONGEST))
    });
    let head = ["TOOL", "NAME", "BY", "FOUND", "SET UP"].map(str::to_owned);
    let rows: Vec<[String; 5]> = [head].into_iter().chain(rows).collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let line = |row: &[String; 5]| {
        let padded = row
            .iter()
            .enumerate()
            .map(|(column, text)| format!("{text:width$}", width = width(column)));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

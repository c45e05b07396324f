//! The command line: what can be typed, what every command is given, and one match that runs it.

mod add;
mod aws;
mod background;
mod complete;
mod doubts;
mod due;
mod edits;
mod erase;
mod exec;
mod help;
mod init;
mod list;
mod login;
mod man;
mod owners;
mod passfile;
mod place;
mod prompt;
mod refresh;
mod remove;
mod renew;
mod roots;
mod setup;
mod standing;
mod token;
mod told;
mod undo;
mod watch;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Termination};
use std::time::{Duration, SystemTime};

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};

use crate::aws::AskPolicy;
use crate::cache::{Cache, Index};
use crate::config::{CacheChoice, Config, Connection, Life, LoginPolicy};
use crate::error::{Error, Exit, Result};
use crate::issue::{Issued, Issuer, Wish};
use crate::output::Output;
use crate::passfile::block::PassfileKey;
use crate::request::Request;
use crate::sys::env;
use crate::sys::fs;
use crate::sys::limits;
use crate::sys::terminal::{self, Stdin};
use crate::text::shown;
use crate::time::{Seconds, spoken};
use place::Place;

/// One command: its arguments are defined only if it is the one that was typed.
struct Entry {
    name: &'static str,
    about: &'static str,
    arguments: fn(clap::Command) -> clap::Command,
    run: fn(&ArgMatches, Global) -> Result<ExitCode>,
}

/// What each command does with its parsed arguments.
trait Run: FromArgMatches + Args {
    /// Nothing, or the exit code.
    type End: Termination;
    /// Whether AWS may be asked: else the options for that have no meaning, and the help leaves
    /// them out.
    const ASKS_AWS: bool = true;
    /// Whether the configuration file that `--config` names may be missing.
    const MAKES_CONFIG: bool = false;
    /// Whether the command says nothing about a configuration that cannot be used: it runs at every
    /// prompt of a shell.
    const IS_SILENT: bool = false;

    /// Whether a configuration that cannot be read is in the way.
    fn needs_configuration(&self) -> bool {
        true
    }

    /// What the command does where root runs it in the home directory of another user.
    fn in_foreign_home(&self) -> InForeignHome {
        InForeignHome::Refuse
    }

    fn run(self, app: &mut App, stdin: Option<Stdin>) -> Result<Self::End>;
}

/// What a command does where root runs it in the home directory of another user: see
/// [`fs::trust::roots_foreign_home`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum InForeignHome {
    /// It would write there.
    Refuse,
    /// It needs no file there: it only gives a token out.
    GoOn,
    /// Nobody has typed it, and nobody reads what it says.
    DoNothing,
}

/// What a command prints that needs neither configuration nor cache, and is there however broken
/// they are.
trait Text: FromArgMatches + Args {
    fn text(self) -> Result<String>;
}

const fn entry<C: Run>(name: &'static str, about: &'static str) -> Entry {
    Entry {
        name,
        about,
        arguments: arguments_of::<C>,
        run: |matches, global| {
            let command = C::from_arg_matches(matches).map_err(refused)?;
            let need = match (C::MAKES_CONFIG, command.needs_configuration()) {
                (true, _) => Need::WholeOrNew,
                (false, true) => Need::Whole,
                (false, false) => Need::Optional,
            };
            let is_silent = C::IS_SILENT && !global.debug;
            let in_foreign_home =
                fs::trust::roots_foreign_home().map(|why| (command.in_foreign_home(), why));
            if let Some((InForeignHome::DoNothing, _)) = in_foreign_home {
                return Ok(ExitCode::SUCCESS);
            }
            let app = match &in_foreign_home {
                Some((InForeignHome::Refuse, why)) => Err(why.clone()),
                _ => App::new(global, need),
            };
            let mut app = match app {
                Ok(app) => app,
                Err(error) if is_silent => return Ok(error.exit().code().into()),
                Err(error) => return Err(error),
            };
            if let Some((_, why)) = in_foreign_home {
                app.leave_files_alone(&why);
            }
            let stdin = terminal::detach_stdin()?;
            let end = command.run(&mut app, stdin).map(Termination::report);
            due::tell(&mut app, due::Refreshed::No);
            end
        },
    }
}

const fn text<C: Text>(name: &'static str, about: &'static str) -> Entry {
    Entry {
        name,
        about,
        arguments: |command| hiding(hiding(arguments::<C>(command), &OF_AWS), &["config"]),
        run: |matches, global| {
            if global.config.is_some() {
                return Err(Error::usage(
                    "what this command prints works with the usual configuration file only",
                )
                .hint("leave out --config; PGCRED_HOME moves the file"));
            }
            let command = C::from_arg_matches(matches).map_err(refused)?;
            Output::answer(&command.text()?).map(Termination::report)
        },
    }
}

fn arguments<C: Args>(command: clap::Command) -> clap::Command {
    let about = command.get_about().cloned().unwrap_or_default();
    let command = C::augment_args(Global::augment_args(command).next_help_heading(None));
    let command = command.about(about).long_about(None); // a group of options has put its own there
    if !command
        .get_arguments()
        .any(|argument| argument.get_short() == Some('h'))
    {
        return command;
    }
    // Where a host is asked for, `-h` is psql's.
    let help = Arg::new("help")
        .long("help")
        .action(ArgAction::Help)
        .help("Print help");
    command.disable_help_flag(true).arg(help)
}

fn arguments_of<C: Run>(command: clap::Command) -> clap::Command {
    let command = arguments::<C>(command);
    if C::ASKS_AWS {
        command
    } else {
        hiding(command, &OF_AWS)
    }
}

/// Options that have no meaning where AWS is not asked.
const OF_AWS: [&str; 3] = ["timeout", "login", "mfa_code"];

/// Leaves options out of the help; they are taken all the same.
fn hiding(command: clap::Command, options: &[&str]) -> clap::Command {
    options.iter().fold(command, |command, option| {
        command.mut_arg(option, |argument| argument.hide(true))
    })
}

/// In the order of `--help`.
static COMMANDS: [Entry; 15] = [
    entry::<token::Token>("token", "Print a token for a database"),
    entry::<refresh::Refresh>("refresh", "Issue tokens and write them to the passfile"),
    entry::<exec::Exec>(
        "exec",
        "Run a program with PG* variables and a private passfile for one connection",
    ),
    Entry {
        arguments: erase::arguments,
        ..entry::<erase::Erase>(
            "erase",
            "Forget tokens: remove them from the passfile and from the cache",
        )
    },
    entry::<list::List>(
        "list",
        "List the configured connections and how long their tokens last",
    ),
    entry::<add::Add>("add", "Add a connection to the configuration"),
    entry::<remove::Remove>(
        "remove",
        "Remove a connection: from the configuration, its tokens, and its entries in tools",
    ),
    entry::<login::Login>(
        "login",
        "Log in to AWS now, for a profile of SSO or `aws login`",
    ),
    entry::<setup::Setup>(
        "setup",
        "Make a tool connect without a password: DBeaver, pgAdmin, psql and many more",
    ),
    entry::<roots::Roots>(
        "roots",
        "Print the file of root certificates that verifies a database's server",
    ),
    entry::<aws::Aws>(
        "aws",
        "Act as the AWS CLI's token commands, for tools that call `aws`",
    ),
    entry::<prompt::Prompt>(
        "prompt",
        "Print a connection's state for a shell prompt; nothing if there is nothing to say",
    ),
    text::<init::Init>(
        "init",
        "Print a shell's hook, which refreshes in the background what is due at a prompt",
    ),
    text::<complete::Completions>(
        "completions",
        "Print what makes a shell complete pgcred's command line",
    ),
    text::<man::Man>("man", "Print the manual page"),
];

fn command_line() -> clap::Command {
    let command = clap::Command::new("pgcred")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Passwords for PostgreSQL on AWS (Aurora DSQL, RDS and Aurora with IAM), for every tool that wants one")
        .max_term_width(100)
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true);
    let defined = |entry: &Entry| {
        clap::Command::new(entry.name)
            .about(entry.about)
            .defer(entry.arguments)
    };
    // Not global here, where clap would copy them into every command at every start: the typed one
    // defines its own.
    let command = Global::augment_args(command).mut_args(|option| option.global(false));
    command.subcommands(COMMANDS.iter().map(defined))
}

/// Returns what clap shows for words that ask for help, with what only the help shows.
fn full_help(words: &[OsString]) -> Option<clap::Error> {
    help::with_examples(command_line())
        .try_get_matches_from(words)
        .err()
}

/// Returns the error in which what a terminal would obey is shown: clap repeats words as they were
/// typed.
fn with_visible_words(error: clap::Error, words: &[OsString]) -> clap::Error {
    let visible = |word: &OsString| {
        word.to_str()
            .map_or_else(|| word.clone(), |word| shown(word).into())
    };
    let visible: Vec<OsString> = words.iter().map(visible).collect();
    if visible == words {
        return error;
    }
    command_line()
        .try_get_matches_from(visible)
        .err()
        .unwrap_or(error)
}

/// What clap finds wrong after parsing; it does not happen to what it has parsed itself.
fn refused(error: impl std::fmt::Display) -> Error {
    Error::usage(error.to_string())
}

fn login_policy(text: &str) -> std::result::Result<LoginPolicy, String> {
    LoginPolicy::parse(text)
        .map_err(|error| format!("{error}; known: {}", error.to_hint().unwrap_or_default()))
}

#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Give up on AWS after this long: seconds, or 90s, 5m
    #[arg(long, global = true, value_name = "DURATION", default_value = "25s")]
    timeout: Seconds,
    /// Who is asked when AWS needs a login: never, terminal, browser (also `--login` without a
    /// value) [default: terminal]
    #[arg(long, global = true, value_name = "POLICY", num_args = 0..=1, require_equals = true, default_missing_value = "browser", value_parser = login_policy)]
    login: Option<LoginPolicy>,
    /// Code of the MFA device, where a role needs one and no terminal is there to ask on
    #[arg(long, global = true, value_name = "CODE")]
    mfa_code: Option<String>,
    /// Say what was tried, and let account numbers stand in error messages
    #[arg(long, global = true)]
    debug: bool,
    /// Configuration file [default: pgcred/config.toml in the user's configuration directory]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What a command makes of the configuration file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Whatever is wrong with the file is an error.
    Whole,
    /// The same, but the command makes the file if there is none.
    WholeOrNew,
    /// The command works without the file, and only warns.
    Optional,
}

/// What `--config` names where no configuration is meant, as with ssh's `-F`.
const NO_FILE: &str = "/dev/null";

/// A configuration as it was read.
struct Read {
    config: Config,
    path: Option<PathBuf>,
    /// When the file was changed last before it was read.
    changed: Option<SystemTime>,
}

impl Read {
    /// Reads the file that `--config` names, or the usual one.
    ///
    /// A file that is there and cannot be read is never an empty one: its rules decide who signs,
    /// and for how long.
    fn file(named: Option<&Path>, need: Need, output: Output) -> Result<Self> {
        let path = named.map(Path::to_owned).or_else(env::config_file);
        let Some(file) = &path else {
            return Ok(Self {
                config: Config::default(),
                path,
                changed: None,
            });
        };
        if need != Need::WholeOrNew && named == Some(Path::new(NO_FILE)) {
            return Ok(Self {
                config: Config::default(),
                path,
                changed: None,
            });
        }
        // A file that is named may be a colleague's; the usual one is the user's own, as with ssh.
        let found = fs::read_dated(file, named.is_none())
            .map_err(|error| match error.to_hint() {
                // Some mounts show all files as another user's, or as open to all, and let nobody
                // change that.
                Some(hint) => {
                    let hint = format!(
                        "{hint}; or, if you trust what is in it: --config '{}'",
                        file.display()
                    );
                    error.hint(hint)
                }
                None => error.hint(
                    "correct the file, let your user read it, or name another one with --config",
                ),
            })
            .and_then(|found| {
                if found.is_none() && need != Need::WholeOrNew {
                    check_absence(file, named.is_some())?;
                }
                Ok(found)
            });
        let read = found.and_then(|found| {
            let (text, changed) = found.unwrap_or_default();
            let config =
                Config::parse(&text).map_err(|error| error.about(&file.display().to_string()))?;
            Ok((config, changed))
        });
        match read {
            Ok((config, changed)) => Ok(Self {
                config,
                path,
                changed,
            }),
            Err(error) if need == Need::Optional => {
                output.warn(&error.to_string());
                Ok(Self {
                    config: Config::default(),
                    path,
                    changed: None,
                })
            }
            Err(error) => Err(error),
        }
    }
}

/// Refuses to go on without a file that somebody relies on: one that is named, or whose place is
/// not there now.
fn check_absence(file: &Path, is_named: bool) -> Result<()> {
    if is_named {
        let path = file.display();
        return Err(Error::usage(format!("{path}: no such file")).hint(format!(
            "correct --config; pgcred add NAME HOST --config {path} makes the file"
        )));
    }
    fs::check_absence(file)
}

/// How a token is asked for, beyond where and as whom.
#[derive(clap::Args)]
struct Asking {
    /// The token must last this long: seconds, or 15m, 1h
    #[arg(long, value_name = "DURATION")]
    min_valid: Option<Seconds>,
    /// Issue a new token, whatever is cached
    #[arg(long)]
    fresh: bool,
    /// Neither read nor write the cache
    #[arg(long)]
    no_cache: bool,
}

/// What the user set, for this run and in the configuration.
struct Preferences {
    output: Output,
    ask: AskPolicy,
    config: Config,
    config_path: Option<PathBuf>,
    /// When it was changed last before it was read.
    config_changed: Option<SystemTime>,
}

struct App {
    global: Global,
    preferences: Preferences,
    issuer: Issuer,
}

/// Parses, runs, reports.
pub(crate) fn run() -> ExitCode {
    limits::forbid_core_dumps();
    if env::var_os(complete::VARIABLE).is_some() {
        return complete::answer();
    }
    let words = help::as_option(aws::as_aws(env::arguments()));
    if let Some(version) = aws::version(&words) {
        let _ = Output::answer(version); // nobody left to tell
        return ExitCode::SUCCESS;
    }
    // The system takes all of it back in one go when the process ends, which is soon.
    let mut command_line = ManuallyDrop::new(command_line());
    let matches = match command_line.try_get_matches_from_mut(&words) {
        Ok(matches) => ManuallyDrop::new(matches),
        Err(error) if error.use_stderr() && aws::is_meant(&words) => {
            Output {
                quiet: false,
                debug: false,
            }
            .report(&aws::refusal(&error));
            return aws::USAGE.into();
        }
        Err(error) => {
            if let Some(refusal) = help::refusal(&error, &words) {
                Output {
                    quiet: false,
                    debug: false,
                }
                .report(&refusal);
                return Exit::Usage.code().into();
            }
            let error = with_visible_words(error, &words);
            let error = if error.kind() == ErrorKind::DisplayHelp {
                full_help(&words).unwrap_or(error)
            } else {
                error
            };
            let _ = error.print(); // help and version go to stdout, complaints to stderr
            return if error.use_stderr() {
                Exit::Usage.code().into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match run_command(&matches) {
        Ok(code) => code,
        Err(error) => {
            let debug = matches
                .try_get_one("debug")
                .ok()
                .flatten()
                .is_some_and(|debug| *debug);
            Output {
                quiet: false,
                debug,
            }
            .report(&error);
            let for_aws = matches.subcommand_name() == Some("aws");
            if for_aws {
                aws::FAILURE.into()
            } else {
                error.exit().code().into()
            }
        }
    }
}

fn run_command(matches: &ArgMatches) -> Result<ExitCode> {
    let (name, arguments) = matches
        .subcommand()
        .ok_or_else(|| Error::usage("no command"))?;
    let entry = COMMANDS
        .iter()
        .find(|entry| entry.name == name)
        .ok_or_else(|| Error::usage("no such command"))?;
    (entry.run)(
        arguments,
        Global::from_arg_matches(matches).map_err(refused)?,
    )
}

impl App {
    fn new(global: Global, need: Need) -> Result<Self> {
        let output = Output {
            quiet: global.quiet,
            debug: global.debug,
        };
        env::own_home().map_or(Ok(()), |home| fs::trust::check_owner_of_path(&home))?;
        let Read {
            config,
            path: config_path,
            changed: config_changed,
        } = Read::file(global.config.as_deref(), need, output)?;
        let choice = env::var("PGCRED_CACHE")
            .map(|text| CacheChoice::parse(&text).map_err(|error| error.about("PGCRED_CACHE")))
            .transpose()?;
        let cache = Cache::open(choice.or(config.cache));
        let ask = AskPolicy {
            timeout: Duration::from_secs(global.timeout.0.into()),
            login: global.login.or(config.login).unwrap_or_default(),
            login_asked_for: global.login.is_some(),
            mfa_code: global.mfa_code.clone(),
            terminal: terminal::has_person(),
            in_group: false,
            tell: Output::tell,
        };
        Ok(Self {
            global,
            issuer: Issuer::new(ask.clone(), cache),
            preferences: Preferences {
                output,
                ask,
                config,
                config_path,
                config_changed,
            },
        })
    }

    /// Reads configuration and cache anew.
    fn again(&self) -> Result<Self> {
        Self::new(self.global.clone(), Need::Whole)
    }

    /// Issues a token and says what went wrong on the way.
    fn issue(&mut self, mut request: Request, asking: &Asking) -> Result<(Request, Issued)> {
        if asking.no_cache {
            self.release();
        }
        let min_valid = asking.min_valid.map_or(0, |seconds| seconds.0);
        if min_valid > request.life {
            let life = Some(Life::Seconds(min_valid));
            request.life = place::seconds(life, request.provider, self.preferences.config.max_life)
                .map_err(|error| error.about("--min-valid"))?;
        }
        let wish = Wish {
            min_valid,
            fresh: asking.fresh,
            filed_elsewhere: false,
        };
        let preferences = &self.preferences;
        let issued = self.issuer.issue(&request, wish, |index| {
            preferences.connections_by_use(index)
        });
        self.say_warnings();
        let issued = issued?;
        warn_if_cut_short(&request, &issued, self.preferences.output);
        Ok((request, issued))
    }

    /// Makes shell hooks look anew. It is called when the command has done its work: what is wrong
    /// here is no failure of it.
    fn forget_due(&self) {
        if let Some(Err(error)) = self.issuer.cache().map(Cache::forget_due) {
            self.preferences.output.warn(&format!(
                "shell hooks may show what was configured before: {error}"
            ));
        }
    }

    /// Opens the cache also where it is switched off, to forget tokens: those of before are in it,
    /// or known to it.
    fn open_cache_of_before(&mut self) {
        if let Some(cache) = self.issuer.take_cache().or_else(|| Cache::open(None)) {
            self.issuer.put_cache(cache);
        }
    }

    /// Asks nobody for a login, whatever the configuration says.
    fn be_quiet_about_log_ins(&mut self) {
        self.preferences.ask.login = LoginPolicy::Never;
        self.issuer = Issuer::new(self.preferences.ask.clone(), self.issuer.take_cache());
    }

    /// Keeps nothing, and asks for no login: that would be kept too.
    fn leave_files_alone(&mut self, why: &Error) {
        if let Some(cache) = self.issuer.take_cache() {
            drop(cache);
            self.preferences.output.warn(&format!(
                "tokens are not cached: {why}; PGCRED_CACHE=none says that this is meant"
            ));
        }
        self.be_quiet_about_log_ins();
    }

    /// Lets others ask AWS; what was learned from it is forgotten.
    fn release(&mut self) {
        due::tell(self, due::Refreshed::No);
        self.issuer = Issuer::new(self.preferences.ask.clone(), None);
    }

    fn say_warnings(&mut self) {
        let notes = std::mem::take(&mut self.issuer.notes);
        notes
            .steps
            .iter()
            .for_each(|step| self.preferences.output.step(step));
        notes
            .warnings
            .iter()
            .for_each(|warning| self.preferences.output.warn(warning));
    }
}

/// One error is returned as it is; several are reported, each once, and the last word says how
/// many.
fn all_errors(
    mut errors: Vec<Error>,
    output: Output,
    last_word: impl FnOnce(usize) -> String,
) -> Result<()> {
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0)),
        failed => {
            for error in &errors {
                output.report(error);
            }
            let last = Error::failure(last_word(failed));
            let same = errors.iter().all(|error| error.exit() == errors[0].exit());
            Err(if same {
                last.exiting(errors[0].exit())
            } else {
                last
            })
        }
    }
}

/// A token that does not last as long as was asked for is not handed out in silence.
fn warn_if_cut_short(request: &Request, issued: &Issued, output: Output) {
    if issued.cut_short {
        let left = spoken(issued.token.issued_at.until(issued.token.expires_at));
        output.warn(&format!(
            "{}: the AWS credentials end in {left}, and the token with them",
            request.name()
        ));
    }
}

impl Preferences {
    /// Returns a request for every connection; one that cannot be resolved is none.
    fn connections(&self) -> Vec<Request> {
        self.named_connections()
            .into_iter()
            .map(|(_, request)| request)
            .collect()
    }

    /// The same, one at a time: first the connections that tokens were issued for before.
    fn connections_by_use<'a>(&'a self, index: &Index) -> impl Iterator<Item = Request> + use<'a> {
        // A connection may name its host by the cluster ID alone, with which the host's name
        // begins.
        let first_label = |host: &str| host.split('.').next().unwrap_or(host).to_owned();
        let used: BTreeSet<String> = index
            .records
            .values()
            .filter_map(|record| Some(first_label(&PassfileKey::from_name(&record.name)?.host)))
            .collect();
        let is_used = |connection: &&Connection| {
            connection
                .place
                .host
                .as_deref()
                .is_some_and(|host| used.contains(&first_label(host)))
        };
        let (used, unused): (Vec<_>, Vec<_>) = self.config.connections.iter().partition(is_used);
        used.into_iter()
            .chain(unused)
            .filter_map(|connection| self.connection(&connection.name).ok())
    }

    /// The same with their names, in the configuration's order.
    fn named_connections(&self) -> Vec<(String, Request)> {
        let resolved = |name: &String| Some((name.clone(), self.connection(name).ok()?));
        self.config
            .connections
            .iter()
            .filter_map(|connection| resolved(&connection.name))
            .collect()
    }

    /// Resolves a connection as it is configured, without a word.
    fn connection(&self, name: &str) -> Result<Request> {
        Place::default().configured(
            Some(name),
            self,
            Output {
                quiet: true,
                debug: false,
            },
        )
    }

    /// The same where no token can have the life that is configured: the address is known all the
    /// same.
    fn connection_of_any_life(&self, name: &str) -> Result<Request> {
        let place = Place {
            expires_in: Some(Life::Max),
            ..Place::default()
        };
        place.configured(
            Some(name),
            self,
            Output {
                quiet: true,
                debug: false,
            },
        )
    }

    /// Edits the configuration; where nothing is left of the usual one, its directory goes with it.
    fn edit_config(&self, change: impl FnMut(&str) -> Result<String>) -> Result<&PathBuf> {
        let path = self.config_path()?;
        let edited = fs::edit_text(path, change);
        if env::config_file().as_ref() == Some(path) {
            fs::remove_empty_directories(path);
        }
        edited.map(|()| path)
    }

    fn config_path(&self) -> Result<&PathBuf> {
        self.config_path.as_ref().ok_or_else(|| {
            Error::failure("no configuration directory is known").hint("--config FILE")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn global_options_stand_before_the_command_or_after_it() {
        let read = |typed: &str| {
            let matches = command_line()
                .try_get_matches_from(["pgcred"].into_iter().chain(typed.split(' ')))
                .unwrap();
            let global = Global::from_arg_matches(&matches).unwrap();
            let (login, mfa_code, config) =
                (global.login.is_some(), global.mfa_code, global.config);
            (
                global.quiet,
                global.timeout.0,
                login,
                mfa_code,
                global.debug,
                config,
            )
        };
        let text = |text: &str| Some(text.to_owned());
        let all = "-q --timeout 5 --login=never --mfa-code 1 --debug --config a";
        let found = (true, 5, true, text("1"), true, Some("a".into()));
        for command in ["list", "aws configure list-profiles"] {
            assert_eq!(read(command), (false, 25, false, None, false, None));
            assert_eq!(read(&format!("{all} {command}")), found);
            assert_eq!(read(&format!("{command} {all}")), found);
            let later = (true, 25, true, text("2"), true, Some("b".into()));
            assert_eq!(
                read(&format!(
                    "{all} {command} --timeout 25 --mfa-code 2 --config b"
                )),
                later
            );
        }
    }
}

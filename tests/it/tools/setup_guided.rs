//! The guided set-up, typed at a terminal: from an empty home to a first query, every key, every
//! way out, and what goes wrong on the way.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use standin::Key;

use crate::support::cluster::Cluster;
use crate::support::desk::{calls, desk, install, sso_log_in};
use crate::support::needs::{CLUSTER, PYTHON, TERMINAL, skip_unless};
use crate::support::sandbox::{HOST, Sandbox};
use crate::support::stubs::Stub;
use crate::support::tmux::Terminal;

/// The key ID of the profile `dev`. The stub knows every ID, with its own secret.
const KEY: &str = "AKIADEVDEVDEVDEVDEV1";

const SECRET_OF_STUB: &str = "STUBSECRETthatnobodymayprint";

/// Two clusters of DSQL, one of which has a name that tries to clear the screen, and an instance of
/// RDS, which names no user that takes tokens.
const FLEET: &str = r#"{"accounts": {"*": {"us-east-1": {
    "dsql": [{"id": "foo0bar1baz2quux3quuux4abc", "tags": {"Name": "Main"}},
             {"id": "b2", "tags": {"Name": "\u001b[2Jevil\u001b]0;x\u0007"}}],
    "instances": [{"id": "orders", "user": "dba"}]}}}}"#;

const ONE: &str = r#"{"accounts": {"*": {"us-east-1": {
    "dsql": [{"id": "foo0bar1baz2quux3quuux4abc", "tags": {"Name": "Main"}}]}}}}"#;

/// A user's machine with profiles, tools, and a stub of AWS.
struct Desk {
    sandbox: Sandbox,
    _stub: Stub,
}

/// Writes the profiles, and installs psql, pgAdmin and a cron that keeps its table in a file.
fn furnish(sandbox: &mut Sandbox, stub: &Stub, profiles: &[&str]) {
    let (mut config, mut keys) = (String::new(), String::new());
    for name in profiles {
        writeln!(config, "[profile {name}]\nregion = us-east-1").expect("text");
        writeln!(keys, "[{name}]\naws_access_key_id = {KEY}").expect("text");
        writeln!(keys, "aws_secret_access_key = {SECRET_OF_STUB}").expect("text");
    }
    sandbox.write(".aws/config", config);
    sandbox.write(".aws/credentials", keys);
    for variable in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ] {
        sandbox.unset(variable);
    }
    sandbox.set("AWS_ENDPOINT_URL", &stub.url(""));
    install(sandbox, "pgadmin4", "");
    install(
        sandbox,
        "crontab",
        "case $1 in -l) [ -e table ] && cat table || { echo no crontab for me >&2; exit 1; } ;; \
         -) cat >table ;; *) cp \"$1\" table ;; esac",
    );
    install(sandbox, "systemctl", "exit 1");
    let path = format!("{}:/usr/bin:/bin", sandbox.path("bin").display());
    sandbox.set("PATH", &path).set("SHELL", "/bin/bash");
}

fn desk_with(fleet: &str, profiles: &[&str]) -> Desk {
    let mut sandbox = Sandbox::empty();
    let file = sandbox.own().join("fleet.json");
    fs::write(&file, fleet).expect("a file");
    let stub = Stub::fleet(&file, None);
    furnish(&mut sandbox, &stub, profiles);
    Desk {
        sandbox,
        _stub: stub,
    }
}

/// A guided set-up that runs in a window.
struct Guided<'a> {
    terminal: Terminal<'a>,
    keys: Cell<usize>,
}

impl<'a> Guided<'a> {
    fn start(sandbox: &'a Sandbox, window: (u16, u16), variables: &[&str]) -> Self {
        let pgcred = [env!("CARGO_BIN_EXE_pgcred").to_owned(), "setup".to_owned()];
        Self::of(sandbox, window, variables, &pgcred)
    }

    /// The window says at the end how pgcred has ended, and in which state the terminal is.
    fn of(
        sandbox: &'a Sandbox,
        window: (u16, u16),
        variables: &[&str],
        program: &[String],
    ) -> Self {
        // The shell of the window has to outlive a Ctrl-C.
        const SCRIPT: &str = "trap : INT; \"$@\"; echo \"exit $?\"; stty -a | tr ' ;' '\\n\\n' | \
            grep -x -e '-*icanon' -e '-*echo'; echo end; sleep 600";
        let mut words: Vec<String> = ["sh", "-c", SCRIPT, "sh", "env"]
            .map(str::to_owned)
            .to_vec();
        words.extend(variables.iter().map(|variable| (*variable).to_owned()));
        words.extend_from_slice(program);
        Self {
            terminal: Terminal::start_in(sandbox, window, &words),
            keys: Cell::new(0),
        }
    }

    /// Waits until a question is the last one on the screen.
    fn asks(&self, question: &str) -> Vec<String> {
        self.terminal.wait(question, |screen| {
            let mut open = screen.iter().rev().filter(|line| line.starts_with("? "));
            open.next()
                .is_some_and(|line| line[2..].starts_with(question))
        })
    }

    /// Presses keys, by tmux's names.
    fn press(&self, keys: &[&str]) {
        for key in keys {
            let status = self.terminal.tmux().args(["send-keys", key]).status();
            assert!(status.is_ok_and(|status| status.success()), "{key}");
            self.keys.set(self.keys.get() + 1);
        }
    }

    fn types(&self, text: &str) {
        let status = self
            .terminal
            .tmux()
            .args(["send-keys", "-l", "--", text])
            .status();
        assert!(status.is_ok_and(|status| status.success()), "{text}");
        self.keys.set(self.keys.get() + text.chars().count());
    }

    /// Waits for the end and returns the screen.
    fn ends(&self, code: u8) -> Vec<String> {
        let screen = self.terminal.wait("the end", |screen| {
            screen.last().is_some_and(|line| line == "end")
        });
        let shown = screen.join("\n");
        assert!(shown.contains(&format!("exit {code}\n")), "{shown}");
        assert!(
            shown.ends_with("icanon\necho\nend"),
            "not restored: {shown}"
        );
        screen
    }
}

/// Returns every file of the home and of pgcred's directory, but for those of the window and of the
/// stubs.
fn everything(sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![sandbox.home().to_owned(), sandbox.own().to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().expect("a type"));
            let is_note = path
                .extension()
                .is_some_and(|end| end == "log" || end == "env");
            if kind.is_dir() {
                open.push(path);
            } else if !kind.is_socket() && !is_note {
                found.insert(path.clone(), fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

const WINDOW: (u16, u16) = (100, 40);

/// The questions of the desk with two profiles, each with the keys that answer it.
const QUESTIONS: [(&str, &[&str]); 7] = [
    ("Which profile?", &["Enter"]),
    ("Which databases?", &["Space", "Enter"]),
    ("Which tools?", &["Enter"]),
    ("Keep tokens fresh in the background, by cron?", &["Enter"]),
    ("Also refresh at prompts of bash", &["Enter"]),
    (
        "Make these changes, write tokens, and try a login?",
        &["y", "Enter"],
    ),
    ("", &[]),
];

/// Answers the first questions.
fn answer(guided: &Guided<'_>, number: usize) {
    for (question, keys) in &QUESTIONS[..number] {
        guided.asks(question);
        guided.press(keys);
    }
    guided.asks(QUESTIONS[number].0);
}

#[test]
fn from_an_empty_home_to_a_first_query() {
    skip_unless!(CLUSTER, TERMINAL, PYTHON);
    let mut cluster = Cluster::with(|config| {
        config.keys.push(Key {
            access_key_id: KEY.into(),
            secret_access_key: SECRET_OF_STUB.into(),
            session_token: None,
            expires_at: None,
        });
    });
    let file = cluster.sandbox.own().join("fleet.json");
    fs::write(&file, ONE).expect("a file");
    let stub = Stub::fleet(&file, None);
    furnish(&mut cluster.sandbox, &stub, &["dev"]);
    let mut words = Vec::new();
    let command = cluster.command(env!("CARGO_BIN_EXE_pgcred"));
    words.push(command.get_program().to_string_lossy().into_owned());
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    // `timeout` would put pgcred into the background of the terminal.
    words.retain(|word| word != "timeout" && word != "300");
    words.push("setup".to_owned());
    let began = Instant::now();
    let guided = Guided::of(&cluster.sandbox, (120, 100), &[], &words); // for all changes
    guided.asks("Which databases?");
    guided.press(&["Enter"]); // the only one is picked
    guided.asks("Which tools?");
    guided.press(&["Enter"]);
    guided.asks("Keep tokens fresh");
    guided.press(&["Enter"]);
    guided.asks("Also refresh at prompts");
    guided.press(&["Enter"]);
    let screen = guided.asks("Make these changes").join("\n");
    for change in [
        "+[connections.main]",
        "+[main]",
        "'--background'",
        "\"Name\": \"main\"",
    ] {
        assert!(screen.contains(change), "{change} not in {screen}");
    }
    guided.press(&["y", "Enter"]);
    let screen = guided.ends(0).join("\n");
    assert!(screen.contains("is logged in"), "{screen}");
    assert!(screen.contains("psql service=main"), "{screen}");
    // The tokens are there, and cron goes on: nothing of that is left to the user.
    assert!(!screen.contains("keep the passfile fresh"), "{screen}");
    assert_eq!(guided.keys.get(), 6, "keys until the set-up is done");
    cluster.assert_session(&["service=main"], "admin@postgres");
    assert!(began.elapsed() < Duration::from_mins(1));
    let servers = cluster.sandbox.own().join("pgadmin-servers.json");
    let servers = fs::read_to_string(servers).expect("pgAdmin's servers");
    assert!(servers.contains("\"Name\": \"main\""), "{servers}");
    let table = String::from_utf8(cluster.sandbox.read("table")).expect("text");
    assert!(table.contains("'--background'"), "{table}");
}

#[test]
fn ctrl_c_changes_nothing_at_any_question() {
    skip_unless!(TERMINAL, PYTHON);
    let desk = desk_with(FLEET, &["dev", "prod"]);
    let before = everything(&desk.sandbox);
    for (at, (question, _)) in QUESTIONS[..QUESTIONS.len() - 1].iter().enumerate() {
        let guided = Guided::start(&desk.sandbox, WINDOW, &[]);
        answer(&guided, at);
        guided.press(&["C-c"]);
        let screen = guided.ends(130).join("\n");
        assert!(screen.contains("pgcred: nothing was changed\n"), "{screen}");
        assert_eq!(everything(&desk.sandbox), before, "at {question}");
    }
}

#[test]
fn esc_goes_back_and_ends_at_the_first_question() {
    skip_unless!(TERMINAL, PYTHON);
    let desk = desk_with(FLEET, &["dev", "prod"]);
    let before = everything(&desk.sandbox);
    let guided = Guided::start(&desk.sandbox, WINDOW, &[]);
    answer(&guided, 5);
    for at in (0..5).rev() {
        guided.press(&["Escape"]);
        let screen = guided.asks(QUESTIONS[at].0).join("\n");
        if at == 1 {
            assert!(screen.contains("[x] main"), "the answer is kept: {screen}");
        }
    }
    guided.press(&["Escape"]);
    guided.ends(0);
    // `n` at the end is the same.
    let guided = Guided::start(&desk.sandbox, WINDOW, &[]);
    answer(&guided, 5);
    guided.press(&["Enter"]);
    let screen = guided.ends(0).join("\n");
    assert!(screen.contains("nothing was changed"), "{screen}");
    assert_eq!(everything(&desk.sandbox), before);
}

#[test]
fn a_signal_gives_the_terminal_back() {
    skip_unless!(TERMINAL, PYTHON);
    let desk = desk_with(FLEET, &["dev", "prod"]);
    let guided = Guided::start(&desk.sandbox, WINDOW, &[]);
    guided.asks("Which profile?");
    let mut tty = guided.terminal.tmux();
    let tty = tty
        .args(["list-panes", "-F", "#{pane_tty}"])
        .output()
        .expect("tmux");
    let tty = String::from_utf8_lossy(&tty.stdout).trim().to_owned();
    let mut kill = Command::new("pkill");
    let kill = kill.args([
        "-TERM",
        "-x",
        "-t",
        tty.trim_start_matches("/dev/"),
        "pgcred",
    ]);
    assert!(kill.status().is_ok_and(|status| status.success()));
    guided.ends(143);
}

#[test]
fn a_narrow_window_without_colors_shows_every_question() {
    skip_unless!(TERMINAL, PYTHON);
    let desk = desk_with(FLEET, &["dev", "prod"]);
    let guided = Guided::start(&desk.sandbox, (40, 24), &["NO_COLOR=1"]);
    guided.asks("Which profile?");
    guided.press(&["Up"]);
    guided.press(&["Enter"]);
    let screen = guided.asks("Which databases?");
    assert!(
        screen.iter().all(|line| line.chars().count() <= 40),
        "{screen:#?}"
    );
    assert!(
        screen.iter().any(|line| line.starts_with("> [ ] main  ")),
        "{screen:#?}"
    );
    let mut colored = guided.terminal.tmux();
    let colored = colored
        .args(["capture-pane", "-p", "-e"])
        .output()
        .expect("tmux");
    let shown = String::from_utf8_lossy(&colored.stdout).into_owned();
    assert!(
        !shown.contains("\u{1b}[3") && !shown.contains("\u{1b}[9"),
        "{shown:?}"
    );
    guided.press(&["Down", "Up", "Space", "Enter"]);
    guided.asks("Which tools?");
    guided.press(&["Left", "Enter"]); // none
    guided.asks("Keep tokens fresh");
    guided.press(&["n", "Enter"]);
    guided.asks("Also refresh");
    guided.press(&["n", "Enter"]);
    let screen = guided.asks("Make these changes").join("\n");
    assert!(screen.contains("+[connections.main]"), "{screen}");
    guided.press(&["C-c"]);
    guided.ends(130);
}

#[test]
fn a_terminal_without_a_cursor_gets_numbers() {
    skip_unless!(TERMINAL, PYTHON);
    let desk = desk_with(FLEET, &["dev", "prod"]);
    let before = everything(&desk.sandbox);
    let guided = Guided::start(&desk.sandbox, WINDOW, &["TERM=dumb"]);
    let says = |text: &str| {
        guided.terminal.wait(text, |screen| {
            let at = screen.iter().rposition(|line| line.contains(text));
            let prompt = screen.iter().rposition(|line| line.starts_with('['));
            at.is_some() && prompt > at
        })
    };
    says("Which profile?");
    guided.types("pro");
    guided.press(&["Enter"]);
    says("2  prod");
    guided.types("2");
    guided.press(&["Enter"]);
    let screen = says("Which databases?").join("\n");
    assert!(screen.contains("1  main"), "{screen}");
    guided.types("1");
    guided.press(&["Enter"]);
    says("Which tools?");
    guided.types("0");
    guided.press(&["Enter"]);
    says("Keep tokens fresh");
    guided.types("<");
    guided.press(&["Enter"]);
    says("Which tools?");
    guided.press(&["Enter"]);
    says("Keep tokens fresh");
    guided.types("n");
    guided.press(&["Enter"]);
    says("Also refresh");
    guided.press(&["C-d"]); // the end of the input
    guided.ends(130);
    assert_eq!(everything(&desk.sandbox), before);
}

#[test]
fn a_long_list_is_filtered_and_a_name_is_only_text() {
    skip_unless!(TERMINAL, PYTHON);
    let fleet = r#"{"accounts": {"*": {"us-east-1": {
        "dsql": [{"id": "a1", "tags": {"Name": "\u001b[2Jevil\u001b]0;x\u0007"}}],
        "instances": [{"id": "shard", "many": 2000, "user": "dba"}]}}}}"#;
    let desk = desk_with(fleet, &["dev"]);
    let guided = Guided::start(&desk.sandbox, WINDOW, &[]);
    let screen = guided.asks("Which databases?").join("\n");
    assert!(
        screen.contains("evil") && screen.contains("shard00000"),
        "{screen}"
    );
    guided.types("shard01999");
    let screen = guided.terminal.wait("the filter", |screen| {
        screen.iter().any(|line| line.contains("[ ] shard01999"))
            && !screen.iter().any(|line| line.contains("evil"))
    });
    // The host that is not listed can always be picked.
    assert!(
        screen
            .iter()
            .any(|line| line.contains("a host that is not listed")),
        "{screen:#?}"
    );
    guided.press(&["Space", "Enter"]);
    guided.asks("Database user of shard01999?");
    guided.press(&["Enter"]);
    guided.terminal.wait("the refusal of nobody", |screen| {
        screen
            .iter()
            .any(|line| line.contains("needs the name of a database user"))
    });
    guided.types("app");
    guided.press(&["Enter"]);
    guided.asks("Which tools?");
    guided.press(&["Left", "Enter"]);
    guided.asks("Keep tokens fresh");
    guided.press(&["Enter"]);
    guided.asks("Also refresh");
    guided.press(&["Enter"]);
    let screen = guided.asks("Make these changes").join("\n");
    assert!(screen.contains("+user = \"app\""), "{screen}");
    guided.press(&["C-c"]);
    guided.ends(130);
}

#[test]
fn a_host_is_typed_where_nothing_can_be_listed() {
    skip_unless!(TERMINAL, PYTHON);
    let refused = r#"{"accounts": {"*": {"*": {"refuse": {"*": "AccessDenied"}}}}}"#;
    let hangs = r#"{"accounts": {"*": {"*": {"hang": ["*"]}}}}"#;
    let empty = r#"{"accounts": {}}"#;
    for fleet in [refused, hangs, empty] {
        let desk = desk_with(fleet, &["dev"]);
        let pgcred = env!("CARGO_BIN_EXE_pgcred");
        let words = [pgcred, "setup", "--timeout", "2s"].map(str::to_owned);
        let guided = Guided::of(&desk.sandbox, WINDOW, &[], &words);
        guided.asks("Host?");
        guided.types("localhost");
        guided.press(&["Enter"]);
        guided.terminal.wait("the refusal of the host", |screen| {
            // It is wider than the screen.
            screen
                .iter()
                .any(|line| line.starts_with("[`localhost` is not"))
        });
        guided.press(&["BSpace"; 9]);
        guided.types(HOST);
        guided.press(&["Enter"]);
        guided.asks("Name of the connection?");
        guided.press(&["BSpace"; 26]);
        guided.types("typed");
        guided.press(&["Enter"]);
        guided.asks("Which tools?");
        guided.press(&["Left", "Enter"]);
        guided.asks("Keep tokens fresh");
        guided.press(&["Enter"]);
        guided.asks("Also refresh");
        guided.press(&["n", "Enter"]);
        let screen = guided.asks("Make these changes").join("\n");
        for line in [
            "+[connections.typed]",
            &format!("+host = \"{HOST}\""),
            "+profile = \"dev\"",
        ] {
            assert!(screen.contains(line), "{line} not in {screen}");
        }
        guided.press(&["C-c"]);
        guided.ends(130);
    }
}

#[test]
fn ctrl_c_ends_a_search_that_hangs() {
    skip_unless!(TERMINAL, PYTHON);
    let hangs = r#"{"accounts": {"*": {"*": {"hang": ["*"]}}}}"#;
    let desk = desk_with(hangs, &["dev"]);
    let before = everything(&desk.sandbox);
    let guided = Guided::start(&desk.sandbox, WINDOW, &[]);
    guided.terminal.wait("the search", |screen| {
        screen.iter().any(|line| line.contains("asking AWS"))
    });
    guided.press(&["C-c"]);
    guided.ends(130);
    assert_eq!(everything(&desk.sandbox), before);
}

#[test]
fn what_is_configured_is_said_and_stays() {
    skip_unless!(TERMINAL, PYTHON);
    let desk = desk_with(FLEET, &["dev"]);
    let config = format!("# mine\n[connections.mine]\nhost = \"{HOST}\"\nprofile = \"dev\"\n");
    fs::write(desk.sandbox.own().join("config.toml"), &config).expect("a file");
    let guided = Guided::start(&desk.sandbox, WINDOW, &[]);
    let screen = guided.asks("Which databases?").join("\n");
    assert!(screen.contains("configured already: mine"), "{screen}");
    assert!(!screen.contains("main"), "{screen}");
    guided.press(&["Enter"]); // nothing more
    guided.asks("Which tools?");
    guided.press(&["Left", "Enter"]);
    guided.asks("Keep tokens fresh");
    guided.press(&["n", "Enter"]);
    guided.asks("Also refresh");
    guided.press(&["n", "Enter"]);
    guided.asks("Nothing has to be changed");
    guided.press(&["Escape"]);
    guided.asks("Also refresh");
    guided.press(&["C-c"]);
    guided.ends(130);
    let after = fs::read_to_string(desk.sandbox.own().join("config.toml")).expect("a file");
    assert_eq!(after, config);
}

#[test]
fn a_broken_configuration_is_an_error_before_any_question() {
    skip_unless!(TERMINAL, PYTHON);
    let desk = desk_with(FLEET, &["dev"]);
    fs::write(desk.sandbox.own().join("config.toml"), "[connections\n").expect("a file");
    let guided = Guided::start(&desk.sandbox, WINDOW, &[]);
    let screen = guided.ends(2).join("\n");
    assert!(
        screen.contains("config.toml") && !screen.contains('?'),
        "{screen}"
    );
}

#[test]
fn without_a_profile_the_user_learns_how_to_make_one() {
    skip_unless!(TERMINAL, PYTHON);
    let desk = desk_with(FLEET, &[]);
    let guided = Guided::start(&desk.sandbox, WINDOW, &[]);
    guided.asks("There is no profile.");
    guided.press(&["Enter"]);
    let screen = guided.ends(2).join("\n");
    assert!(screen.contains("aws configure sso"), "{screen}");
}

/// A connection to Vault needs no profile. Its program makes a user, which only psql takes.
#[test]
fn a_user_that_comes_with_a_token_is_asked_for_and_goes_to_psql() {
    skip_unless!(TERMINAL, PYTHON);
    let desk = desk_with(FLEET, &[]);
    install(
        &desk.sandbox,
        "vault",
        "echo '{\"lease_duration\": 3600, \"data\": {\"username\": \"v-1\", \"password\": \"p\"}}'",
    );
    let config = "[connections.crm]\nhost = \"127.0.0.1\"\nport = 1\nroots = \"system\"\n\
                  provider = \"vault\"\nvars = { role = \"reader\" }\n";
    fs::write(desk.sandbox.own().join("config.toml"), config).expect("a file");
    let guided = Guided::start(&desk.sandbox, WINDOW, &[]);
    for (question, keys) in [
        ("There is no profile.", &["Enter"][..]),
        ("No other database was found. Type a host?", &["Enter"]),
        ("Which tools?", &["Enter"]),
        ("Users that come with each token", &["Space", "Enter"]),
        ("Keep tokens fresh", &["n", "Enter"]),
        ("Also refresh", &["n", "Enter"]),
        ("Make these changes", &["Escape"]),
        ("Also refresh", &["Enter"]),
        ("Make these changes", &["y", "Enter"]),
    ] {
        guided.asks(question);
        guided.press(keys);
    }
    let screen = guided.ends(1).join(" ");
    assert!(screen.contains("crm is for psql alone"), "{screen}");
    assert!(screen.contains("crm: no login"), "{screen}");
    let service = String::from_utf8(desk.sandbox.read(".pg_service.conf")).expect("UTF-8");
    assert!(service.contains("\nuser=v-1\n"), "{service}");
    let passfile = String::from_utf8(desk.sandbox.read(".pgpass")).expect("UTF-8");
    assert!(passfile.contains("127.0.0.1:1:*:v-1:p\n"), "{passfile}");
    assert_eq!(calls(&desk.sandbox, "vault").len(), 1);
}

/// What its program needs cannot be typed here, so that the user is told where.
#[test]
fn a_host_whose_program_needs_values_is_not_taken() {
    skip_unless!(TERMINAL, PYTHON);
    let desk = desk_with(FLEET, &[]);
    let config = format!("[connections.mine]\nhost = \"{HOST}\"\n");
    fs::write(desk.sandbox.own().join("config.toml"), config).expect("a file");
    let guided = Guided::start(&desk.sandbox, WINDOW, &[]);
    guided.asks("There is no profile.");
    guided.press(&["Enter"]);
    guided.asks("No other database was found. Type a host?");
    guided.press(&["y", "Enter"]);
    guided.asks("Host?");
    guided.types("dwh.abc.eu-west-1.redshift.amazonaws.com");
    guided.press(&["Enter"]);
    guided.terminal.wait("the command to type", |screen| {
        screen.join(" ").contains("pgcred add NAME HOST --var")
    });
    guided.press(&["C-c"]);
    guided.ends(130);
}

#[test]
fn a_login_that_is_missing_is_offered() {
    skip_unless!(TERMINAL, PYTHON);
    let stub = Stub::aws(None);
    let mut sandbox = desk(&stub.url(""));
    install(&sandbox, "aws", &sso_log_in());
    install(&sandbox, "crontab", "exit 1");
    sandbox.set("AWS_PROFILE", "p").set("SHELL", "/bin/bash");
    let before = everything(&sandbox);
    let words = [env!("CARGO_BIN_EXE_pgcred"), "setup", "--timeout", "3s"].map(str::to_owned);
    let guided = Guided::of(&sandbox, WINDOW, &[], &words);
    let screen = guided.asks("Which profile?").join("\n");
    assert!(screen.contains("> p"), "{screen}");
    guided.press(&["Enter"]);
    guided.terminal.wait("the login", |screen| {
        screen.iter().any(|line| line.contains("Log in now?"))
    });
    assert_eq!(everything(&sandbox), before);
    guided.press(&["Enter"]);
    guided.asks("Host?");
    assert!(!calls(&sandbox, "aws").is_empty());
    guided.press(&["C-c"]);
    guided.ends(130);
}

/// Programs read the overview. It also comes to a terminal where an option asks for no change.
#[test]
fn without_a_terminal_there_is_the_overview() {
    skip_unless!(TERMINAL, PYTHON);
    let desk = desk_with(ONE, &["dev"]);
    let overview = desk.sandbox.ok(&["setup"]);
    assert!(overview.starts_with("TOOL"), "{overview}");
    let run = crate::support::desk::at_terminal(&desk.sandbox, &["setup"]);
    assert_eq!((run.code, run.stdout), (0, overview.clone()));
    let words = [env!("CARGO_BIN_EXE_pgcred"), "setup", "--dry-run"].map(str::to_owned);
    let guided = Guided::of(&desk.sandbox, (200, 60), &[], &words);
    let screen = guided.ends(0).join("\n");
    let first = overview.lines().next().expect("a line");
    assert!(screen.contains(first.trim_end()), "{screen}");
    assert!(Path::new(env!("CARGO_BIN_EXE_pgcred")).exists());
}

//! Issuing with programs that print tokens: shell scripts that mint, cache, create, count their
//! runs, fail and hang. How often they are run is what the three kinds differ in.

#![cfg(unix)] // the programs are shell scripts

use std::path::Path;
use std::time::Duration;

use super::tests::{Bench, MINUTE, START, request};
use super::*;
use crate::error::ErrorReason;
use crate::provider::command::{
    CommandDefinition, CommandKind, ExpiryField, JsonPath, WordTemplate, provider_of,
};
use crate::provider::fake::control::policy;
use crate::sys::fs;
use crate::time::pretend;

const NO_OTHERS: fn(&CacheIndex) -> std::iter::Empty<Request> = |_| std::iter::empty();

/// A program in a directory of its own, and what it has done.
struct TokenProgram {
    directory: tempfile::TempDir,
    definition: CommandDefinition,
}

impl TokenProgram {
    /// Returns a tool whose script finds its directory in `$1` and the number of the run in `$n`.
    fn new(kind: CommandKind, script: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tool.sh");
        let counted = format!(
            "n=$(($(cat \"$1/runs\" 2>/dev/null || echo 0) + 1)); echo $n >\"$1/runs\"\n{script}\n"
        );
        fs::write_unsynced(&path, counted.as_bytes()).unwrap();
        let mut definition = CommandDefinition::new("tool");
        definition.kind = kind;
        definition.token = Some(JsonPath::parse("token").unwrap());
        definition.expires = Some(ExpiryField::parse("end").unwrap());
        definition.run = words(&[
            "sh",
            path.to_str().unwrap(),
            directory.path().to_str().unwrap(),
        ]);
        Self {
            directory,
            definition,
        }
    }

    fn runs(&self) -> u32 {
        match fs::read(&self.directory.path().join("runs")) {
            Some(text) => String::from_utf8(text).unwrap().trim().parse().unwrap(),
            None => 0,
        }
    }

    fn put(&self, name: &str, text: &str) {
        fs::write_unsynced(&self.path(name), text.as_bytes()).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.directory.path()).join(name)
    }

    /// Returns a request for a host, with the lifetime that the definition allows.
    fn request(&self, host: &str) -> Request {
        let provider = provider_of(self.definition.clone());
        let mut request = request(host, None);
        request.provider = provider;
        request.lifetime_seconds = provider.default_lifetime_seconds;
        request
    }
}

fn words(words: &[&str]) -> Vec<WordTemplate> {
    words
        .iter()
        .map(|word| WordTemplate::parse(word).unwrap())
        .collect()
}

/// Prints a new token with each run, which lives an hour.
fn minting() -> String {
    let end = START.plus(60 * MINUTE).unix();
    format!("echo \"{{\\\"token\\\":\\\"token-$n\\\",\\\"end\\\":{end}}}\"")
}

fn token_of(issued: &Result<IssuedToken>) -> &str {
    issued.as_ref().unwrap().token.expose()
}

#[test]
fn a_minting_command_is_run_again_after_two_thirds() {
    let bench = Bench::new();
    let tool = TokenProgram::new(CommandKind::Mint, &minting());
    let request = tool.request("a");
    assert_eq!(token_of(&bench.issue(&request)), "token-1");
    pretend(START.plus(40 * MINUTE - 1));
    assert_eq!(token_of(&bench.issue(&request)), "token-1");
    pretend(START.plus(40 * MINUTE));
    let again = bench.issue(&request);
    assert_eq!(token_of(&again), "token-2");
    assert!(!again.unwrap().is_cut_short, "the tool decides the life");
}

#[test]
fn a_caching_command_is_left_alone_until_it_would_print_another_token() {
    let bench = Bench::new();
    let end = START.plus(60 * MINUTE).unix();
    let script = format!("echo '{{\"token\":\"same\",\"end\":{end}}}'");
    let tool = TokenProgram::new(CommandKind::Caches, &script);
    let request = tool.request("a");
    for minute in 0..55 {
        pretend(START.plus(minute * MINUTE));
        assert_eq!(token_of(&bench.issue(&request)), "same");
    }
    assert_eq!(tool.runs(), 1);
    // The tool is late: it is asked again, but not at each prompt.
    for second in 0..60 {
        pretend(START.plus(55 * MINUTE + second));
        assert_eq!(token_of(&bench.issue(&request)), "same");
    }
    assert_eq!(tool.runs(), 2);
}

#[test]
fn the_same_token_again_is_a_success_that_is_told() {
    let bench = Bench::new();
    let end = START.plus(60 * MINUTE).unix();
    let script = format!("echo '{{\"token\":\"same\",\"end\":\"{end}\"}}'");
    let tool = TokenProgram::new(CommandKind::Caches, &script);
    let request = tool.request("a");
    bench.issue(&request).unwrap();
    pretend(START.plus(MINUTE));
    let fresh = IssueOptions {
        fresh: true,
        ..IssueOptions::default()
    };
    let mut issuer = bench.issuer();
    let again = issuer.issue(&request, fresh, NO_OTHERS);
    assert_eq!(token_of(&again), "same");
    let warnings = issuer.take_warnings();
    assert_eq!(warnings, ["tool has handed out the same token again"]);
    assert_eq!(tool.runs(), 2);
}

#[test]
fn a_created_user_is_kept_for_nine_tenths_and_comes_with_the_token() {
    let bench = Bench::new();
    let script = "echo \"{\\\"token\\\":\\\"t\\\",\\\"who\\\":\\\"v-$n\\\",\\\"lease\\\":1000}\"";
    let mut tool = TokenProgram::new(CommandKind::Creates, script);
    tool.definition.user = Some(JsonPath::parse("who").unwrap());
    tool.definition.expires = Some(ExpiryField::parse("+lease").unwrap());
    let mut request = tool.request("a");
    request.user = String::new();
    let first = bench.issue(&request).unwrap();
    assert_eq!(first.token.user.as_deref(), Some("v-1"));
    pretend(START.plus(899));
    let cached_token = bench.issue(&request).unwrap();
    assert!(cached_token.is_cached);
    assert_eq!(cached_token.token.user.as_deref(), Some("v-1"));
    pretend(START.plus(900));
    let next = bench.issue(&request).unwrap();
    assert_eq!(next.token.user.as_deref(), Some("v-2"));
    assert!(request.provider.authority.issues_on_request_only());
    // A user that is named cannot be the one that would be created: nothing is run.
    request.user = "v-9".to_owned();
    let error = bench.issue(&request).err().unwrap();
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(tool.runs(), 2);
}

#[test]
fn a_user_that_is_named_has_to_be_the_one_of_the_answer() {
    let bench = Bench::new();
    let script = "echo \"{\\\"token\\\":\\\"t\\\",\\\"who\\\":\\\"ann\\\"}\"";
    let mut tool = TokenProgram::new(CommandKind::Mint, script);
    tool.definition.user = Some(JsonPath::parse("who").unwrap());
    tool.definition.lifetime_seconds = Some(3600);
    let mut request = tool.request("a");
    request.user = "bob".to_owned();
    let error = bench.issue(&request).err().unwrap();
    assert!(error.to_string().contains("for the user `ann`"), "{error}");
    request.user = "ann".to_owned();
    assert_eq!(token_of(&bench.issue(&request)), "t");
}

#[test]
fn a_wrong_user_is_asked_for_again_after_a_pause_of_its_own() {
    let bench = Bench::new();
    let script = "echo \"{\\\"token\\\":\\\"t\\\",\\\"who\\\":\\\"$(cat \"$1/account\")\\\"}\"";
    let mut tool = TokenProgram::new(CommandKind::Caches, script);
    tool.put("account", "ann");
    tool.definition.watch = vec![tool.path("account").display().to_string()];
    tool.definition.user = Some(JsonPath::parse("who").unwrap());
    tool.definition.lifetime_seconds = Some(3600);
    let (mut ann, mut bob) = (tool.request("a"), tool.request("a"));
    ann.user = "ann".to_owned();
    bob.user = "bob".to_owned();
    let error_of_bob = || bench.issue(&bob).err().unwrap().to_string();
    let first = error_of_bob();
    pretend(START.plus(9));
    let repeated = error_of_bob();
    assert!(
        repeated.contains(&first) && repeated.contains("9 s ago"),
        "{repeated}"
    );
    assert_eq!(tool.runs(), 1);
    let due = |request: &Request| {
        let view = PassfileView::read(&tool.path("passfile"), &bench.cache());
        bench.issuer().due(request, view.as_ref())
    };
    assert_eq!((due(&bob), due(&ann)), (START.plus(10), START.plus(9)));
    // The same program prints the token of another connection, whose success ends no pause of his.
    assert_eq!(token_of(&bench.issue(&ann)), "t");
    assert!(error_of_bob().contains("9 s ago"));
    assert_eq!(tool.runs(), 2);
    pretend(START.plus(10));
    assert_eq!(error_of_bob(), first);
    assert_eq!((tool.runs(), due(&bob)), (3, START.plus(30)));
    // A login ends the pause, and a success forgets the failure.
    tool.put("account", "bob");
    assert_eq!(token_of(&bench.issue(&bob)), "t");
    tool.put("account", "ann");
    assert_eq!(error_of_bob(), first);
    assert_eq!(due(&bob), START.plus(20), "the first failure in a row");
}

#[test]
fn connections_with_the_same_command_line_share_one_run() {
    let bench = Bench::new();
    let tool = TokenProgram::new(CommandKind::Mint, &minting());
    let (a, b) = (tool.request("a"), tool.request("b"));
    let mut issuer = bench.issuer();
    let others = |_: &CacheIndex| vec![tool.request("b")].into_iter();
    issuer.issue(&a, IssueOptions::default(), others).unwrap();
    drop(issuer);
    assert_eq!(token_of(&bench.issue(&b)), "token-1");
    assert_eq!(tool.runs(), 1);
    let mut with_host = tool;
    with_host
        .definition
        .run
        .extend(words(&["{host}", "{user}"]));
    let (a, b) = (with_host.request("a"), with_host.request("b"));
    assert_eq!(token_of(&bench.issue(&a)), "token-2");
    assert_eq!(token_of(&bench.issue(&b)), "token-3");
}

#[test]
fn placeholders_are_filled_in_and_a_missing_value_says_how() {
    let bench = Bench::new();
    let script = "shift; echo \"{\\\"token\\\":\\\"$*\\\",\\\"end\\\":1900000000}\"";
    let mut tool = TokenProgram::new(CommandKind::Mint, script);
    tool.definition.lifetime_seconds = Some(900);
    tool.definition.run.extend(words(&[
        "{host}",
        "--db={dbname}",
        "{role}",
        "{life}",
        "{min_valid}",
    ]));
    let mut request = tool.request("a");
    request.vars = vec![("role".to_owned(), "r 1".to_owned())];
    let issued = bench.issue(&request);
    assert_eq!(
        token_of(&issued),
        "a.fake.invalid --db=postgres r 1 900 300"
    );
    request.vars.clear();
    let error = bench.issue(&request).err().unwrap();
    assert_eq!(error.exit(), Exit::Usage);
    assert!(
        error.hint_text().unwrap().contains("vars = { role"),
        "{error}"
    );
}

#[test]
fn another_account_does_not_get_the_token_of_the_first() {
    let bench = Bench::new();
    let script = "echo \"{\\\"token\\\":\\\"$(cat \"$1/account\")\\\",\\\"end\\\":1900000000}\"";
    let mut tool = TokenProgram::new(CommandKind::Caches, script);
    tool.put("account", "ann");
    tool.definition.watch = vec![tool.path("account").display().to_string()];
    let request = tool.request("a");
    assert_eq!(token_of(&bench.issue(&request)), "ann");
    tool.put("account", "bob");
    assert_eq!(token_of(&bench.issue(&request)), "bob");
    tool.put("account", "ann");
    assert_eq!(token_of(&bench.issue(&request)), "ann");
    assert_eq!(tool.runs(), 2, "the token of before is still hers");
}

#[test]
fn a_switch_while_the_command_runs_is_noticed() {
    let bench = Bench::new();
    let script = "old=$(cat \"$1/account\"); [ $n = 1 ] && echo bob >\"$1/account\"\n\
                  echo \"{\\\"token\\\":\\\"$old\\\",\\\"end\\\":1900000000}\"";
    let mut tool = TokenProgram::new(CommandKind::Caches, script);
    tool.put("account", "ann\n");
    tool.definition.watch = vec![tool.path("account").display().to_string()];
    let request = tool.request("a");
    assert_eq!(token_of(&bench.issue(&request)), "bob");
    assert_eq!(token_of(&bench.issue(&request)), "bob");
    assert_eq!(tool.runs(), 2);
    // A file that changes with every run is no file of a login.
    let mut tool = TokenProgram::new(
        CommandKind::Caches,
        "echo $n >\"$1/log\"; echo '{\"token\":\"t\",\"end\":1900000000}'",
    );
    tool.definition.watch = vec![tool.path("log").display().to_string()];
    let error = bench.issue(&tool.request("a")).err().unwrap();
    assert!(
        error.hint_text().unwrap().contains("[command.tool]"),
        "{error}"
    );
}

/// Returns the error of a tool that does something else than print a token.
fn error_of(script: &str, change: impl FnOnce(&mut CommandDefinition)) -> Error {
    let bench = Bench::new();
    let mut tool = TokenProgram::new(CommandKind::Mint, script);
    change(&mut tool.definition);
    bench.issue(&tool.request("a")).err().unwrap()
}

#[test]
fn a_missing_login_is_exit_code_3_and_says_what_to_type() {
    let error = error_of("echo 'ERROR: AADSTS70043: run it' >&2; exit 1", |it| {
        it.login = Some("az login".to_owned());
        it.login_if = vec!["az login".to_owned(), "AADSTS".to_owned()];
    });
    assert_eq!(error.exit(), Exit::Login);
    assert_eq!(error.hint_text(), Some("run `az login`, then try again"));
    // A program may say so and end with success.
    let error = error_of("echo AADSTS1 >&2", |it| {
        it.login_if = vec!["AADSTS".to_owned()];
    });
    assert_eq!(error.exit(), Exit::Login);
}

#[test]
fn what_fails_is_told_without_a_secret() {
    let error = error_of(
        "echo trace >&2; echo \"cannot use $2 or $KEY\" >&2; exit 7",
        |it| {
            it.run.extend(words(&["--password=hunter2secret"]));
            it.env = vec![("KEY".to_owned(), "s3cret-key".to_owned())];
        },
    );
    let text = error.to_string();
    assert_eq!(
        text,
        "the command of tool failed: cannot use --password=[...] or [...]"
    );
    assert_eq!(
        (error.exit(), error.reason()),
        (Exit::Failure, Some(ErrorReason::ProgramFailed))
    );
    for script in [
        "echo '<html>secret</html>'",
        "echo",
        "printf secret",
        "echo '{\"token\":\"a b \"}'",
    ] {
        let text = error_of(script, |_| {}).to_string();
        assert!(
            text.contains("command of tool") && !text.contains("secret"),
            "{text}"
        );
    }
    let error = error_of("head -c 70000 /dev/zero | tr '\\0' x", |_| {});
    assert!(error.to_string().contains("64 KiB"), "{error}");
    let error = error_of("", |it| it.run = words(&["no-such-program-of-pgcred"]));
    assert!(error.to_string().contains("there is no program"), "{error}");
}

#[test]
fn a_command_that_hangs_is_ended_with_what_it_started() {
    let bench = Bench::new();
    let tool = TokenProgram::new(CommandKind::Mint, "sleep 60 & echo $! >\"$1/child\"; wait");
    let mut ask_policy = policy();
    ask_policy.timeout = Duration::from_millis(800);
    let mut issuer = Issuer::new(ask_policy, Some(bench.cache()));
    let answer = issuer.issue(&tool.request("a"), IssueOptions::default(), NO_OTHERS);
    let error = answer.err().unwrap();
    assert_eq!(error.reason(), Some(ErrorReason::TimedOut));
    let child = String::from_utf8(fs::read(&tool.path("child")).unwrap()).unwrap();
    let stat = format!("/proc/{}/stat", child.trim());
    // It was killed, and ends as soon as a busy machine lets it.
    for _ in 0..500 {
        match fs::read(Path::new(&stat)) {
            Some(stat) if !String::from_utf8_lossy(&stat).contains(") Z ") => {}
            _ => return,
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the child of the command still runs");
}

#[test]
fn a_long_token_is_kept_whole() {
    let bench = Bench::new();
    let end = START.plus(60 * MINUTE).unix();
    let script = format!(
        "t=$(head -c 7000 /dev/zero | tr '\\0' x); \
         echo \"{{\\\"token\\\":\\\"$t\\\",\\\"end\\\":{end}}}\""
    );
    let tool = TokenProgram::new(CommandKind::Caches, &script);
    let request = tool.request("a");
    assert_eq!(token_of(&bench.issue(&request)).len(), 7000);
    let cached = bench.issue(&request);
    assert!(cached.as_ref().unwrap().is_cached);
    assert_eq!(token_of(&cached).len(), 7000);
}

//! A token of a command is shown to nobody but the one who asked: it is in no command line of any
//! process, in nothing that `--debug` says, and in no error.

use std::fs;

use crate::support::sandbox::{Run, Sandbox};

const TOKEN: &str = "eyJ-token-that-nobody-sees";
/// A word that the probe must find, so that a probe that finds nothing fails the test.
const CONTROL: &str = "a-word-in-a-command-line";
const END: &str = "2030-01-01T01:00:00Z";

/// Returns a home whose tool prints this text and ends with this code. Before that, and when it is
/// run as the program of `exec`, it looks for the token in the command lines of all processes.
fn tool(prints: &str, code: i32) -> Sandbox {
    let mut sandbox = Sandbox::empty();
    sandbox.at("2030-01-01T00:00:00Z");
    sandbox.write("words", format!("{TOKEN}\n{CONTROL}\n"));
    sandbox.write("answer", prints);
    let home = sandbox.home().display().to_string();
    let probe = sandbox.write(
        "probe.sh",
        format!(
            "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | \
             grep -aoFf '{home}/words' >>'{home}/found'\n\
             if [ \"$2\" = exec ]; then cat \"$PGPASSFILE\" >'{home}/got'; exit 0; fi\n\
             cat '{home}/answer'\nexit {code}\n"
        ),
    );
    let config = format!(
        "[command.tool]\nrun = [\"sh\", \"{}\", \"{CONTROL}\"]\ntoken = \"token\"\n\
         expires = \"end\"\n\n[connections.crm]\nhost = \"crm.example.com\"\nuser = \"ann\"\n\
         provider = \"tool\"\nroots = \"system\"\n",
        probe.display()
    );
    fs::write(sandbox.own().join("config.toml"), config).expect("written");
    sandbox
}

fn answer() -> String {
    format!("{{\"token\": \"{TOKEN}\", \"end\": \"{END}\"}}")
}

fn assert_unseen(run: &Run) {
    assert!(!run.stderr.contains(TOKEN), "{}", run.stderr);
}

#[test]
fn no_process_has_the_token_in_its_command_line() {
    let sandbox = tool(&answer(), 0);
    let probe = sandbox.path("probe.sh").display().to_string();
    assert_eq!(sandbox.ok(&["token", "crm"]), format!("{TOKEN}\n"));
    // The second run of the tool sees what pgcred does with the token that it already has.
    sandbox.ok(&["token", "crm", "--fresh"]);
    assert_eq!(sandbox.run(&["refresh", "crm"]).code, 0);
    let exec = ["exec", "crm", "--", "sh", &probe, CONTROL, "exec"];
    let run = sandbox.run(&exec);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let got = String::from_utf8_lossy(&sandbox.read("got")).into_owned();
    assert!(got.contains(TOKEN), "the program got no token");
    let found = String::from_utf8(sandbox.read("found")).expect("UTF-8");
    assert!(found.lines().count() >= 3, "the probe is blind: {found}");
    assert!(!found.contains(TOKEN), "{found}");
}

#[test]
fn debug_and_errors_do_not_show_the_token() {
    let sandbox = tool(&answer(), 0);
    for arguments in [
        &["token", "crm", "--debug", "--fresh"][..],
        &["token", "crm", "--debug"],
        &["refresh", "crm", "--debug"],
        &["exec", "crm", "--debug", "--", "true"],
    ] {
        let run = sandbox.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
        assert!(!run.stderr.is_empty(), "{arguments:?} says nothing");
        assert_unseen(&run);
    }
    let wrong = [
        (answer(), 9),
        (format!("{{\"token\": \"{TOKEN}\"}}"), 0),
        (format!("{{\"token\": \"{TOKEN}\", \"end\": \"soon\"}}"), 0),
        (format!("{{\"token\": \"{TOKEN}\", "), 0),
        (
            format!("{{\"token\": [\"{TOKEN}\"], \"end\": \"{END}\"}}"),
            0,
        ),
    ];
    for (prints, code) in wrong {
        let sandbox = tool(&prints, code);
        let run = sandbox.run(&["token", "crm", "--debug"]);
        assert_ne!(run.code, 0, "{prints}");
        assert_eq!(run.stdout, "", "{prints}");
        assert_unseen(&run);
    }
}

//! How often the command of a definition is run: once for many askers, and rarely at the prompts of
//! an hour.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::support::needs::{can_run, program};
use crate::support::sandbox::{Run, Sandbox};

const NOW: &str = "2030-01-01T00:00:00Z";
const NOW_UNIX: u32 = 1_893_456_000;

fn lines_of(sandbox: &Sandbox, file: &str) -> usize {
    fs::read_to_string(sandbox.path(file)).map_or(0, |text| text.lines().count())
}

/// The command line names neither host nor user, so that one token is good for all.
#[test]
fn sixty_four_connections_of_one_command_line_are_one_run() {
    for kind in ["caches", "mint"] {
        let mut sandbox = Sandbox::empty();
        sandbox.at(NOW);
        let script = format!(
            "cd \"${{0%/*}}\"; echo x >>runs; n=$(wc -l <runs); sleep 0.5\n\
             echo \"{{\\\"token\\\":\\\"token-$((n))\\\",\\\"end\\\":{}}}\"\n",
            NOW_UNIX + 3_600
        );
        let script = sandbox.write("tool.sh", script);
        let mut config = format!(
            "[command.tool]\nrun = [\"sh\", \"{}\"]\ntoken = \"token\"\nexpires = \"end\"\n\
             kind = \"{kind}\"\n",
            script.display()
        );
        for n in 0..64 {
            let _ = write!(
                config,
                "[connections.c{n}]\nhost = \"h{n}.example.com\"\nuser = \"u{n}\"\n\
                 provider = \"tool\"\n"
            );
        }
        fs::write(sandbox.own().join("config.toml"), config).expect("written");
        let mut askers = Vec::new();
        for n in 0..64 {
            let mut asker = sandbox.pgcred(&["token", &format!("c{n}")]);
            asker.stdout(Stdio::piped()).stderr(Stdio::piped());
            askers.push(asker.spawn().expect("it starts"));
        }
        for asker in askers {
            let run = Run::finished(asker.wait_with_output().expect("it ends"));
            assert_eq!((run.code, &*run.stdout), (0, "token-1\n"), "{}", run.stderr);
        }
        assert_eq!(lines_of(&sandbox, "runs"), 1, "{kind}");
    }
}

/// A home with a fake of the Azure CLI that keeps its token until five minutes before its end, and
/// has one that lasts for `left` seconds. Those that come after it last for `life` seconds.
fn home_of_az(left: u32, life: u32) -> Sandbox {
    let mut sandbox = Sandbox::empty();
    let home = sandbox.home().display().to_string();
    sandbox.write("kept", format!("token-1 {}\n", NOW_UNIX + left));
    sandbox.write("tokens", "token-1\n");
    let az = format!(
        "#!/bin/sh\ncd '{home}'; echo x >>runs; read -r now <now; read -r token end <kept\n\
         if [ $((end - now)) -le 300 ]; then\n\
           end=$((now + {life})); echo x >>tokens; token=token-$(($(wc -l <tokens)))\n\
           echo \"$token $end\" >kept\n\
         fi\n\
         echo \"{{\\\"accessToken\\\":\\\"$token\\\",\\\"expires_on\\\":$end}}\"\n"
    );
    // What the hook starts, and a line about it when it has ended.
    let pgcred = env!("CARGO_BIN_EXE_pgcred");
    let refresh = format!("#!/bin/sh\n'{pgcred}' \"$@\"\necho \"$*\" >>'{home}/refreshed'\n");
    for (name, text) in [("bin/az", az), ("refresh", refresh)] {
        let file = sandbox.write(name, text);
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    let path = std::env::var("PATH").expect("PATH");
    let path = format!("{}:{path}", sandbox.path("bin").display());
    sandbox.set("PATH", &path);
    let config = "[connections.crm]\nhost = \"crm.postgres.database.azure.com\"\nuser = \"ann\"\n";
    fs::write(sandbox.own().join("config.toml"), config).expect("written");
    sandbox
}

/// A prompt each minute for an hour, with the hook and with the command of a status bar.
const HOUR_OF_PROMPTS: &str = "\
    set -u; . ./hook\n\
    __pgcred_exe=$HOME/refresh; started=0\n\
    __pgcred_clock() { __pgcred_now=$clock; }\n\
    for minute in {0..59}; do\n\
      clock=$((NOW + 60 * minute)); echo $clock >now\n\
      printf -v PGCRED_TEST_NOW '2030-01-01T00:%02d:00Z' $minute; export PGCRED_TEST_NOW\n\
      PGCRED prompt >>shown || exit 9\n\
      hold=$__pgcred_hold; __pgcred_hook\n\
      if [[ $hold != $__pgcred_hold ]]; then\n\
        started=$((started + 1))\n\
        until [[ -f refreshed && $(wc -l <refreshed) -ge $started ]]; do sleep 0.05; done\n\
      fi\n\
    done\n";

#[test]
fn an_hour_of_prompts_runs_a_caching_tool_once_for_each_of_its_tokens() {
    can_run!(program("bash"));
    for (left, life, runs) in [
        (3_600, 3_600, 2),
        // Five minutes are left of the token that is seen first, and ten seconds for a slow start.
        (310, 4_500, 2),
        // The hour ends after the end of the second token: the third run is for the third one.
        (310, 3_600, 3),
    ] {
        let sandbox = home_of_az(left, life);
        sandbox.write("hook", sandbox.ok(&["init", "bash", "--segment"]));
        let script = HOUR_OF_PROMPTS
            .replace("NOW + ", &format!("{NOW_UNIX} + "))
            .replace(
                "PGCRED prompt",
                &format!("'{}' prompt", env!("CARGO_BIN_EXE_pgcred")),
            );
        let mut bash = sandbox.command("timeout");
        bash.args(["300", "bash", "--norc", "-c", &script]);
        bash.current_dir(sandbox.home());
        let run = Run::of(bash);
        assert_eq!(run.code, 0, "{left}: {}", run.stderr);
        assert_eq!(lines_of(&sandbox, "runs"), runs, "{left} {life}");
        // No run was for a token that was there already, and none was missed.
        assert_eq!(lines_of(&sandbox, "tokens"), runs, "{left} {life}");
        let refreshed = String::from_utf8(sandbox.read("refreshed")).expect("UTF-8");
        assert_eq!(refreshed, "refresh --background --quiet\n".repeat(runs));
        // The first prompt has nothing to show yet, and no later one shows an expired token.
        let shown = String::from_utf8(sandbox.read("shown")).expect("UTF-8");
        assert!(shown.lines().count() >= 58, "{shown}");
        assert!(
            shown.lines().all(|line| line.starts_with("crm ")),
            "{shown}"
        );
        assert!(!shown.contains("expired"), "{shown}");
        let passfile = String::from_utf8(sandbox.read(".pgpass")).expect("UTF-8");
        assert!(
            passfile.contains(&format!(":ann:token-{runs}\n")),
            "{passfile}"
        );
    }
}

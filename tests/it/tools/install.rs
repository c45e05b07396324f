//! `install.sh` with a false cargo that builds nothing: which files it installs, keeps and removes.

use std::fs;
use std::process::Command;

use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::sources::root;

/// A checkout with a built pgcred, which is only a text here, and a cargo that accepts it.
fn checkout() -> Sandbox {
    let mut sandbox = Sandbox::empty();
    for file in ["install.sh", "Cargo.toml"] {
        sandbox.write(file, fs::read(root().join(file)).expect("a file"));
    }
    // Another process makes the files: the system does not run a program that this process still
    // has open for writing.
    let make = "mkdir -p bin target/release && \
        printf '#!/bin/sh\\n[ $1 = build ] && echo \"$@\" >>built || echo cargo 9.9.9\\n' \
        >bin/cargo && \
        printf '#!/bin/sh\\necho pgcred test\\n' >target/release/pgcred && chmod 755 bin/cargo";
    let mut sh = Command::new("sh");
    assert!(
        sh.args(["-c", make])
            .current_dir(sandbox.home())
            .status()
            .expect("sh")
            .success()
    );
    let path = format!(
        "{}:{}",
        sandbox.path("bin").display(),
        std::env::var("PATH").expect("a PATH")
    );
    sandbox.set("PATH", &path);
    sandbox
}

fn install(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let mut sh = sandbox.command("sh");
    sh.args(["install.sh", "--prefix", "here"]).args(arguments);
    let run = Run::of(sh);
    assert_eq!(run.code, 0, "{} {}", run.stdout, run.stderr);
    run
}

fn installed(sandbox: &Sandbox) -> Vec<String> {
    let entries = fs::read_dir(sandbox.path("here/bin")).into_iter().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn the_link_pgcred_aws_is_installed_and_removed_with_pgcred() {
    let sandbox = checkout();
    for _ in 0..2 {
        assert!(install(&sandbox, &[]).stdout.contains("installed"));
        assert_eq!(installed(&sandbox), ["pgcred", "pgcred-aws"]);
        let link = fs::read_link(sandbox.path("here/bin/pgcred-aws")).expect("a link");
        assert_eq!(link.to_str(), Some("pgcred"));
    }
    install(&sandbox, &["--uninstall"]);
    assert_eq!(installed(&sandbox), [""; 0]);
}

#[test]
fn the_secret_service_is_built_in_if_the_user_wants_it() {
    let sandbox = checkout();
    for (option, end) in [
        (&[][..], "--features \n"),
        (&["--secret-service"], "--features secret-service\n"),
    ] {
        install(&sandbox, option);
        let built = String::from_utf8(sandbox.read("built")).expect("text");
        assert!(built.ends_with(end), "{built}");
    }
}

#[test]
fn nothing_is_written_through_a_link_of_another_user() {
    let sandbox = checkout();
    sandbox.write("here/bin/x", "");
    sandbox.write("precious", "mine");
    std::os::unix::fs::symlink("../../precious", sandbox.path("here/bin/.pgcred.new"))
        .expect("a link");
    install(&sandbox, &[]);
    assert_eq!(sandbox.read("precious"), b"mine");
    assert!(
        fs::symlink_metadata(sandbox.path("here/bin/pgcred"))
            .expect("a file")
            .is_file()
    );
}

#[test]
fn a_pgcred_aws_of_the_users_own_stays() {
    let sandbox = checkout();
    sandbox.write("here/bin/pgcred-aws", "mine");
    assert!(install(&sandbox, &[]).stdout.contains("not a link of ours"));
    install(&sandbox, &["--uninstall"]);
    assert_eq!(installed(&sandbox), ["pgcred-aws"]);
    assert_eq!(sandbox.read("here/bin/pgcred-aws"), b"mine");
}

#[test]
fn completions_and_the_manual_page_are_installed_and_removed_with_pgcred() {
    const TEXTS: [&str; 4] = [
        "bash-completion/completions/pgcred",
        "zsh/site-functions/_pgcred",
        "fish/vendor_completions.d/pgcred.fish",
        "man/man1/pgcred.1",
    ];
    let sandbox = checkout();
    let pgcred = format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_pgcred"));
    sandbox.write("target/release/pgcred", pgcred);
    install(&sandbox, &[]);
    for (text, says) in TEXTS.iter().zip([
        "complete -o",
        "#compdef pgcred",
        "complete --",
        ".SH COMMANDS",
    ]) {
        let written = String::from_utf8(sandbox.read(&format!("here/share/{text}"))).expect("text");
        assert!(written.contains(says), "{text}: {written}");
    }
    // The completions and the page do not depend on the configuration, even if it is broken.
    let now = |name: &str| sandbox.read(&format!("here/share/{name}"));
    let before = TEXTS.map(now);
    fs::write(sandbox.own().join("config.toml"), "[[connection\n").expect("written");
    install(&sandbox, &[]);
    assert_eq!(TEXTS.map(now), before);
    install(&sandbox, &["--uninstall"]);
    assert!(
        TEXTS
            .iter()
            .all(|text| !sandbox.path(&format!("here/share/{text}")).exists())
    );
}

/// Uninstalling first undoes what only pgcred itself can undo, and names what it cannot undo.
#[test]
fn uninstalling_leaves_nothing_that_needs_pgcred() {
    let mut sandbox = checkout();
    let home = sandbox.path("person");
    fs::create_dir(&home).expect("a directory");
    let home = home.display().to_string();
    sandbox
        .unset("PGCRED_HOME")
        .set("HOME", &home)
        .set("AWS_ACCESS_KEY_ID", "K")
        .set("AWS_SECRET_ACCESS_KEY", "s");
    let pgcred = format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_pgcred"));
    sandbox.write("target/release/pgcred", pgcred);
    let install = |arguments: &[&str]| {
        let mut sh = sandbox.command("sh");
        sh.args(["install.sh"]).args(arguments);
        Run::of(sh)
    };
    sandbox.write("person/.bashrc", "# mine\neval \"$(pgcred init bash)\"\n");
    sandbox.write("person/.config/other", "");
    assert_eq!(install(&[]).code, 0);
    sandbox.ok(&["add", "prod", HOST]);
    sandbox.ok(&["refresh"]);
    sandbox.ok(&["setup", "psql", "--yes"]);
    // A block that pgcred cannot take out: the program stays until it can.
    let services = sandbox.read("person/.pg_service.conf");
    sandbox.write("person/.pg_service.conf", "# pgcred begin\n");
    let run = install(&["--uninstall"]);
    assert!(
        run.code != 0 && run.stderr.contains("nothing was removed"),
        "{}{}",
        run.stdout,
        run.stderr
    );
    assert!(
        sandbox.path("person/.local/bin/pgcred").exists()
            && sandbox.path("person/.pgpass").exists()
    );
    sandbox.write("person/.pg_service.conf", services);
    let run = install(&["--uninstall"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    for said in ["config.toml", ".bashrc:2:eval"] {
        assert!(run.stdout.contains(said), "{said} not in {}", run.stdout);
    }
    let left: Vec<_> = crate::tools::fixtures::files(&sandbox.path("person"))
        .into_keys()
        .collect();
    let left: Vec<_> = left.iter().map(|path| path.display().to_string()).collect();
    assert_eq!(
        left,
        [".bashrc", ".config/other", ".config/pgcred/config.toml"]
    );
    for gone in [".local", ".cache"] {
        assert!(
            !sandbox.path(&format!("person/{gone}")).exists(),
            "{gone} is left"
        );
    }
}

//! Other users of the machine: pgcred runs none of their programs, uses none of their files, and
//! writes nothing where they can read or exchange it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::process::Stdio;

use crate::support::needs::{ROOT, can_run, skip_unless};
use crate::support::owners::{files_in, give, set_mode, text};
use crate::support::sandbox::{HOST, KEY_ID, NOBODY, RDS_HOST, Run, Sandbox};

/// Runs pgcred, and ends it if it hangs.
fn run_in_time(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let mut command = sandbox.command("timeout");
    command
        .args(["20", env!("CARGO_BIN_EXE_pgcred")])
        .args(arguments)
        .stdin(Stdio::null());
    Run::of(command)
}

/// pgcred searches some directories besides PATH. It takes no program from one to which others can
/// write.
#[test]
fn no_program_is_run_from_a_directory_that_others_can_change() {
    let mut sandbox = Sandbox::empty();
    sandbox.set("PATH", "/usr/bin:/bin");
    let keys = format!(
        "#!/bin/sh\n\
         echo '{{\"Version\":1,\"AccessKeyId\":\"{KEY_ID}\",\"SecretAccessKey\":\"x\"}}'\n"
    );
    let program = sandbox.write("bin/gives-keys", keys);
    set_mode(&program, 0o755);
    let directory = sandbox.path("bin");
    sandbox.write(
        ".aws/config",
        "[default]\ncredential_process = gives-keys\n",
    );
    let token = || sandbox.run(&["token", HOST, "--no-cache"]);
    set_mode(&directory, 0o755);
    assert_eq!(token().code, 0);
    for mode in [0o777, 0o757] {
        set_mode(&directory, mode);
        token().assert_fails(1, "there is no program gives-keys");
    }
    set_mode(&directory, 0o755);
    if can_run!(ROOT) {
        chown(&directory, Some(NOBODY), None).expect("root may chown");
        token().assert_fails(1, "there is no program gives-keys");
    }
}

/// Whoever can write to the directory of a configuration can replace the file, whatever its mode.
#[test]
fn no_command_is_run_from_a_configuration_that_others_can_replace() {
    let sandbox = Sandbox::empty();
    let config = |definition: &str| {
        let text = format!(
            "[connections.crm]\nhost = \"crm.example.com\"\nuser = \"u\"\nprovider = \
             \"entra\"\n{definition}"
        );
        fs::write(sandbox.own().join("config.toml"), text).expect("written");
    };
    let definition = "[command.entra]\nrun = [\"echo\", \"t\"]\nlife = \"1h\"\n";
    config(definition);
    let own = sandbox.own().display().to_string();
    let named = format!("{own}/config.toml");
    let link = sandbox.path("link.toml");
    symlink(&named, &link).expect("a link");
    let link = link.display().to_string();
    let asks: [&[&str]; 3] = [&[], &["--config", &named], &["--config", &link]];
    for (mode, works) in [
        (0o700, true),
        (0o755, true),
        (0o777, false),
        (0o757, false),
        (0o1777, true),
    ] {
        set_mode(sandbox.own(), mode);
        for ask in asks {
            let run = sandbox.run(&[&["list"], ask].concat());
            if works {
                assert_eq!(run.code, 0, "{mode:o} {ask:?}: {}", run.stderr);
                continue;
            }
            run.assert_fails(2, &format!("{own} has the mode {mode:03o}"));
            assert!(
                run.stderr
                    .contains(&format!("hint: run `chmod go-w '{own}'`\n")),
                "{}",
                run.stderr
            );
        }
    }
    set_mode(sandbox.own(), 0o777);
    config("");
    sandbox.ok(&["list"]); // nothing in it is run
    // A file that is refused for its own mode is not named in vain.
    set_mode(sandbox.own(), 0o700);
    for (definition, more) in [
        (definition, ""),
        ("", "; if you trust what is in it, add --config "),
    ] {
        config(definition);
        set_mode(&sandbox.own().join("config.toml"), 0o666);
        let run = sandbox.run(&["list"]);
        run.assert_fails(2, "its mode 666 lets other users change it");
        let hint = format!("hint: run `chmod go-w '{named}'`{more}");
        assert!(run.stderr.contains(&hint), "{}", run.stderr);
        assert_eq!(
            run.stderr.contains("--config"),
            !more.is_empty(),
            "{}",
            run.stderr
        );
    }
}

/// What is above the home directory is not the user's to mend.
#[test]
fn only_directories_from_the_home_directory_on_have_to_be_closed() {
    let mut sandbox = Sandbox::empty();
    let config = sandbox.write(
        "open/ann/sub/config.toml",
        "[command.tool]\nrun = [\"echo\", \"t\"]\nlife = \"1h\"\n[connections.crm]\n\
         host = \"crm.example.com\"\nuser = \"u\"\nprovider = \"tool\"\n",
    );
    let list = ["list", "--config", config.to_str().expect("UTF-8")];
    let (open, own) = (sandbox.path("open"), sandbox.path("open/ann"));
    let (above, home) = (open.display().to_string(), own.display().to_string());
    set_mode(&open, 0o777);
    sandbox
        .run(&list)
        .assert_fails(2, &format!("because {above} has the mode 777"));
    sandbox.set("HOME", &home);
    sandbox.ok(&list);
    set_mode(&own, 0o777);
    sandbox
        .run(&list)
        .assert_fails(2, &format!("because {home} has the mode 777"));
}

/// A link on the way to such a directory is followed only if nobody else can exchange it.
#[test]
fn no_program_is_run_from_a_directory_that_others_can_exchange() {
    let mut sandbox = Sandbox::empty();
    sandbox.set("PATH", "/usr/bin:/bin");
    let keys = format!(
        "#!/bin/sh\n\
         echo '{{\"Version\":1,\"AccessKeyId\":\"{KEY_ID}\",\"SecretAccessKey\":\"x\"}}'\n"
    );
    let program = sandbox.write("store/programs/gives-keys", keys);
    set_mode(&program, 0o755);
    sandbox.write(
        ".aws/config",
        "[default]\ncredential_process = gives-keys\n",
    );
    let directory = sandbox.path(".local");
    fs::create_dir(&directory).expect("a directory");
    symlink("../store/now", directory.join("bin")).expect("a link");
    symlink("programs", sandbox.path("store/now")).expect("a link");
    let token = || sandbox.run(&["token", HOST, "--no-cache"]);
    assert_eq!(token().code, 0, "links of the user's own are followed");
    for directory in [&directory, &sandbox.path("store")] {
        set_mode(directory, 0o777);
        token().assert_fails(1, "there is no program gives-keys");
        set_mode(directory, 0o1777);
        assert_eq!(token().code, 0, "others can replace nothing there");
        set_mode(directory, 0o755);
        if can_run!(ROOT) {
            chown(directory, Some(NOBODY), None).expect("root may chown");
            token().assert_fails(1, "there is no program gives-keys");
            chown(directory, Some(0), None).expect("root may chown");
        }
    }
}

/// An ID in the index becomes the name of a file that is removed. A text that is no ID removes
/// nothing.
#[test]
fn a_forged_index_removes_no_file() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.at("2030-01-01T00:00:00Z").ok(&["token", HOST]);
    let precious = [sandbox.write("one", "mine"), sandbox.own().join("two")];
    fs::write(&precious[1], "mine").expect("written");
    let record =
        r#"{"name":"a@b:5432","issued":0,"expires":1,"region":"r","passfile":null,"digest":null}"#;
    let keys = [precious[0].display().to_string(), "../../two".to_owned()];
    let records: Vec<_> = keys
        .iter()
        .map(|key| format!("{}:{record}", serde_json::Value::from(&**key)))
        .collect();
    let forged = format!(
        r#"{{"version":1,"tokens":{{{}}},"failures":{{}},"passfiles":[]}}"#,
        records.join(",")
    );
    let index = sandbox.own().join("cache/index.json");
    fs::write(&index, forged).expect("written");
    sandbox
        .at("2030-01-01T00:01:00Z")
        .ok(&["token", HOST, "--fresh"]);
    assert!(precious.iter().all(|path| text(path) == "mine"));
    assert!(
        !text(&index).contains("../"),
        "what cannot be pgcred's is dropped: {}",
        text(&index)
    );
}

/// A failure that the index remembers stays a failure, even if the index has the exit code 0 for
/// it.
#[test]
fn a_forged_exit_code_is_not_success() {
    let sandbox = Sandbox::empty();
    sandbox.run(&["token", HOST]).assert_fails(3, "");
    let index = sandbox.own().join("cache/index.json");
    let forged = text(&index).replace("\"exit\":3", "\"exit\":0");
    assert!(forged.contains("\"exit\":0"));
    fs::write(&index, forged).expect("written");
    sandbox.run(&["token", HOST]).assert_fails(3, "");
}

/// pgcred uses no index, and no passfile named in the index, that another user owns or can change.
#[test]
fn files_of_others_are_not_believed() {
    skip_unless!(ROOT);
    let mut sandbox = Sandbox::with_keys();
    let passfile = sandbox.path("p").display().to_string();
    let at_first = |sandbox: &mut Sandbox| {
        sandbox.at("2030-01-01T00:00:00Z").ok(&[
            "refresh",
            HOST,
            "--fresh",
            "--passfile",
            &passfile,
        ]);
        sandbox
            .at("2030-01-01T00:01:00Z")
            .ok(&["token", HOST])
            .contains("20300101T000000Z")
    };
    assert!(at_first(&mut sandbox), "the passfile's token is handed out");
    chown(&passfile, Some(NOBODY), None).expect("root may chown");
    assert!(
        sandbox.ok(&["token", HOST]).contains("20300101T000100Z"),
        "not another user's"
    );
    for change in ["owner", "mode"] {
        fs::remove_file(&passfile).expect("removed");
        sandbox.ok(&["erase", "--all"]);
        assert!(at_first(&mut sandbox));
        let index = sandbox.own().join("cache/index.json");
        match change {
            "owner" => chown(&index, Some(NOBODY), None).expect("root may chown"),
            _ => set_mode(&index, 0o666),
        }
        assert!(
            sandbox.ok(&["token", HOST]).contains("20300101T000100Z"),
            "{change}"
        );
        let metadata = fs::metadata(&index).expect("an index");
        assert_eq!(metadata.uid(), 0, "it is replaced by one of the user's own");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
}

/// A pipe in the place of one of pgcred's own files does not make pgcred wait.
#[test]
fn pipes_in_the_cache_do_not_hang() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["token", HOST]);
    sandbox.ok(&["add", "prod", HOST]);
    let cache = sandbox.own().join("cache");
    let entry = files_in(&cache.join("tokens")).remove(0);
    for path in [
        entry,
        cache.join("index.json"),
        cache.join("background"),
        cache.join("told"),
    ] {
        let _ = fs::remove_file(&path);
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    }
    for arguments in [&["token", HOST][..], &["list"], &["prompt"]] {
        let run = run_in_time(&sandbox, arguments);
        assert_eq!(run.code, 0, "{arguments:?}");
        // HOME is not root's own here, of which pgcred warns.
        let about_passfile =
            |line: &str| line.contains("passfile") && !line.contains("look for the passfile in");
        assert!(!run.stderr.lines().any(about_passfile), "{}", run.stderr);
    }
}

/// Tokens that the index no longer knows are erased with any target, because they may belong to it.
#[test]
fn erase_forgets_tokens_of_a_lost_index() {
    let sandbox = Sandbox::with_keys();
    for lost in ["damaged", "empty", "missing"] {
        sandbox.ok(&["token", HOST]);
        let index = sandbox.own().join("cache/index.json");
        match lost {
            "damaged" => fs::write(&index, "{\"version\":1,").expect("written"),
            "empty" => fs::write(&index, "").expect("written"),
            _ => fs::remove_file(&index).expect("removed"),
        }
        let run = sandbox.run(&["erase", HOST]);
        assert!(
            run.code == 0 && run.stderr.contains("erased too"),
            "{lost}: {} {}",
            run.code,
            run.stderr
        );
        assert_eq!(
            files_in(&sandbox.own().join("cache/tokens")).len(),
            0,
            "{lost}"
        );
        assert_eq!(
            run.stderr.contains("list of issued tokens was lost"),
            lost != "missing",
            "{lost}: {}",
            run.stderr
        );
    }
    sandbox
        .run(&["erase", HOST])
        .assert_fails(4, "the cache has none");
}

/// After the cache was switched off, it still has older tokens, and still knows which passfiles
/// have some.
#[test]
fn tokens_are_erased_also_where_the_cache_is_switched_off() {
    let mut sandbox = Sandbox::with_keys();
    let passfile = sandbox.path("p");
    sandbox.ok(&["add", "prod", HOST]);
    for command in [
        &["erase", "--all"][..],
        &["erase", HOST],
        &["remove", "prod"],
    ] {
        sandbox.set("PGCRED_CACHE", "file").ok(&[
            "refresh",
            "prod",
            "--passfile",
            &passfile.display().to_string(),
        ]);
        sandbox.ok(&["token", "prod", "--expires-in", "1000"]);
        let tokens = || {
            (
                passfile.exists(),
                files_in(&sandbox.own().join("cache/tokens")).len(),
            )
        };
        assert_eq!(tokens(), (true, 1));
        let run = Run::of({
            let mut pgcred = sandbox.pgcred(command);
            pgcred.env("PGCRED_CACHE", "none");
            pgcred
        });
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(tokens(), (false, 0), "{command:?}");
    }
}

/// Another user has put links, pipes and files where a passfile is to be written.
#[test]
fn traps_beside_a_passfile_are_refused() {
    skip_unless!(ROOT);
    let sandbox = Sandbox::with_keys();
    let refresh = |name: &str| run_in_time(&sandbox, &["refresh", HOST, "--passfile", name]);
    let bashrc = sandbox.write("bashrc", "mine\n");
    symlink(&bashrc, sandbox.path("link")).expect("a link");
    give(&sandbox.path("link"), NOBODY);
    let run = refresh("link");
    run.assert_fails(2, "is not used: it belongs to nobody");
    assert!(
        run.stderr.contains("hint: find out why that user made it")
            && !run.stderr.contains("chown"),
        "{}",
        run.stderr
    );
    symlink(&bashrc, sandbox.path("locked.pgcred-lock")).expect("a link");
    refresh("locked").assert_fails(1, "it is not a regular file");
    symlink(sandbox.path("new"), sandbox.path("made.pgcred-lock")).expect("a link");
    refresh("made").assert_fails(1, "it is not a regular file");
    assert!(!sandbox.path("new").exists());
    nix::unistd::mkfifo(
        &sandbox.path("pipe.pgcred-lock"),
        nix::sys::stat::Mode::S_IRWXU,
    )
    .expect("a FIFO");
    refresh("pipe").assert_fails(1, "it is not a regular file");
    let planted = sandbox.write("everybodys/planted", "");
    set_mode(&sandbox.path("everybodys"), 0o1777);
    give(&planted, NOBODY);
    refresh("everybodys/planted").assert_fails(2, "belongs to nobody, but its directory does not");
    assert_eq!(
        (text(&bashrc), text(&planted)),
        ("mine\n".to_owned(), String::new())
    );
}

/// Directories that others own or can change are used neither for the configuration nor for tokens.
#[test]
fn directories_of_others_are_not_used() {
    let mut sandbox = Sandbox::with_keys();
    let own = sandbox.own().to_owned();
    // Volumes of containers have this mode. Each file in the directory is checked by itself.
    set_mode(&own, 0o777);
    sandbox.ok(&["token", HOST]);
    sandbox.ok(&["erase", "--all"]);
    fs::write(own.join("config.toml"), "").expect("written");
    set_mode(&own.join("config.toml"), 0o666);
    let run = sandbox.run(&["token", HOST]);
    run.assert_fails(2, "its mode 666 lets other users change it");
    let config = own.join("config.toml");
    let hint = format!(
        "hint: run `chmod go-w '{0}'`; if you trust what is in it, add --config {0}",
        config.display()
    );
    assert!(run.stderr.contains(&hint), "{}", run.stderr);
    assert_eq!(
        sandbox
            .run(&[
                "token",
                HOST,
                "--no-cache",
                "--config",
                &config.display().to_string()
            ])
            .code,
        0
    );
    if can_run!(ROOT) {
        set_mode(&config, 0o644);
        chown(&config, Some(NOBODY), None).expect("root may chown");
        sandbox
            .run(&["token", HOST])
            .assert_fails(2, "is not used: it belongs to nobody");
    }
    fs::remove_file(own.join("config.toml")).expect("removed");
    fs::create_dir(own.join("cache")).expect("a directory");
    set_mode(&own.join("cache"), 0o777);
    let run = sandbox.run(&["token", HOST]);
    assert!(
        run.code == 0 && run.stderr.contains("tokens are not cached: "),
        "{}",
        run.stderr
    );
    assert_eq!(files_in(&own.join("cache")).len(), 0);
    set_mode(&own.join("cache"), 0o700);
    // Such a runtime directory is not used. pgcred takes the next possible directory.
    let runtime = sandbox.path("runtime");
    fs::create_dir(&runtime).expect("a directory");
    set_mode(&runtime, 0o777);
    sandbox
        .unset("PGCRED_HOME")
        .set("XDG_RUNTIME_DIR", &runtime.display().to_string());
    let place = sandbox.ok(&["exec", HOST, "--", "sh", "-c", "echo $PGPASSFILE"]);
    assert!(
        place.starts_with(&sandbox.path(".cache").display().to_string()),
        "{place}"
    );
    sandbox.set(
        "XDG_RUNTIME_DIR",
        &sandbox.path("missing").display().to_string(),
    );
    sandbox.ok(&["exec", HOST, "--", "true"]);
    assert!(files_in(&runtime).is_empty() && !sandbox.path("missing").exists());
    if can_run!(ROOT) {
        let link = sandbox.path("link");
        symlink(&own, &link).expect("a link");
        for path in [&link, &own] {
            sandbox
                .set("PGCRED_HOME", &path.display().to_string())
                .ok(&["token", HOST]);
            std::os::unix::fs::lchown(path, Some(NOBODY), None).expect("root may chown");
            sandbox
                .run(&["token", HOST])
                .assert_fails(2, "is not used: it belongs to nobody");
        }
    }
}

/// `PGCRED_HOME` may be a directory in which the user has other files, even a directory `cache`.
#[test]
fn erase_all_removes_only_what_is_pgcreds() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["token", HOST]);
    let cache = sandbox.own().join("cache");
    fs::write(cache.join("mine"), "precious").expect("written");
    sandbox.ok(&["erase", "--all"]);
    assert_eq!(files_in(&cache), [cache.join("mine")]);
}

/// Whatever the umask is, only the user can read the files that pgcred writes.
#[test]
fn files_are_private_under_any_umask() {
    let sandbox = Sandbox::with_keys();
    let script = "umask 000; \"$0\" add prod \"$1\" && \"$0\" token prod && \"$0\" refresh prod && \
        \"$0\" exec prod -- sh -c 'stat -c %a \"$PGPASSFILE\"; dirname \"$PGPASSFILE\" | xargs \
        stat -c %a'";
    let mut shell = sandbox.command("sh");
    shell
        .args(["-c", script, env!("CARGO_BIN_EXE_pgcred"), HOST])
        .stdin(Stdio::null());
    let run = Run::of(shell);
    assert!(
        run.code == 0 && run.stdout.ends_with("600\n700\n"),
        "{} {}",
        run.stdout,
        run.stderr
    );
    let mut open = files_in(sandbox.own());
    open.push(sandbox.path(".pgpass"));
    while let Some(path) = open.pop() {
        let mode = fs::metadata(&path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!(
            mode,
            if path.is_dir() { 0o700 } else { 0o600 },
            "{}",
            path.display()
        );
        open.extend(files_in(&path).into_iter().filter(|_| path.is_dir()));
    }
}

/// A sealed token that was renamed is not accepted.
#[test]
fn swapped_entries_are_misses() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.at("2030-01-01T00:00:00Z").ok(&["token", HOST]);
    sandbox.ok(&["token", RDS_HOST, "--user", "u"]);
    let entries = files_in(&sandbox.own().join("cache/tokens"));
    let texts: Vec<_> = entries
        .iter()
        .map(|path| fs::read(path).expect("a file"))
        .collect();
    fs::write(&entries[0], &texts[1]).expect("written");
    fs::write(&entries[1], &texts[0]).expect("written");
    sandbox.at("2030-01-01T00:01:00Z");
    for (target, host) in [(&[HOST][..], HOST), (&[RDS_HOST, "--user", "u"], RDS_HOST)] {
        let token = sandbox.ok(&[&["token"], target].concat());
        assert!(
            token.starts_with(host) && token.contains("20300101T000100Z"),
            "{token}"
        );
    }
}

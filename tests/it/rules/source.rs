//! The project's own rules, read from its sources: owners and first lines.

use crate::support::sources::{root, rust_files, without_tests};

#[test]
fn every_file_says_first_what_it_is() {
    for (path, text) in [
        rust_files("src"),
        rust_files("integrations"),
        rust_files("tests"),
    ]
    .concat()
    {
        assert!(
            text.starts_with("//! ") && text.lines().next().is_some_and(|line| line.len() > 30),
            "{}",
            path.display()
        );
    }
}

/// The plan decides who signs. It uses only values that have been read before, so the digest of a
/// plan covers everything that decides, and a unit test of the plan needs no home directory.
#[test]
fn who_signs_is_planned_without_looking_around() {
    let allowed = [
        "std::hash",
        "super::{",
        "super::environment",
        "super::settings",
        "super::service::endpoints",
        "crate::aws::environment",
        "crate::aws::profile",
        "crate::aws::settings",
        "crate::error",
    ];
    let mut files = 0;
    for (path, text) in rust_files("src/aws/plan") {
        if path.ends_with("tests.rs") {
            continue;
        }
        for line in text.lines().filter_map(|line| line.strip_prefix("use ")) {
            assert!(
                allowed.iter().any(|module| line.starts_with(module)),
                "the planner uses {line} in {}",
                path.display()
            );
        }
        for effect in ["crate::sys", "std::fs", "std::env"] {
            assert!(!text.contains(effect), "{effect} in {}", path.display());
        }
        files += 1;
    }
    assert!(files > 3, "{files}");
}

/// A source asks with what the plan says, so that a setting that decides who signs is in the digest
/// of the plan. The exceptions decide how a source is asked, not which identity it has.
#[test]
fn a_source_of_credentials_reads_no_settings() {
    let exceptions = [
        (
            "imds.rs",
            "InstanceMetadata::read(resolution.settings)",
            "how often the service is asked",
        ),
        (
            "imds.rs",
            ".is_enabled(\"AWS_EC2_METADATA_V1_DISABLED\"",
            "which version of the service is asked",
        ),
        (
            "imds.rs",
            "resolution.setting(variable, key)",
            "how long and how often the service is asked",
        ),
        (
            "mfa.rs",
            "env::var(COMMAND_VARIABLE)",
            "the program that prints the code",
        ),
        (
            "sign_in.rs",
            "resolution.settings.region()",
            "where the session is renewed",
        ),
    ];
    let mut read_count = 0;
    for (path, text) in rust_files("src/aws/source") {
        for line in without_tests(&text).lines() {
            let reads = line.contains("settings") && line.contains("resolution.")
                || [".setting(", ".is_enabled(", "env::var"]
                    .iter()
                    .any(|call| line.contains(call));
            if !reads || line.trim_start().starts_with("//") {
                continue;
            }
            let is_known = exceptions
                .iter()
                .any(|(file, code, _)| path.ends_with(file) && line.contains(code));
            assert!(is_known, "{} reads a setting: {line}", path.display());
            read_count += 1;
        }
    }
    assert!(read_count >= exceptions.len(), "{read_count}");
}

/// Each outside effect has one owner (stdout, stderr, clock, environment and file writing: see
/// .clippy.toml).
#[test]
fn every_outside_effect_has_one_owner() {
    for (name, owner) in [
        ("aws_config", "src/aws"),
        (
            "tokio::",
            "src/aws src/http src/sys/host_names.rs src/gateway",
        ),
        ("hickory_resolver", "src/sys/host_names.rs"),
        ("aws_sdk", "src/aws"),
        ("aws_smithy_http_client", "src/http/client.rs"),
        ("aws_smithy_types", "src/aws src/http src/time.rs"),
        ("aws_smithy_types::date_time", "src/time.rs"),
        ("process_wrap", "src/sys/child"),
        ("which::", "src/sys/child"),
        ("aws_sigv4", "src/aws/sigv4.rs"),
        ("ring::aead", "src/cache/seal.rs"),
        ("linux_keyutils", "src/cache/key/kernel.rs"),
        (
            "secret_service::blocking",
            "src/cache/key/secret_service.rs",
        ),
        ("keyring_core", "src/cache/key/native.rs"),
        (
            "rustls::Client",
            "src/probe/tls.rs src/probe/server_login.rs src/gateway/tls.rs",
        ),
        ("rustls::crypto", "src/probe src/gateway/tls.rs"),
        ("TcpStream", "src/probe src/gateway src/sys/socket_peer.rs"),
        (
            "TcpListener",
            "src/probe src/gateway src/sys/inherited_sockets.rs src/sys/socket_peer.rs",
        ),
        ("ToSocketAddrs", "src/sys/host_names.rs"),
        ("use der::", "src/probe/certificate.rs"),
        ("signal_hook", "src/sys/signals.rs"),
        ("open::commands", "src/sys/browser.rs"),
        ("nix::sys::", "src/sys src/command/exec"),
        ("nix::unistd", "src/sys src/command/exec"),
        ("listenfd::", "src/sys/inherited_sockets.rs"),
        ("socket2::", "src/gateway/server.rs"),
        ("rustls_native_certs", "src/roots/sets.rs"),
        ("toml::", "src/config"),
        ("toml_edit", "src/config/edit.rs"),
        ("indicatif", "src/output/progress.rs"),
        ("inquire::", "src/sys/dialog/prompts.rs"),
        ("crossterm::", "src/sys/dialog/prompts.rs"),
        ("unicode_width", "src/sys/dialog/line_width.rs"),
        ("dirs::", "src/sys/env.rs"),
        ("std::fs", "src/sys/fs src/sys/terminal.rs"),
        ("tempfile", "src/sys/fs"),
        (
            "std::io",
            "src/sys src/output src/command/exec src/command/refresh/watch.rs src/probe src/http \
             src/gateway",
        ),
        ("cfg(unix)", "src/sys src/command/exec src/gateway"),
        ("cfg(windows)", "src/sys/child src/sys/env.rs"),
        // `Output::answer` prints the text as it is, for programs, and for text that a user copies:
        // such text has no control character. All other text goes through `Output::lines`, which
        // escapes control characters.
        (
            "Output::answer",
            "src/output src/command/aws.rs src/command/discover src/command/doctor \
             src/command/exec src/command/list src/cli src/command/policy src/command/prompt.rs \
             src/command/roots.rs src/command/setup src/command/token.rs src/command/proxy.rs",
        ),
    ] {
        for (path, text) in rust_files("src") {
            let path = path
                .strip_prefix(root())
                .expect("below the root")
                .display()
                .to_string()
                .replace('\\', "/");
            let code: String = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect();
            let owned =
                owner.split(' ').any(|owner| path.starts_with(owner)) || path.ends_with("tests.rs");
            assert!(
                owned || !code.contains(name),
                "{path} uses {name}, which {owner} owns"
            );
        }
    }
}

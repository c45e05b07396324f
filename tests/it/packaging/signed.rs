//! The signature of a release's program, which only a build with a certificate has.

use std::fs;
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::packaging::release::{RELEASE, archive_of, release, script};
use crate::support::needs::{PYTHON, program, python, skip_unless};
use crate::support::sandbox::{Run, Sandbox};
use crate::support::sources::root;

const TARGET: &str = "x86_64-pc-windows-msvc";
const PASSWORD: &str = "of-the-certificate";

/// Returns the headers of a Windows program, which are all that a signature needs.
fn windows_program() -> Vec<u8> {
    let mut file = vec![0; 512];
    for (at, bytes) in [
        (0x00, &b"MZ"[..]),
        (0x3c, &[0x40]),           // where the headers are
        (0x40, b"PE\0\0\x64\x86"), // for x86_64
        (0x54, &[240, 0, 0x22]),   // bytes of the optional header; a program
        (0x58, &[0x0b, 0x02]),     // for 64 bits
        (0x58 + 60, &[0, 2]),      // bytes of all headers
        (0x58 + 108, &[16]),       // entries of the directory, one for the signature
    ] {
        file[at..at + bytes.len()].copy_from_slice(bytes);
    }
    file
}

/// Returns a release whose program for Windows can be signed.
fn machine() -> Sandbox {
    let sandbox = release();
    let name = archive_of(TARGET).replace(".zip", "");
    for program in ["pgcred.exe", "pgcred-aws.exe"] {
        sandbox.write(&format!("stage/{name}/{program}"), windows_program());
    }
    let archive = format!("{RELEASE}/{name}.zip");
    script(
        &sandbox,
        "archive.py",
        &[&format!("stage/{name}"), &archive],
    );
    script(&sandbox, "sums.py", &[RELEASE]);
    sandbox
}

fn ok(mut command: Command) -> String {
    let run = Run::finished(command.output().expect("the program starts"));
    assert_eq!(run.code, 0, "{command:?}: {}{}", run.stdout, run.stderr);
    run.stdout + &run.stderr
}

fn sign(sandbox: &Sandbox, target: &str) -> String {
    let mut sign = sandbox.command("bash");
    sign.arg(root().join("packaging/sign.sh"))
        .args([RELEASE, target]);
    ok(sign)
}

/// Makes a certificate with its key, and returns it as the workflow's secret has it.
fn certificate(sandbox: &Sandbox) -> String {
    let openssl = |line: &str| {
        let mut openssl = sandbox.command("openssl");
        openssl.args(line.split(' '));
        ok(openssl);
    };
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 2 \
         -subj /CN=pgcred-test -addext extendedKeyUsage=codeSigning",
    );
    openssl(&format!(
        "pkcs12 -export -inkey key.pem -in certificate.pem -out both.p12 -passout pass:{PASSWORD}"
    ));
    BASE64_STANDARD.encode(sandbox.read("both.p12"))
}

#[test]
fn without_a_certificate_nothing_changes() {
    skip_unless!(PYTHON, program("bash"));
    let sandbox = machine();
    let archive = format!("{RELEASE}/{}", archive_of(TARGET));
    let before = sandbox.read(&archive);
    let said = sign(&sandbox, TARGET);
    assert!(said.contains("stays without a signature"), "{said}");
    assert!(before == sandbox.read(&archive));
}

#[test]
fn a_certificate_signs_both_programs_of_windows() {
    skip_unless!(PYTHON, program("openssl"), program("osslsigncode"));
    let mut sandbox = machine();
    let certificate = certificate(&sandbox);
    fs::create_dir(sandbox.path("tmp")).expect("a directory");
    let tmp = sandbox.path("tmp").display().to_string();
    sandbox
        .set("TMPDIR", &tmp)
        .set("WINDOWS_CERTIFICATE", &certificate)
        .set("WINDOWS_CERTIFICATE_PASSWORD", PASSWORD)
        .set("TIMESTAMP_SERVER", "");
    sign(&sandbox, TARGET);
    let name = archive_of(TARGET);
    let mut unpack = sandbox.command(&python());
    unpack.args(["-m", "zipfile", "-e"]);
    unpack.args([&format!("{RELEASE}/{name}"), "unpacked"]);
    ok(unpack);
    for program in ["pgcred.exe", "pgcred-aws.exe"] {
        let mut verify = sandbox.command("osslsigncode");
        verify.args(["verify", "-CAfile", "certificate.pem", "-in"]);
        verify.arg(format!("unpacked/{}/{program}", name.replace(".zip", "")));
        let said = ok(verify);
        assert!(said.contains("pgcred-test"), "{said}");
    }
    let mut check = sandbox.command("sha256sum");
    check
        .args(["--check", "SHA256SUMS"])
        .current_dir(sandbox.path(RELEASE));
    ok(check);
    let left = fs::read_dir(sandbox.path("tmp")).expect("a directory");
    assert_eq!(left.count(), 0, "a copy of the certificate is left");
}

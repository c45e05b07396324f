//! The programs of the archives between two name servers that disagree, as with a VPN or WSL.

use std::path::Path;

use crate::packaging::made::{GNU, MUSL, made, unpacked};
use crate::support::needs::{PYTHON, ROOT, program, python, skip_unless};
use crate::support::sandbox::{Run, Sandbox};
use crate::support::sources::root;

/// Returns what doctor says of a name's addresses: its status, and the addresses.
fn addresses_of(name: &str, pgcred: &Path, sandbox: &Sandbox) -> (String, String) {
    let mut doctor = sandbox.command("unshare");
    doctor.args(["--net", "--mount", &python(), "-B"]);
    doctor.arg(root().join("tests/stubs/name_servers.py"));
    doctor.arg(sandbox.home()).arg(pgcred);
    doctor.args(["doctor", name, "--provider", "rds", "--user", "app"]);
    doctor.args([
        "--region",
        "eu-west-1",
        "--timeout",
        "8",
        "--format",
        "json",
    ]);
    let run = Run::of(doctor);
    let report: serde_json::Value = serde_json::from_str(&run.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr));
    let checks = report["checks"].as_array().expect("checks");
    let dns = checks.iter().find(|check| check["id"] == "net.dns");
    let dns = dns.expect("the check of the name");
    let text = |key: &str| dns[key].as_str().expect("text").to_owned();
    (text("status"), text("detail"))
}

/// The name server of the company answers later than the public one, which denies the name.
#[test]
fn a_name_of_the_company_is_found_whoever_answers_first() {
    skip_unless!(made(), ROOT, PYTHON, program("unshare"));
    let sandbox = Sandbox::with_keys();
    for target in [GNU, MUSL] {
        let pgcred = unpacked(&sandbox, target).join("pgcred");
        for (name, address) in [
            ("db.company.test", "10.1.2.3 (IPv4 only)"),
            ("db.public.test", "10.9.8.7 (IPv4 only)"),
        ] {
            let (status, detail) = addresses_of(name, &pgcred, &sandbox);
            assert_eq!(
                (status.as_str(), detail.as_str()),
                ("ok", address),
                "{target}"
            );
        }
        let (status, detail) = addresses_of("db.nobody.test", &pgcred, &sandbox);
        assert_eq!(status, "fail", "{target}: {detail}");
    }
}

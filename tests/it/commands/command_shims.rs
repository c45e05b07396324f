//! Programs of services that are batch files on Windows: `az.cmd` and `gcloud.cmd`, and shims of
//! package managers. cmd.exe runs them, and would run a part of an argument if it could.

use std::fs;

use crate::support::sandbox::Sandbox;

/// A home with a batch file `az.cmd` on PATH, beside a shell script `az` as the Azure CLI has it.
struct Shim {
    sandbox: Sandbox,
}

impl Shim {
    /// The program writes its arguments into a file as they stand on its command line.
    fn new(arguments: &str, vars: &str) -> Self {
        let mut sandbox = Sandbox::empty();
        sandbox.at("2030-01-01T00:00:00Z");
        let home = sandbox.home().display().to_string();
        let batch = format!(
            "@echo off\r\necho x>>{home}\\runs\r\necho %*>{home}\\arguments\r\n\
             echo {{\"token\": \"of-batch\", \"end\": \"2030-01-01T01:00:00Z\"}}\r\n"
        );
        sandbox.write("bin/az.cmd", batch);
        sandbox.write("bin/az", "#!/bin/sh\nexit 1\n");
        let path = sandbox.path("bin").display().to_string();
        sandbox.set("PATH", &path).set("SECRET", "leaked");
        let config = format!(
            "[command.tool]\nrun = [\"az\", \"get\", {arguments}]\ntoken = \"token\"\n\
             expires = \"end\"\n[connections.crm]\nhost = \"crm.example.com\"\nuser = \"ann\"\n\
             provider = \"tool\"\nvars = {{ {vars} }}\n"
        );
        fs::write(sandbox.own().join("config.toml"), config).expect("written");
        Self { sandbox }
    }

    fn arguments(&self) -> String {
        String::from_utf8_lossy(&self.sandbox.read("arguments"))
            .trim_end()
            .to_owned()
    }
}

#[test]
fn a_batch_file_is_found_and_mints() {
    let shim = Shim::new("\"--output=json\"", "");
    for _ in 0..2 {
        assert_eq!(shim.sandbox.ok(&["token", "crm"]), "of-batch\n");
    }
    assert_eq!(shim.arguments(), "get \"--output=json\"");
    let runs = String::from_utf8_lossy(&shim.sandbox.read("runs"))
        .lines()
        .count();
    assert_eq!(runs, 1);
}

/// Each value is one argument, and nothing of it is run or filled in.
#[test]
fn no_value_leaves_its_argument() {
    for (value, argument) in [
        ("Prod Readers", "--x=Prod Readers"),
        ("a & echo x>pwned", "--x=a & echo x>pwned"),
        ("a\" & echo x>pwned & \"", "--x=a\"\" & echo x>pwned & \"\""),
        ("a|b<c>d^e(f)!SECRET!", "--x=a|b<c>d^e(f)!SECRET!"),
        ("50%", "--x=50%"),
        ("%SECRET%", "--x=%SECRET%"),
    ] {
        let shim = Shim::new("\"--x={x}\"", &format!("x = '''{value}'''"));
        assert_eq!(shim.sandbox.ok(&["token", "crm"]), "of-batch\n", "{value}");
        assert_eq!(shim.arguments(), format!("get \"{argument}\""), "{value}");
        assert!(!shim.sandbox.path("pwned").exists(), "{value}");
    }
}

#[test]
fn a_line_break_is_refused_in_plain_words() {
    let shim = Shim::new("\"a\\nb\"", "");
    let run = shim.sandbox.run(&["token", "crm"]);
    run.assert_fails(1, "az is a batch file, which takes no line breaks");
    assert!(!shim.sandbox.path("runs").exists());
}

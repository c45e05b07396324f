//! The schtasks of Windows registers the task and removes it. That of wine parses the XML and keeps
//! the settings and the action.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use crate::support::sandbox::{HOST, Run, Sandbox};

const NAME: &str = "pgcred refresh";

fn schtasks(arguments: &[&str]) -> i32 {
    let mut schtasks = Command::new("schtasks");
    schtasks.args(arguments);
    Run::of(schtasks).code
}

#[test]
fn schtasks_registers_the_task_and_removes_it() {
    let file = Path::new(&env::var("SystemRoot").expect("SystemRoot"))
        .join("System32/Tasks")
        .join(NAME);
    assert!(
        !file.exists(),
        "this test makes a task of its own: `pgcred setup task-scheduler --undo` yours first"
    );
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "-q", "prod", HOST]);
    sandbox.ok(&["setup", "task-scheduler", "--yes"]);
    assert_eq!(
        schtasks(&["/Delete", "/F", "/TN", NAME]),
        0,
        "there was none"
    );
    sandbox.ok(&["setup", "task-scheduler", "--yes"]);
    sandbox.ok(&["setup", "task-scheduler", "--undo", "--yes"]);
    assert_ne!(
        schtasks(&["/Delete", "/F", "/TN", NAME]),
        0,
        "it is still there"
    );

    sandbox.ok(&["setup", "task-scheduler", "--yes"]);
    let xml = sandbox.own().join("pgcred-refresh.xml");
    let broken = fs::read_to_string(&xml)
        .expect("XML")
        .replace("</Exec>", "");
    fs::write(&xml, broken).expect("a file");
    let create = [
        "/Create",
        "/F",
        "/TN",
        "broken by a test",
        "/XML",
        &xml.display().to_string(),
    ];
    assert_ne!(schtasks(&create), 0, "schtasks takes anything");
    sandbox.ok(&["setup", "task-scheduler", "--undo", "--yes"]);
}

//! A week on a clock that the test sets: sleep and waking, hours offline, sessions that end, and
//! two machines whose clocks differ.

use std::fs;

use crate::support::sandbox::{HOST, Sandbox};

const START: i64 = 1_893_974_400; // Monday, 2030-01-07T00:00:00Z
const STEP: i64 = 10; // minutes between two runs of the scheduler, for tokens of an hour
const SESSION: i64 = 12 * 3600; // seconds that a login lasts

/// Returns the time in the form that the test clock reads.
fn rfc3339(unix: i64) -> String {
    let (days, seconds) = (unix / 86_400 - START / 86_400, unix % 86_400);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("2030-01-{:02}T{hour:02}:{minute:02}:{second:02}Z", 7 + days)
}

/// A machine with one connection and a credentials program, which fails without a session or a
/// network.
struct Machine {
    sandbox: Sandbox,
    /// How many seconds its clock is ahead.
    ahead: i64,
}

impl Machine {
    fn new(world: &Sandbox, ahead: i64) -> Self {
        let mut sandbox = Sandbox::empty();
        let (home, passfile) = (
            world.home().display().to_string(),
            world.path("pgpass").display().to_string(),
        );
        // Both machines have one home, on a shared disk. The files that pgcred keeps for itself are
        // on each machine.
        sandbox
            .set("HOME", &home)
            .set("USERPROFILE", &home)
            .set("PGPASSFILE", &passfile);
        sandbox.at(&rfc3339(START));
        sandbox.ok(&["add", "prod", HOST, "--profile", "p", "--expires-in", "1h"]);
        Self { sandbox, ahead }
    }

    fn refresh(&mut self, now: i64, arguments: &[&str]) -> i32 {
        self.sandbox.at(&rfc3339(now + self.ahead));
        self.sandbox
            .run(&[&["refresh", "--quiet"], arguments].concat())
            .code
    }
}

/// Tells whether the passfile has a token that a server would accept now.
fn can_connect(world: &Sandbox, now: i64) -> bool {
    let text = fs::read_to_string(world.path("pgpass")).unwrap_or_default();
    let Some((_, date)) = text.split_once("X-Amz-Date=") else {
        return false;
    };
    let life: i64 = text
        .split_once("X-Amz-Expires=")
        .and_then(|(_, rest)| rest.split('&').next()?.parse().ok())
        .expect("a life");
    let number = |range: std::ops::Range<usize>| date[range].parse::<i64>().expect("a number");
    let issued = START
        + (number(6..8) - 7) * 86_400
        + number(9..11) * 3600
        + number(11..13) * 60
        + number(13..15);
    // Servers allow for clocks that differ a little, as AWS's do.
    issued - 300 <= now && now < issued + life
}

#[test]
fn in_a_week_every_connect_finds_a_token_if_one_was_possible() {
    let world = Sandbox::empty();
    let (offline, session) = (world.path("offline"), world.path(".aws/sso/cache/session"));
    let source = format!(
        "[ ! -e '{}' ] || exit 1\n\
         read -r end <'{}' 2>/dev/null && [ \"$NOW\" -lt \"$end\" ] || exit 1\n\
         echo '{{\"Version\":1,\"AccessKeyId\":\"k\",\"SecretAccessKey\":\"s\"}}'\n",
        offline.display(),
        session.display()
    );
    let source = world.write("source", source);
    world.write(
        ".aws/config",
        format!(
            "[profile p]\ncredential_process = sh {}\n",
            source.display()
        ),
    );
    let mut machines = [Machine::new(&world, 0), Machine::new(&world, 180)];
    let (mut session_end, mut logins, mut connects, mut outages) = (0, 0, 0, 0);
    for step in 0..7 * 24 * 60 / STEP {
        let now = START + step * STEP * 60;
        let hour = step * STEP / 60 % 24;
        if !(7..23).contains(&hour) {
            continue; // the machine sleeps: no timer runs, but time passes
        }
        let is_offline = step % 37 < 6;
        if is_offline {
            drop(world.write("offline", ""));
        } else {
            drop(fs::remove_file(&offline));
        }
        let machine = &mut machines[usize::from(step % 3 == 0)];
        machine.sandbox.set("NOW", &now.to_string());
        machine.refresh(now, &["--background"]);

        let later = now + STEP * 30; // the user connects between two runs
        connects += 1;
        if can_connect(&world, later) {
            continue;
        }
        if is_offline {
            outages += 1;
            continue;
        }
        assert!(
            later >= session_end,
            "at {} a token could have been had",
            rfc3339(later)
        );
        // Only a login can help now. After it no command fails.
        logins += 1;
        session_end = later + SESSION;
        world.write(".aws/sso/cache/session", format!("{session_end}\n"));
        machine.sandbox.set("NOW", &later.to_string());
        assert_eq!(
            machine.refresh(later, &["prod"]),
            0,
            "after the login at {}",
            rfc3339(later)
        );
        assert!(can_connect(&world, later));
    }
    assert!(
        connects > 600 && outages < connects / 20,
        "{connects} connects, {outages} without network"
    );
    // Each login was needed because the session had ended, as checked above. A session of 12 h does
    // not last from 7 to 23.
    assert!((7..=14).contains(&logins), "{logins} logins");
}

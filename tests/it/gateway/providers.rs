//! Services whose own programs mint the tokens, behind the gateway: long tokens, users that come
//! with the token, users that are made for it, and tokens that the service refuses.

use std::fs;
use std::process::Stdio;

use standin::{Face, unix_seconds};

use crate::clients::minted::{SERVICES, Service, Services};
use crate::gateway::machine::{Gateway, WHO, free_port};
use crate::support::needs::{CLUSTER, PYTHON, skip_unless};
use crate::support::sandbox::Run;

/// A machine with a connection of each service, and the port of the gateway for it.
struct Providers {
    services: Services,
    ports: Vec<u16>,
}

impl Providers {
    fn new() -> Self {
        let services = Services::start();
        let file = services.cluster.sandbox.own().join("config.toml");
        let mut config = fs::read_to_string(&file).expect("text");
        let mut ports = Vec::new();
        while ports.len() < SERVICES.len() {
            let port = free_port();
            if !ports.contains(&port) {
                ports.push(port);
            }
        }
        for (service, port) in SERVICES.iter().zip(&ports) {
            let table = format!("[connections.{}]\n", service.name());
            let with_proxy = format!("{table}proxy = {{ port = {port} }}\n");
            config = config.replace(&table, &with_proxy);
        }
        fs::write(&file, config).expect("written");
        Self { services, ports }
    }

    fn gateway(&self) -> Gateway {
        let mut command = self.services.cluster.daemon(env!("CARGO_BIN_EXE_pgcred"));
        command.arg("proxy");
        Gateway::of(command)
    }

    /// Runs psql through the gateway. Where the user comes with the token, it names any.
    fn psql(&self, service: &Service) -> Run {
        let sandbox = &self.services.cluster.sandbox;
        let position = SERVICES.iter().position(|it| it.face == service.face);
        let port = self.ports[position.expect("a service")];
        let user = match service.user {
            "" => "whoever".to_owned(),
            _ => service.user_of("ann"),
        };
        let password = sandbox.ok(&["proxy", "--password", service.name()]);
        let mut psql = sandbox.command("timeout");
        psql.args(["120", "psql", "-XAtw", "-v", "VERBOSITY=verbose", "-c", WHO])
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", port.to_string())
            .env("PGUSER", user)
            .env("PGDATABASE", service.dbname)
            .env("PGSSLMODE", "disable")
            .env("PGPASSWORD", password.trim_end())
            .stdin(Stdio::null());
        Run::of(psql)
    }

    fn assert_session(&self, service: &Service) {
        let run = self.psql(service);
        let who = format!("{}@{}\n", self.services.last_user(service), service.dbname);
        assert_eq!(run.stdout, who, "{}: {}", service.name(), run.stderr);
    }

    /// Returns how many tokens were minted.
    fn minted(&self) -> usize {
        let ledger = fs::read_to_string(self.services.ledger()).expect("a ledger");
        ledger.lines().count()
    }

    /// Returns how the attempts after the first ones ended.
    fn outcomes_after(&self, first: usize) -> Vec<&'static str> {
        let events = self.services.cluster.standin.events();
        events[first..].iter().map(|event| event.outcome).collect()
    }
}

fn service_of(face: Face) -> &'static Service {
    let service = SERVICES.iter().find(|service| service.face == face);
    service.expect("a service")
}

/// Among them are the tokens of Entra, which have 7 KB, and the users of Redshift and Vault.
#[test]
fn the_token_of_each_service_opens_sessions_and_is_minted_when_a_tool_connects() {
    skip_unless!(CLUSTER, PYTHON);
    let providers = Providers::new();
    let gateway = providers.gateway();
    assert_eq!(providers.minted(), 0);
    for (number, service) in SERVICES.iter().enumerate() {
        for _ in 0..2 {
            providers.assert_session(service);
            assert_eq!(providers.minted(), number + 1, "{}", service.name());
        }
    }
    let said = gateway.said();
    assert!(!said.contains("xxxxxxxx"), "the log shows a token: {said}");
}

/// Each token of Vault is a new user of the database, who is made for a tool that connects.
#[test]
fn a_user_is_made_when_a_tool_connects_and_the_last_one_has_a_tenth_of_its_life_left() {
    skip_unless!(CLUSTER, PYTHON);
    let mut providers = Providers::new();
    let vault = service_of(Face::Vault);
    for (minute, users) in [(0, 1), (53, 1), (55, 2)] {
        let time = [
            format!("2030-01-01T00:{minute:02}:00Z"),
            format!("20300101T00{minute:02}00Z"),
        ];
        providers.services.set_time([&time[0], &time[1]]);
        let before = providers.minted();
        let _gateway = providers.gateway();
        assert_eq!(providers.minted(), before, "minute {minute}");
        providers.assert_session(vault);
        providers.assert_session(vault);
        assert_eq!(providers.minted(), users, "minute {minute}");
    }
}

/// The server's clock is ahead: the token of five minutes ago has ended there, and a new one not.
#[test]
fn a_token_that_the_service_refuses_is_followed_by_one_new_one() {
    skip_unless!(CLUSTER, PYTHON);
    for (face, time_of_server) in [
        (Face::Lakebase, "20300101T010200Z"),
        (Face::Redshift, "20300101T010200Z"),
        (Face::Vault, "20300101T010200Z"),
        (Face::Snowflake, "20300101T001700Z"),
    ] {
        let mut providers = Providers::new();
        let service = service_of(face);
        providers
            .services
            .cluster
            .sandbox
            .ok(&["token", service.name()]);
        providers
            .services
            .cluster
            .sandbox
            .at("2030-01-01T00:05:00Z");
        let standin = &providers.services.cluster.standin;
        standin.set_now(unix_seconds(time_of_server));
        let _gateway = providers.gateway();
        providers.assert_session(service);
        assert_eq!(
            providers.outcomes_after(0),
            ["ended", "accepted"],
            "{face:?}"
        );
        assert_eq!(providers.minted(), 2, "{face:?}");
    }
}

/// The Azure CLI prints the token again that the server has refused.
#[test]
fn a_service_that_refuses_the_same_token_again_is_heard_in_its_own_words_with_a_hint() {
    skip_unless!(CLUSTER, PYTHON);
    let mut providers = Providers::new();
    for service in &SERVICES {
        providers
            .services
            .cluster
            .sandbox
            .ok(&["token", service.name()]);
    }
    providers
        .services
        .cluster
        .sandbox
        .at("2030-01-01T00:05:00Z");
    let standin = &providers.services.cluster.standin;
    standin.set_now(unix_seconds("20300101T010200Z"));
    let _gateway = providers.gateway();
    for (face, hint) in [
        (Face::Entra, "HINT:  Issue a new one and connect again."),
        // Nothing in their words tells an old token from a false one.
        (Face::Gcloud, ""),
        (Face::VaultStatic, ""),
    ] {
        let service = service_of(face);
        let first = providers.services.cluster.standin.events().len();
        let run = providers.psql(service);
        assert_eq!(
            (run.code, &*run.stdout),
            (2, ""),
            "{face:?}: {}",
            run.stderr
        );
        assert!(run.stderr.contains(service.refusals[1]), "{}", run.stderr);
        assert!(run.stderr.contains(hint), "{}", run.stderr);
        let has_hint = run.stderr.contains("HINT");
        assert_eq!(has_hint, !hint.is_empty(), "{}", run.stderr);
        assert_eq!(
            providers.outcomes_after(first),
            ["ended", "ended"],
            "{face:?}"
        );
    }
}

#[test]
fn a_login_that_is_missing_is_told_to_the_tool_with_the_command_of_the_service() {
    skip_unless!(CLUSTER, PYTHON);
    let providers = Providers::new();
    let sandbox = &providers.services.cluster.sandbox;
    sandbox.write(
        "bin/az",
        "#!/bin/sh\necho \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1\n",
    );
    let _gateway = providers.gateway();
    let run = providers.psql(service_of(Face::Entra));
    assert_eq!((run.code, &*run.stdout), (2, ""), "{}", run.stderr);
    assert!(
        run.stderr.contains("entra needs a login: "),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("HINT:  run `az login`"),
        "{}",
        run.stderr
    );
    assert!(providers.services.cluster.standin.events().is_empty());
}

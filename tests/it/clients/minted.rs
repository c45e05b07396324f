//! Logins at the services whose own programs mint the tokens. The programs are fakes that write
//! each token into a ledger; the stand-in has a face for each service, and lets in only who comes
//! with a token of the ledger.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use standin::{Face, unix_seconds};
use tempfile::TempDir;

use crate::doctor::server::Report;
use crate::support::cluster::Cluster;
use crate::support::needs::{CLUSTER, PYTHON, python, skip_unless};
use crate::support::sandbox::Run;
use crate::support::sources::root;

const QUERY: &str = "select current_user || '@' || current_database()";
pub const EARLIER: [&str; 2] = ["2030-01-01T00:00:00Z", "20300101T000000Z"];
/// When every token from before has ended.
const LATER: [&str; 2] = ["2030-01-01T02:00:00Z", "20300101T020000Z"];

/// A service, and the connection to it, which has the name of the provider.
pub struct Service {
    pub face: Face,
    host: &'static str,
    /// The user that the connection names, with `{account}` for the account that is logged in. It
    /// is empty where the user comes with each token.
    pub user: &'static str,
    pub dbname: &'static str,
    more: &'static str,
    /// The file that a login of the program changes.
    login: &'static str,
    /// What the server says to a token that nobody has minted, and to one that has ended.
    pub refusals: [&'static str; 2],
}

const FAILED: &str = "password authentication failed for user \"";

pub static SERVICES: [Service; 8] = [
    Service {
        face: Face::Entra,
        host: "crm.postgres.database.azure.com",
        user: "{account}@example.com",
        dbname: "postgres",
        more: "",
        login: ".azure/azureProfile.json",
        refusals: [
            "The access token has invalid format",
            "The access token has expired",
        ],
    },
    Service {
        face: Face::Lakebase,
        host: "ep-a-1.database.eu-west-1.cloud.databricks.com",
        user: "{account}@example.com",
        dbname: "databricks_postgres",
        more: "profile = \"work\"\nvars = { endpoint = \"projects/p/branches/b/endpoints/e\" }\n",
        login: ".databrickscfg",
        refusals: ["is not a valid JWT encoding", "JWT token has expired"],
    },
    Service {
        face: Face::Gcloud,
        host: "shop.example.com",
        user: "{account}@p.iam",
        dbname: "postgres",
        more: "provider = \"gcloud\"\nroots = \"{roots}\"\n",
        login: ".config/gcloud/active_config",
        refusals: ["Cloud SQL IAM user authentication failed"; 2],
    },
    Service {
        face: Face::Snowflake,
        host: "i1.org-account.eu-west-1.aws.postgres.snowflake.app",
        user: "{account}",
        dbname: "postgres",
        more: "profile = \"work\"\nroots = \"{roots}\"\nvars = { instance = \"pg1\" }\n",
        login: ".snowflake/connections.toml",
        refusals: [FAILED; 2],
    },
    Service {
        face: Face::Redshift,
        host: "dwh.abc.eu-west-1.redshift.amazonaws.com",
        user: "",
        dbname: "dev",
        more: "port = 5432\nprofile = \"work\"\nvars = { cluster = \"dwh\" }\n",
        login: ".aws/credentials",
        refusals: [FAILED, "IAM Authentication token has expired"],
    },
    Service {
        face: Face::RedshiftServerless,
        host: "w.123456789012.eu-west-1.redshift-serverless.amazonaws.com",
        user: "",
        dbname: "dev",
        more: "port = 5432\nprofile = \"work\"\nvars = { workgroup = \"w\" }\n",
        login: ".aws/credentials",
        refusals: [FAILED, "IAM Authentication token has expired"],
    },
    Service {
        face: Face::Vault,
        host: "billing.example.com",
        user: "",
        dbname: "postgres",
        more: "provider = \"vault\"\nvars = { role = \"reader\" }\n",
        login: ".vault-token",
        refusals: [FAILED; 2],
    },
    Service {
        face: Face::VaultStatic,
        host: "stock.example.com",
        user: "{account}",
        dbname: "postgres",
        more: "provider = \"vault-static\"\nvars = { role = \"app\" }\n",
        login: ".vault-token",
        refusals: [FAILED; 2],
    },
];

impl Service {
    pub fn name(&self) -> &'static str {
        self.face.name()
    }

    pub fn user_of(&self, account: &str) -> String {
        self.user.replace("{account}", account)
    }
}

/// A machine with the program and a connection of each service. `ann` is logged in.
pub struct Services {
    pub cluster: Cluster,
    /// What the programs share: see tests/stubs/minters.py.
    minters: TempDir,
}

impl Services {
    pub fn start() -> Self {
        let minters = TempDir::new().expect("a temporary directory");
        fs::write(minters.path().join("ledger"), "").expect("a ledger");
        let mut cluster = Cluster::with(|config| {
            config.minted.ledger = minters.path().join("ledger");
            for service in &SERVICES {
                let host = service.host.to_owned();
                config.minted.hosts.push((host, service.face));
            }
        });
        let path = format!(
            "{}:{}",
            cluster.sandbox.path("bin").display(),
            std::env::var("PATH").expect("PATH")
        );
        cluster.sandbox.set("PATH", &path);
        let mut services = Self { cluster, minters };
        services.set_time(EARLIER);
        services.log_in("ann");
        services.install_programs();
        services.write_config();
        services.make_users();
        services
    }

    fn install_programs(&self) {
        let stub = root().join("tests/stubs/minters.py");
        for program in ["az", "databricks", "gcloud", "snow", "aws", "vault"] {
            let script = format!(
                "#!/bin/sh\nexec '{}' -B '{}' '{}' {program} \"$@\"\n",
                python(),
                stub.display(),
                self.minters.path().display()
            );
            let file = self
                .cluster
                .sandbox
                .write(&format!("bin/{program}"), script);
            fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("a mode");
        }
    }

    fn write_config(&self) {
        let sandbox = &self.cluster.sandbox;
        let roots = sandbox.path("etc/public-ca.pem").display().to_string();
        let mut config = String::new();
        for service in &SERVICES {
            let _ = write!(
                config,
                "[connections.{}]\nhost = \"{}\"\n{}",
                service.name(),
                service.host,
                service.more.replace("{roots}", &roots)
            );
            if !service.user.is_empty() {
                let _ = writeln!(config, "user = \"{}\"", service.user_of("ann"));
            }
        }
        fs::write(sandbox.own().join("config.toml"), config).expect("written");
    }

    /// Makes the databases, and each user that a token may be for.
    fn make_users(&self) {
        for dbname in ["databricks_postgres", "dev"] {
            self.cluster.sql(&format!("create database {dbname}"));
        }
        self.cluster.sql(
            "do $$ declare account text; name text; begin \
             foreach account in array array['ann', 'bob'] loop \
               for name in select format(form, account) from unnest(array['%s', \
                 '%s@example.com', '%s@p.iam', 'IAM:%s', 'IAMR:%s']) form \
               union all select format('v-%s-reader-%s', account, n) \
                 from generate_series(1, 60) n loop \
                 execute format('create role %I login', name); \
               end loop; \
             end loop; end $$",
        );
    }

    fn log_in(&self, account: &str) {
        fs::write(self.minters.path().join("account"), account).expect("written");
        for service in &SERVICES {
            self.cluster
                .sandbox
                .write(service.login, format!("# {account}\n"));
        }
    }

    /// Sets the clock of pgcred and the programs, and that of the servers.
    pub fn set_time(&mut self, [rfc3339, compact]: [&str; 2]) {
        self.cluster.sandbox.at(rfc3339);
        self.cluster.standin.set_now(unix_seconds(compact));
    }

    fn exec(&self, service: &Service, options: &[&str]) -> Run {
        self.exec_named(service.name(), options)
    }

    fn exec_named(&self, connection: &str, options: &[&str]) -> Run {
        let mut exec = self.cluster.command(env!("CARGO_BIN_EXE_pgcred"));
        exec.args(["exec", connection])
            .args(options)
            .args(["--", "psql", "-XAtwc", QUERY]);
        Run::of(exec)
    }

    /// Runs psql with what `setup psql` has written, and the token of the passfile.
    fn psql(&self, service: &Service) -> Run {
        self.cluster
            .query(&["-d", &format!("service={}", service.name())])
    }

    /// Returns the user of the token that was minted last.
    pub fn last_user(&self, service: &Service) -> String {
        let ledger = fs::read_to_string(self.ledger()).expect("a ledger");
        let start = format!("{} ", service.name());
        let line = ledger.lines().rfind(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("{start}has minted nothing"));
        line.splitn(4, ' ').last().expect("a user").to_owned()
    }

    pub fn ledger(&self) -> PathBuf {
        self.minters.path().join("ledger")
    }

    fn last_outcome(&self) -> &'static str {
        let events = self.cluster.standin.events();
        events.last().expect("an event").outcome
    }

    /// Asserts that there is a session of the user whose token was minted last.
    fn assert_session(&self, service: &Service, run: &Run) {
        let who = format!("{}@{}\n", self.last_user(service), service.dbname);
        let name = service.name();
        assert_eq!((run.code, &run.stdout), (0, &who), "{name}: {}", run.stderr);
        assert_eq!(self.last_outcome(), "accepted", "{name}");
    }

    fn assert_refused(&self, service: &Service, run: &Run, outcome: &str, says: &str) {
        let name = service.name();
        assert_eq!((run.code, &*run.stdout), (2, ""), "{name}: {}", run.stderr);
        assert_eq!(self.last_outcome(), outcome, "{name}");
        assert!(run.stderr.contains(says), "{name}: {}", run.stderr);
    }
}

#[test]
fn the_token_that_a_service_has_minted_opens_a_session() {
    skip_unless!(CLUSTER, PYTHON);
    let mut services = Services::start();
    for time in [EARLIER, LATER] {
        services.set_time(time);
        for service in &SERVICES {
            let name = service.name();
            let run = services.exec(service, &[]);
            services.assert_session(service, &run);
            let user = services.last_user(service);
            assert!(
                service.user.is_empty() || user == service.user_of("ann"),
                "{name}"
            );
            services.cluster.sandbox.ok(&["refresh", name]);
            if time == EARLIER {
                services
                    .cluster
                    .sandbox
                    .ok(&["setup", "psql", name, "--yes"]);
            }
            let run = services.psql(service);
            services.assert_session(service, &run);
        }
    }
    // Each service has minted once for each time, whoever asked.
    let ledger = fs::read_to_string(services.ledger()).expect("a ledger");
    assert_eq!(ledger.lines().count(), 2 * SERVICES.len(), "{ledger}");
}

#[test]
fn a_token_that_has_ended_or_that_nobody_has_minted_is_refused_in_the_words_of_the_service() {
    skip_unless!(CLUSTER, PYTHON);
    let services = Services::start();
    for service in &SERVICES {
        services.cluster.sandbox.ok(&["refresh", service.name()]);
        services
            .cluster
            .sandbox
            .ok(&["setup", "psql", service.name(), "--yes"]);
    }
    services.cluster.standin.set_now(unix_seconds(LATER[1]));
    for service in &SERVICES {
        for run in [services.psql(service), services.exec(service, &[])] {
            services.assert_refused(service, &run, "ended", service.refusals[1]);
        }
    }
    services.cluster.standin.set_now(unix_seconds(EARLIER[1]));
    let passfile = services.cluster.sandbox.path(".pgpass");
    let text = fs::read_to_string(&passfile).expect("a passfile");
    let forged = text.lines().map(|line| line.to_owned() + "x\n");
    fs::write(&passfile, forged.collect::<String>()).expect("written");
    for service in &SERVICES {
        let run = services.psql(service);
        services.assert_refused(service, &run, "not-minted", service.refusals[0]);
    }
    fs::write(&passfile, text).expect("written");
    for service in &SERVICES {
        let run = services.psql(service);
        services.assert_session(service, &run);
    }
}

/// If `ann`'s token were handed out while `bob` is logged in, there would be a session of `ann`.
#[test]
fn another_account_never_gets_the_token_of_the_first() {
    skip_unless!(CLUSTER, PYTHON);
    let services = Services::start();
    for service in &SERVICES {
        services.log_in("ann");
        let run = services.exec(service, &[]);
        services.assert_session(service, &run);
        services.log_in("bob");
        let run = services.exec(service, &[]);
        if service.user.is_empty() {
            services.assert_session(service, &run);
        } else {
            services.assert_refused(service, &run, "wrong-user", "");
            let run = services.exec(service, &["--user", &service.user_of("bob")]);
            services.assert_session(service, &run);
        }
        let user = services.last_user(service);
        assert!(user.contains("bob"), "{}: {user}", service.name());
        services.log_in("ann");
        let run = services.exec(service, &[]);
        let who = service.user_of("ann");
        assert!(
            run.code == 0 && run.stdout.starts_with(&who),
            "{}",
            run.stderr
        );
        assert!(run.stdout.contains("ann"), "{}", run.stdout);
    }
}

/// The key `roots` of `[command.NAME]`. No system trusts the server.
#[test]
fn the_roots_of_a_definition_verify_the_server_in_exec_in_what_setup_writes_and_in_doctor() {
    skip_unless!(CLUSTER, PYTHON);
    let mut services = Services::start();
    services.cluster.distrust_public_authority();
    for (file, verifies) in [("rds-roots.pem", false), ("etc/public-ca.pem", true)] {
        let sandbox = &services.cluster.sandbox;
        let roots = sandbox.path(file).display().to_string();
        let config = format!(
            "[command.own]\nrun = [\"vault\", \"read\", \"-format=json\", \
             \"database/static-creds/app\"]\ntoken = \"data.password\"\n\
             expires = \"+data.ttl\"\nkind = \"caches\"\nroots = \"{roots}\"\n\
             [connections.own]\nhost = \"stock.example.com\"\nuser = \"ann\"\n\
             provider = \"own\"\n"
        );
        fs::write(sandbox.own().join("config.toml"), config).expect("written");
        let exec = [
            "exec",
            "own",
            "--",
            "sh",
            "-c",
            "echo $PGSSLROOTCERT $PGSSLMODE",
        ];
        assert_eq!(sandbox.ok(&exec), format!("{roots} verify-full\n"));
        sandbox.ok(&["refresh", "own"]);
        sandbox.ok(&["setup", "psql", "own", "--yes"]);
        let written = String::from_utf8(sandbox.read(".pg_service.conf")).expect("UTF-8");
        assert!(
            written.contains(&format!("sslrootcert={roots}\n")),
            "{written}"
        );
        let by_setup = services.cluster.query(&["-d", "service=own"]);
        for run in [services.exec_named("own", &[]), by_setup] {
            if verifies {
                assert_eq!(run.stdout, "ann@postgres\n", "{}", run.stderr);
            } else {
                assert_eq!((run.code, &*run.stdout), (2, ""), "{}", run.stderr);
                assert!(
                    run.stderr.contains("certificate verify failed"),
                    "{}",
                    run.stderr
                );
            }
        }
        let mut doctor = services.cluster.command(env!("CARGO_BIN_EXE_pgcred"));
        doctor.args([
            "doctor",
            "own",
            "--check",
            "net,tls,login",
            "--format",
            "json",
        ]);
        let report = Report::of_command(doctor);
        if verifies {
            assert_eq!(report.first(), (None, None), "{}", report.shown());
        } else {
            report.assert_first(file, "tls.roots", Some("tls.roots.unknown"));
        }
    }
}

//! The command `standin`: a stand-in with its settings from flags, running until it is told to
//! stop.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use clap::{Args, Parser};
use standin::{Answer, Config, Face, Fault, Key, Listen, Minted, Standin, Upstream};

/// A verifying stand-in for Aurora DSQL and RDS IAM logins, in front of a real PostgreSQL. For
/// tests only.
#[derive(Parser)]
#[command(version)]
struct Flags {
    /// Where to listen: a port at 127.0.0.1, or another loopback address with its port; port 0
    /// takes a free one.
    #[arg(long, value_name = "[ADDRESS:]PORT", default_value = "0")]
    listen: Listen,
    /// The real server, which must trust its clients: HOST:PORT or, on Unix, /socket/dir[:PORT].
    #[arg(long, value_name = "WHERE", default_value = "127.0.0.1:5432")]
    upstream: Upstream,
    /// The keys to know: a JSON array of objects with `access_key_id` and `secret_access_key`, and
    /// with `session_token` and `expires_at` (Unix time) if they have them.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present_any = ["list_faults", "list_answers", "list_faces"]
    )]
    keys: Option<PathBuf>,
    /// Write the certificate that clients must trust to this file (PEM): for all hosts but those of
    /// --rds-ca. It stands for the public authorities, which every system trusts.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Write the certificates that clients of RDS must trust to this file (PEM): for instances and
    /// clusters, not for RDS Proxy. They stand for Amazon's own authorities, which no system
    /// trusts.
    #[arg(long, value_name = "FILE")]
    rds_ca: Option<PathBuf>,
    /// The host that clients reach which send no SNI. An instance of RDS serves them; without this
    /// option they are refused, as by Aurora DSQL.
    #[arg(long, value_name = "HOST")]
    without_sni: Option<String>,
    /// Write the port to this file once it is listened on.
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
    /// The port RDS tokens must name, if it is not the one listened on.
    #[arg(long, value_name = "PORT")]
    public_port: Option<u16>,
    /// Write the certificate that clients must trust with --fault cert-company-ca to this file
    /// (PEM).
    #[arg(long, value_name = "FILE")]
    company_ca: Option<PathBuf>,
    /// Refuse to clients of DSQL all that DSQL refuses: parameters, statements, functions.
    #[arg(long)]
    strict: bool,
    /// A host that has the face of a service whose own program mints the tokens. May be repeated.
    #[arg(long, value_name = "HOST=NAME", value_parser = host_and_face, requires = "ledger")]
    face: Vec<(String, Face)>,
    /// The tokens that were minted: lines of NAME SHA256 END USER.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// What a proper token is answered, instead of letting the client in.
    #[arg(long, value_name = "NAME")]
    answer: Option<Answer>,
    /// How to misbehave.
    #[arg(long, value_name = "NAME")]
    fault: Option<Fault>,
    #[command(flatten)]
    lists: Lists,
    /// Seconds to add to the clock.
    #[arg(
        long,
        value_name = "SECS",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    clock_offset: i64,
    /// End sessions after this many seconds.
    #[arg(long, value_name = "SECS")]
    session_limit: Option<u64>,
    /// Append one JSON line per login attempt to this file; it holds no secret.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Stop when standard input closes, so as not to outlive the process that started this one.
    #[arg(long)]
    until_stdin_closes: bool,
}

/// What is printed instead of a run.
#[derive(Args)]
struct Lists {
    /// Print the names for --answer, each with its text and hint.
    #[arg(long)]
    list_answers: bool,
    /// Print the names for --fault.
    #[arg(long)]
    list_faults: bool,
    /// Print the names for --face.
    #[arg(long)]
    list_faces: bool,
}

fn main() -> ExitCode {
    match run(Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("standin: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The names that an option takes.
fn list(lists: &Lists) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if lists.list_faults {
        for fault in Fault::ALL {
            writeln!(out, "{:24} {}", fault.name(), fault.about())?;
        }
    }
    if lists.list_faces {
        for face in Face::ALL {
            writeln!(out, "{}", face.name())?;
        }
    }
    if lists.list_answers {
        for answer in Answer::ALL {
            let (text, hint) = answer.text();
            writeln!(out, "{:24} {text}", answer.name())?;
            if !hint.is_empty() {
                writeln!(out, "{:24} HINT: {hint}", "")?;
            }
        }
    }
    Ok(())
}

fn run(flags: Flags) -> io::Result<()> {
    let Lists {
        list_answers,
        list_faults,
        list_faces,
    } = flags.lists;
    if list_answers || list_faults || list_faces {
        return list(&flags.lists);
    }
    let keys = known_keys(flags.keys.as_deref().unwrap_or(Path::new("")))?;
    let (stop, stopped) = mpsc::channel();
    // The signals are caught before the port is announced, so that no signal is missed.
    stop_on_signal(stop.clone())?;
    if flags.until_stdin_closes {
        stop_on_stdin(stop);
    }
    let standin = Standin::start(Config {
        keys,
        minted: Minted {
            hosts: flags.face,
            ledger: flags.ledger.unwrap_or_default(),
        },
        upstream: flags.upstream,
        listen: flags.listen,
        public_port: flags.public_port,
        without_sni: flags.without_sni,
        strict: flags.strict,
        answer: flags.answer,
        fault: flags.fault,
        clock_offset: flags.clock_offset,
        now: None,
        session_limit: flags.session_limit.map(Duration::from_secs),
        log: flags.log,
    })?;
    if let Some(path) = &flags.ca {
        write_whole(path, standin.ca_pem())?;
    }
    if let Some(path) = &flags.rds_ca {
        write_whole(path, standin.rds_ca_pem())?;
    }
    if let Some(path) = &flags.company_ca {
        write_whole(path, standin.company_ca_pem())?;
    }
    if let Some(path) = &flags.port_file {
        write_whole(path, &format!("{}\n", standin.port()))?;
    }
    // Without a file, the port is printed. If stdout is closed, the stand-in runs all the same.
    let _ = writeln!(io::stdout(), "listening on {}", standin.address());
    let _ = stopped.recv();
    Ok(())
}

fn host_and_face(text: &str) -> Result<(String, Face), String> {
    let (host, face) = text.split_once('=').ok_or("HOST=NAME is expected")?;
    Ok((host.to_ascii_lowercase(), face.parse()?))
}

fn known_keys(path: &Path) -> io::Result<Vec<Key>> {
    let keys = std::fs::read(path).map_err(|error| in_file(path, &error))?;
    // The parser's message may quote a value, and the values are secrets: only the place is told.
    serde_json::from_slice(&keys).map_err(|error| {
        let place = format!(
            "not an array of keys (line {}, column {})",
            error.line(),
            error.column()
        );
        in_file(path, &io::Error::new(io::ErrorKind::InvalidData, place))
    })
}

/// Writes the file in one step, so that a program that waits for it never reads half of it.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let unfinished = path.with_file_name(name);
    std::fs::write(&unfinished, text)
        .and_then(|()| std::fs::rename(&unfinished, path))
        .map_err(|error| in_file(path, &error))
}

fn in_file(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn stop_on_stdin(stop: Sender<()>) {
    thread::spawn(move || {
        let mut ignored = [0; 1024];
        while io::stdin().read(&mut ignored).is_ok_and(|count| count > 0) {}
        let _ = stop.send(());
    });
}

fn stop_on_signal(stop: Sender<()>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (armed, is_armed) = mpsc::channel();
    thread::spawn(move || {
        runtime.block_on(async {
            let signal = signal();
            let _ = armed.send(
                signal
                    .as_ref()
                    .map(drop)
                    .map_err(|error| io::Error::new(error.kind(), error.to_string())),
            );
            if let Ok(signal) = signal {
                signal.await;
                let _ = stop.send(());
            }
        });
    });
    is_armed.recv().map_err(io::Error::other)?
}

/// Takes hold of the signals now; the future ends when one comes.
#[cfg(unix)]
fn signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Takes hold of the signals now; the future ends when one comes.
#[cfg(not(unix))]
fn signal() -> io::Result<impl Future<Output = ()>> {
    let mut ctrl_c = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        ctrl_c.recv().await;
    })
}

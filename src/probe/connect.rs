//! Connects by TCP to all addresses of a name side by side. Every result is kept: which of them
//! answers tells whether IPv4 or IPv6, or the whole way, is closed.
//!
//! Each address has a thread of its own; `connect_to_all` waits for them until the deadline.
//! `take_first` then gives the connection with which the probe goes on.

use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::Deadline;
use super::names::NameAnswer;
use super::stream::safe_words;

/// How long the other addresses have once the first is open: those that answer at all do so
/// within it, and a healthy server is not kept waiting for a family of addresses that is cut off.
const PEER_TIMEOUT: Duration = Duration::from_secs(1);

/// What became of the connection to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConnectOutcome {
    Open,
    /// Nobody listens on the port, or a firewall says so.
    Refused,
    /// No answer: not before the deadline, and not while another address had been open for a
    /// second.
    Silent,
    /// There is no way to the address from this machine.
    Unreachable,
    /// The system's error, in its own words.
    Failed(String),
}

/// The connection to one address.
#[derive(Debug)]
pub(crate) struct ConnectAttempt {
    pub(crate) address: SocketAddr,
    pub(crate) outcome: ConnectOutcome,
    /// How long it took.
    pub(crate) elapsed: Duration,
    stream: Option<TcpStream>,
}

/// A connection that is open.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    pub(crate) address: SocketAddr,
    pub(super) stream: TcpStream,
}

/// Connects to every address of a name, and returns what became of each, in the order of the names.
pub(crate) fn connect_to_all(
    names: &NameAnswer,
    port: u16,
    deadline: Deadline,
) -> Vec<ConnectAttempt> {
    let dial = |address: SocketAddr, time| TcpStream::connect_timeout(&address, time);
    connect_to_all_by(names.addresses(), port, deadline, dial)
}

/// Takes the connection that clients would take: that to the first address which answers.
pub(crate) fn take_first(attempts: &mut [ConnectAttempt]) -> Option<OpenConnection> {
    for attempt in attempts {
        if let Some(stream) = attempt.stream.take() {
            let address = attempt.address;
            return Some(OpenConnection { address, stream });
        }
    }
    None
}

type DialAnswer = (usize, Duration, Result<TcpStream>);

fn connect_to_all_by(
    addresses: &[IpAddr],
    port: u16,
    deadline: Deadline,
    dial: impl Fn(SocketAddr, Duration) -> Result<TcpStream> + Copy + Send + 'static,
) -> Vec<ConnectAttempt> {
    let started = Instant::now();
    let (answer, answers) = mpsc::channel::<DialAnswer>();
    let mut attempts = Vec::new();
    for (index, address) in addresses.iter().enumerate() {
        let address = SocketAddr::new(*address, port);
        let mut outcome = ConnectOutcome::Silent;
        let answer = answer.clone();
        let thread = thread::Builder::new().spawn(move || {
            if let Some(time) = deadline.remaining() {
                let result = dial(address, time);
                let _ = answer.send((index, started.elapsed(), result)); // perhaps too late
            }
        });
        if let Err(error) = thread {
            outcome = ConnectOutcome::Failed(safe_words(&error.to_string()));
        }
        attempts.push(ConnectAttempt {
            address,
            outcome,
            elapsed: Duration::ZERO,
            stream: None,
        });
    }
    drop(answer);
    collect_answers(&answers, &mut attempts, deadline);
    for attempt in &mut attempts {
        if attempt.outcome == ConnectOutcome::Silent {
            attempt.elapsed = started.elapsed();
        }
    }
    attempts
}

/// Writes the answers into the attempts, until all have come or the time is over.
fn collect_answers(
    answers: &mpsc::Receiver<DialAnswer>,
    attempts: &mut [ConnectAttempt],
    deadline: Deadline,
) {
    let mut peer_deadline: Option<Deadline> = None;
    while let Some(mut time) = deadline.remaining() {
        if let Some(peer_deadline) = peer_deadline {
            let Some(time_left) = peer_deadline.remaining() else {
                return;
            };
            time = time.min(time_left);
        }
        let Ok((index, elapsed, result)) = answers.recv_timeout(time) else {
            return; // none is left, or the time is over
        };
        let attempt = &mut attempts[index];
        attempt.elapsed = elapsed;
        match result {
            Ok(stream) => {
                let _ = stream.set_nodelay(true); // slower without, but it works
                attempt.outcome = ConnectOutcome::Open;
                attempt.stream = Some(stream);
                peer_deadline = peer_deadline.or_else(|| Some(Deadline::after(PEER_TIMEOUT)));
            }
            Err(error) => attempt.outcome = outcome_of_error(&error),
        }
    }
}

fn outcome_of_error(error: &Error) -> ConnectOutcome {
    match error.kind() {
        ErrorKind::ConnectionRefused => ConnectOutcome::Refused,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => ConnectOutcome::Silent,
        ErrorKind::NetworkUnreachable
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable => ConnectOutcome::Unreachable,
        _ => ConnectOutcome::Failed(safe_words(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    #[test]
    fn an_open_and_a_closed_port() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let names = NameAnswer::Literal(address.ip());
        let mut attempts = connect_to_all(&names, address.port(), soon());
        assert_eq!(attempts[0].outcome, ConnectOutcome::Open);
        let open = take_first(&mut attempts).unwrap();
        assert_eq!(open.address, address);
        assert!(take_first(&mut attempts).is_none());
        assert_eq!(attempts[0].outcome, ConnectOutcome::Open); // the report still says so
        drop((listener, open));
        let mut attempts = connect_to_all(&names, address.port(), soon());
        assert_eq!(attempts[0].outcome, ConnectOutcome::Refused);
        assert!(take_first(&mut attempts).is_none());
    }

    #[test]
    fn a_silent_address_does_not_delay_one_that_answers_for_long() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let silent = IpAddr::from([127, 0, 0, 9]);
        let started = Instant::now();
        let attempts = connect_to_all_by(
            &[silent, address.ip()],
            address.port(),
            soon(),
            |address, time| {
                if address.ip() == IpAddr::from([127, 0, 0, 9]) {
                    thread::sleep(Duration::from_secs(10));
                }
                TcpStream::connect_timeout(&address, time)
            },
        );
        assert!(started.elapsed() < Duration::from_secs(8));
        assert_eq!(attempts[0].outcome, ConnectOutcome::Silent);
        assert!(attempts[0].elapsed >= PEER_TIMEOUT);
        assert_eq!(attempts[1].outcome, ConnectOutcome::Open);
    }

    #[test]
    fn silence_ends_at_the_deadline() {
        let deadline = Deadline::after(Duration::from_millis(40));
        let started = Instant::now();
        let attempts = connect_to_all_by(&[IpAddr::from([127, 0, 0, 9])], 1, deadline, |_, _| {
            thread::sleep(Duration::from_secs(5));
            Err(ErrorKind::TimedOut.into())
        });
        assert!(started.elapsed() < Duration::from_secs(4));
        assert_eq!(attempts[0].outcome, ConnectOutcome::Silent);
        assert!(connect_to_all_by(&[], 1, deadline, |_, _| unreachable!()).is_empty());
    }

    #[test]
    fn errors_of_the_system() {
        for (kind, expected) in [
            (ErrorKind::ConnectionRefused, ConnectOutcome::Refused),
            (ErrorKind::TimedOut, ConnectOutcome::Silent),
            (ErrorKind::NetworkUnreachable, ConnectOutcome::Unreachable),
            (ErrorKind::HostUnreachable, ConnectOutcome::Unreachable),
            (ErrorKind::AddrNotAvailable, ConnectOutcome::Unreachable),
        ] {
            assert_eq!(outcome_of_error(&kind.into()), expected);
        }
        let denied = outcome_of_error(&ErrorKind::PermissionDenied.into());
        assert!(matches!(denied, ConnectOutcome::Failed(_)), "{denied:?}");
    }
}

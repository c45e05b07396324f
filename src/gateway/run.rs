//! Starts the gateway's thread, answers its requests for tokens, and ends it: on a signal, when it
//! has been idle, or when standard input has closed.
//!
//! At most 64 connections of one listener may be at a time that have not proved who they are; the
//! system keeps the others waiting. After an error of the system, such as too many open files,
//! accepting pauses for 100 ms and goes on. At the end, sessions may finish for as long as
//! `--drain` says. `try_logins` logs in to each target once, without listening.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::io::AsyncWriteExt;
use tokio::sync::{Semaphore, watch};
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

use super::listener::{ListenAddress, Listener, inherited};
use super::session::{log_in_with_token, serve};
use super::settings::GatewayTarget;
use super::startup::StartUp;
use super::state::{Gateway, TargetState};
use super::tls::TlsClient;
use super::tokens::{TargetTokenClient, TokenReply, TokenRequest};
use crate::error::{Error, Exit, Result};
use crate::output::Output;
use crate::sys::signals::{die_by, on_signal};
use crate::sys::terminal::{InheritedStdin, wait_for_end};
use crate::sys::{limits, typed_commands};
use crate::wire::TERMINATE;

/// How many connections of one listener may be at a time that have not proved who they are. The
/// system keeps the others waiting.
const MAX_UNAUTHENTICATED: usize = 64;
/// How long accepting pauses after an error of the system, such as too many open files.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// How a gateway runs.
pub(crate) struct GatewayOptions {
    /// Where it listens, each with the position of its target.
    pub(crate) addresses: Vec<(usize, ListenAddress)>,
    /// The most sessions at a time.
    pub(crate) max_connections: usize,
    /// How long it goes on without a session; for ever if there is none.
    pub(crate) exit_idle: Option<Duration>,
    /// How long sessions may go on after the signal to end; none if they end at once.
    pub(crate) drain: Option<Duration>,
    /// It ends when this does.
    pub(crate) stdin_to_wait_for: Option<InheritedStdin>,
    pub(crate) output: Output,
}

/// Runs the gateway until it ends. `issue` makes the tokens, on this thread.
pub(crate) fn run(
    targets: Vec<GatewayTarget>,
    options: GatewayOptions,
    issue: impl FnMut(&TokenRequest) -> Result<TokenReply>,
) -> Result<()> {
    limits::allow_many_files();
    let (stop, stopped) = watch::channel(false);
    let stop = Arc::new(stop);
    let by_signal = Arc::clone(&stop);
    on_signal(move |signal| {
        if by_signal.send_replace(true) {
            die_by(signal); // the second one
        }
    })?;
    let mut options = options;
    if let Some(stdin) = options.stdin_to_wait_for.take() {
        thread::spawn(move || {
            wait_for_end(stdin);
            stop.send_replace(true);
        });
    }
    spawn_in_thread(targets, issue, |states| async move {
        serve_all(states, options, stopped).await
    })
}

/// Logs in to each target once, and ends the session. Returns what came of each.
pub(crate) fn try_logins(
    targets: Vec<GatewayTarget>,
    issue: impl FnMut(&TokenRequest) -> Result<TokenReply>,
) -> Result<Vec<Result<()>>> {
    spawn_in_thread(targets, issue, |states| async move {
        let mut results = Vec::new();
        for state in states {
            let result = match log_in_with_token(&state, &StartUp::for_trial()).await {
                Ok((mut server, _)) => {
                    let _ = server.write_all(&TERMINATE).await; // only a courtesy
                    let _ = server.shutdown().await;
                    Ok(())
                }
                Err(refusal) => Err(refusal.to_error()),
            };
            results.push(result.map_err(|error| error.about(&state.target.name)));
        }
        Ok(results)
    })
}

/// Runs work with the targets on a thread that has the network runtime, and makes the tokens that
/// it asks for on this one.
fn spawn_in_thread<T: Send + 'static, Work: Future<Output = Result<T>>>(
    targets: Vec<GatewayTarget>,
    issue: impl FnMut(&TokenRequest) -> Result<TokenReply>,
    work: impl FnOnce(Vec<Rc<TargetState>>) -> Work + Send + 'static,
) -> Result<T> {
    limits::check_room().map_err(|error| start_failed(&error))?;
    let (requests, token_requests) = channel();
    let thread = thread::Builder::new().spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| start_failed(&error))?;
        let states = states_of(targets, &requests);
        drop(requests);
        let result = match states {
            Ok(states) => LocalSet::new().block_on(&runtime, work(states)),
            Err(error) => Err(error),
        };
        runtime.shutdown_background(); // a look-up of a name may still hang
        result
    });
    let thread = thread.map_err(|error| start_failed(&error))?;
    answer_requests(&token_requests, issue);
    match thread.join() {
        Ok(result) => result,
        Err(_) => Err(
            Error::failure("the gateway was ended by an error in pgcred")
                .hint("run `pgcred proxy` again; if it ends again, report it"),
        ),
    }
}

fn start_failed(error: &std::io::Error) -> Error {
    Error::system("cannot start the network runtime", error).hint(typed_commands::HINT_AT_LIMITS)
}

/// Makes tokens until nobody is left who could ask for one.
fn answer_requests(
    requests: &Receiver<TokenRequest>,
    mut issue: impl FnMut(&TokenRequest) -> Result<TokenReply>,
) {
    while let Ok(request) = requests.recv() {
        let token = issue(&request);
        let _ = request.answer.send(token); // the session may have gone
    }
}

fn states_of(
    targets: Vec<GatewayTarget>,
    requests: &Sender<TokenRequest>,
) -> Result<Vec<Rc<TargetState>>> {
    let mut states = Vec::new();
    for (position, target) in targets.into_iter().enumerate() {
        let tls = TlsClient::new(&target).map_err(|refusal| {
            let error = refusal.to_error().exiting(Exit::Usage);
            error.about(&target.name)
        })?;
        let tokens = TargetTokenClient::new(position, requests.clone());
        states.push(Rc::new(TargetState {
            target,
            tls,
            tokens,
        }));
    }
    Ok(states)
}

/// Listens on all addresses until the gateway ends.
async fn serve_all(
    states: Vec<Rc<TargetState>>,
    options: GatewayOptions,
    stopped: watch::Receiver<bool>,
) -> Result<()> {
    let output = options.output;
    let (sessions, mut session_count) = watch::channel(0);
    let gateway = Rc::new(Gateway::new(
        output,
        options.max_connections,
        sessions,
        &stopped,
    ));

    for (position, address, listener) in open_all(&options.addresses)? {
        let state = Rc::clone(&states[position]);
        output.note(&format!("{}: listening on {address}", state.target.name));
        tokio::task::spawn_local(accept_all(Rc::clone(&gateway), state, listener));
    }
    output.note("ready");
    let mut stopped = stopped;
    let signal = Box::pin(stopped.wait_for(|is_stopped| *is_stopped));
    let idle = Box::pin(wait_until_idle(session_count.clone(), options.exit_idle));
    if let Either::Right(_) = select(signal, idle).await {
        output.note("ended, because no tool was connected");
        return Ok(());
    }
    if let Some(limit) = options.drain {
        let sessions = match *session_count.borrow() {
            1 => "1 session".to_owned(),
            count => format!("{count} sessions"),
        };
        let seconds = limit.as_secs();
        output.note(&format!("ending: {sessions} may go on for {seconds} s"));
        let drained = session_count.wait_for(|count| *count == 0);
        let _ = timeout(limit, drained).await; // then they are cut
    }
    Ok(())
}

/// Opens the addresses, or takes those that a service manager has opened.
fn open_all(addresses: &[(usize, ListenAddress)]) -> Result<Vec<(usize, String, Listener)>> {
    let mut inherited = inherited()?;
    let is_started_by_manager = !inherited.is_empty();
    let mut opened = Vec::new();
    for (position, address) in addresses {
        let inherited_index = inherited
            .iter()
            .position(|(inherited_address, _)| inherited_address == address);
        let listener = match inherited_index {
            Some(index) => inherited.swap_remove(index).1,
            None if is_started_by_manager => continue,
            None => Listener::open(address)?,
        };
        opened.push((*position, address.to_string(), listener));
    }
    match inherited.first() {
        None => Ok(opened),
        Some((address, _)) => Err(Error::usage(format!(
            "the service manager listens on {address}, and no connection has it"
        ))
        .hint("run `pgcred setup proxy` again: it writes the units anew")),
    }
}

/// Waits until there has been no session for so long.
async fn wait_until_idle(mut sessions: watch::Receiver<usize>, limit: Option<Duration>) {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    loop {
        let _ = sessions.wait_for(|count| *count == 0).await; // the sender lives as long
        let next_session = sessions.wait_for(|count| *count > 0);
        if timeout(limit, next_session).await.is_err() {
            return;
        }
    }
}

async fn accept_all(gateway: Rc<Gateway>, state: Rc<TargetState>, listener: Listener) {
    let unproven = Arc::new(Semaphore::new(MAX_UNAUTHENTICATED));
    loop {
        let Ok(permit) = Arc::clone(&unproven).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (gateway, state) = (Rc::clone(&gateway), Rc::clone(&state));
                tokio::task::spawn_local(serve(gateway, state, stream, peer, permit));
            }
            Err(error) => {
                let name = &state.target.name;
                gateway
                    .output
                    .warn(&format!("{name}: cannot take a connection: {error}"));
                sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

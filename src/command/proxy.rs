//! Runs the local gateway, for tools that can only be given a fixed password: this is `pgcred
//! proxy`.
//!
//! `gateway` does the work. Here it is decided which connections it serves and where, and here its
//! tokens are issued: each by an issuer of its own, so that no lock is held between two logins.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::app::App;
use super::run::RunCommand;
use crate::config::{GatewaySettings, LocalAuth};
use crate::error::{Error, Exit, Result};
use crate::gateway::local_password::PasswordKey;
use crate::gateway::{
    self, GatewayOptions, GatewayTarget, ListenAddress, TokenNeed, TokenReply, TokenRequest,
    socket_directory,
};
use crate::issue::IssueOptions;
use crate::output::Output;
use crate::request::Request;
use crate::resolve::ConnectionOptions;
use crate::sys::child;
use crate::sys::socket_peer;
use crate::sys::terminal::{InheritedStdin, stdin_to_wait_for};
use crate::text;
use crate::time::Seconds;

#[derive(clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub(crate) struct ProxyCommand {
    /// Connections, hosts, DSQL cluster IDs, postgres:// URIs or conninfo strings [default: every
    /// connection with `proxy` in the configuration]
    targets: Vec<String>,
    #[command(flatten)]
    connection: ConnectionOptions,
    /// Where to listen: a port, `127.0.0.1:PORT`, `[::1]:PORT`, or a directory for a Unix socket
    /// [default: what the connection says]
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<String>,
    /// How a program proves that it may use the port: by the local password, or on Linux not at all
    /// if it runs as the same user [default: what the connection says, else password]
    #[arg(long, value_name = "WAY", value_parser = local_auth)]
    auth: Option<LocalAuth>,
    /// The most sessions at a time
    #[arg(long, value_name = "NUMBER", default_value = "100")]
    max_connections: NonZeroUsize,
    /// End when no program has been connected for this long: seconds, or 15m, 1h
    #[arg(long, value_name = "DURATION")]
    exit_idle: Option<Seconds>,
    /// After the signal to end, let sessions go on for this long [default: they end at once]
    #[arg(long, value_name = "DURATION")]
    drain: Option<Seconds>,
    /// End when stdin closes, which means that the program that started pgcred has ended
    #[arg(long)]
    until_stdin_closes: bool,
    /// Log in to each target once, and say whether that works
    #[arg(long)]
    test: bool,
    /// Print the local password of TARGET, and do nothing else
    #[arg(long, conflicts_with_all = ["test", "listen"])]
    password: bool,
    /// Make new local passwords for all connections: those of before are wrong from then on
    #[arg(long)]
    new_password: bool,
}

fn local_auth(text: &str) -> Result<LocalAuth, String> {
    LocalAuth::parse(text).map_err(|error| {
        let hint = error.hint_text().unwrap_or_default();
        format!("{error}; {hint}")
    })
}

impl RunCommand for ProxyCommand {
    type Outcome = ();

    fn run(self, app: &mut App, stdin: Option<InheritedStdin>) -> Result<()> {
        let key = if self.new_password {
            PasswordKey::renew()?
        } else {
            PasswordKey::open()?
        };
        if self.password || (self.new_password && self.targets.is_empty()) {
            return self.print_password(app, &key);
        }
        let offers = self.offers(app)?;
        let addresses = self.addresses(&offers)?;
        let (mut targets, mut requests) = (Vec::new(), Vec::new());
        for offer in &offers {
            let auth = self.auth.unwrap_or(offer.auth);
            check_auth(auth, offer, app.preferences.output)?;
            let request = self.resolve(app, &offer.target)?;
            let ask_policy = &app.preferences.ask_policy;
            targets.push(GatewayTarget::new(
                with_full_verification(request.clone()),
                auth,
                &key,
                ask_policy,
            )?);
            requests.push(request);
        }
        let mut tokens = GatewayTokens {
            app,
            requests,
            last_notice: String::new(),
        };
        if self.test {
            tokens.app.preferences.ask_policy.terminal = false;
            return report_trials(
                gateway::try_logins(targets, |request| tokens.issue(request))?,
                &offers,
            );
        }
        tokens.app.never_ask_for_login();
        let output = tokens.app.preferences.output;
        let stdin = stdin_to_wait_for(stdin);
        let options = GatewayOptions {
            addresses,
            max_connections: self.max_connections.get(),
            exit_idle: self.exit_idle.map(duration),
            drain: self.drain.map(duration),
            stdin_to_wait_for: if self.until_stdin_closes { stdin } else { None },
            output,
        };
        gateway::run(targets, options, |request| tokens.issue(request))
    }
}

fn duration(Seconds(seconds): Seconds) -> Duration {
    Duration::from_secs(seconds.into())
}

/// What the gateway offers: one target, and how.
struct GatewayOffer {
    /// As the user writes it.
    target: String,
    settings: Option<GatewaySettings>,
    auth: LocalAuth,
}

impl ProxyCommand {
    fn resolve(&self, app: &App, target: &str) -> Result<Request> {
        let resolver = app.preferences.resolver();
        resolver.resolve_without_variables(&self.connection, Some(target))
    }

    fn print_password(&self, app: &App, key: &PasswordKey) -> Result<()> {
        let target = match self.targets.as_slice() {
            [target] => target,
            [] if self.new_password => {
                app.preferences.output.note("the local passwords are new");
                return Ok(());
            }
            _ => {
                return Err(
                    Error::usage("--password needs one target, whose password it prints")
                        .hint("run `pgcred proxy --password NAME`"),
                );
            }
        };
        let name = gateway_name(&self.resolve(app, target)?);
        Output::answer(&format!("{}\n", key.password_of(&name)))
    }

    /// Returns what is offered: the targets that the user names, else every connection with
    /// `proxy`.
    fn offers(&self, app: &App) -> Result<Vec<GatewayOffer>> {
        let config = &app.preferences.config;
        let mut offers = Vec::new();
        for target in &self.targets {
            let connection = config.connection(target);
            let settings = connection.and_then(|connection| connection.gateway);
            offers.push(GatewayOffer::new(target, settings));
        }
        if self.targets.is_empty() {
            for connection in &config.connections {
                if connection.gateway.is_some() {
                    offers.push(GatewayOffer::new(&connection.name, connection.gateway));
                }
            }
        }
        if offers.is_empty() {
            return Err(
                Error::no_target("no connection is offered by the gateway").hint(
                    "run `pgcred proxy NAME --listen 15432`, or write `proxy = { port = 15432 }` \
                     into a connection",
                ),
            );
        }
        Ok(offers)
    }

    /// Returns where to listen, each address with the position of its target.
    fn addresses(&self, offers: &[GatewayOffer]) -> Result<Vec<(usize, ListenAddress)>> {
        let mut addresses = Vec::new();
        if self.test {
            return Ok(addresses);
        }
        if !self.listen.is_empty() {
            let [offer] = offers else {
                return Err(Error::usage("--listen is for one target")
                    .hint("name one target, or write the ports into the configuration"));
            };
            let port = offer
                .settings
                .map_or(DEFAULT_SOCKET_PORT, |settings| settings.port);
            for text in &self.listen {
                addresses.push((0, ListenAddress::parse(text, port)?));
            }
            return Ok(addresses);
        }
        for (position, offer) in offers.iter().enumerate() {
            let Some(settings) = offer.settings else {
                let target = &offer.target;
                return Err(
                    Error::usage(format!("{target} has no port for the gateway")).hint(
                        "add --listen 15432, or write `proxy = { port = 15432 }` into the \
                     connection",
                    ),
                );
            };
            addresses.push((position, ListenAddress::loopback(settings.port)));
            if settings.socket {
                let directory = socket_directory()?;
                addresses.push((position, ListenAddress::Socket(directory, settings.port)));
            }
        }
        check_ports(&addresses, offers)?;
        Ok(addresses)
    }
}

/// The port in the name of a socket in a directory that the user names.
const DEFAULT_SOCKET_PORT: u16 = 5432;

impl GatewayOffer {
    fn new(target: &str, settings: Option<GatewaySettings>) -> Self {
        Self {
            target: target.to_owned(),
            settings,
            auth: settings.map(|settings| settings.auth).unwrap_or_default(),
        }
    }
}

/// Refuses a port without a password where the system does not tell whose program connects, and
/// warns of it elsewhere.
fn check_auth(auth: LocalAuth, offer: &GatewayOffer, output: Output) -> Result<()> {
    if auth == LocalAuth::Password {
        return Ok(());
    }
    let target = &offer.target;
    if !socket_peer::KNOWS_TCP_USERS {
        return Err(Error::usage(format!(
            "{target}: only Linux can have a port without a password, as it tells whose program \
             connects"
        ))
        .hint("leave auth out, and give the tool what `pgcred proxy --password NAME` prints"));
    }
    output.warn(&format!(
        "{target}: the port asks for no password: every program of your user can log in by it"
    ));
    Ok(())
}

/// Refuses two connections with one port.
fn check_ports(addresses: &[(usize, ListenAddress)], offers: &[GatewayOffer]) -> Result<()> {
    for (index, (position, address)) in addresses.iter().enumerate() {
        for (earlier_position, earlier_address) in &addresses[..index] {
            if address == earlier_address {
                let (first, second) =
                    (&offers[*earlier_position].target, &offers[*position].target);
                return Err(Error::usage(format!(
                    "{first} and {second} have the same port: {address}"
                ))
                .hint("give one of them another port in the configuration"));
            }
        }
    }
    Ok(())
}

/// Returns the name under which the gateway knows a request.
fn gateway_name(request: &Request) -> String {
    match &request.connection {
        Some(name) => name.clone(),
        None => request.name(),
    }
}

/// Returns the request with the server verified in full: the gateway does so whatever `sslmode`
/// tells other clients.
fn with_full_verification(mut request: Request) -> Request {
    request.keywords.retain(|(name, _)| name != "sslmode");
    request
}

/// Says which logins have worked. The first failure is the command's.
fn report_trials(results: Vec<Result<()>>, offers: &[GatewayOffer]) -> Result<()> {
    let mut lines = Vec::new();
    let mut failure = None;
    for (result, offer) in results.into_iter().zip(offers) {
        match result {
            Ok(()) => lines.push(format!("{}: ok", offer.target)),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    match failure {
        Some(error) => Err(error),
        None => Output::lines(lines),
    }
}

/// Issues the tokens of a gateway.
struct GatewayTokens<'a> {
    app: &'a mut App,
    /// By the position of the target.
    requests: Vec<Request>,
    /// The login of which the user has been notified.
    last_notice: String,
}

impl GatewayTokens<'_> {
    fn issue(&mut self, token_request: &TokenRequest) -> Result<TokenReply> {
        let request = &self.requests[token_request.target];
        let options = IssueOptions {
            fresh: token_request.need == TokenNeed::New,
            ..IssueOptions::default()
        };
        let issued = self
            .app
            .issuer
            .issue(request, options, |_| std::iter::empty());
        self.app.print_warnings();
        self.app.release_locks();
        match issued {
            Ok(issued) => {
                self.last_notice.clear();
                Ok(TokenReply {
                    is_new: !issued.is_cached,
                    token: issued.token,
                })
            }
            Err(error) => {
                self.notify_of_login(&error);
                Err(error)
            }
        }
    }

    /// Shows the user on the desktop that a login is needed, once until one succeeds: a tool may
    /// hide what it is told.
    fn notify_of_login(&mut self, error: &Error) {
        if error.exit() != Exit::Login {
            return;
        }
        let hint = error.hint_text().unwrap_or_default();
        let notice = text::mask_accounts(&text::printable(&format!("{error}; {hint}")));
        if notice != self.last_notice {
            child::notify(&notice);
            self.last_notice = notice;
        }
    }
}

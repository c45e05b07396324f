//! A running stand-in: listens on a thread of its own until it is dropped.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::certificates::Roots;
use crate::clock::Clock;
use crate::events::{Event, Events};
use crate::session::{Shared, serve};
use crate::tls::Tls;
use crate::{Answer, Config, Fault};

/// A stand-in that is listening. Dropping it ends the listener and every session.
#[derive(Debug)]
pub struct Standin {
    address: SocketAddr,
    roots: Roots,
    shared: Arc<Shared>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Standin {
    /// Starts listening; connections are taken as soon as this returns.
    ///
    /// # Errors
    /// If the port, the log file or the certificates cannot be had.
    pub fn start(config: Config) -> io::Result<Self> {
        let listen = if config.fault == Some(Fault::Ipv6Only) {
            config.listen.over_ipv6()
        } else {
            config.listen
        };
        let listener = TcpListener::bind(listen.address())?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let without_sni = config.without_sni.map(|host| host.to_ascii_lowercase());
        let (tls, roots) = Tls::new(without_sni.clone())?;
        let shared = Arc::new(Shared {
            keys: config.keys,
            minted: config.minted,
            upstream: config.upstream,
            public_port: config.public_port.unwrap_or(address.port()),
            without_sni,
            strict: config.strict,
            temper: Mutex::new((config.fault, config.answer)),
            session_limit: config.session_limit,
            clock: Clock::new(config.now, config.clock_offset),
            events: Events::open(config.log.as_deref())?,
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let for_sessions = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("standin".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        () = accept(listener, tls, for_sessions) => {}
                    }
                });
                // The runtime is dropped here, and every session with it.
            })?;
        Ok(Self {
            address,
            roots,
            shared,
            running: Some((stop, thread)),
        })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The authority that stands for those which every system trusts, new with every start: for
    /// DSQL, RDS Proxy and all else.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.roots.public
    }

    /// The authorities that stand for Amazon's own, new with every start: for instances and
    /// clusters of RDS and Aurora.
    #[must_use]
    pub fn rds_ca_pem(&self) -> &str {
        &self.roots.rds
    }

    /// The authority of the company's proxy that signs anew (`Fault::CertCompanyCa`).
    #[must_use]
    pub fn company_ca_pem(&self) -> &str {
        &self.roots.company
    }

    /// How many tokens were accepted so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.events.count(true)
    }

    /// How many logins were refused so far.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.shared.events.count(false)
    }

    /// Every login attempt so far, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.shared.events.list()
    }

    /// Misbehaves from the next connection on, or (`None`) no longer. `Fault::Ipv6Only` holds only
    /// from the start.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.temper().0 = fault;
    }

    /// Gives this answer to proper tokens from the next connection on, or (`None`) lets in again.
    pub fn set_answer(&self, answer: Option<Answer>) {
        self.temper().1 = answer;
    }

    fn temper(&self) -> MutexGuard<'_, (Option<Fault>, Option<Answer>)> {
        let temper = &self.shared.temper;
        temper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Freezes the clock at a Unix time, or (`None`) lets it run again.
    pub fn set_now(&self, now: Option<u64>) {
        self.shared.clock.freeze(now);
    }

    /// Sets the seconds added to the wall clock; a frozen clock does not heed them.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.shared.clock.shift(seconds);
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            // Errors do not matter here: the thread has ended in either case.
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, tls: Tls, shared: Arc<Shared>) {
    loop {
        let Ok((tcp, _)) = listener.accept().await else {
            // Probably there are no file descriptors left: wait until sessions end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        // An error ends only this connection, and its client has noticed that.
        tokio::spawn(async move { serve(tcp, &tls, &shared).await });
    }
}

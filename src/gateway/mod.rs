//! Runs the local gateway: it lets a program on this machine log in with a fixed password, and logs
//! in to the server for it with a token.
//!
//! ```text
//!   a tool                       this process                                   the server
//!     |                                |                                            |
//!     |-- connect ------------> listener               who connects, where the      |
//!     |                                |                system tells                |
//!     |-- start-up -----------> startup                TLS is declined              |
//!     |<- SCRAM-SHA-256 ------> scram                  the local password           |
//!     |                                |                                            |
//!     |                         tokens --> the thread that issues tokens            |
//!     |                         server --> dial, then tls ------------------------> |
//!     |                         server_login ------------ the token --------------> |
//!     |<- AuthenticationOk ------------ the server's own verdict <----------------- |
//!     |                                |                                            |
//!     |<======================> relay  <==========================================> |
//! ```
//!
//! `session` is this way from top to bottom. A cancel request goes from `startup` straight to
//! `server`. `refusal` has the errors that a tool is told, and `packet` reads packets in tasks;
//! what they mean is told by `crate::wire`. `refusal`, `startup`'s parser, `scram` and
//! `local_password` are pure. `settings` is what a gateway is started with, `state` what its
//! sessions share, and `run` starts and ends it. `holder` names the program that has a port.
//!
//! The promises:
//!
//! - Only loopback addresses and Unix sockets of the user's own are listened on.
//! - No token is made before the local side has proved who it is, and no server is dialled but for
//!   a cancel request, whose proof only the server knows.
//! - The token goes to a server whose certificate is verified, once for each login, and nowhere
//!   else.
//! - A token is made when a tool connects, never by a timer. Sessions do not end with it.
//! - After the login, bytes are copied as they are.
//!
//! One thread runs all sessions. Tokens are issued by the thread that called [`run()`], because the
//! issuer belongs to one thread; sessions that need the same token wait for one.

mod holder;
mod listener;
pub(crate) mod local_password;
mod packet;
mod refusal;
mod relay;
mod run;
mod scram;
mod server;
mod server_login;
mod session;
mod settings;
mod startup;
mod state;
mod tls;
mod tokens;

pub(crate) use holder::PortHolder;
pub(crate) use listener::{ListenAddress, is_port_in_use, socket_directory, socket_path};
pub(crate) use run::{GatewayOptions, run, try_logins};
pub(crate) use settings::GatewayTarget;
pub(crate) use tokens::{TokenNeed, TokenReply, TokenRequest};

//! Knows PostgreSQL's protocol 3.0 as far as a login needs it. Everything here is pure: the callers
//! read and write the bytes, the probe on a thread and the gateway in tasks.
//!
//! ```text
//! client                           server
//!   SSL_REQUEST              -->            left out with sslnegotiation=direct
//!                            <--   S        yes (N: no; E: an error)
//!   TLS handshake            <->            what follows is inside TLS
//!   start-up packet          -->            user and database
//!                            <--   N, v     notices and versions, which may come at any time
//!                            <--   R 3      asks for a password in clear text
//!   password_packet          -->            the token
//!                            <--   R 0      the user is logged in
//!   TERMINATE                -->
//! ```
//!
//! In place of `R 0` or `R 3` an error (`E`) or another method of authentication may come: both end
//! the login.
//!
//! `packet` frames packets and bounds their lengths. `server_login` is the client's side of the
//! picture: it takes the server's packets and says what to do next. `authentication` reads packets
//! `R`, and `message` reads errors and notices. The format is that of the chapters "Message Flow"
//! and "Message Formats" of PostgreSQL's manual.

mod authentication;
mod message;
mod packet;
mod server_login;

pub(crate) use authentication::{AuthenticationMethod, authentication_code, authentication_packet};
pub(crate) use message::{
    ServerMessage, hide_token, parse_message, parse_protocol_2_error, with_hint,
};
pub(crate) use packet::{
    LengthFault, MAX_FIRST_PACKET_LENGTH, MAX_PACKET_LENGTH, PROTOCOL_3_0, Packet, SSL_REQUEST,
    TERMINATE, body_length, packet, password_packet, start_up_packet, with_length,
};
pub(crate) use server_login::{ServerLogin, ServerLoginStep, ServerLoginVerdict};

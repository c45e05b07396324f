//! Sends HTTP requests to AWS and to every other authority whose services pgcred asks itself.
//!
//! ```text
//! block_on, block_until   runtime    runs the requests of one question, until the deadline
//!      |
//!      v
//! HttpClient              client     one request: the connector of its route, a bounded answer
//!      |--> proxy                    which proxy it goes through
//!      |--> untrusted                whether an error is that of a certificate
//!      v
//! download                           a small public text
//! ```
//!
//! Proxies, certificates and limits are the same for everybody who asks. Nothing here is loaded or
//! started before the first request.

mod client;
pub(crate) mod download;
mod proxy;
mod runtime;
#[cfg(test)]
mod tests;
mod untrusted;

pub(crate) use client::{HttpClient, RequestError, TrustedCertificates, local_error};
pub(crate) use runtime::{block_on, block_until};
pub(crate) use untrusted::is_untrusted;

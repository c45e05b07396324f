//! Requests to AWS's services.
//!
//! `endpoints` names the services and their addresses, `http` is the client, `proxy` chooses the
//! proxy, `download` fetches a small public text, `refusal` turns a failed call into an error, and
//! `untrusted` knows a certificate that is not trusted.

pub(crate) mod download;
pub(crate) mod endpoints;
pub(crate) mod http;
pub(crate) mod proxy;
pub(crate) mod refusal;
mod untrusted;

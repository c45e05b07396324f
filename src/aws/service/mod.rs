//! Requests to AWS's services: the client for HTTP, proxies, and refusals in words.

pub(crate) mod download;
pub(crate) mod endpoints;
pub(crate) mod http;
pub(crate) mod proxy;
pub(crate) mod refusal;

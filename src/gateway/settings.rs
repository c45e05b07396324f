//! Holds what a gateway is started with: to which servers it logs in, where it listens, and how the
//! local side is protected.

use std::cell::OnceCell;
use std::net::IpAddr;

use rustls::RootCertStore;

use super::local_password::PasswordKey;
use super::scram::ScramVerifier;
use crate::authority::AskPolicy;
use crate::config::LocalAuth;
use crate::error::Result;
use crate::request::Request;
use crate::roots;

/// One database behind the gateway.
pub(crate) struct GatewayTarget {
    /// The name in messages: that of the connection, or the address.
    pub(crate) name: String,
    pub(crate) request: Request,
    pub(crate) auth: LocalAuth,
    /// What the clients of this target verify the server by.
    pub(super) roots: RootCertStore,
    password: String,
    salt: [u8; 16],
    /// Made when it is first needed: it takes milliseconds.
    verifier: OnceCell<ScramVerifier>,
}

impl GatewayTarget {
    /// Reads the root certificates, and makes the local password. The `sslmode` of the request
    /// verifies the server.
    pub(crate) fn new(
        request: Request,
        auth: LocalAuth,
        key: &PasswordKey,
        ask_policy: &AskPolicy,
    ) -> Result<Self> {
        let name = match &request.connection {
            Some(name) => name.clone(),
            None => request.name(),
        };
        let mut store = RootCertStore::empty();
        let certificates = roots::verifying_certificates(&request, ask_policy);
        store.add_parsable_certificates(certificates.map_err(|error| error.about(&name))?);
        Ok(Self {
            password: key.password_of(&name),
            salt: key.salt_of(&name),
            verifier: OnceCell::new(),
            roots: store,
            name,
            request,
            auth,
        })
    }

    /// Returns what checks the local password.
    pub(super) fn verifier(&self) -> &ScramVerifier {
        self.verifier
            .get_or_init(|| ScramVerifier::new(&self.password, self.salt))
    }

    /// Returns the name by which the server is verified: the one that is signed, because a tunnel's
    /// own end has another.
    pub(super) fn server_name(&self) -> &str {
        &self.request.sign_host
    }

    /// Returns the address that is dialled instead of the host's name, if there is one.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.request.keyword("hostaddr")?.parse().ok()
    }
}

//! What every source of credentials needs: the profile in use, settings, clients, the deadline, and
//! what was tried.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use super::profile::ini::Section;
use super::service::http::{Http, TrustedCertificates};
use super::settings::Settings;
pub(super) use super::settings::{AwsService, SIGN_IN, SSO, SSO_OIDC, STS};
use crate::authority::{AskPolicy, Notes};
use crate::error::{Error, Result};
use crate::sys::env;
use crate::text::host;
use crate::text::quote::typed;
use crate::time::{Time, spoken};

pub(super) struct Resolution<'a> {
    pub(super) ask: &'a AskPolicy,
    pub(super) settings: &'a Settings,
    /// The region of STS.
    pub(super) region: String,
    /// How long the credentials should last, in seconds.
    pub(super) min_life: u32,
    pub(super) notes: &'a RefCell<Notes>,
    deadline: Cell<Instant>,
    http: Http,
    direct: Http,
}

impl<'a> Resolution<'a> {
    /// Reads the files. A profile that is named has to exist.
    pub(super) fn open(
        settings: &'a Settings,
        ask: &'a AskPolicy,
        region: &str,
        min_life: u32,
        deadline: Instant,
        notes: &'a RefCell<Notes>,
    ) -> Result<Self> {
        settings.check()?;
        let mut resolution = Self {
            ask,
            settings,
            region: region.to_owned(),
            min_life,
            notes,
            deadline: Cell::new(deadline),
            http: Http::new(TrustedCertificates::new(None, deadline)),
            direct: Http::direct(TrustedCertificates::new(None, deadline)),
        };
        // The AWS CLI asks by a library for HTTP that knows the second one.
        let bundle = resolution
            .setting("AWS_CA_BUNDLE", "ca_bundle")
            .or_else(|| env::var("REQUESTS_CA_BUNDLE"));
        let bundle = TrustedCertificates::new(bundle, deadline);
        resolution.direct = Http::direct(bundle.clone());
        resolution.http = Http::new(bundle);
        for service in [STS, SSO, SSO_OIDC, SIGN_IN] {
            resolution.check_endpoint(service)?;
        }
        Ok(resolution)
    }

    pub(super) fn profile_name(&self) -> &str {
        self.settings.profile_name()
    }

    pub(super) fn profile(&self) -> Option<&Section> {
        self.settings.profile()
    }

    /// Returns a variable's value, else that of a key of the profile.
    pub(super) fn setting(&self, variable: &str, key: &str) -> Option<String> {
        self.settings.setting(variable, key)
    }

    pub(super) fn flag(&self, variable: &str, key: &str) -> bool {
        self.settings.flag(variable, key)
    }

    /// Remembers what was tried, for `--debug`.
    pub(super) fn step(&self, what: impl Into<String>) {
        self.notes.borrow_mut().steps.push(what.into());
    }

    pub(super) fn warn(&self, what: impl Into<String>) {
        self.notes.borrow_mut().warnings.push(what.into());
    }

    /// Remembers that files that the identity rests on may be others from now on.
    pub(super) fn has_changed_files(&self) {
        self.notes.borrow_mut().has_changed_files = true;
    }

    /// The configuration of a client of this service.
    pub(super) fn client(
        &self,
        service: AwsService,
        region: &str,
        credentials: Option<Credentials>,
    ) -> SdkConfig {
        let endpoint = self.settings.endpoint(service);
        // An endpoint of the user's own is asked as it is: it may well be one of these already.
        let switched_on = |variable, key| endpoint.is_none() && self.flag(variable, key);
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .http_client(self.http.client())
            .sleep_impl(TokioSleep::new())
            .use_fips(switched_on("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"))
            .use_dual_stack(switched_on(
                "AWS_USE_DUALSTACK_ENDPOINT",
                "use_dualstack_endpoint",
            ));
        config.set_endpoint_url(endpoint);
        config.set_credentials_provider(credentials.map(SharedCredentialsProvider::new));
        config.build()
    }

    /// For requests that no client of the SDK makes.
    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    /// The same for services of this machine.
    pub(super) fn direct(&self) -> &Http {
        &self.direct
    }

    fn check_endpoint(&self, service: AwsService) -> Result<()> {
        let services = self.profile().and_then(|section| section.get("services"));
        let exists = |name: &str| {
            self.settings
                .files()
                .is_ok_and(|files| files.services.contains_key(name))
        };
        // As in the AWS CLI the section is not looked for where AWS_ENDPOINT_URL comes first.
        let is_needed = self.settings.variables.get("AWS_ENDPOINT_URL").is_none()
            && !self.settings.ignores_endpoints();
        if let Some(name) = services.filter(|name| is_needed && !exists(name)) {
            return Err(Error::usage(format!(
                "profile `{}`: there is no [services {name}]",
                self.profile_name()
            ))
            .hint("add that section, or remove `services` from the profile"));
        }
        match self.settings.endpoint(service) {
            Some(address) if !is_endpoint(&address) => Err(Error::usage(format!(
                "the endpoint of {} is no http address: {}",
                service.name,
                host::quoted(without_user(&address))
            ))
            .hint(format!(
                "correct or unset {}, AWS_ENDPOINT_URL or endpoint_url",
                service.variable
            ))),
            _ => Ok(()),
        }
    }

    /// Returns the answer, or an error once the time is over.
    pub(super) async fn wait<T>(&self, whom: &str, answer: impl Future<Output = T>) -> Result<T> {
        tokio::time::timeout(self.left(), answer)
            .await
            .map_err(|_| self.too_late(whom))
    }

    pub(super) fn too_late(&self, whom: &str) -> Error {
        let limit = self.ask.timeout.as_secs();
        Error::failure(format!(
            "no answer from {whom}{} within {limit} s",
            self.of_profile()
        ))
        .hint("check the network, or allow more time with --timeout")
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline.get()
    }

    fn left(&self) -> Duration {
        self.deadline().saturating_duration_since(Instant::now())
    }

    /// Runs what waits for a person; that time does not count.
    pub(super) fn off_the_clock<T>(&self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let value = work();
        self.deadline.set(self.deadline.get() + began.elapsed());
        value
    }

    /// ` of profile ...`, where there is one to name.
    pub(super) fn of_profile(&self) -> String {
        self.settings
            .named
            .as_ref()
            .map(|name| format!(" of profile `{name}`"))
            .unwrap_or_default()
    }

    /// ` --profile ...` for a command line that does the same.
    pub(super) fn option(&self) -> String {
        self.settings
            .named
            .as_ref()
            .map(|name| format!(" --profile {}", typed(name)))
            .unwrap_or_default()
    }

    /// Refuses credentials that have ended: signing with them makes a token that no server takes.
    pub(super) fn unexpired(
        &self,
        credentials: Credentials,
        source: &str,
        hint: &str,
    ) -> Result<Credentials> {
        let now = Time::now();
        match credentials.expiry().map(Time::from_system) {
            Some(end) if end <= now => Err(Error::login(format!(
                "the AWS credentials{} have expired: {source} gave some that ended {} ago",
                self.of_profile(),
                spoken(end.until(now))
            ))
            .hint(hint)),
            _ => Ok(credentials),
        }
    }
}

/// Tells whether the SDK takes an address as an endpoint.
fn is_endpoint(address: &str) -> bool {
    let has_scheme = address.starts_with("http://") || address.starts_with("https://");
    has_scheme
        && host::names_server(address)
        && HttpRequest::empty().uri_mut().set_endpoint(address).is_ok()
}

/// Returns an address without what stands before `@`: the scheme, a user's name and password.
fn without_user(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, rest)| rest)
}

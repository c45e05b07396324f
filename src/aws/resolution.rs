//! Holds what every source needs for one resolution of credentials.
//!
//! `execute` opens a [`CredentialResolution`] with the settings of the profile, and hands it to the
//! sources and to the roles on top of them. From it a source takes:
//!
//! - the value of a setting that does not decide who signs, such as how often a service is asked:
//!   the variable, else the key of the profile; all other settings are in the plan;
//! - clients: of a service of the SDK, of plain HTTP, and of a service of this machine;
//! - the deadline, which stops while the user logs in or types a code;
//! - the notes: steps for `--debug`, warnings, and files of the identity that have changed;
//! - the errors that all sources share: a call that failed, a service that did not answer in time,
//!   credentials that have expired.

use std::cell::{Cell, OnceCell};
use std::error::Error as StdError;
use std::future::Future;
use std::time::Instant;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::service::endpoints::{self, AwsService, is_endpoint, without_user};
use super::service::refusal;
use super::settings::AwsSettings;
use crate::authority::{AskPolicy, RunNotes};
use crate::aws::credentials::Credentials;
use crate::error::{Error, ErrorReason, Result};
use crate::http::{HttpClient, TrustedCertificates};
use crate::sys::env;
use crate::text::backquoted;
use crate::text::quote::typed;
use crate::time::{Time, spoken_duration};

const CERTIFICATES_HINT: &str = "correct or unset AWS_CA_BUNDLE, ca_bundle or REQUESTS_CA_BUNDLE";

pub(super) struct CredentialResolution<'a> {
    pub(super) ask_policy: &'a AskPolicy,
    pub(super) settings: &'a AwsSettings,
    /// The region of STS.
    pub(super) region: String,
    /// How long the credentials should last, in seconds.
    pub(super) min_lifetime: u32,
    pub(super) notes: &'a RunNotes,
    deadline: Cell<Instant>,
    /// The services that the plan names; not set where no plan is carried out.
    planned_services: OnceCell<Vec<AwsService>>,
    http: HttpClient,
    direct: HttpClient,
}

impl<'a> CredentialResolution<'a> {
    /// Reads the files. A profile that the user has named has to exist.
    pub(super) fn open(
        settings: &'a AwsSettings,
        ask_policy: &'a AskPolicy,
        region: &str,
        min_lifetime: u32,
        deadline: Instant,
        notes: &'a RunNotes,
    ) -> Result<Self> {
        settings.check()?;
        let certificates = match settings.setting("AWS_CA_BUNDLE", "ca_bundle") {
            Some(path) => Some(path),
            // The library that the AWS CLI asks with knows this one.
            None => env::var("REQUESTS_CA_BUNDLE"),
        };
        let certificates = TrustedCertificates::new(certificates, CERTIFICATES_HINT, deadline);
        let resolution = Self {
            ask_policy,
            settings,
            region: region.to_owned(),
            min_lifetime,
            notes,
            deadline: Cell::new(deadline),
            planned_services: OnceCell::new(),
            http: HttpClient::new(certificates.clone()),
            direct: HttpClient::direct(certificates),
        };
        for service in endpoints::services_of_credentials() {
            resolution.check_endpoint(service)?;
        }
        Ok(resolution)
    }

    pub(super) fn profile_name(&self) -> &str {
        self.settings.profile_name()
    }

    /// Returns a variable's value, else that of a key of the profile.
    pub(super) fn setting(&self, variable: &'static str, key: &'static str) -> Option<String> {
        self.settings.setting(variable, key)
    }

    pub(super) fn is_enabled(&self, variable: &'static str, key: &'static str) -> bool {
        self.settings.is_enabled(variable, key)
    }

    /// Notes what is tried, for `--debug`.
    pub(super) fn step(&self, message: impl Into<String>) {
        self.notes.step(|| message.into());
    }

    pub(super) fn warn(&self, message: impl Into<String>) {
        self.notes.warn(message.into());
    }

    /// Notes that the files of the identity may be others from now on.
    pub(super) fn note_changed_files(&self) {
        self.notes.set_changed_files();
    }

    /// Keeps to the services that a plan names. Their addresses are a part of the identity, so
    /// that a source must ask no other one.
    pub(super) fn restrict_to(&self, services: Vec<AwsService>) {
        self.planned_services.get_or_init(|| services);
    }

    fn may_ask(&self, service: AwsService) -> bool {
        match self.planned_services.get() {
            Some(services) => services
                .iter()
                .any(|planned_service| planned_service.key == service.key),
            None => true,
        }
    }

    /// Returns the configuration of a client of this service.
    pub(super) fn client(
        &self,
        service: AwsService,
        region: &str,
        credentials: Option<Credentials>,
    ) -> SdkConfig {
        debug_assert!(
            self.may_ask(service),
            "the plan does not name {}: add it to PlannedSource::services",
            service.name
        );
        let endpoint = self.settings.endpoint(service);
        // An endpoint of the user's own is asked as it is: it may be such an address already.
        let switched_on = |variable, key| endpoint.is_none() && self.is_enabled(variable, key);
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
        let credentials =
            credentials.map(|credentials| SharedCredentialsProvider::new(credentials.to_sdk()));
        config.set_credentials_provider(credentials);
        config.build()
    }

    /// Returns the client for requests that no client of the SDK makes.
    pub(super) fn http(&self) -> &HttpClient {
        &self.http
    }

    /// Returns the client for services of this machine.
    pub(super) fn direct(&self) -> &HttpClient {
        &self.direct
    }

    /// Refuses an address of a service that no request can be sent to.
    pub(super) fn check_endpoint(&self, service: AwsService) -> Result<()> {
        // As in the AWS CLI the section is not looked for where AWS_ENDPOINT_URL comes first.
        let needs_section = self.settings.variables.get("AWS_ENDPOINT_URL").is_none()
            && !self.settings.ignores_endpoints();
        if needs_section
            && let Some(profile) = self.settings.profile()
            && let Some(name) = profile.get("services")
            && !self.settings.files()?.services.contains_key(name)
        {
            return Err(Error::usage(format!(
                "profile `{}`: there is no [services {name}]",
                self.profile_name()
            ))
            .hint("add that section, or remove `services` from the profile"));
        }
        match self.settings.endpoint(service) {
            Some(address) if !is_endpoint(&address) => Err(Error::usage(format!(
                "the endpoint of {} must begin with http:// or https://: {}",
                service.name,
                backquoted(without_user(&address))
            ))
            .hint(format!(
                "correct or unset {}, AWS_ENDPOINT_URL or endpoint_url",
                service.variable
            ))),
            _ => Ok(()),
        }
    }

    /// Returns the answer, or an error once the time is over.
    pub(super) async fn wait<T>(
        &self,
        service: &str,
        answer: impl Future<Output = T>,
    ) -> Result<T> {
        let time_left = self.deadline().saturating_duration_since(Instant::now());
        match tokio::time::timeout(time_left, answer).await {
            Ok(answer) => Ok(answer),
            Err(_) => Err(self.timeout_error(service)),
        }
    }

    /// Explains a call that failed. `context` says what the call was for.
    pub(super) fn call_error<E>(
        &self,
        context: &str,
        service: AwsService,
        error: &SdkError<E, HttpResponse>,
    ) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let context = format!("{context}{}", self.profile_clause());
        match refusal::explain_failure(&context, service, error, self.notes.shows_steps()) {
            Some(explained) => explained,
            None => self.timeout_error(service.name),
        }
    }

    pub(super) fn timeout_error(&self, service: &str) -> Error {
        let limit = self.ask_policy.timeout.as_secs();
        Error::failure(format!(
            "no answer from {service}{} within {limit} s",
            self.profile_clause()
        ))
        .hint("check the network, or allow more time with --timeout")
        .because(ErrorReason::TimedOut)
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline.get()
    }

    /// Runs a function that waits for the user. That time does not count.
    pub(super) fn without_deadline<T>(&self, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let value = work();
        self.deadline.set(self.deadline.get() + started.elapsed());
        value
    }

    /// Returns ` of profile ...`, if the user has named a profile.
    pub(super) fn profile_clause(&self) -> String {
        match &self.settings.named_profile {
            Some(name) => format!(" of profile `{name}`"),
            None => String::new(),
        }
    }

    /// Returns ` --profile ...` for a command line that does the same.
    pub(super) fn profile_option(&self) -> String {
        match &self.settings.named_profile {
            Some(name) => format!(" --profile {}", typed(name)),
            None => String::new(),
        }
    }

    /// Refuses credentials that have expired: no server would accept a token signed with them.
    pub(super) fn require_unexpired(
        &self,
        credentials: Credentials,
        source: &str,
        hint: &str,
    ) -> Result<Credentials> {
        let now = Time::now();
        match credentials.expires_at() {
            Some(expires_at) if expires_at <= now => Err(Error::login(format!(
                "the AWS credentials{} have expired: {source} provided some that expired {} ago",
                self.profile_clause(),
                spoken_duration(expires_at.until(now))
            ))
            .hint(hint)
            .because(ErrorReason::Expired)),
            _ => Ok(credentials),
        }
    }
}

//! AWS credentials and region of a profile. The only user of `aws-config` and of an async runtime, both dropped on return.

mod http;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;

use crate::env;
use crate::error::{Error, Result};
use crate::time::Time;

/// Where to ask: the profile that the user named (none: AWS's own order), and for how long at most.
pub(crate) struct Aws<'a> {
    pub(crate) profile: Option<&'a str>,
    pub(crate) timeout: Duration,
}

impl Aws<'_> {
    /// Returns the credentials that sign; `region` is where STS and the like are asked if it comes to that.
    ///
    /// A named profile beats keys in the environment, as in the AWS CLI.
    pub(crate) fn credentials(&self, region: &str) -> Result<Credentials> {
        if self.profile.is_none()
            && let Some(credentials) = keys_in_environment()
        {
            return with_expiration(credentials);
        }
        let config = provider_config().with_region(Some(Region::new(region.to_owned())));
        let found = self.block_on("credentials", async {
            if let Some(profile) = self.profile {
                let provider =
                    ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile).build();
                provider.provide_credentials().await
            } else {
                let region = Region::new(region.to_owned());
                let chain = DefaultCredentialsChain::builder().region(region).configure(config).build().await;
                chain.provide_credentials().await
            }
        })?;
        found.map_err(|error| self.explain(&error))
    }

    /// Returns the region in AWS's own order: environment, profile, instance metadata.
    pub(crate) fn region(&self) -> Result<Option<String>> {
        if let Some(region) = env::var("AWS_REGION").or_else(|| env::var("AWS_DEFAULT_REGION")) {
            return Ok(Some(region));
        }
        let config = provider_config();
        let found = self.block_on("region", async {
            let mut of_profile = ProfileFileRegionProvider::builder().configure(&config);
            if let Some(profile) = self.profile {
                of_profile = of_profile.profile_name(profile);
            }
            match of_profile.build().region().await {
                Some(region) => Some(region),
                None => ImdsRegionProvider::builder().configure(&config).build().region().await,
            }
        })?;
        Ok(found.map(|region| region.to_string()).filter(|region| !region.is_empty()))
    }

    fn block_on<T>(&self, what: &str, work: impl Future<Output = T>) -> Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::failure("cannot start the network runtime").caused_by(&error))?;
        let answer = runtime.block_on(async { tokio::time::timeout(self.timeout, work).await });
        runtime.shutdown_background();
        answer.map_err(|_| {
            let limit = self.timeout.as_secs();
            Error::failure(format!("no answer about AWS {what}{} within {limit} s", self.of_profile()))
                .hint("check the network or the profile's credential_process; --timeout allows more time")
        })
    }

    fn of_profile(&self) -> String {
        self.profile.map(|profile| format!(" of profile `{profile}`")).unwrap_or_default()
    }

    fn explain(&self, error: &CredentialsError) -> Error {
        let profile = self.profile.map(str::to_owned).or_else(|| env::var("AWS_PROFILE"));
        let option = profile.as_ref().map(|profile| format!(" --profile {profile}")).unwrap_or_default();
        let whose = profile.as_ref().map(|profile| format!(" of profile `{profile}`")).unwrap_or_default();
        let said = Error::failure("").caused_by(error).to_string();
        if said.contains("SSO token") || said.contains("sso token") {
            return Error::login(format!("the AWS SSO session{whose} has expired or does not exist"))
                .hint(format!("run `aws sso login{option}`, then retry"));
        }
        if said.contains("login session") || said.contains("Login session") {
            return Error::login(format!("the AWS log-in session{whose} has expired or does not exist"))
                .hint(format!("run `aws login{option}`, then retry"));
        }
        let nowhere = matches!(error, CredentialsError::CredentialsNotLoaded(_));
        match error {
            // Instance metadata is asked last: away from EC2 its failure means that nothing before it had any.
            _ if nowhere || (self.profile.is_none() && said.contains("IMDS")) => {
                let message = profile.map_or_else(
                    || "no AWS credentials in the environment, profile, container or instance metadata".to_owned(),
                    |profile| format!("no AWS credentials in profile `{profile}`, or there is no such profile"),
                );
                Error::login(message).hint(
                    "`aws configure list-profiles` shows the profiles; name one with --profile, or log in: aws configure, \
                     aws sso login, aws login",
                )
            }
            _ => Error::failure(format!("cannot get AWS credentials{whose}"))
                .caused_by(error)
                .hint(format!("`aws sts get-caller-identity{option}` shows the same trouble")),
        }
    }
}

/// Returns what AWS's own provider reads from the environment. It waits for nothing, so it needs no runtime.
fn keys_in_environment() -> Option<Credentials> {
    let provider = EnvironmentVariableCredentialsProvider::new();
    match pin!(provider.provide_credentials()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(found) => found.ok(),
        Poll::Pending => None,
    }
}

/// `aws configure export-credentials` says in a variable when its keys end.
fn with_expiration(keys: Credentials) -> Result<Credentials> {
    const VARIABLE: &str = "AWS_CREDENTIAL_EXPIRATION";
    let Some(text) = env::var(VARIABLE) else { return Ok(keys) };
    let end = Time::from_rfc3339(&text).ok_or_else(|| {
        Error::usage(format!("{VARIABLE} is not a time")).hint("2030-01-01T00:15:00Z is one; or unset it")
    })?;
    let token = keys.session_token().map(str::to_owned);
    let end = Some(end.to_system());
    Ok(Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, end, "environment"))
}

fn provider_config() -> ProviderConfig {
    ProviderConfig::without_region().with_http_client(http::on_first_use())
}

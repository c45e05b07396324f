//! Request to token: credentials once per profile, then one signature each, with the truth about expiry.

use std::collections::HashMap;
use std::time::Duration;

use aws_credential_types::Credentials;

use crate::aws::Aws;
use crate::error::{Error, Result};
use crate::provider::normal_region;
use crate::request::Request;
use crate::sigv4;
use crate::time::Time;
use crate::token::Token;

pub(crate) struct Issued {
    pub(crate) token: Token,
    pub(crate) region: String,
    pub(crate) action: &'static str,
    /// The credentials end before the life that was asked for.
    pub(crate) cut_short: bool,
}

/// Issues tokens; remembers each profile's credentials, or why there are none, for as long as it lives.
pub(crate) struct Issuer {
    timeout: Duration,
    credentials: HashMap<Option<String>, Result<Credentials>>,
}

impl Issuer {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout, credentials: HashMap::new() }
    }

    /// Returns a token for the request. Its life is cut to what the signing credentials have left.
    pub(crate) fn issue(&mut self, request: &Request) -> Result<Issued> {
        let region = match &request.region {
            Some(region) => region.clone(),
            None => self.default_region(&request.sign_host, request.profile.as_deref())?,
        };
        let credentials = self.credentials(request.profile.as_deref(), &region)?;
        let now = Time::now();
        let mut life = request.life;
        if let Some(expiry) = credentials.expiry().map(Time::from_system) {
            life = life.min(now.until(expiry));
        }
        if life == 0 {
            let whose = request.profile.as_ref().map(|profile| format!(" of profile `{profile}`")).unwrap_or_default();
            return Err(
                Error::login(format!("the AWS credentials{whose} have expired")).hint("log in again, then retry")
            );
        }
        let signable = request.signable();
        let token = sigv4::presign(&signable, &region, &credentials, now, life)?;
        Ok(Issued { token, region, action: signable.action, cut_short: life < request.life })
    }

    /// Returns the region that AWS's configuration gives, where neither the user nor the host names one.
    pub(crate) fn default_region(&self, host: &str, profile: Option<&str>) -> Result<String> {
        let found = Aws { profile, timeout: self.timeout }.region()?.ok_or_else(|| {
            Error::usage(format!("no region for {host}"))
                .hint("--region REGION, AWS_REGION, or `region` in the profile")
        })?;
        normal_region(&found)
    }

    fn credentials(&mut self, profile: Option<&str>, region: &str) -> Result<Credentials> {
        self.credentials
            .entry(profile.map(str::to_owned))
            .or_insert_with(|| Aws { profile, timeout: self.timeout }.credentials(region))
            .clone()
    }
}

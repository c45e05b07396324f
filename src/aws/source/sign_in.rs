//! Gets the credentials of `aws login`: the session of a console login, in the AWS CLI's cache,
//! renewed with the key that it is bound to (RFC 9449).
//!
//! Only one process renews a session at a time, under the lock of the session. A process that has
//! waited for the lock reads the file again, and usually finds the new session there.

use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_signin::error::SdkError;
use aws_sdk_signin::operation::create_o_auth2_token::{
    CreateOAuth2TokenError, CreateOAuth2TokenOutput,
};
use aws_sdk_signin::types::{CreateOAuth2TokenRequestBody, OAuth2ErrorCode as Code};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use p256::SecretKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::json;

use super::{ChosenBy, CredentialSource, SourceFuture};
use crate::authority::LoginState;
use crate::aws::cli_cache::sign_in::{CachedLogin, session_file, session_id};
use crate::aws::credentials::Credentials;
use crate::aws::credentials::seconds_left;
use crate::aws::login::kinds::{ConsoleSession, LoginKind};
use crate::aws::login::missing::{MissingLogin, UnresolvedCredentials};
use crate::aws::plan::SignIn;
use crate::aws::resolution::CredentialResolution;
use crate::aws::service::endpoints::SIGN_IN;
use crate::error::Error;
use crate::sys::session_locks::session_lock;
use crate::text::encode::hex;
use crate::time::Time;

/// Credentials with less left are renewed, as in the AWS CLI; in seconds.
const MIN_LIFETIME_SECONDS: u32 = 5 * 60;
/// They live for 15 minutes: a renewal of younger ones gains next to nothing; in seconds.
const FULL_LIFETIME_SECONDS: u32 = 14 * 60;
/// With this much left the AWS CLI does not mind a session whose key is damaged; in seconds.
const LIFETIME_DESPITE_DAMAGE_SECONDS: u32 = 10 * 60;
/// How long to wait for another process that renews the same session.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a session could not be renewed.
enum RenewalError {
    DamagedKey,
    LoginNeeded(&'static str),
    Failed(Error),
}

impl From<Error> for RenewalError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Why a login is missing that has left no file.
const NO_LOGIN: &str = "nobody has logged in with `aws login` yet";

impl CredentialSource for SignIn {
    fn credentials<'a>(&'a self, resolution: &'a CredentialResolution<'a>) -> SourceFuture<'a> {
        Box::pin(async { Ok(Some(self.current_credentials(resolution).await?)) })
    }

    fn cached_credentials(&self, _: &CredentialResolution) -> Option<Credentials> {
        None
    }

    fn files(&self) -> Vec<PathBuf> {
        session_file(&self.session).into_iter().collect()
    }

    fn describe(&self, origin: &str) -> String {
        format!("session of `aws login` ({origin})")
    }

    fn chosen_by(&self) -> ChosenBy<'_> {
        ChosenBy::Key("login_session")
    }

    fn private_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn login_state(&self) -> LoginState {
        let Some(cached) = CachedLogin::read(&self.session) else {
            return self.missing(NO_LOGIN).into();
        };
        let credentials = match cached.credentials() {
            Ok(credentials) => credentials,
            Err(reason) => return self.unusable(&reason).into(),
        };
        match credentials.expires_at() {
            Some(expires_at) if expires_at > Time::now() => LoginState::Good(expires_at),
            expires_at => LoginState::Renewable(expires_at),
        }
    }

    fn login_in_words(&self) -> Option<String> {
        let file = match session_file(&self.session) {
            Some(path) => path.display().to_string(),
            None => "the cache of the AWS CLI".to_owned(),
        };
        if let Some(cached) = CachedLogin::read(&self.session)
            && let Ok(credentials) = cached.credentials()
        {
            let lifetime_left = remaining_seconds(&credentials);
            return Some(format!(
                "aws login: the credentials in {file} last {lifetime_left} s"
            ));
        }
        Some(format!("aws login: {file} holds no usable login"))
    }
}

impl SignIn {
    /// Returns the session's credentials, renewed if they expire too soon.
    async fn current_credentials(
        &self,
        resolution: &CredentialResolution<'_>,
    ) -> Result<Credentials, UnresolvedCredentials> {
        let (_, credentials) = self.stored_or_missing(NO_LOGIN)?;
        let enough = resolution
            .min_lifetime
            .clamp(MIN_LIFETIME_SECONDS, FULL_LIFETIME_SECONDS);
        if remaining_seconds(&credentials) >= enough {
            return Ok(credentials);
        }
        let _lock = session_lock(&session_id(&self.session), LOCK_TIMEOUT);
        // The process that had the lock before may have renewed the session.
        let (cached, stored_or_missing) = self.stored_or_missing("the login session is gone")?;
        if remaining_seconds(&stored_or_missing) >= enough {
            return Ok(stored_or_missing);
        }
        match self.renew(cached, resolution).await {
            Ok(current_credentials) => Ok(current_credentials),
            Err(RenewalError::DamagedKey)
                if remaining_seconds(&stored_or_missing) >= LIFETIME_DESPITE_DAMAGE_SECONDS =>
            {
                Ok(stored_or_missing)
            }
            Err(RenewalError::DamagedKey) => Err(self
                .missing("the key of the login session is damaged")
                .into()),
            Err(_) if remaining_seconds(&stored_or_missing) >= MIN_LIFETIME_SECONDS => {
                Ok(stored_or_missing)
            }
            Err(RenewalError::LoginNeeded(reason)) => Err(self.missing(reason).into()),
            Err(RenewalError::Failed(error)) => Err(error.into()),
        }
    }

    /// Returns the session and its credentials as the cache has them.
    fn stored_or_missing(
        &self,
        if_none: &str,
    ) -> Result<(CachedLogin, Credentials), UnresolvedCredentials> {
        let Some(cached) = CachedLogin::read(&self.session) else {
            return Err(self.missing(if_none).into());
        };
        match cached.credentials() {
            Ok(credentials) => Ok((cached, credentials)),
            Err(reason) => Err(self.unusable(&reason).into()),
        }
    }

    fn missing(&self, reason: &str) -> MissingLogin {
        MissingLogin {
            kind: LoginKind::SignIn(ConsoleSession(self.session.clone())),
            profile: self.profile.clone(),
            reason: reason.to_owned(),
            revoked: None,
        }
    }

    fn unusable(&self, reason: &str) -> MissingLogin {
        self.missing(&format!(
            "what `aws login` has stored cannot be used: {reason}"
        ))
    }

    async fn renew(
        &self,
        mut cached: CachedLogin,
        resolution: &CredentialResolution<'_>,
    ) -> Result<Credentials, RenewalError> {
        let pem = cached.text("dpopKey").unwrap_or_default();
        let Ok(key) = SecretKey::from_sec1_pem(pem) else {
            return Err(RenewalError::DamagedKey);
        };
        // Not in the region of the host: the session must not be known in another one, or in
        // another partition.
        let region = match resolution.settings.region() {
            Some(region) => region,
            None => resolution.region.clone(),
        };
        resolution.step(format!("aws login: renewing the session in {region}"));
        let config = resolution.client(SIGN_IN, &region, None);
        let config = aws_sdk_signin::config::Builder::from(&config)
            .allow_no_auth()
            .build();
        let body = CreateOAuth2TokenRequestBody::builder()
            .client_id(cached.text("clientId").unwrap_or_default())
            .grant_type("refresh_token")
            .refresh_token(cached.text("refreshToken").unwrap_or_default())
            .build();
        let body = match body {
            Ok(body) => body,
            Err(error) => return Err(unusable_login(&error.to_string()).into()),
        };
        let call = aws_sdk_signin::Client::from_conf(config)
            .create_o_auth2_token()
            .token_input(body)
            .customize()
            .mutate_request(move |request| {
                let proof = proof_of_key(&key, request.uri());
                request.headers_mut().insert("DPoP", proof);
            });
        match resolution.wait(SIGN_IN.name, call.send()).await? {
            Ok(answer) => apply_renewal(&mut cached, &answer)?,
            Err(error) => return Err(renewal_error(resolution, &error)),
        }
        resolution.note_changed_files();
        if let Err(error) = cached.store(&self.session) {
            resolution.warn(format!("{error}; the next renewal needs a login"));
        }
        match cached.credentials() {
            Ok(credentials) => Ok(credentials),
            Err(reason) => Err(unusable_login(&reason).into()),
        }
    }
}

/// Returns how many seconds are left; none counts as expired.
fn remaining_seconds(credentials: &Credentials) -> u32 {
    seconds_left(credentials).unwrap_or_default()
}

fn unusable_login(reason: &str) -> Error {
    Error::failure(format!("cannot renew the `aws login` session: {reason}"))
        .hint("try again; if it fails again, run `aws login` with the profile")
}

fn apply_renewal(cached: &mut CachedLogin, answer: &CreateOAuth2TokenOutput) -> Result<(), Error> {
    let Some(output) = answer.token_output() else {
        return Err(unusable_login("AWS sign-in returned nothing"));
    };
    let Some(access_token) = output.access_token() else {
        return Err(unusable_login("AWS sign-in returned no credentials"));
    };
    cached.renew(
        access_token.access_key_id(),
        access_token.secret_access_key(),
        access_token.session_token(),
        Time::now().plus(u32::try_from(output.expires_in()).unwrap_or_default()),
        output.refresh_token(),
    );
    Ok(())
}

fn renewal_error(
    resolution: &CredentialResolution,
    error: &SdkError<CreateOAuth2TokenError>,
) -> RenewalError {
    if let Some(CreateOAuth2TokenError::AccessDeniedException(refusal)) = error.as_service_error() {
        match &refusal.error {
            Code::TokenExpired => {
                return RenewalError::LoginNeeded("the login session has expired");
            }
            Code::UserCredentialsChanged => {
                return RenewalError::LoginNeeded("the password has changed since the login");
            }
            Code::InsufficientPermissions => {
                return unusable_login("the user lacks the permission signin:CreateOAuth2Token")
                    .hint("ask the administrator for it")
                    .into();
            }
            _ => {}
        }
    }
    resolution
        .call_error("cannot renew the `aws login` session", SIGN_IN, error)
        .or_hint(&format!(
            "try again; if it fails again, run `aws login{}`",
            resolution.profile_option()
        ))
        .into()
}

/// Returns a JSON Web Token that proves, for one request, that its sender holds the key.
fn proof_of_key(key: &SecretKey, address: &str) -> String {
    let point = key.public_key().to_encoded_point(false);
    let x = point.x().map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let y = point.y().map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk});
    let mut id = [0; 16];
    // Without randomness AWS would refuse the second request of this second.
    let _ = SystemRandom::new().fill(&mut id);
    let address = address.split('?').next().unwrap_or(address);
    let now = Time::now().unix();
    let payload = json!({"jti": hex(&id), "htm": "POST", "htu": address, "iat": now});
    let header = BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
    let payload = BASE64_URL_SAFE_NO_PAD.encode(payload.to_string());
    let message = format!("{header}.{payload}");
    let signature: Signature = SigningKey::from(key).sign(message.as_bytes());
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes());
    format!("{message}.{signature}")
}

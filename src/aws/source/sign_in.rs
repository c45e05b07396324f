//! `aws login`: the session of a console login, in AWS's cache, renewed with the key that it is
//! bound to (RFC 9449).

use std::path::PathBuf;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_signin::types::CreateOAuth2TokenRequestBody;
use aws_sdk_signin::types::OAuth2ErrorCode as Code;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use p256::SecretKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Map, Value, json};

use crate::aws::login::missing::{LoginKind, MissingLogin, Unresolved};
use crate::aws::resolution::{Resolution, SIGN_IN};
use crate::aws::runtime::session_lock;
use crate::aws::source::process::FieldNames;
use crate::error::Error;
use crate::sys::env;
use crate::sys::fs;
use crate::text::encode::hex;
use crate::time::Time;

/// Credentials with less left are renewed, as in the AWS CLI; in seconds.
const RENEW: u32 = 5 * 60;
/// They live for 15 minutes: a renewal of younger ones gains next to nothing; in seconds.
const FRESH: u32 = 14 * 60;
/// With this much left the AWS CLI does not mind a session whose key is damaged; in seconds.
const ENOUGH: u32 = 10 * 60;
const NAMES: FieldNames = FieldNames {
    key: "accessKeyId",
    secret: "secretAccessKey",
    token: "sessionToken",
    end: "expiresAt",
};

/// Names the session in AWS's cache.
pub(crate) fn id(session: &str) -> String {
    hex(digest(&SHA256, session.trim().as_bytes()).as_ref())
}

/// Returns the file of AWS's cache in which a login leaves its session.
pub(crate) fn path(session: &str) -> Option<PathBuf> {
    let directory = match env::var("AWS_LOGIN_CACHE_DIRECTORY") {
        Some(directory) => env::expanded(&directory),
        None => env::aws_home()?.join(".aws/login/cache"),
    };
    Some(directory.join(format!("{}.json", id(session))))
}

/// Tells whether the cache holds credentials that have not expired.
pub(crate) fn is_open(session: &str) -> bool {
    CachedLogin::read(session)
        .and_then(|cached| cached.credentials().ok())
        .is_some_and(|credentials| left(&credentials) > 0)
}

/// Returns the session's credentials, renewed if they end before what is wanted.
pub(crate) async fn credentials(
    resolution: &Resolution<'_>,
    profile: &str,
    name: &str,
) -> Result<Credentials, Unresolved> {
    let missing = |why: &str| {
        Unresolved::from(MissingLogin {
            kind: LoginKind::SignIn(name.to_owned()),
            profile: profile.to_owned(),
            why: why.to_owned(),
            revoked: None,
        })
    };
    let cached = CachedLogin::read(name)
        .ok_or_else(|| missing("nobody has logged in with `aws login` yet"))?;
    let broken = |what: String| {
        missing(&format!(
            "what `aws login` has stored cannot be used: {what}"
        ))
    };
    let found = cached.credentials().map_err(broken)?;
    let enough = resolution.min_life.clamp(RENEW, FRESH);
    if left(&found) >= enough {
        return Ok(found);
    }
    let _lock = session_lock(&id(name), Duration::from_secs(5));
    let cached = CachedLogin::read(name).ok_or_else(|| missing("the login session is gone"))?;
    let found = cached.credentials().map_err(broken)?;
    // Whoever had the lock before may have renewed it.
    if left(&found) >= enough {
        return Ok(found);
    }
    match cached.renew(resolution, name).await {
        Ok(renewed) => Ok(renewed),
        Err(RenewalError::Damaged) if left(&found) >= ENOUGH => Ok(found),
        Err(RenewalError::Damaged) => Err(missing("the key of the login session is damaged")),
        Err(_) if left(&found) >= RENEW => Ok(found),
        Err(RenewalError::MissingLogin(why)) => Err(missing(why)),
        Err(RenewalError::Failed(error)) => Err(error.into()),
    }
}

fn left(credentials: &Credentials) -> u32 {
    credentials
        .expiry()
        .map_or(0, |end| Time::now().until(Time::from_system(end)))
}

enum RenewalError {
    Damaged,
    MissingLogin(&'static str),
    Failed(Error),
}

impl From<Error> for RenewalError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The file that `aws login` left.
struct CachedLogin(Map<String, Value>);

impl CachedLogin {
    fn read(session: &str) -> Option<Self> {
        let fields: Value =
            serde_json::from_slice(&fs::read_foreign_cache(&path(session)?)?).ok()?;
        fields.as_object().cloned().map(Self)
    }

    fn text(&self, name: &str) -> Result<&str, String> {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| format!("no {name}"))
    }

    fn credentials(&self) -> Result<Credentials, String> {
        for name in ["refreshToken", "dpopKey", "clientId"] {
            self.text(name)?;
        }
        let fields = self
            .0
            .get("accessToken")
            .and_then(Value::as_object)
            .ok_or("no accessToken")?;
        let credentials = NAMES.credentials(fields, "aws login")?;
        credentials.expiry().ok_or("no expiresAt")?;
        Ok(credentials)
    }

    async fn renew(
        mut self,
        resolution: &Resolution<'_>,
        name: &str,
    ) -> Result<Credentials, RenewalError> {
        let unusable =
            |what: &str| Error::failure(format!("cannot renew the `aws login` session: {what}"));
        let key = self
            .text("dpopKey")
            .ok()
            .and_then(|pem| SecretKey::from_sec1_pem(pem).ok());
        let key = key.ok_or(RenewalError::Damaged)?;
        // Not in the region of the host: the session must not be known in another one, or in
        // another partition.
        let region = resolution
            .settings
            .region()
            .unwrap_or_else(|| resolution.region.clone());
        resolution.step(format!("aws login: renewing the session in {region}"));
        let config = resolution.client(SIGN_IN, &region, None);
        let config = aws_sdk_signin::config::Builder::from(&config)
            .allow_no_auth()
            .build();
        let body = CreateOAuth2TokenRequestBody::builder()
            .client_id(self.text("clientId").unwrap_or_default())
            .grant_type("refresh_token")
            .refresh_token(self.text("refreshToken").unwrap_or_default())
            .build()
            .map_err(|error| unusable(&error.to_string()))?;
        let call = aws_sdk_signin::Client::from_conf(config)
            .create_o_auth2_token()
            .token_input(body)
            .customize();
        let call = call.mutate_request(move |request| {
            let proof = proof(&key, request.uri());
            request.headers_mut().insert("DPoP", proof);
        });
        let answer = resolution.wait(SIGN_IN.name, call.send()).await?.map_err(|error| {
            let refusal = error.as_service_error().and_then(|error| match error {
                aws_sdk_signin::operation::create_o_auth2_token::CreateOAuth2TokenError::AccessDeniedException(
                    refusal,
                ) => Some(&refusal.error),
                _ => None,
            });
            match refusal {
                Some(Code::TokenExpired) => RenewalError::MissingLogin("the login session has expired"),
                Some(Code::UserCredentialsChanged) => RenewalError::MissingLogin("the password has changed since the login"),
                Some(Code::InsufficientPermissions) => RenewalError::Failed(
                    unusable("the user lacks the permission signin:CreateOAuth2Token")
                        .hint("ask the administrator for it"),
                ),
                _ => RenewalError::Failed(
                    resolution
                        .refused("cannot renew the `aws login` session", SIGN_IN, &error)
                        .or_hint(&format!("retry; if it stays, run `aws login{}`", resolution.option())),
                ),
            }
        })?;
        let output = answer
            .token_output()
            .ok_or_else(|| unusable("AWS sign-in gave nothing"))?;
        let given = output
            .access_token()
            .ok_or_else(|| unusable("AWS sign-in gave no credentials"))?;
        let end = Time::now().plus(u32::try_from(output.expires_in()).unwrap_or_default());
        let fields = self.0.entry("accessToken").or_insert_with(|| json!({}));
        fields["accessKeyId"] = json!(given.access_key_id());
        fields["secretAccessKey"] = json!(given.secret_access_key());
        fields["sessionToken"] = json!(given.session_token());
        fields["expiresAt"] = json!(end.rfc3339());
        self.0
            .insert("refreshToken".to_owned(), json!(output.refresh_token()));
        resolution.has_changed_files();
        let text = Value::from(self.0.clone()).to_string();
        let stored = path(name).map(|path| fs::swap_in_for_owner(&path, text.as_bytes()));
        if let Some(Err(error)) = stored {
            resolution.warn(format!("{error}; the next renewal needs a login"));
        }
        self.credentials().map_err(|what| unusable(&what).into())
    }
}

/// Returns a JSON Web Token that proves, for one request, that its sender holds the key.
fn proof(key: &SecretKey, address: &str) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let point = key.public_key().to_encoded_point(false);
    let coordinate =
        |bytes: Option<&p256::FieldBytes>| bytes.map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": coordinate(point.x()), "y": coordinate(point.y())});
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk});
    let mut id = [0; 16];
    let _ = SystemRandom::new().fill(&mut id); // without randomness AWS refuses the second request of this second
    let address = address.split('?').next().unwrap_or(address);
    let payload =
        json!({"jti": hex(&id), "htm": "POST", "htu": address, "iat": Time::now().unix()});
    let message = format!("{}.{}", part(&header), part(&payload));
    let signature: Signature = SigningKey::from(key).sign(message.as_bytes());
    format!(
        "{message}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes())
    )
}

//! Container credentials: ECS, EKS Pod Identity, CloudShell and whoever else sets `AWS_CONTAINER_CREDENTIALS_*`.

use std::net::IpAddr;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_async::rt::sleep::TokioSleep;

use super::session::Session;
use crate::env;
use crate::error::{Error, Result};
use crate::fs;
use crate::host;

const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";

/// Returns the credentials, if the environment names an address for them.
pub(super) async fn credentials(session: &Session<'_>) -> Result<Option<Credentials>> {
    let variable = if env::var_or_empty(RELATIVE).is_some() { RELATIVE } else { FULL };
    let Some(address) = env::var_or_empty(variable) else { return Ok(None) };
    if variable == FULL {
        check(&address)?;
    }
    check_token(session)?;
    session.step(format!("container: asking {variable}"));
    let config = ProviderConfig::empty().with_http_client(session.direct()).with_sleep_impl(TokioSleep::new());
    let provider = EcsCredentialsProvider::builder().configure(&config).build();
    let answer = session.wait("the container's credential service", provider.provide_credentials()).await?;
    let found = answer.map_err(|error| {
        Error::failure(format!("cannot get container credentials from {variable}"))
            .caused_by(&error)
            .hint(format!("is the service of {variable} running, and does AWS_CONTAINER_AUTHORIZATION_TOKEN fit it?"))
    })?;
    session.unexpired(found, "the container's credential service", "retry; if it stays, restart the service").map(Some)
}

/// The token goes into a header: one line, from a file or a variable.
fn check_token(session: &Session) -> Result<()> {
    const FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
    let (variable, token) = match env::var_or_empty(FILE) {
        Some(path) => {
            let text = fs::read_foreign_text(path.as_ref(), session.deadline());
            (FILE, text.map_err(|error| error.about(FILE).or_hint("correct the variable"))?)
        }
        None => (TOKEN, env::var_or_empty(TOKEN).unwrap_or_default()),
    };
    if token.contains(['\r', '\n']) {
        return Err(Error::usage(format!("{variable}: the token has a line end in it")).hint("store it without one"));
    }
    Ok(())
}

/// Plain HTTP goes to this machine and to AWS's own addresses only: the answer is a secret.
fn check(address: &str) -> Result<()> {
    const ALLOWED: [&str; 4] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost"];
    let refused = |why: String| {
        Error::usage(format!("{FULL}: {why}"))
            .hint("it has to be https, a loopback address, or an address of AWS's own")
    };
    if address.starts_with("https://") {
        return Ok(());
    }
    let rest = address.strip_prefix("http://").ok_or_else(|| refused("neither http nor https".to_owned()))?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let name = match authority.strip_prefix('[') {
        Some(literal) => literal.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(name, _)| name),
    };
    let loopback = name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if loopback || ALLOWED.contains(&name) {
        return Ok(());
    }
    Err(refused(format!("the host {} may not be asked", host::quoted(name))))
}

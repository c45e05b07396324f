//! Container credentials: ECS, EKS Pod Identity, CloudShell and whoever else sets
//! `AWS_CONTAINER_CREDENTIALS_*`.

use std::net::IpAddr;
use std::time::Duration;

use aws_credential_types::Credentials;
use serde_json::Value;

use crate::aws::plan::{Container, FULL, RELATIVE};
use crate::aws::resolution::Resolution;
use crate::aws::service::http::Unanswered;
use crate::aws::source::process::FieldNames;
use crate::error::{Error, Result};
use crate::sys::fs;
use crate::text::foreign;
use crate::text::host;

/// The address of AWS's own that relative addresses are of.
const OWN: &str = "http://169.254.170.2";
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);
const NAMES: FieldNames = FieldNames {
    key: "AccessKeyId",
    secret: "SecretAccessKey",
    token: "Token",
    end: "Expiration",
};

/// Returns the credentials that the address of the environment gives.
pub(crate) async fn credentials(
    resolution: &Resolution<'_>,
    container: &Container,
) -> Result<Credentials> {
    let (variable, value) = (container.variable, &container.address);
    let address = if variable == FULL {
        check(value)?;
        value.clone()
    } else {
        if !value.starts_with('/') {
            return Err(Error::usage(format!("{RELATIVE} does not begin with `/`"))
                .hint("correct or unset it"));
        }
        format!("{OWN}{value}")
    };
    let token = token(resolution, container)?;
    resolution.step(format!("container: asking {variable}"));
    let failed = |why: &str| {
        Error::failure(format!("cannot get container credentials from {variable}: {why}"))
            .hint(format!("is the service of {variable} running, and does AWS_CONTAINER_AUTHORIZATION_TOKEN fit it?"))
    };
    let answer = resolution
        .wait(
            "the container's credential service",
            ask(resolution, &address, token.as_deref()),
        )
        .await?;
    let text = answer.map_err(|why| match why {
        Unanswered::Own(error) => error.about(&format!("container credentials from {variable}")),
        Unanswered::Because(why) => failed(&why),
    })?;
    let answer: Value =
        serde_json::from_slice(&text).map_err(|_| failed("the answer is not JSON"))?;
    let fields = answer.as_object().cloned().unwrap_or_default();
    // Credentials of a container always have both. Without them AWS's tools take no answer.
    if let Some(missing) = [NAMES.token, NAMES.end]
        .into_iter()
        .find(|name| !fields.contains_key(*name))
    {
        return Err(failed(&format!("the answer has no {missing}")));
    }
    let found = NAMES
        .credentials(&fields, "container")
        .map_err(|what| failed(&format!("the answer has {what}")))?;
    resolution.unexpired(
        found,
        "the container's credential service",
        "retry; if it stays, restart the service",
    )
}

/// Asks up to three times, as the AWS CLI does; a refusal is not going to change.
async fn ask(
    resolution: &Resolution<'_>,
    address: &str,
    token: Option<&str>,
) -> std::result::Result<Vec<u8>, Unanswered> {
    let mut headers = vec![("accept", "application/json")];
    headers.extend(token.map(|token| ("authorization", token)));
    let mut attempt = 1;
    loop {
        let (may_change, failure) = match resolution.direct().ask("GET", address, &headers).await {
            Ok((200, text)) => return Ok(text),
            Ok((status, text)) => (status >= 500, Unanswered::Because(refusal(status, &text))),
            Err(Unanswered::Own(error)) => (false, Unanswered::Own(error)),
            Err(failure) => (true, failure),
        };
        if !may_change || attempt == ATTEMPTS {
            return Err(failure);
        }
        attempt += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Says what a refusal says, as far as it has the usual form: anything else may hold what nobody
/// may see.
fn refusal(status: u16, text: &[u8]) -> String {
    let answer: Value = serde_json::from_slice(text).unwrap_or_default();
    let said =
        ["code", "message"].map(|name| answer.get(name).and_then(Value::as_str).map(foreign));
    let said: Vec<String> = said.into_iter().flatten().collect();
    let said = if said.is_empty() {
        String::new()
    } else {
        format!(": {}", said.join(": "))
    };
    format!("it refused (HTTP {status}){said}")
}

/// The token for the header: one line, from a file or a variable.
fn token(resolution: &Resolution, container: &Container) -> Result<Option<String>> {
    const FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
    let (variable, token) = match &container.token_file {
        Some(path) => {
            let text = fs::read_foreign_text(path.as_ref(), resolution.deadline());
            (
                FILE,
                text.map_err(|error| error.about(FILE).or_hint("correct the variable"))?,
            )
        }
        None => match &container.token {
            Some(token) => (TOKEN, token.clone()),
            None => return Ok(None),
        },
    };
    if token.contains(['\r', '\n']) {
        return Err(
            Error::usage(format!("{variable}: the token has a line end in it"))
                .hint("store it without one"),
        );
    }
    if token.contains(char::is_control) {
        return Err(Error::usage(format!(
            "{variable}: the token has a control character in it"
        ))
        .hint("store it without one"));
    }
    Ok(Some(token))
}

/// Plain HTTP goes to this machine and to AWS's own addresses only: the answer is a secret.
fn check(address: &str) -> Result<()> {
    const ALLOWED: [&str; 4] = [
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::23",
        "localhost",
    ];
    let refused = |why: String| {
        Error::usage(format!("{FULL}: {why}"))
            .hint("it has to be https, a loopback address, or an address of AWS's own")
    };
    if address.starts_with("https://") {
        return Ok(());
    }
    if !address.starts_with("http://") {
        return Err(refused("neither http nor https".to_owned()));
    }
    let name = &*host::name(host::place(address)).to_ascii_lowercase();
    let loopback = name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if loopback || ALLOWED.contains(&name) {
        return Ok(());
    }
    Err(refused(format!(
        "the host {} may not be asked",
        host::quoted(name)
    )))
}

/// What looks like this machine and is another one. The client of HTTP takes no address with a
/// backslash or a blank.
#[test]
fn only_this_machine_and_addresses_of_aws_are_asked() {
    for address in [
        "http://evil.example.com/",
        "http://localhost@evil.example.com/",
        "http://localhost:80@evil.example.com/",
        "http://evil.example.com#@localhost/",
        "http://evil.example.com/@localhost/",
        "http://evil.example.com?@localhost/",
        "http://localhost\\@evil.example.com/",
        "http://127.0.0.1.evil.example.com/",
        "http://169.254.170.2.evil.example.com/",
        "http://localhost.evil.example.com/",
        "http://169.254.169.254/",
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://2130706433/",
        "http://0.0.0.0/",
        "http://[::ffff:8.8.8.8]/",
        "http://[fe80::1]/",
        "http://",
        "//localhost/",
        "file:///etc/passwd",
        "HTTP ://localhost/",
    ] {
        assert!(check(address).is_err(), "{address}");
    }
    for address in [
        "http://127.0.0.1:1/x",
        "http://localhost/x",
        "http://[::1]:80/",
        "http://169.254.170.23/v1",
        "https://x/",
    ] {
        assert!(check(address).is_ok(), "{address}");
    }
}

//! The one check that all credentials pass before anything is signed with them.

use aws_credential_types::Credentials;

use crate::error::{Error, Result};

/// The longest key or session token, in bytes. AWS's own have less than 5,000.
const LONGEST: usize = 60_000;

/// Refuses credentials that no request can carry: the signer panics on them. The error shows
/// nothing of them.
pub(super) fn checked(credentials: Credentials) -> Result<Credentials> {
    let parts = [
        ("access key ID", credentials.access_key_id()),
        ("secret access key", credentials.secret_access_key()),
        (
            "session token",
            credentials.session_token().unwrap_or_default(),
        ),
    ];
    for (part, text) in parts {
        let why = if text.ends_with(['\r', '\n']) {
            "ends with a line end"
        } else if text.contains(char::is_control) {
            "has a control character in it"
        } else if text.len() > LONGEST {
            "is longer than any that AWS gives"
        } else {
            continue;
        };
        return Err(Error::usage(format!(
            "the {part} {why} (its source: {})",
            source(&credentials)
        ))
        .hint(format!(
            "correct the {part} where it is stored: nothing but the {part} itself may be there"
        )));
    }
    Ok(credentials)
}

/// Returns the name that the source of the credentials has given them. It is readable in the
/// `Debug` text alone, which begins with it and hides the secrets.
fn source(credentials: &Credentials) -> String {
    let text = format!("{credentials:?}");
    text.split('"').nth(1).unwrap_or("unknown").to_owned()
}

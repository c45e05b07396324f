//! Downloads a small public text over verified TLS, with the proxies and certificates of the user's AWS settings.

use super::http;
use super::session::Session;
use crate::error::{Error, Result};

/// A larger text is refused, in bytes. What comes until the session's time is over is held in memory.
const LARGEST: usize = 1 << 20;

/// Returns the text at an `https://` address, or an error once the session's time is over.
pub(super) async fn text(session: &Session<'_>, address: &str) -> Result<String> {
    let failed = |why: &str| Error::failure(format!("cannot download {address}: {why}"));
    let roots = session.ca_bundle()?;
    let answer = session.wait(address, http::get(roots.as_deref(), address)).await?;
    match answer.map_err(|why| failed(&why))? {
        (200, body) if body.len() <= LARGEST => String::from_utf8(body).map_err(|_| failed("it is not UTF-8")),
        (200, _) => Err(failed("it is larger than 1 MiB")),
        (status, _) => Err(failed(&format!("the server answers with status {status}"))),
    }
}

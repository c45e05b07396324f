//! Downloads a small public text over verified TLS, with the proxies and certificates of the user's
//! AWS settings.

use crate::aws::resolution::Resolution;
use crate::aws::service::http::Unanswered;
use crate::error::{Error, Result};

/// Returns the text at an `https://` address, or an error once the session's time is over.
pub(crate) async fn text(resolution: &Resolution<'_>, address: &str) -> Result<String> {
    let failed = |why: &str| Error::failure(format!("cannot download {address}: {why}"));
    let answer = resolution
        .wait(address, resolution.http().ask("GET", address, &[]))
        .await?;
    match answer {
        Ok((200, body)) => String::from_utf8(body).map_err(|_| failed("it is not UTF-8")),
        Ok((status, _)) => Err(failed(&format!("the server answers with status {status}"))),
        Err(Unanswered::Own(error)) => Err(error.about(&format!("cannot download {address}"))),
        Err(Unanswered::Because(why)) => Err(failed(&why)),
    }
}

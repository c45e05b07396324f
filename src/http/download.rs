//! Downloads a small public text over verified TLS, with the proxies and certificates of the
//! client.

use super::client::HttpClient;
use crate::error::{Error, Result};

/// Returns the text at an `https://` address.
pub(crate) async fn download_text(http: &HttpClient, address: &str) -> Result<String> {
    const HINT: &str = "check the network and HTTPS_PROXY, then try again";
    let context = format!("cannot download {address}");
    let reason = match http.ask("GET", address, &[], "").await {
        Ok((200, body)) => match String::from_utf8(body) {
            Ok(text) => return Ok(text),
            Err(_) => "it is not UTF-8".to_owned(),
        },
        Ok((status, _)) => format!("the server answers with status {status}"),
        Err(error) => return Err(error.into_error(&context).or_hint(HINT)),
    };
    Err(Error::failure(format!("{context}: {reason}")).hint(HINT))
}

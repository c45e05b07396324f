//! What a server says, explained by the table of causes.

use crate::causes;
use crate::command::doctor::finding::Finding;
use crate::probe::wire::ServerMessage;

/// Returns the finding for a server's error. The server's own words are its detail. The host tells
/// what kind of server says so.
pub(super) fn explain_message(message: &ServerMessage, host: &str) -> Finding {
    let mut text = message.message.clone();
    for (name, value) in [("DETAIL", &message.detail), ("HINT", &message.hint)] {
        if !value.is_empty() {
            text.extend(["; ", name, ": ", value]);
        }
    }
    let detail = match message.code.as_str() {
        "" => text.clone(),
        code => format!("{text} (SQLSTATE {code})"),
    };
    match causes::explain(&format!("{host}: {text}")).first() {
        Some(cause) => Finding::fail(cause.id, detail),
        None => Finding::unexplained(detail),
    }
}

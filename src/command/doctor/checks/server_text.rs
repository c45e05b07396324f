//! What a server says, explained by the table of causes.

use crate::causes;
use crate::command::doctor::finding::Finding;
use crate::probe::wire::ServerMessage;

/// Returns the finding for a server's error. The server's own words are its detail.
pub(super) fn explained(message: &ServerMessage) -> Finding {
    let mut text = message.message.clone();
    for (name, value) in [("DETAIL", &message.detail), ("HINT", &message.hint)] {
        if !value.is_empty() {
            text.extend(["; ", name, ": ", value]);
        }
    }
    let detail = format!("{} (SQLSTATE {})", text, message.code);
    match causes::explain(&text).first() {
        Some(cause) => Finding::fail(cause.id, detail),
        None => Finding::unexplained(detail),
    }
}

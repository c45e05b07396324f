//! Explains what a server says, by the authority for whose tokens it is.

use crate::command::doctor::finding::Finding;
use crate::request::Request;
use crate::wire::ServerMessage;

/// Returns the finding for an error of the server of a request. The server's own words are its
/// detail. The host tells what kind of server says so, also behind a tunnel.
pub(super) fn explain_message(message: &ServerMessage, request: &Request) -> Finding {
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
    let text_with_host = format!("{}: {text}", request.sign_host);
    match request.provider.cause_of_server_message(&text_with_host) {
        Some(cause) => Finding::fail(cause, detail),
        None => Finding::unexplained(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::tests::request;
    use crate::provider;

    #[test]
    fn the_authority_explains_what_its_servers_say() {
        let message = ServerMessage {
            code: "28P01".to_owned(),
            message: "password authentication failed for user \"ann\"".to_owned(),
            ..ServerMessage::default()
        };
        let of = |provider| {
            request(
                provider::from_name(provider).expect("a provider"),
                "db.example",
            )
        };
        let finding = explain_message(&message, &of("rds"));
        assert_eq!(finding.cause, Some("role.rds_iam.missing"));
        let finding = explain_message(&message, &of("fake"));
        assert_eq!(finding.cause, None);
        assert!(
            finding.detail.ends_with("(SQLSTATE 28P01)"),
            "{}",
            finding.detail
        );
    }
}

//! The login itself, with the token, up to the server's first verdict. No SQL is sent.

use super::net::probe;
use super::server_text::explained;
use super::tls::judge_break;
use crate::command::doctor::check::{Check, Examine};
use crate::command::doctor::context::{Case, Level};
use crate::command::doctor::finding::Finding;
use crate::probe::login::{Login, Outcome};
use crate::probe::wire::Method;

pub(super) const CHECKS: &[Check] = &[Check {
    id: "login.accepted",
    about: "whether the server accepts the token",
    level: Level::Network,
    needs: &[
        "token.issued",
        "tls.handshake",
        "tls.chain",
        "tls.roots",
        "tls.name",
        "tls.alpn",
    ],
    examine: Examine::Target(log_in),
}];

fn log_in(case: &mut Case<'_, '_>) -> Finding {
    let name = case.request.name();
    let Some(token) = case.token.take() else {
        return Finding::skip("needs token.issued");
    };
    let (network, deadline) = match probe(case) {
        Ok(found) => found,
        Err(finding) => return finding,
    };
    network.give_token(token);
    match network.login.get(deadline) {
        Some(login) => judge(&name, login),
        None => Finding::fail("net.blocked", "the server did not answer the login in time"),
    }
}

fn judge(name: &str, login: &Login) -> Finding {
    match &login.outcome {
        Outcome::LoggedIn => Finding::ok(format!(
            "{name} is logged in, {} ms",
            login.took.as_millis()
        )),
        Outcome::Refused(message) => explained(message),
        Outcome::OtherMethod(method) => Finding::fail(
            "rds.iam.off",
            format!(
                "the server asks for {} and expects no token",
                in_words(method)
            ),
        ),
        Outcome::AskedAgain => Finding::fail(
            "rds.connect",
            "the server asks for the password a second time",
        ),
        Outcome::NotBelieved => Finding::skip("the token was not sent: the server is not verified"),
        Outcome::CannotBeSent => Finding::fail(
            "token.user",
            "the user or the database cannot be sent to a server",
        ),
        Outcome::OutOfPlace(kind) => {
            let kind = char::from(*kind).escape_default();
            Finding::fail(
                "net.other",
                format!("the server sent a packet `{kind}` in the login"),
            )
        }
        Outcome::Broke(why) => judge_break(why),
    }
}

fn in_words(method: &Method) -> String {
    match method {
        Method::Kerberos => "Kerberos".to_owned(),
        Method::Md5 => "an MD5 password".to_owned(),
        Method::Gss => "GSSAPI".to_owned(),
        Method::Sspi => "SSPI".to_owned(),
        Method::Sasl(mechanisms) => mechanisms.join(", "),
        Method::Unknown(number) => format!("method {number}"),
    }
}

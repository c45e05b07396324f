//! One visit of a client as far as the texts of a server speak of it.

use std::net::IpAddr;

use crate::startup::Startup;
use crate::{Face, Kind};

/// Whose server the client came to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Service {
    Aws(Kind),
    /// A service whose own program mints the tokens.
    Other(Face),
}

/// Who came, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit<'a> {
    /// `None` if nothing tells the service.
    pub(crate) service: Option<Service>,
    pub(crate) startup: &'a Startup,
    pub(crate) client: IpAddr,
    pub(crate) is_encrypted: bool,
    /// The stand-in's clock, as Unix time.
    pub(crate) now: u64,
}

impl Visit<'_> {
    /// `None` also where the service is none of AWS's.
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self.service {
            Some(Service::Aws(kind)) => Some(kind),
            _ => None,
        }
    }

    /// Replaces the names in braces by what they stand for in this visit.
    pub(crate) fn fill(&self, text: &str) -> String {
        let user = self.startup.user();
        let action = if user == "admin" {
            "DbConnectAdmin"
        } else {
            "DbConnect"
        };
        let other_action = if user == "admin" {
            "DbConnect"
        } else {
            "DbConnectAdmin"
        };
        let (encryption, old_encryption) = if self.is_encrypted {
            ("SSL encryption", "SSL on")
        } else {
            ("no encryption", "SSL off")
        };
        let time = |unix| crate::amz_date(unix);
        let values = [
            ("{client}", self.client.to_string()),
            ("{encryption}", encryption.to_owned()),
            ("{old encryption}", old_encryption.to_owned()),
            ("{action}", action.to_owned()),
            ("{other action}", other_action.to_owned()),
            ("{now}", time(self.now)),
            ("{20 minutes ago}", time(self.now.saturating_sub(1200))),
            ("{15 minutes ago}", time(self.now.saturating_sub(900))),
            ("{5 minutes ahead}", time(self.now + 300)),
            ("{10 minutes ahead}", time(self.now + 600)),
            ("{user}", user.to_owned()),
            ("{database}", self.startup.database().to_owned()),
        ];
        let mut filled = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            filled += &rest[..start];
            rest = &rest[start..];
            let Some((name, value)) = values.iter().find(|(name, _)| rest.starts_with(name)) else {
                filled.push('{');
                rest = &rest[1..];
                continue;
            };
            filled += value;
            rest = &rest[name.len()..];
        }
        filled + rest
    }
}

//! Writes providers and authorities in words, for the help, the questions and the errors: each list
//! is made from the table, so that no sentence has to be changed for a new one.

use super::command::CommandPreset;
use super::lookup::{authorities, is_of_first_authority};
use super::{PROVIDERS, Provider};
use crate::authority::OptionHelp;
use crate::text::quote::typed;

/// Returns what the help says of an option, for all authorities that have it.
pub(crate) fn option_help(part: fn(&OptionHelp) -> &'static str) -> String {
    let mut texts = Vec::new();
    for authority in authorities() {
        let text = part(&authority.option_help());
        if !text.is_empty() {
            texts.push(text);
        }
    }
    texts.join("; ")
}

/// Returns to whom `pgcred login` logs in: `AWS for a profile of SSO; X`.
pub(crate) fn logins() -> String {
    let mut texts = Vec::new();
    for authority in authorities() {
        let log_in = authority.option_help().log_in;
        texts.push(format!("{}{log_in}", authority.title()));
    }
    texts.join("; ")
}

/// Returns what a user types to log in to the authority of a provider, with the options that are
/// needed: the first authority needs no name, and the default profile none either.
pub(crate) fn login_command(provider: &Provider, profile: Option<&str>) -> String {
    let mut command = "pgcred login".to_owned();
    if !is_of_first_authority(provider) {
        command += " --provider ";
        command += provider.name;
    }
    match profile {
        None | Some("default") => command,
        Some(profile) => format!("{command} --profile {}", typed(profile)),
    }
}

/// Returns the names of all authorities in sentences: `A or B`.
pub(crate) fn authority_titles() -> String {
    let authorities = authorities();
    let titles: Vec<&str> = authorities
        .iter()
        .map(|authority| authority.title())
        .collect();
    titles.join(" or ")
}

/// Returns the titles of all providers whose hosts have a form of their own, for a sentence:
/// `A, B or C`.
pub(crate) fn titles() -> String {
    let mut titles: Vec<&str> = PROVIDERS.iter().map(|provider| provider.title).collect();
    titles.extend(CommandPreset::with_hosts().map(|preset| preset.title));
    match titles.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::lookup::from_name;
    use super::*;

    #[test]
    fn the_help_of_an_option_is_that_of_the_authorities_that_have_it() {
        let help = option_help(|help| help.region);
        // Nobody but the first has it here; another that has it follows, and Fake leaves no gap.
        let first = PROVIDERS[0].authority.option_help().region;
        assert!(!first.is_empty() && help.starts_with(first), "{help}");
        assert!(!help.ends_with("; ") && !help.contains("; ; "), "{help}");
        assert_eq!(option_help(|_| ""), "");
        let logins = logins();
        assert!(logins.starts_with("AWS for a profile of SSO"), "{logins}");
        assert!(logins.ends_with("; Fake"), "{logins}");
    }

    #[test]
    fn a_login_is_typed_with_the_options_that_it_needs() {
        let command = |provider: &str, profile| {
            login_command(from_name(provider).expect("it is in the table"), profile)
        };
        for name in ["dsql", "rds"] {
            assert_eq!(command(name, None), "pgcred login");
            assert_eq!(command(name, Some("default")), "pgcred login");
            assert_eq!(command(name, Some("dev")), "pgcred login --profile dev");
        }
        assert_eq!(command("fake", None), "pgcred login --provider fake");
        assert_eq!(
            command("fake", Some("my team")),
            format!(
                "pgcred login --provider fake --profile {}",
                typed("my team")
            )
        );
    }
}

//! Finds the failure that an error of pgcred's is. The authority knows the cause.

use crate::authority::Authority;
use crate::command::doctor::finding::Finding;
use crate::error::Error;

/// Returns the failure that an error is, where getting credentials or a token has ended with it.
pub(super) fn finding_of_error(authority: &dyn Authority, error: &Error) -> Finding {
    Finding::from_error(authority.cause_of(error), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;
    use crate::provider;

    #[test]
    fn a_missing_login_keeps_its_exit_code_and_a_wrong_setting_is_a_failure() {
        for provider in ["dsql", "fake"] {
            let authority = provider::authority_of(Some(provider)).unwrap();
            let exit = |error: &Error| finding_of_error(authority, error).exit;
            assert_eq!(exit(&Error::login("x")), Exit::Login);
            assert_eq!(exit(&Error::usage("x")), Exit::Failure);
            assert_eq!(exit(&Error::failure("x")), Exit::Failure);
        }
    }

    #[test]
    fn the_authority_says_the_cause() {
        let error = Error::login("x");
        let cause = |provider| {
            let authority = provider::authority_of(Some(provider)).unwrap();
            finding_of_error(authority, &error).cause
        };
        assert_eq!(cause("dsql"), Some("aws.login"));
        assert_eq!(cause("fake"), None);
    }
}

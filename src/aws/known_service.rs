//! Lists the services of which AWS's side knows more than how a token is signed: what describes a
//! server, what a policy names, and which causes of failures are theirs.
//!
//! Tokens are signed for every service. One that is not here has no policies, no state and no
//! causes of its own, and is never taken for another. Whoever adds one is led to the rest by the
//! compiler.

use crate::authority::TokenScope;

/// Makes the services, each with the name that is signed, and the list of all.
macro_rules! known_services {
    ($($service:ident: $name:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum KnownService {
            $($service,)*
        }

        impl KnownService {
            pub(super) const ALL: &[Self] = &[$(Self::$service),*];

            /// Returns the name that is signed.
            const fn name(self) -> &'static str {
                match self {
                    $(Self::$service => $name,)*
                }
            }
        }
    };
}

known_services! {
    Dsql: "dsql";
    Rds: "rds-db";
}

impl KnownService {
    /// Returns the service by the name that is signed.
    pub(super) fn from_name(service: &str) -> Option<Self> {
        let mut services = Self::ALL.iter().copied();
        services.find(|row| row.name() == service)
    }

    pub(super) fn from_scope(scope: &TokenScope<'_>) -> Option<Self> {
        Self::from_name(scope.service)
    }
}

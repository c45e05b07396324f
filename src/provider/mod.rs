//! Lists the providers: what each kind of host needs. A provider is one file and one line of
//! [`PROVIDERS`]; everything else asks the table.
//!
//! A provider knows its hosts, the defaults and limits of its tokens, which authority issues them,
//! and which root certificates its servers have. It does not sign: it says what a token permits
//! ([`TokenScope`]), and the authority makes the token.
//!
//! ```text
//!  a name, a host, an ID                     [command.NAME], or a preset
//!        |                                          |
//!        v                                          v
//!     lookup --> PROVIDERS                       defined --> command
//!        |          dsql, rds; in tests            |          an authority that runs a program
//!        |          example, fake                   |
//!        |            |                             |
//!        |            v                             v
//!        |       properties: the values of a Provider, with neutral defaults
//!        |            |-- required_roots   which root certificates; amazon_roots has those of RDS
//!        |            |-- server_login_sql        the SQL that lets a user log in
//!        |            '-- authority        who issues the tokens: aws, command, or one of its own
//!        v
//!     wording      the same table in sentences: help, errors, questions
//! ```
//!
//! [`TokenScope`]: crate::authority::TokenScope

mod amazon_roots;
pub(crate) mod command;
mod defined;
mod dsql;
#[cfg(test)]
mod example;
#[cfg(test)]
pub(crate) mod fake;
mod lookup;
mod properties;
mod rds;
mod required_roots;
mod server_login_sql;
#[cfg(test)]
mod tests;
mod wording;

pub(crate) use defined::{default_port, define};
pub(crate) use lookup::{
    authorities, authority_of, find_by_host, find_by_id, from_name, has_own_command, host_warning,
    id_mistake, is_built_in, knows_host, names, parse_region,
};
pub(crate) use properties::{DEFAULT_PORT, NoTokenReason, Provider};
pub(crate) use required_roots::{RequiredRoots, RootSet};
pub(crate) use server_login_sql::{MAX_NAME_LENGTH, SqlStep, SqlSubject};
pub(crate) use wording::{authority_titles, login_command, logins, option_help, titles};

/// Every provider, in the order in which hosts are matched.
pub(crate) static PROVIDERS: &[&Provider] = &[
    &dsql::PROVIDER,
    &rds::PROVIDER,
    #[cfg(test)]
    &example::PROVIDER,
    #[cfg(test)]
    &fake::PROVIDER,
];

//! Defines what an authority can list: the databases that the credentials of a profile may see.
//! These are values only. Their texts are for people, and may have been written by others than the
//! user: they are short, and a label may have any characters, so escape it before a terminal gets
//! it.

use std::time::Instant;

use super::{AskPolicy, InspectionResult, NoAnswer, Region};

/// What an authority that can list databases has besides. `pgcred discover` asks every authority
/// that has it.
pub(crate) trait Lister: Sync {
    /// Returns who lists the databases that a profile may see. This asks nothing yet: that there is
    /// no such profile, or that a login is missing, is an answer of [`DatabaseCatalog::list`].
    fn catalog(
        &self,
        profile: Option<&str>,
        ask_policy: &AskPolicy,
        deadline: Instant,
    ) -> Box<dyn DatabaseCatalog>;

    /// Returns how it is said that a database takes no tokens.
    fn no_tokens(&self) -> NoTokensWording {
        NoTokensWording {
            in_table: "no tokens",
            in_sentence: "it takes no tokens",
        }
    }

    /// Returns what the user types so that a database takes tokens; `None` if pgcred does not know.
    fn how_to_take_tokens(&self, _: &FoundDatabase, _profile: Option<&str>) -> Option<String> {
        None
    }
}

/// How it is said that a database takes passwords only.
pub(crate) struct NoTokensWording {
    pub(crate) in_table: &'static str,
    pub(crate) in_sentence: &'static str,
}

/// Lists databases with the credentials of one profile, which are resolved once. Ends by the
/// deadline that the catalog was made with, and never opens a page or asks the user. Several
/// catalogs may be asked at the same time, each in a thread of its own.
pub(crate) trait DatabaseCatalog: Send + Sync {
    /// Returns the region that the profile names, and those that it may be asked for. Asks nothing.
    fn regions(&self) -> ProfileRegions;

    /// Asks for every database in these regions, side by side. An error says why nothing can be
    /// asked, such as a login that is missing; what failed in a region is in the answer. Calls
    /// `progress` at each step, from any thread.
    fn list(
        &self,
        regions: &[Region],
        progress: &(dyn Fn(CatalogStep) + Sync),
    ) -> InspectionResult<CatalogAnswer>;
}

/// The regions of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProfileRegions {
    /// The one that the profile, or a variable, names.
    pub(crate) own_region: Option<Region>,
    /// All that accounts of this kind can have, in alphabetical order.
    pub(crate) known_regions: Vec<Region>,
}

/// A step of a listing, to show how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CatalogStep {
    /// One more question will be asked.
    Planned,
    /// A question has been answered, or has failed.
    Done,
}

/// What a profile may see.
#[derive(Clone, Debug, Default)]
pub(crate) struct CatalogAnswer {
    /// The account that the profile belongs to.
    pub(crate) account: Option<String>,
    /// By region in the order of the question, then in the order of the answers.
    pub(crate) databases: Vec<FoundDatabase>,
    /// Hosts that exist and that nobody can use now, such as that of readers where there are none.
    pub(crate) idle_hosts: Vec<String>,
    pub(crate) failures: Vec<FailedListing>,
    /// Of what nothing is missing: what is not listed there does not exist.
    pub(crate) complete_listings: Vec<CompleteListing>,
}

/// Everything of one service in one region was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CompleteListing {
    pub(crate) region: Region,
    /// The service that tokens for its hosts name, as [`super::TokenScope::service`].
    pub(crate) service: &'static str,
}

/// A question that was not answered in one region.
#[derive(Clone, Debug)]
pub(crate) struct FailedListing {
    pub(crate) region: Region,
    /// What was asked, in the authority's words: `RDS DescribeDBClusters`.
    pub(crate) question: String,
    pub(crate) no_answer: NoAnswer,
}

/// A host that takes logins. One database may have several: a writer, readers, a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundDatabase {
    /// What it is, for a table: `DSQL cluster`, `RDS instance`.
    pub(crate) kind: &'static str,
    pub(crate) role: EndpointRole,
    /// The name that commands of the authority's own tools take.
    pub(crate) identifier: String,
    /// The name that people have given it, such as a tag `Name`.
    pub(crate) label: Option<String>,
    pub(crate) region: Region,
    /// `None` while there is none, and where the identifier tells it.
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) dbname: Option<String>,
    /// A user that the service itself has made, and that takes tokens.
    pub(crate) user: Option<String>,
    pub(crate) engine: Option<String>,
    /// The authority's own word, such as `ACTIVE` or `stopped`. Empty if only the name is known.
    pub(crate) status: String,
    /// Whether a client can connect in this state; `None` for a word that pgcred does not know.
    pub(crate) is_ready: Option<bool>,
    pub(crate) takes_tokens: Option<bool>,
    /// What stands for the database in a policy.
    pub(crate) resource_id: Option<String>,
    /// Whether it has an address outside of its private network.
    pub(crate) is_public: Option<bool>,
}

/// What a host of a database is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndpointRole {
    /// Reads and writes: a cluster, its writer, or an instance.
    Main,
    /// The readers of a cluster.
    Reader,
    /// An endpoint that the user has made for some instances of a cluster.
    Custom,
    /// Passes logins on to a database.
    Proxy,
}

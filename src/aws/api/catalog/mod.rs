//! Lists the databases that a profile may see: clusters of Aurora DSQL, and instances, clusters and
//! proxies of RDS, in many regions side by side.
//!
//! ```text
//! aws_catalog     blocking: the seam of `authority`, and the regions of a profile
//!     |
//!     v
//! listing         all regions at once, and the account
//!     |
//!     +--> region_listing the questions to one region
//!     |       |
//!     |       +--> dsql_listing a list of clusters, then each of them
//!     |       '--> rds_listing  three lists; endpoints of proxies if there are proxies
//!     v
//! failures        what a failure says of the region, and of the keys
//!
//! question        what is asked, by whom, and where
//! catalog_part    databases and failures, as they come together
//! found_database  one database, and the bounds of its texts
//! ```
//!
//! The questions of a region: one of Aurora DSQL and three of RDS, then one for each cluster of
//! Aurora DSQL, whose list has the names only. Every question ends by the deadline of the run;
//! what was found by then is in the answer, with a failure for each question that was not answered.
//!
//! All texts are those of the services, and of people who write tags: they are bounded here, and
//! whoever shows them escapes them.

mod aws_catalog;
mod catalog_part;
mod dsql_listing;
mod failures;
mod found_database;
mod listing;
mod question;
mod rds_listing;
mod region_listing;
#[cfg(test)]
mod tests;

pub(crate) use aws_catalog::AwsCatalog;

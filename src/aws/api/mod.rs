//! Asks AWS's control planes: what a server's state is, who the caller is, what a policy allows,
//! and which databases there are. The requests are made here and not by the services' SDKs: that of
//! RDS alone has 360,000 lines, and pgcred asks ten questions.
//!
//! ```text
//! inspector      what doctor asks          catalog      what discover asks, in a directory
//!    |                                        |
//!    +--> profile_client <--------------------+  blocking: settings, credentials, a runtime
//!    |                                        |
//!    +--> server --> rds_host                 |  which thing of RDS a host name belongs to
//!    |       |                                |
//!    v       v                                v
//!  sts iam  dsql rds --> rds_resources        |  one file for each service: requests, and values
//!    |       |                                |  out of answers
//!    v       v                                v
//!  client --> request           one operation: JSON over REST, or a form and XML
//!    |  |---> address           the user's endpoint, or AWS's own by partition
//!    |  |---> request_slots     how many requests are under way, in the whole process
//!    |  '---> refusal           codes, and what they mean
//!    v
//!  crate::http, sigv4           as for all that AWS is asked
//!
//! pages          a list in pages, with a guard; xml: values by their path; arn: callers
//! ```
//!
//! A question ends by the caller's deadline. What AWS refuses is a value ([`NoAnswerReason`]) with
//! an error that names service and operation; an answer that is not understood is one, too.
//!
//! [`NoAnswerReason`]: crate::authority::NoAnswerReason

mod address;
mod arn;
mod catalog;
mod client;
mod dsql;
mod iam;
mod inspector;
mod pages;
mod profile_client;
mod rds;
mod rds_host;
mod rds_resources;
mod refusal;
mod request;
mod request_slots;
mod server;
mod sts;
#[cfg(test)]
mod tests;
mod xml;

pub(super) use arn::Principal;
pub(crate) use catalog::AwsCatalog;
pub(crate) use inspector::AwsInspector;
pub(super) use rds_host::{RdsName, parse_rds_host};
pub(super) use server::cluster_id;

//! Decides for `--prune` which connections that `--add` has made are gone. It is pure.
//!
//! A connection is taken out only if its own profile has been asked for its own region, everything
//! of its service was listed there, and nobody lists its host any more. One without a profile
//! stays: which account it is of depends on the shell.
//!
//! Where a profile lists none of the several connections that it has led to, it may lead to another
//! account now. Nothing tells that apart from databases that were all deleted, so the user decides.

use std::collections::HashSet;

use super::rows::DiscoveredHost;
use super::search::ProfileAnswer;
use crate::authority::{CompleteListing, Region};
use crate::config::{self, Config, Connection};
use crate::provider::{self, Provider};

/// The connections that `--add` has made and nobody lists, by what is known of them.
#[derive(Default)]
pub(super) struct UnlistedConnections {
    pub(super) names: Vec<String>,
    /// Those of which nobody could say that they are gone.
    pub(super) unconfirmed: Vec<String>,
    /// Those of `names` by their profile, where it has lost all that it has led to.
    pub(super) lost_profiles: Vec<LostProfile>,
}

/// A profile that lists none of its connections any more.
pub(super) struct LostProfile {
    pub(super) profile: String,
    pub(super) names: Vec<String>,
}

impl UnlistedConnections {
    pub(super) fn find(
        config: &Config,
        rows: &[DiscoveredHost],
        answers: &[ProfileAnswer],
    ) -> Self {
        let mut listed_hosts = HashSet::new();
        for row in rows {
            listed_hosts.extend(row.host.as_deref());
        }
        for answer in answers {
            if let Ok(listing) = &answer.listing {
                listed_hosts.extend(listing.idle_hosts.iter().map(String::as_str));
            }
        }
        let mut unlisted = Self::default();
        let mut listed_profiles = HashSet::new();
        for connection in &config.connections {
            let Some(expected_listing) = ExpectedListing::from_connection(connection) else {
                continue;
            };
            if listed_hosts.contains(expected_listing.host.as_str()) {
                listed_profiles.extend(expected_listing.profile);
                continue;
            }
            let may_be_there = rows.iter().any(|row| expected_listing.may_be_row(row));
            if !may_be_there
                && answers
                    .iter()
                    .any(|answer| expected_listing.is_covered_by(answer))
            {
                unlisted.add_unlisted(
                    expected_listing.profile.unwrap_or_default(),
                    &connection.name,
                );
            } else {
                unlisted.unconfirmed.push(connection.name.clone());
            }
        }
        // A single one is more likely to be deleted.
        unlisted.lost_profiles.retain(|lost_profile| {
            lost_profile.names.len() > 1 && !listed_profiles.contains(lost_profile.profile.as_str())
        });
        unlisted
    }

    fn add_unlisted(&mut self, profile: &str, name: &str) {
        self.names.push(name.to_owned());
        match self
            .lost_profiles
            .iter_mut()
            .find(|lost_profile| lost_profile.profile == profile)
        {
            Some(lost_profile) => lost_profile.names.push(name.to_owned()),
            None => self.lost_profiles.push(LostProfile {
                profile: profile.to_owned(),
                names: vec![name.to_owned()],
            }),
        }
    }

    /// Keeps what profiles have lost as a whole: only the user can say that it is gone.
    pub(super) fn spare_lost_profiles(&mut self) {
        let lost_profiles = &self.lost_profiles;
        self.names.retain(|name| {
            !lost_profiles
                .iter()
                .any(|lost_profile| lost_profile.names.contains(name))
        });
    }
}

/// Where a connection that was discovered has to be listed.
struct ExpectedListing<'a> {
    host: String,
    /// `None` if the host is none of a provider's.
    provider: Option<&'static Provider>,
    region: Option<Region>,
    profile: Option<&'a str>,
}

impl<'a> ExpectedListing<'a> {
    fn from_connection(connection: &'a Connection) -> Option<Self> {
        if !connection.discovered {
            return None;
        }
        let configured_host = connection.target.host.as_deref()?;
        let host = config::endpoint(configured_host, connection.region.as_ref());
        let mut region = connection.region.clone();
        let provider = provider::find_by_host(&host);
        if let Some(provider) = provider {
            region = region.or((provider.region_of)(&host));
        }
        Some(Self {
            host,
            provider,
            region,
            profile: connection.profile.as_deref(),
        })
    }

    /// Tells whether a row whose host is not known now may be this one: a database has none while
    /// it is being made or changed.
    fn may_be_row(&self, row: &DiscoveredHost) -> bool {
        let identifier = &row.database.identifier;
        row.host.is_none()
            && self.region.as_ref() == Some(&row.database.region)
            && self.host.starts_with(identifier.as_str())
    }

    fn is_covered_by(&self, answer: &ProfileAnswer) -> bool {
        let (Some(profile), Some(region), Some(provider), Ok(listing)) =
            (self.profile, &self.region, self.provider, &answer.listing)
        else {
            return false;
        };
        let mut profiles = answer.profiles.iter();
        let is_asked = provider.authority.name() == answer.listing_authority.authority.name()
            && profiles.any(|asked_profile| asked_profile.as_deref() == Some(profile));
        let is_same_service = |complete: &CompleteListing| {
            complete.region == *region && complete.service == provider.service
        };
        is_asked && listing.complete_listings.iter().any(is_same_service)
    }
}

#[cfg(test)]
mod tests;

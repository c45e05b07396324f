//! Defines regions: where a token is good, for authorities that have such a thing.

use std::fmt;

use crate::error::Result;

/// What an authority knows of its regions.
pub(crate) trait Regions {
    /// Reads a name as a user types it. An error says what is wrong with it.
    fn parse(&self, text: &str) -> Result<Region>;

    /// Returns the names that completions offer. There may be others.
    fn known_regions(&self) -> &'static [&'static str];

    /// Returns a warning if a name looks wrong.
    fn warning(&self, _region: &Region) -> Option<String> {
        None
    }

    /// Returns the row of `causes`, by its id, of a request that lacks the region that a token
    /// needs. `None` if the table has none.
    fn cause_of_missing_region(&self) -> Option<&'static str> {
        None
    }
}

/// The name of a region, spelled as its authority spells it. What a user types is a text until
/// an authority, or the name of a host, has said that it is such a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region(String);

impl Region {
    /// Takes a name that an authority, or the name of a host, vouches for.
    pub(crate) fn from_trusted_name(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Reads the region of a cached token. An empty text stands for a token without a region.
    pub(crate) fn from_cache(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        Some(Self(text.to_owned()))
    }

    /// Returns the text that [`Region::from_cache`] reads.
    pub(crate) fn to_cache(region: Option<&Self>) -> &str {
        match region {
            Some(region) => region.as_str(),
            None => "",
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_keeps_a_region_and_its_absence() {
        for region in [None, Some(Region::from_trusted_name("eu-west-1"))] {
            let text = Region::to_cache(region.as_ref());
            assert_eq!(Region::from_cache(text), region);
        }
    }
}

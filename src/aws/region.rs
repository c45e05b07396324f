//! Decides what the name of an AWS region is. It is pure.
//!
//! A name that is not one of [`KNOWN_REGIONS`] is no error, because AWS adds regions: the list is
//! for suggestions, completion and `pgcred discover`. Three checks stand here side by side, since
//! each answers another question: what a user may type ([`parse`]), what the AWS CLI takes from
//! its own configuration ([`is_accepted_by_cli`]), and what may be a region in the name of a host
//! ([`may_be_region`]).

use super::known_regions::KNOWN_REGIONS;
use crate::authority::Region;
use crate::error::{Error, Result};
use crate::text::backquoted;
use crate::text::suggest;

/// The longest label of a host's name, in bytes.
const MAX_LABEL_LENGTH: usize = 63;

/// Reads a region's name as a user types it. A text of another shape would be signed into nonsense,
/// and so would a typing error, so both are refused.
pub(super) fn parse(text: &str) -> Result<Region> {
    // Old configurations name the FIPS endpoints so. The AWS CLI signs the region in it.
    let region = text
        .trim()
        .to_ascii_lowercase()
        .replace("fips-", "")
        .replace("-fips", "");
    if !may_be_region(&region) {
        return Err(invalid_region(text).hint("write it like us-east-1"));
    }
    if !has_shape(&region)
        && let Some(nearest) = suggest::nearest_word(&region, KNOWN_REGIONS.iter().copied())
        && nearest != region
    {
        return Err(invalid_region(text).hint(format!("did you mean `{nearest}`?")));
    }
    Ok(Region::from_trusted_name(region))
}

fn invalid_region(text: &str) -> Error {
    // No hint: the callers say what to write.
    Error::usage(format!("{} is not the name of a region", backquoted(text)))
}

/// Tells whether the AWS CLI takes a region from a variable or a profile: its own check is for the
/// label of a host name that is more than a number.
pub(super) fn is_accepted_by_cli(text: &str) -> bool {
    let is_label = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    let is_bare = !text.starts_with('-') && !text.ends_with('-');
    is_label && !is_number && is_bare && text.len() <= MAX_LABEL_LENGTH
}

/// Tells whether the label of a host name may be a region's name.
pub(crate) fn may_be_region(text: &str) -> bool {
    (1..=MAX_LABEL_LENGTH).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Tells whether the text is built as all regions' names are: words and a number.
fn has_shape(region: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    let is_number =
        |word: &str| (1..=2).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit());
    let mut parts = region.rsplit('-');
    parts.next().is_some_and(is_number) && parts.clone().count() >= 2 && parts.all(is_word)
}

/// Returns a warning about a region that this pgcred does not know.
pub(super) fn warning_about_region(region: &str) -> Option<String> {
    if KNOWN_REGIONS.contains(&region) {
        return None;
    }
    let suggestion = match suggest::nearest_word(region, KNOWN_REGIONS.iter().copied()) {
        Some(nearest) => format!(": did you mean `{nearest}`?"),
        None => String::new(),
    };
    Some(format!(
        "pgcred does not know the AWS region {region}{suggestion}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal_region(text: &str) -> String {
        parse(text).unwrap().to_string()
    }

    #[test]
    fn names_have_a_shape_and_slips_are_seen() {
        for known in KNOWN_REGIONS {
            assert_eq!(normal_region(known), *known);
            assert!(
                has_shape(known) && warning_about_region(known).is_none(),
                "{known}"
            );
        }
        assert_eq!(normal_region(" EU-West-9 "), "eu-west-9");
        assert_eq!(normal_region("fips-us-east-1"), "us-east-1");
        assert_eq!(normal_region("us-gov-west-1-fips"), "us-gov-west-1");
        assert!(parse(&"a".repeat(64)).is_err());
        assert!(
            warning_about_region("eu-centrall-1")
                .is_some_and(|warning| warning.contains("did you mean `eu-central-1`?"))
        );
        for (typed, hint) in [
            ("eucentral1", "did you mean `eu-central-1`?"),
            ("us east", "like us-east-1"),
            ("", "like us-east-1"),
        ] {
            let error = parse(typed).unwrap_err();
            assert!(
                error.hint_text().is_some_and(|said| said.contains(hint)),
                "{typed}: {error:?}"
            );
        }
    }
}

//! Judges what failures say of the keys, of a region and of a service. It is pure.
//!
//! If all questions have met a refusal of the keys themselves, there is no listing. A region that
//! does not know keys that STS knows is one that the account has not enabled, and is told once. A
//! service that has no host in a region where another one has answered is not in that region, which
//! is no failure.

use crate::authority::{CallerIdentity, FailedListing, Inspected, NoAnswer, Region, WhyNot};
use crate::error::Error;

use super::catalog_part::CatalogPart;

/// Returns the refusal of the keys themselves, which all questions have met: there is no listing.
pub(super) fn check_keys(
    catalog_part: &CatalogPart,
    caller: Option<&Inspected<CallerIdentity>>,
) -> Inspected<()> {
    let Some(Err(no_answer)) = caller else {
        return Ok(());
    };
    let is_of_keys = matches!(
        no_answer.why,
        WhyNot::KeyUnknown | WhyNot::Expired | WhyNot::ClockWrong | WhyNot::SecretWrong
    );
    if is_of_keys && catalog_part.databases.is_empty() {
        return Err(no_answer.clone());
    }
    Ok(())
}

/// Corrects failures of keys that STS knows: a region that does not know them is one that the
/// account has not enabled.
pub(super) fn with_known_keys(failures: &mut [FailedListing]) {
    for failure in failures {
        if failure.why.why == WhyNot::KeyUnknown {
            failure.why = not_enabled(&failure.region);
        }
    }
}

fn not_enabled(region: &Region) -> NoAnswer {
    let error = Error::failure(format!(
        "{} does not know the key: the account has not enabled the region",
        region.as_str()
    ))
    .hint("enable the region in the account's settings, or leave it out");
    NoAnswer::new(WhyNot::RegionOff, error)
}

/// Keeps one failure of each region that is not enabled: all questions have met it.
pub(super) fn once_for_a_region(failures: &mut Vec<FailedListing>) {
    let mut seen: Vec<Region> = Vec::new();
    failures.retain(|failure| {
        if failure.why.why != WhyNot::RegionOff {
            return true;
        }
        let is_new = !seen.contains(&failure.region);
        if is_new {
            seen.push(failure.region.clone());
        }
        is_new
    });
}

/// Takes out the failures of a service that has no host in the region, where another service of AWS
/// has answered: Aurora DSQL is not in every region. A list of its regions would be out of date
/// soon.
pub(super) fn without_missing_service(failures: &mut Vec<FailedListing>) {
    failures.retain(|failure| failure.why.why != WhyNot::NoSuchHost);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(region: &str, why: WhyNot) -> FailedListing {
        FailedListing {
            region: Region::vouched_for(region),
            question: "RDS DescribeDBClusters".to_owned(),
            why: NoAnswer::new(why, Error::failure("no")),
        }
    }

    fn whys(failures: &[FailedListing]) -> Vec<(&str, WhyNot)> {
        let one = |failure| {
            let FailedListing { region, why, .. }: &FailedListing = failure;
            (region.as_str(), why.why)
        };
        failures.iter().map(one).collect()
    }

    #[test]
    fn a_region_that_is_not_enabled_is_told_once() {
        let mut failures = vec![
            failure("a", WhyNot::KeyUnknown),
            failure("b", WhyNot::Late),
            failure("a", WhyNot::RegionOff),
            failure("b", WhyNot::Late),
            failure("c", WhyNot::KeyUnknown),
        ];
        with_known_keys(&mut failures);
        once_for_a_region(&mut failures);
        let expected = [
            ("a", WhyNot::RegionOff),
            ("b", WhyNot::Late),
            ("b", WhyNot::Late),
            ("c", WhyNot::RegionOff),
        ];
        assert_eq!(whys(&failures), expected);
    }

    #[test]
    fn only_a_host_that_does_not_exist_is_a_service_that_is_not_there() {
        let mut failures = vec![
            failure("a", WhyNot::NoSuchHost),
            failure("a", WhyNot::Unreachable),
        ];
        without_missing_service(&mut failures);
        assert_eq!(whys(&failures), [("a", WhyNot::Unreachable)]);
    }

    #[test]
    fn keys_that_nobody_knows_end_the_listing() {
        let nothing = CatalogPart::default();
        for (why, is_end) in [
            (WhyNot::KeyUnknown, true),
            (WhyNot::Expired, true),
            (WhyNot::ClockWrong, true),
            (WhyNot::SecretWrong, true),
            (WhyNot::NotAllowed, false),
            (WhyNot::Late, false),
            (WhyNot::Unreachable, false),
        ] {
            let caller = Err(failure("a", why).why);
            assert_eq!(
                check_keys(&nothing, Some(&caller)).is_err(),
                is_end,
                "{why:?}"
            );
        }
        assert!(check_keys(&nothing, None).is_ok());
    }
}

//! Judges what failures say of the keys, of a region and of a service. It is pure.
//!
//! If all questions have met a refusal of the keys themselves, there is no listing. A region that
//! does not know keys that STS knows is one that the account has not enabled, and is told once. A
//! service that has no host in a region where another one has answered is not in that region, which
//! is no failure.

use crate::authority::{
    CallerIdentity, FailedListing, InspectionResult, NoAnswer, NoAnswerReason, Region,
};
use crate::error::Error;

use super::catalog_part::CatalogPart;

/// Returns the refusal of the keys themselves, which all questions have met: there is no listing.
pub(super) fn check_keys(
    catalog_part: &CatalogPart,
    caller: Option<&InspectionResult<CallerIdentity>>,
) -> InspectionResult<()> {
    let Some(Err(no_answer)) = caller else {
        return Ok(());
    };
    let is_of_keys = matches!(
        no_answer.reason,
        NoAnswerReason::KeyUnknown
            | NoAnswerReason::Expired
            | NoAnswerReason::ClockWrong
            | NoAnswerReason::SecretWrong
    );
    if is_of_keys && catalog_part.databases.is_empty() {
        return Err(no_answer.clone());
    }
    Ok(())
}

/// Corrects failures of keys that STS knows: a region that does not know them is one that the
/// account has not enabled.
pub(super) fn report_regions_off(failures: &mut [FailedListing]) {
    for failure in failures {
        if failure.no_answer.reason == NoAnswerReason::KeyUnknown {
            failure.no_answer = not_enabled(&failure.region);
        }
    }
}

fn not_enabled(region: &Region) -> NoAnswer {
    let error = Error::failure(format!(
        "{} does not know the key: the account has not enabled the region",
        region.as_str()
    ))
    .hint("enable the region in the account's settings, or leave it out");
    NoAnswer::new(NoAnswerReason::RegionOff, error)
}

/// Keeps one failure of each region that is not enabled: all questions have met it.
pub(super) fn keep_one_failure_per_region_off(failures: &mut Vec<FailedListing>) {
    let mut reported_regions: Vec<Region> = Vec::new();
    failures.retain(|failure| {
        if failure.no_answer.reason != NoAnswerReason::RegionOff {
            return true;
        }
        let is_new = !reported_regions.contains(&failure.region);
        if is_new {
            reported_regions.push(failure.region.clone());
        }
        is_new
    });
}

/// Takes out the failures of a service that has no host in the region, where another service of AWS
/// has answered: Aurora DSQL is not in every region. A list of its regions would be out of date
/// soon.
pub(super) fn drop_failures_of_missing_service(failures: &mut Vec<FailedListing>) {
    failures.retain(|failure| failure.no_answer.reason != NoAnswerReason::NoSuchHost);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(region: &str, reason: NoAnswerReason) -> FailedListing {
        FailedListing {
            region: Region::from_trusted_name(region),
            question: "RDS DescribeDBClusters".to_owned(),
            no_answer: NoAnswer::new(reason, Error::failure("no")),
        }
    }

    fn reasons(failures: &[FailedListing]) -> Vec<(&str, NoAnswerReason)> {
        let one = |failure| {
            let FailedListing {
                region, no_answer, ..
            }: &FailedListing = failure;
            (region.as_str(), no_answer.reason)
        };
        failures.iter().map(one).collect()
    }

    #[test]
    fn a_region_that_is_not_enabled_is_told_once() {
        let mut failures = vec![
            failure("a", NoAnswerReason::KeyUnknown),
            failure("b", NoAnswerReason::Late),
            failure("a", NoAnswerReason::RegionOff),
            failure("b", NoAnswerReason::Late),
            failure("c", NoAnswerReason::KeyUnknown),
        ];
        report_regions_off(&mut failures);
        keep_one_failure_per_region_off(&mut failures);
        let expected = [
            ("a", NoAnswerReason::RegionOff),
            ("b", NoAnswerReason::Late),
            ("b", NoAnswerReason::Late),
            ("c", NoAnswerReason::RegionOff),
        ];
        assert_eq!(reasons(&failures), expected);
    }

    #[test]
    fn only_a_host_that_does_not_exist_is_a_service_that_is_not_there() {
        let mut failures = vec![
            failure("a", NoAnswerReason::NoSuchHost),
            failure("a", NoAnswerReason::Unreachable),
        ];
        drop_failures_of_missing_service(&mut failures);
        assert_eq!(reasons(&failures), [("a", NoAnswerReason::Unreachable)]);
    }

    #[test]
    fn keys_that_nobody_knows_end_the_listing() {
        let nothing = CatalogPart::default();
        for (reason, is_end) in [
            (NoAnswerReason::KeyUnknown, true),
            (NoAnswerReason::Expired, true),
            (NoAnswerReason::ClockWrong, true),
            (NoAnswerReason::SecretWrong, true),
            (NoAnswerReason::NotAllowed, false),
            (NoAnswerReason::Late, false),
            (NoAnswerReason::Unreachable, false),
        ] {
            let caller = Err(failure("a", reason).no_answer);
            assert_eq!(
                check_keys(&nothing, Some(&caller)).is_err(),
                is_end,
                "{reason:?}"
            );
        }
        assert!(check_keys(&nothing, None).is_ok());
    }
}

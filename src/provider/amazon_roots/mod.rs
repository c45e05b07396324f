//! Holds Amazon's root certificates: those that pgcred carries, and the addresses of the others. It
//! is pure.
//!
//! Amazon's public services have certificates that every system trusts. Servers of RDS have roots
//! of their own in each region: the program carries those of the regions that were known when it
//! was built, and for another region it has the address of the bundle. `renew.mjs` writes both
//! files.

use std::borrow::Cow;

use super::required_roots::{RequiredRoots, RootSet};
use crate::authority::Region;

/// The roots of RDS, a section for each region. `renew.mjs` writes this file.
const RDS: &str = include_str!("rds.pem");
/// The public roots of Amazon's services. `renew.mjs` writes this file.
const AMAZON: &str = include_str!("amazon.pem");

/// How the names of the roots of RDS begin.
const ISSUER_OF_RDS: &str = "Amazon RDS ";

const ROOTS_ELSEWHERE: &str = "the bundle that AWS's documentation names for this region";

/// Returns the public roots of Amazon's services, which every system trusts.
pub(super) fn public_roots() -> RequiredRoots {
    RequiredRoots::Public(Some(RootSet {
        file_name: "amazon.pem".to_owned(),
        title: "Amazon's public services".to_owned(),
        bundled: Some(Cow::Borrowed(AMAZON)),
        address: None,
        issuer: Some("Amazon "),
        cause: "tls.roots.public",
        manual_source: ROOTS_ELSEWHERE,
    }))
}

/// Returns Amazon's private roots for RDS and Aurora: those of one region, or of every region that
/// pgcred carries. No system trusts them by itself.
pub(super) fn roots_of_rds(region: Option<&Region>) -> RequiredRoots {
    let Some(region) = region else {
        return RequiredRoots::Private(RootSet {
            file_name: "rds-global.pem".to_owned(),
            title: "RDS in every region".to_owned(),
            bundled: Some(Cow::Borrowed(RDS)),
            address: download_address("global"),
            issuer: Some(ISSUER_OF_RDS),
            cause: "tls.roots.rds",
            manual_source: ROOTS_ELSEWHERE,
        });
    };
    RequiredRoots::Private(RootSet {
        file_name: format!("rds-{region}.pem"), // a region's name has letters, digits and `-` only
        title: format!("RDS in {region}"),
        bundled: bundled_roots(region).map(Cow::Owned),
        address: download_address(region.as_str()),
        issuer: Some(ISSUER_OF_RDS),
        cause: "tls.roots.rds",
        manual_source: ROOTS_ELSEWHERE,
    })
}

/// Returns the roots of RDS in one region, under the line that names their source.
fn bundled_roots(region: &Region) -> Option<String> {
    let (source, sections) = RDS.split_once('\n')?;
    for section in sections.split("# region ") {
        if let Some((name, certificates)) = section.split_once('\n')
            && name == region.as_str()
        {
            return Some(format!("{source}\n{certificates}"));
        }
    }
    None
}

/// Returns the address at which AWS publishes the roots of RDS in a region, or in every region
/// (`global`); `None` if it is not known. Each partition has a host of its own.
fn download_address(region: &str) -> Option<String> {
    const CHINA: &str = "rds-truststore.s3.cn-north-1.amazonaws.com.cn";
    const GOVERNMENT: &str = "truststore.pki.us-gov-west-1.rds.amazonaws.com";
    const COMMERCIAL: &str = "truststore.pki.rds.amazonaws.com";
    let host = match region.split('-').next() {
        Some("cn") => CHINA,
        Some("eusc") => return None,
        Some("us") if region.starts_with("us-gov-") => GOVERNMENT,
        _ => COMMERCIAL,
    };
    Some(format!("https://{host}/{region}/{region}-bundle.pem"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_its_three_roots_and_no_other() {
        let regions: Vec<&str> = RDS
            .lines()
            .filter_map(|line| line.strip_prefix("# region "))
            .collect();
        assert_eq!(regions.len(), 27);
        for region in &regions {
            let pem = bundled_roots(&Region::from_trusted_name(*region)).unwrap();
            assert!(pem.starts_with("# carried by pgcred: "), "{region}");
            assert_eq!(
                pem.matches("-----BEGIN CERTIFICATE-----").count(),
                3,
                "{region}"
            );
            assert_eq!(
                pem.matches(&format!("# Amazon RDS {region} Root CA "))
                    .count(),
                3,
                "{region}"
            );
        }
        assert_eq!(
            RDS.matches("-----BEGIN CERTIFICATE-----").count(),
            3 * regions.len()
        );
        for test_system in ["Beta", "Preview", "2019"] {
            assert!(!RDS.contains(&format!(" {test_system} ")), "{test_system}");
        }
        assert_eq!(
            bundled_roots(&Region::from_trusted_name("mx-central-1")),
            None
        );
        assert_eq!(AMAZON.matches("-----BEGIN CERTIFICATE-----").count(), 5);
    }

    #[test]
    fn each_partition_has_its_own_trust_store() {
        for (region, host) in [
            ("mx-central-1", "truststore.pki.rds.amazonaws.com"),
            (
                "us-gov-east-1",
                "truststore.pki.us-gov-west-1.rds.amazonaws.com",
            ),
            (
                "cn-northwest-1",
                "rds-truststore.s3.cn-north-1.amazonaws.com.cn",
            ),
        ] {
            assert_eq!(
                download_address(region).unwrap(),
                format!("https://{host}/{region}/{region}-bundle.pem")
            );
        }
        assert_eq!(download_address("eusc-de-east-1"), None);
        let RequiredRoots::Private(every_region) = roots_of_rds(None) else {
            panic!("the roots of RDS are private");
        };
        assert!(
            every_region
                .address
                .unwrap()
                .ends_with("/global/global-bundle.pem")
        );
    }
}

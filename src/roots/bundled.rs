//! The sets of root certificates: those that pgcred carries, and the addresses of the others. Pure.

use std::fmt;

use crate::authority::Region;

/// The roots of RDS, a section for each region. `renew.mjs` writes this file.
const RDS: &str = include_str!("rds.pem");
/// The public roots of Amazon's services. `renew.mjs` writes this file.
const AMAZON: &str = include_str!("amazon.pem");

/// Root certificates that go into one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RootSet {
    /// The public roots of Amazon's services, for systems without a file of root certificates.
    Amazon,
    /// The roots of RDS in one region.
    Region(Region),
    /// The roots of RDS in every region that pgcred carries.
    EveryRegion,
}

impl RootSet {
    /// Returns the file's name; a region's name has letters, digits and `-` only.
    pub(super) fn file_name(&self) -> String {
        match self {
            Self::Amazon => "amazon.pem".to_owned(),
            Self::Region(region) => format!("rds-{region}.pem"),
            Self::EveryRegion => "rds-global.pem".to_owned(),
        }
    }

    /// Returns the certificates that pgcred carries, as PEM. The first line names their source.
    pub(super) fn bundled(&self) -> Option<String> {
        match self {
            Self::Amazon => Some(AMAZON.to_owned()),
            Self::EveryRegion => Some(RDS.to_owned()),
            Self::Region(region) => {
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
        }
    }

    /// Returns the address at which AWS publishes the set; `None` if it is not known. Each
    /// partition has a host of its own.
    pub(super) fn address(&self) -> Option<String> {
        const CHINA: &str = "rds-truststore.s3.cn-north-1.amazonaws.com.cn";
        const GOVERNMENT: &str = "truststore.pki.us-gov-west-1.rds.amazonaws.com";
        const COMMERCIAL: &str = "truststore.pki.rds.amazonaws.com";
        let region = match self {
            Self::Amazon => return None,
            Self::EveryRegion => "global",
            Self::Region(region) => region.as_str(),
        };
        let host = match region.split('-').next() {
            Some("cn") => CHINA,
            Some("eusc") => return None,
            Some("us") if region.starts_with("us-gov-") => GOVERNMENT,
            _ => COMMERCIAL,
        };
        Some(format!("https://{host}/{region}/{region}-bundle.pem"))
    }
}

impl fmt::Display for RootSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Amazon => f.write_str("Amazon's public services"),
            Self::Region(region) => write!(f, "RDS in {region}"),
            Self::EveryRegion => f.write_str("RDS in every region"),
        }
    }
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
            let pem = RootSet::Region(Region::vouched_for(*region))
                .bundled()
                .unwrap();
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
            RootSet::Region(Region::vouched_for("mx-central-1")).bundled(),
            None
        );
        assert_eq!(AMAZON.matches("-----BEGIN CERTIFICATE-----").count(), 5);
    }

    #[test]
    fn each_partition_has_its_own_trust_store() {
        let address = |region: &str| RootSet::Region(Region::vouched_for(region)).address();
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
                address(region).unwrap(),
                format!("https://{host}/{region}/{region}-bundle.pem")
            );
        }
        assert_eq!(address("eusc-de-east-1"), None);
        assert!(
            RootSet::EveryRegion
                .address()
                .unwrap()
                .ends_with("/global/global-bundle.pem")
        );
    }
}

//! Knows AWS's partitions: the names of their hosts, and the word for them in ARNs. It is pure.
//!
//! The table is that of the AWS SDKs' own `partitions.json` and of the rule sets of the services
//! that pgcred asks; a test compares it with addresses that botocore has made.

/// A part of AWS with accounts and host names of its own.
pub(super) struct Partition {
    /// The word in ARNs.
    pub(super) name: &'static str,
    /// How the names of its regions begin. The first row takes all that no other takes.
    prefix: &'static str,
    suffix: &'static str,
    /// The suffix of hosts that also have IPv6.
    dual_suffix: &'static str,
    /// Whether the plain hosts of RDS and STS are FIPS hosts already.
    is_fips: bool,
    iam: IamEndpoint,
}

/// IAM has one address for a whole partition.
struct IamEndpoint {
    /// The region that requests are signed for.
    region: &'static str,
    host: &'static str,
    dual: &'static str,
    fips: &'static str,
    dual_fips: &'static str,
}

/// Which of the addresses of a service is asked.
#[derive(Clone, Copy, Default)]
pub(super) struct HostVariant {
    pub(super) uses_fips: bool,
    pub(super) uses_dual: bool,
}

#[rustfmt::skip]
const PARTITIONS: [Partition; 8] = [
    Partition {
        name: "aws", prefix: "", suffix: "amazonaws.com", dual_suffix: "api.aws", is_fips: false,
        iam: IamEndpoint {
            region: "us-east-1",
            host: "iam.amazonaws.com", dual: "iam.global.api.aws",
            fips: "iam-fips.amazonaws.com", dual_fips: "iam-fips.global.api.aws",
        },
    },
    Partition {
        name: "aws-cn", prefix: "cn-", suffix: "amazonaws.com.cn",
        dual_suffix: "api.amazonwebservices.com.cn", is_fips: false,
        iam: IamEndpoint {
            region: "cn-north-1",
            host: "iam.cn-north-1.amazonaws.com.cn",
            dual: "iam.global.api.amazonwebservices.com.cn",
            fips: "iam-fips.amazonaws.com.cn", dual_fips: "iam-fips.api.amazonwebservices.com.cn",
        },
    },
    Partition {
        name: "aws-us-gov", prefix: "us-gov-", suffix: "amazonaws.com", dual_suffix: "api.aws",
        is_fips: true,
        iam: IamEndpoint {
            region: "us-gov-west-1",
            host: "iam.us-gov.amazonaws.com", dual: "iam.us-gov.api.aws",
            fips: "iam.us-gov.amazonaws.com", dual_fips: "iam.us-gov.api.aws",
        },
    },
    Partition {
        name: "aws-eusc", prefix: "eusc-", suffix: "amazonaws.eu",
        dual_suffix: "api.amazonwebservices.eu", is_fips: false,
        iam: IamEndpoint {
            region: "eusc-de-east-1",
            host: "iam.eusc-de-east-1.amazonaws.eu", dual: "iam.global.api.amazonwebservices.eu",
            fips: "iam-fips.amazonaws.eu", dual_fips: "iam-fips.api.amazonwebservices.eu",
        },
    },
    Partition {
        name: "aws-iso", prefix: "us-iso-", suffix: "c2s.ic.gov", dual_suffix: "api.aws.ic.gov",
        is_fips: false,
        iam: IamEndpoint {
            region: "us-iso-east-1",
            host: "iam.us-iso-east-1.c2s.ic.gov", dual: "iam.api.aws.ic.gov",
            fips: "iam-fips.us-iso-east-1.c2s.ic.gov", dual_fips: "iam-fips.api.aws.ic.gov",
        },
    },
    Partition {
        name: "aws-iso-b", prefix: "us-isob-", suffix: "sc2s.sgov.gov",
        dual_suffix: "api.aws.scloud", is_fips: false,
        iam: IamEndpoint {
            region: "us-isob-east-1",
            host: "iam.us-isob-east-1.sc2s.sgov.gov", dual: "iam.api.aws.scloud",
            fips: "iam-fips.us-isob-east-1.sc2s.sgov.gov", dual_fips: "iam-fips.api.aws.scloud",
        },
    },
    Partition {
        name: "aws-iso-e", prefix: "eu-isoe-", suffix: "cloud.adc-e.uk",
        dual_suffix: "api.cloud-aws.adc-e.uk", is_fips: false,
        iam: IamEndpoint {
            region: "eu-isoe-west-1",
            host: "iam.eu-isoe-west-1.cloud.adc-e.uk", dual: "iam.api.cloud-aws.adc-e.uk",
            fips: "iam-fips.cloud.adc-e.uk", dual_fips: "iam-fips.api.cloud-aws.adc-e.uk",
        },
    },
    Partition {
        name: "aws-iso-f", prefix: "us-isof-", suffix: "csp.hci.ic.gov",
        dual_suffix: "api.aws.hci.ic.gov", is_fips: false,
        iam: IamEndpoint {
            region: "us-isof-south-1",
            host: "iam.us-isof-south-1.csp.hci.ic.gov", dual: "iam.api.aws.hci.ic.gov",
            fips: "iam-fips.csp.hci.ic.gov", dual_fips: "iam-fips.api.aws.hci.ic.gov",
        },
    },
];

/// Returns the partition of a region.
pub(super) fn partition_of(region: &str) -> &'static Partition {
    for partition in &PARTITIONS[1..] {
        if region.starts_with(partition.prefix) {
            return partition;
        }
    }
    &PARTITIONS[0]
}

/// Tells whether a host is one of AWS's. Servers of databases have other names than services, so
/// that the table above does not have them all.
pub(super) fn is_host_of_aws(host: &str) -> bool {
    const ENDS: [&str; 4] = [
        ".on.aws",
        ".amazonaws.com",
        ".amazonaws.com.cn",
        ".amazonaws.eu",
    ];
    ENDS.iter().any(|end| host.ends_with(end))
}

impl Partition {
    /// Returns the host of a service that each region has, by the service's key.
    pub(super) fn host(&self, key: &str, region: &str, variant: HostVariant) -> String {
        let dual = variant.uses_dual || key == "dsql"; // Aurora DSQL has no other hosts
        let suffix = if dual { self.dual_suffix } else { self.suffix };
        let is_plain = !variant.uses_fips || (self.is_fips && !dual);
        let fips = if is_plain { "" } else { "-fips" };
        format!("{key}{fips}.{region}.{suffix}")
    }

    /// Returns the host of IAM.
    pub(super) fn iam_host(&self, variant: HostVariant) -> &'static str {
        match (variant.uses_fips, variant.uses_dual) {
            (false, false) => self.iam.host,
            (false, true) => self.iam.dual,
            (true, false) => self.iam.fips,
            (true, true) => self.iam.dual_fips,
        }
    }

    /// Returns the region that requests to IAM are signed for.
    pub(super) fn iam_region(&self) -> &'static str {
        self.iam.region
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line: service, region, `fips` and `dual` or `-`, host, and the region that is signed.
    /// `tests/vectors/api/make.py` has made them with botocore.
    const OF_BOTOCORE: &str = include_str!("../../tests/vectors/api/endpoints.txt");

    #[test]
    fn addresses_are_those_of_botocore() {
        let mut compared = 0;
        for line in OF_BOTOCORE.lines() {
            let [key, region, fips, dual, host, signed] =
                line.split(' ').collect::<Vec<_>>()[..].try_into().unwrap();
            let variant = HostVariant {
                uses_fips: fips == "fips",
                uses_dual: dual == "dual",
            };
            let partition = partition_of(region);
            let (found, signs) = match key {
                "iam" => (
                    partition.iam_host(variant).to_owned(),
                    partition.iam_region(),
                ),
                _ => (partition.host(key, region, variant), region),
            };
            assert_eq!((found.as_str(), signs), (host, signed), "{line}");
            compared += 1;
        }
        assert!(compared > 500, "{compared}");
    }

    #[test]
    fn every_region_has_a_partition() {
        for (region, name) in [
            ("us-east-1", "aws"),
            ("us-gov-east-1", "aws-us-gov"),
            ("us-iso-west-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eusc-de-east-1", "aws-eusc"),
            ("xx-new-1", "aws"),
        ] {
            assert_eq!(partition_of(region).name, name);
        }
    }
}

//! Decides whether a login is allowed, from the token and the circumstances of the connection
//! alone.

use serde::Serialize;

use crate::clock::unix_seconds;
use crate::sigv4::{self, Scope};
use crate::{Key, Refusal, Token};

/// How far ahead of the stand-in's clock a token may be dated.
pub(crate) const SKEW: u64 = 300;

/// Commercial regions and the US government's, China, the European Sovereign Cloud.
const RDS_SUFFIXES: [&str; 3] = [
    ".rds.amazonaws.com",
    ".rds.amazonaws.com.cn",
    ".rds.amazonaws.eu",
];

/// Which service's rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Dsql,
    /// An instance or a cluster of RDS or Aurora. Its certificate is from Amazon's own authority.
    Rds,
    /// An RDS Proxy: its tokens are signed as those of RDS; its certificate is from a public
    /// authority, and its texts are its own.
    RdsProxy,
}

impl Kind {
    /// RDS for the hosts of its partitions, DSQL for every other host. The endpoints of an RDS
    /// Proxy are `NAME.proxy-...` and `NAME.endpoint.proxy-...`.
    #[must_use]
    pub fn of_host(host: &str) -> Self {
        if !RDS_SUFFIXES.iter().any(|suffix| host.ends_with(suffix)) {
            return Self::Dsql;
        }
        for label in host.split('.').skip(1) {
            if label.starts_with("proxy-") {
                return Self::RdsProxy;
            }
        }
        Self::Rds
    }

    fn service(self) -> &'static str {
        match self {
            Self::Dsql => "dsql",
            Self::Rds | Self::RdsProxy => "rds-db",
        }
    }

    fn longest_life(self) -> u64 {
        match self {
            Self::Dsql => 604_800,
            Self::Rds | Self::RdsProxy => 900,
        }
    }
}

/// The circumstances a token must fit.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    pub kind: Kind,
    /// The host the client connected to, in lower case.
    pub host: &'a str,
    /// The port to which the client thinks that it connects. Only RDS tokens name it.
    pub port: u16,
    /// The user of the startup message.
    pub user: &'a str,
    /// DSQL's `amzn-cluster-id` option, for hosts that do not name the cluster (`PrivateLink`).
    pub cluster_id: Option<&'a str>,
    pub keys: &'a [Key],
    /// Unix time.
    pub now: u64,
}

/// Whether a server would accept `token` as the password under these circumstances.
///
/// Form comes first, then place, key, scope and time, then the signature, and only then what the
/// signer may do, so that a hint about an action or a user is never given for a forgery.
///
/// # Errors
/// The first rule that is broken.
pub fn verify(token: &str, expect: &Expect<'_>) -> Result<(), Refusal> {
    let token = Token::parse(token)?;
    check_names(&token, expect.kind)?;
    if token.get("X-Amz-Algorithm")? != sigv4::ALGORITHM {
        return Err(Refusal::WrongAlgorithm);
    }
    if token.get("X-Amz-SignedHeaders")? != "host" {
        return Err(Refusal::WrongSignedHeaders);
    }
    check_host(&token, expect)?;

    // From the right: nothing forbids a slash in an access key id.
    let mut parts = token.get("X-Amz-Credential")?.rsplitn(5, '/');
    let mut next = || {
        parts
            .next()
            .ok_or(Refusal::Malformed("X-Amz-Credential has not five parts"))
    };
    let (terminator, service, region, date, access_key_id) =
        (next()?, next()?, next()?, next()?, next()?);
    let key = known_key(&token, access_key_id, expect)?;

    if terminator != sigv4::TERMINATOR {
        return Err(Refusal::WrongTerminator);
    }
    if service != expect.kind.service() {
        return Err(Refusal::WrongService {
            expected: expect.kind.service(),
        });
    }
    // Behind PrivateLink only the token's own host names the cluster's region.
    let place = token
        .host
        .rsplit_once(':')
        .map_or(token.host, |(host, _)| host);
    if let Some(expected) = region_of(expect.kind, place).filter(|expected| *expected != region) {
        return Err(Refusal::WrongRegion {
            expected: expected.to_owned(),
        });
    }
    let amz_date = token.get("X-Amz-Date")?;
    check_time(&token, amz_date, date, expect)?;

    let signed: Vec<_> = token
        .parameters
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .cloned()
        .collect();
    let scope = Scope {
        date,
        region,
        service,
    };
    let signature = token.get("X-Amz-Signature")?;
    if !sigv4::is_signed(
        signature,
        &key.secret_access_key,
        scope,
        amz_date,
        token.host,
        &signed,
    ) {
        return Err(Refusal::BadSignature);
    }
    check_rights(&token, expect)
}

fn check_names(token: &Token<'_>, kind: Kind) -> Result<(), Refusal> {
    const NEEDED: [&str; 7] = [
        "Action",
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
    ];
    let user: &[&str] = if kind == Kind::Dsql { &[] } else { &["DBUser"] };
    for name in NEEDED.iter().chain(user) {
        token.get(name)?;
    }
    let known = |name: &str| {
        NEEDED.contains(&name) || user.contains(&name) || name == "X-Amz-Security-Token"
    };
    if token.parameters.iter().all(|(name, _)| known(name)) {
        Ok(())
    } else {
        Err(Refusal::UnknownParameter)
    }
}

fn check_host(token: &Token<'_>, expect: &Expect<'_>) -> Result<(), Refusal> {
    let fits = match (expect.kind, expect.cluster_id) {
        (Kind::Rds | Kind::RdsProxy, _) => token.host == format!("{}:{}", expect.host, expect.port),
        (Kind::Dsql, Some(id)) => {
            // A port is no part of a DSQL endpoint's name, and the cluster is the first label of
            // one.
            token
                .host
                .split_once('.')
                .is_some_and(|(first, _)| first == id)
                && !token.host.contains([':', '/'])
        }
        (Kind::Dsql, None) => token.host == expect.host,
    };
    if fits {
        Ok(())
    } else {
        Err(Refusal::WrongHost)
    }
}

fn known_key<'a>(
    token: &Token<'_>,
    access_key_id: &str,
    expect: &Expect<'a>,
) -> Result<&'a Key, Refusal> {
    // One access key id may come with several session tokens; the right pair decides.
    let mut same_id = expect
        .keys
        .iter()
        .filter(|key| key.access_key_id == access_key_id)
        .peekable();
    same_id.peek().ok_or(Refusal::UnknownKey)?;
    let key = same_id
        .find(|key| key.session_token.as_deref() == token.find("X-Amz-Security-Token"))
        .ok_or(Refusal::WrongSessionToken)?;
    if key.expires_at.is_some_and(|end| end <= expect.now) {
        Err(Refusal::ExpiredCredentials)
    } else {
        Ok(key)
    }
}

fn check_time(
    token: &Token<'_>,
    amz_date: &str,
    scope_date: &str,
    expect: &Expect<'_>,
) -> Result<(), Refusal> {
    let now = expect.now;
    let issued = unix_seconds(amz_date).ok_or(Refusal::Malformed("X-Amz-Date is no date"))?;
    if amz_date.get(..8) != Some(scope_date) {
        return Err(Refusal::WrongScopeDate);
    }
    let most = expect.kind.longest_life();
    let text = token.get("X-Amz-Expires")?;
    let lifetime = text
        .parse::<u64>()
        .ok()
        .filter(|seconds| (1..=most).contains(seconds) && seconds.to_string() == text)
        .ok_or(Refusal::WrongExpires { most })?;
    if issued > now.saturating_add(SKEW) {
        return Err(Refusal::NotYetValid { issued, now });
    }
    if now >= issued + lifetime {
        Err(Refusal::Expired {
            issued,
            lifetime,
            now,
        })
    } else {
        Ok(())
    }
}

fn check_rights(token: &Token<'_>, expect: &Expect<'_>) -> Result<(), Refusal> {
    let action = token.get("Action")?;
    let right = match expect.kind {
        Kind::Rds | Kind::RdsProxy => "connect",
        Kind::Dsql if expect.user == "admin" => "DbConnectAdmin",
        Kind::Dsql => "DbConnect",
    };
    if action != right {
        return Err(Refusal::WrongAction {
            user: expect.user.to_owned(),
            action: action.to_owned(),
        });
    }
    if expect.kind != Kind::Dsql && token.get("DBUser")? != expect.user {
        return Err(Refusal::WrongUser);
    }
    Ok(())
}

/// The region a host name tells, if it is one of the two known forms.
fn region_of(kind: Kind, host: &str) -> Option<&str> {
    let labels: Vec<_> = host.split('.').collect();
    match (kind, labels.as_slice()) {
        (Kind::Dsql, [_, .., dsql, region, "on", "aws"]) if dsql.starts_with("dsql") => {
            Some(region)
        }
        (
            Kind::Rds | Kind::RdsProxy,
            [_, .., region, "rds", "amazonaws", "com" | "eu"]
            | [_, .., region, "rds", "amazonaws", "com", "cn"],
        ) => Some(region),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_tell_kind_and_region() {
        for (host, kind, region) in [
            ("a.dsql.us-east-1.on.aws", Kind::Dsql, Some("us-east-1")),
            (
                "a.dsql-fnh4.eu-west-1.on.aws",
                Kind::Dsql,
                Some("eu-west-1"),
            ),
            (
                "a.dsql.cn-north-1.on.amazonwebservices.com.cn",
                Kind::Dsql,
                None,
            ),
            (
                "vpce-1.dsql-fnh4.us-east-1.vpce.amazonaws.com",
                Kind::Dsql,
                None,
            ),
            ("dsql.us-east-1.on.aws", Kind::Dsql, None),
            ("localhost", Kind::Dsql, None),
            (
                "db.c1.us-west-2.rds.amazonaws.com",
                Kind::Rds,
                Some("us-west-2"),
            ),
            (
                "db.c1.cn-north-1.rds.amazonaws.com.cn",
                Kind::Rds,
                Some("cn-north-1"),
            ),
            (
                "db.c1.eusc-de-east-1.rds.amazonaws.eu",
                Kind::Rds,
                Some("eusc-de-east-1"),
            ),
            ("rds.amazonaws.com", Kind::Dsql, None),
        ] {
            assert_eq!(Kind::of_host(host), kind, "{host}");
            assert_eq!(region_of(kind, host), region, "{host}");
        }
    }

    #[test]
    fn the_endpoints_of_a_proxy_are_told_from_those_of_rds() {
        for (host, kind) in [
            ("shop.cluster-c1.us-west-2.rds.amazonaws.com", Kind::Rds),
            ("proxy-db.c1.us-west-2.rds.amazonaws.com", Kind::Rds),
            ("pool.proxy-c1.us-west-2.rds.amazonaws.com", Kind::RdsProxy),
            (
                "pool-ro.endpoint.proxy-c1.us-west-2.rds.amazonaws.com",
                Kind::RdsProxy,
            ),
            ("pool.proxy-c1.example.com", Kind::Dsql),
            ("", Kind::Dsql),
        ] {
            assert_eq!(Kind::of_host(host), kind, "{host}");
        }
        let proxy = "pool.proxy-c1.us-west-2.rds.amazonaws.com";
        assert_eq!(region_of(Kind::RdsProxy, proxy), Some("us-west-2"));
    }
}

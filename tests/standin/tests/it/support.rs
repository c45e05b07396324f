//! What the tests share: the vectors, and tokens signed properly although they break a rule.

use standin::sigv4::{Scope, encode, sign};
use standin::{Expect, Key, Kind, Token, unix_seconds};

pub const ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub const HOST: &str = "foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws";
pub const RDS_HOST: &str = "mydb.c1a2b3c4d5e6.us-west-2.rds.amazonaws.com";
pub const PROXY_HOST: &str = "pool.proxy-c1a2b3c4d5e6.us-west-2.rds.amazonaws.com";
pub const ISSUED: &str = "20260228T235959Z";

pub fn vectors(file: &str) -> Vec<serde_json::Value> {
    let path = format!("{}/../vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&text).unwrap()
}

pub fn key(id: &str, secret: &str, session_token: Option<&str>) -> Key {
    Key {
        access_key_id: id.into(),
        secret_access_key: secret.into(),
        session_token: session_token.map(Into::into),
        expires_at: None,
    }
}

pub fn issued() -> u64 {
    unix_seconds(ISSUED).unwrap()
}

/// A DSQL login as `admin` at the second the token is made.
pub fn expect(keys: &[Key]) -> Expect<'_> {
    Expect {
        kind: Kind::Dsql,
        host: HOST,
        port: 5432,
        user: "admin",
        cluster_id: None,
        keys,
        now: issued(),
    }
}

pub fn expect_rds(keys: &[Key]) -> Expect<'_> {
    Expect {
        kind: Kind::Rds,
        host: RDS_HOST,
        user: "jane",
        ..expect(keys)
    }
}

/// The parts of a token. A test can set each of them before it is signed.
#[derive(Clone)]
pub struct Draft {
    pub host: String,
    pub parameters: Vec<(String, String)>,
}

impl Draft {
    pub fn dsql(session_token: Option<&str>) -> Self {
        let credential = format!("{ID}/{}/us-east-1/dsql/aws4_request", &ISSUED[..8]);
        let mut draft = Self {
            host: HOST.into(),
            parameters: Vec::new(),
        }
        .with("Action", "DbConnectAdmin")
        .with("X-Amz-Algorithm", "AWS4-HMAC-SHA256")
        .with("X-Amz-Credential", &credential)
        .with("X-Amz-Date", ISSUED)
        .with("X-Amz-Expires", "900")
        .with("X-Amz-SignedHeaders", "host");
        if let Some(session_token) = session_token {
            draft = draft.with("X-Amz-Security-Token", session_token);
        }
        draft
    }

    pub fn rds() -> Self {
        let credential = format!("{ID}/{}/us-west-2/rds-db/aws4_request", &ISSUED[..8]);
        let draft = Self::dsql(None)
            .with("Action", "connect")
            .with("DBUser", "jane");
        Self {
            host: format!("{RDS_HOST}:5432"),
            ..draft.with("X-Amz-Credential", &credential)
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        match self.parameters.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.parameters.push((name.into(), value.into())),
        }
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(known, _)| known != name);
        self
    }

    pub fn at(self, host: &str) -> Self {
        Self {
            host: host.into(),
            ..self
        }
    }

    fn get(&self, name: &str) -> &str {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// Returns the token, with a right signature over its parts, even if they are wrong.
    pub fn signed(&self) -> String {
        let credential: Vec<_> = self.get("X-Amz-Credential").split('/').collect();
        let [_, date, region, service, _] = credential[..] else {
            panic!("five parts")
        };
        let scope = Scope {
            date,
            region,
            service,
        };
        let signature = sign(
            SECRET,
            scope,
            self.get("X-Amz-Date"),
            &self.host,
            &self.parameters,
        );
        let pairs = self
            .parameters
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let query: Vec<_> = pairs
            .chain([format!("X-Amz-Signature={signature}")])
            .collect();
        format!("{}/?{}", self.host, query.join("&"))
    }
}

/// The value of one parameter of a token.
pub fn parameter(token: &str, name: &str) -> String {
    let token = Token::parse(token).unwrap();
    token
        .parameters
        .into_iter()
        .find(|(known, _)| known == name)
        .unwrap()
        .1
}

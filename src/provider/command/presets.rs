//! Lists the definitions that pgcred brings. It has data only; `provider_of` makes a provider of
//! one when it is asked for. A `[command.NAME]` with the name of a preset changes the keys that it
//! names.

use super::definition::{CommandDefinition, CommandKind, ExpiryField, JsonPath};
use super::service::{self, PresetService};
use super::template::WordTemplate;
use crate::error::Result;

const HOUR: u32 = 3_600;

/// A definition of pgcred's own, and what is known of its service.
pub(crate) struct CommandPreset {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(super) service: PresetService,
    run: &'static [&'static str],
    token: Option<&'static str>,
    user: Option<&'static str>,
    expires: Option<&'static str>,
    lifetime_seconds: Option<u32>,
    kind: CommandKind,
    spare_seconds: Option<u32>,
    watch: &'static [&'static str],
    variables: &'static [&'static str],
    forbidden: &'static str,
    forbidden_starts: &'static [&'static str],
    login: Option<&'static str>,
    login_if: &'static [&'static str],
}

/// Every preset, in the order in which hosts are matched.
pub(crate) static PRESETS: &[CommandPreset] = &[
    ENTRA,
    LAKEBASE,
    GCLOUD,
    SNOWFLAKE,
    REDSHIFT,
    REDSHIFT_SERVERLESS,
    VAULT,
    VAULT_STATIC,
];

const ENTRA: CommandPreset = CommandPreset {
    name: "entra",
    title: "Azure Database for PostgreSQL",
    service: service::AZURE,
    run: &[
        "az",
        "account",
        "get-access-token",
        "--resource-type",
        "oss-rdbms",
        "--output",
        "json",
    ],
    token: Some("accessToken"),
    // An older az does not print it. Its `expiresOn` has no zone; the JWT's own end counts then.
    expires: Some("expires_on"),
    // The Azure CLI prints the same token until five minutes before its end.
    kind: CommandKind::Caches,
    // The account is the default one of the active cloud. Tokens are in files that are written
    // again and again, and do not say which one that is.
    watch: &[
        "~/.azure/azureProfile.json",
        "~/.azure/clouds.config",
        "~/.azure/config",
        "$AZURE_CONFIG_DIR/azureProfile.json",
        "$AZURE_CONFIG_DIR/clouds.config",
        "$AZURE_CONFIG_DIR/config",
    ],
    variables: &[
        "ARM_CLOUD_METADATA_URL",
        "AZURE_CLOUD_NAME",
        // Who answers for a managed identity.
        "IDENTITY_ENDPOINT",
        "MSI_ENDPOINT",
    ],
    login: Some("az login"),
    login_if: &["az login", "AADSTS"],
    ..CommandPreset::EMPTY
};

const LAKEBASE: CommandPreset = CommandPreset {
    name: "lakebase",
    title: "Databricks Lakebase",
    service: service::LAKEBASE,
    run: &[
        "databricks",
        "postgres",
        "generate-database-credential",
        "{endpoint}",
        "--ttl={life}s",
        "--profile={profile}",
        "--output=json",
    ],
    token: Some("token"),
    expires: Some("expire_time"),
    lifetime_seconds: Some(HOUR),
    watch: &["~/.databrickscfg", "$DATABRICKS_CONFIG_FILE"],
    variables: &["ARM_*", "DATABRICKS_*", "GOOGLE_CREDENTIALS"],
    login: Some("databricks auth login --profile={profile}"),
    // The last two are all that an older one, and one without a profile, say.
    login_if: &[
        "databricks auth login",
        "efresh token is invalid",
        "cannot configure default credentials",
    ],
    ..CommandPreset::EMPTY
};

/// Cloud SQL and `AlloyDB`. What the tokens permit is the same.
const GCLOUD: CommandPreset = CommandPreset {
    name: "gcloud",
    title: "Google Cloud SQL and AlloyDB",
    service: service::GOOGLE,
    run: &[
        "gcloud",
        "config",
        "config-helper",
        "--min-expiry={min_valid}s",
        "--format=json",
    ],
    token: Some("credential.access_token"),
    expires: Some("credential.token_expiry"),
    kind: CommandKind::Caches,
    watch: &[
        "~/.config/gcloud/active_config",
        "~/.config/gcloud/configurations",
        "$CLOUDSDK_CONFIG/active_config",
        "$CLOUDSDK_CONFIG/configurations",
        // The same on Windows.
        "~/AppData/Roaming/gcloud/active_config",
        "~/AppData/Roaming/gcloud/configurations",
    ],
    variables: &[
        "CLOUDSDK_CONFIG",
        "CLOUDSDK_ACTIVE_CONFIG_NAME",
        "CLOUDSDK_CORE_ACCOUNT",
        "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT",
        "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
    ],
    login: Some("gcloud auth login"),
    login_if: &["gcloud auth login", "Reauthentication"],
    ..CommandPreset::EMPTY
};

const SNOWFLAKE: CommandPreset = CommandPreset {
    name: "snowflake",
    title: "Snowflake Postgres",
    service: service::SNOWFLAKE,
    run: &[
        "snow",
        "sql",
        "--connection={profile}",
        "--format=json",
        "--query=select generate_postgres_access_token_for_user('{instance}','{user}') as t",
    ],
    // Snowflake writes a name in capitals, unless it is in quotes.
    token: Some("0.T"),
    // Fixed by the service, and the answer does not say it.
    lifetime_seconds: Some(15 * 60),
    watch: &[
        "$SNOWFLAKE_HOME/config.toml",
        "$SNOWFLAKE_HOME/connections.toml",
        "~/.snowflake/config.toml",
        "~/.snowflake/connections.toml",
        // Where there is no ~/.snowflake: on Linux, macOS and Windows.
        "$XDG_CONFIG_HOME/snowflake/config.toml",
        "$XDG_CONFIG_HOME/snowflake/connections.toml",
        "~/.config/snowflake/config.toml",
        "~/.config/snowflake/connections.toml",
        "~/Library/Application Support/snowflake/config.toml",
        "~/Library/Application Support/snowflake/connections.toml",
        "~/AppData/Local/snowflake/config.toml",
        "~/AppData/Local/snowflake/connections.toml",
    ],
    // Each value of a connection has a variable, SNOWFLAKE_CONNECTIONS_WORK_USER for the user of
    // `work` and SNOWFLAKE_USER for that of all. SNOWSQL_* count if a variable says so.
    variables: &["SNOWFLAKE_*", "SNOWSQL_*"],
    // The first two would end the text in the SQL, or change it. With the others begins what the
    // program itself fills in, variables of the environment too: `<% %>`, `&{ }` and `&NAME`.
    forbidden: "'\\<&",
    login: Some("snow connection test --connection={profile}"),
    // The first is that of a login in a browser, which snow begins without asking.
    login_if: &[
        "login request with your identity provider",
        "Incorrect username or password",
        "must authenticate again",
        "OAuth access token",
        "ID Token is invalid",
    ],
    ..CommandPreset::EMPTY
};

/// Variables of the AWS CLI that change what a profile means.
const AWS_VARIABLES: &[&str] = &[
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    // A profile may say `credential_source = Environment`.
    "AWS_ACCESS_KEY_ID",
];

/// What the AWS CLI prints when a login is missing.
const AWS_LOGIN_TEXTS: &[&str] = &[
    "aws sso login",
    "aws login",
    "SSO Token",
    "oken has expired",
    "ExpiredToken",
];

const REDSHIFT: CommandPreset = CommandPreset {
    name: "redshift",
    title: "Redshift",
    service: service::REDSHIFT,
    run: &[
        "aws",
        "redshift",
        "get-cluster-credentials-with-iam",
        "--cluster-identifier={cluster}",
        "--db-name={dbname}",
        "--duration-seconds={life}",
        "--profile={profile}",
        "--output=json",
    ],
    token: Some("DbPassword"),
    user: Some("DbUser"),
    expires: Some("Expiration"),
    lifetime_seconds: Some(HOUR),
    watch: &[
        "~/.aws/config",
        "~/.aws/credentials",
        "$AWS_CONFIG_FILE",
        "$AWS_SHARED_CREDENTIALS_FILE",
    ],
    variables: AWS_VARIABLES,
    // In place of such a value, the AWS CLI takes what is in the file, and version 1 what is at the
    // address.
    forbidden_starts: &["file://", "fileb://", "http://", "https://"],
    login: Some("aws sso login --profile={profile}"),
    login_if: AWS_LOGIN_TEXTS,
    ..CommandPreset::EMPTY
};

const REDSHIFT_SERVERLESS: CommandPreset = CommandPreset {
    name: "redshift-serverless",
    title: "Redshift Serverless",
    service: service::REDSHIFT_SERVERLESS,
    run: &[
        "aws",
        "redshift-serverless",
        "get-credentials",
        "--workgroup-name={workgroup}",
        "--db-name={dbname}",
        "--duration-seconds={life}",
        "--profile={profile}",
        "--output=json",
    ],
    token: Some("dbPassword"),
    user: Some("dbUser"),
    expires: Some("expiration"),
    ..REDSHIFT
};

/// Roles for which Vault or `OpenBao` makes a new user of the database with each answer.
const VAULT: CommandPreset = CommandPreset {
    name: "vault",
    title: "Vault",
    service: PresetService::UNKNOWN,
    run: &[
        "vault",
        "read",
        "-format=json",
        "{mount:database}/creds/{role}",
    ],
    token: Some("data.password"),
    user: Some("data.username"),
    expires: Some("+lease_duration"),
    kind: CommandKind::Creates,
    watch: &["~/.vault-token"],
    // The first are those of OpenBao, which a `run` of the user's own may name.
    variables: &["BAO_*", "VAULT_*"],
    login: Some("vault login -method=oidc"),
    // The first is all that OpenBao and newer servers of Vault say, also where a policy is missing.
    login_if: &["permission denied", "missing client token", "invalid token"],
    ..CommandPreset::EMPTY
};

/// Roles whose user stays, and whose password Vault or `OpenBao` changes from time to time.
const VAULT_STATIC: CommandPreset = CommandPreset {
    name: "vault-static",
    title: "Vault's static roles",
    run: &[
        "vault",
        "read",
        "-format=json",
        "{mount:database}/static-creds/{role}",
    ],
    user: None,
    expires: Some("+data.ttl"),
    // It is the same until it is changed, and nothing changes it a little before.
    kind: CommandKind::Caches,
    spare_seconds: Some(30),
    ..VAULT
};

impl CommandPreset {
    const EMPTY: Self = Self {
        name: "",
        title: "",
        service: PresetService::UNKNOWN,
        run: &[],
        token: None,
        user: None,
        expires: None,
        lifetime_seconds: None,
        kind: CommandKind::Mint,
        spare_seconds: None,
        watch: &[],
        variables: &[],
        forbidden: "",
        forbidden_starts: &[],
        login: None,
        login_if: &[],
    };

    /// Returns the preset of that name.
    pub(crate) fn from_name(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// Returns what is known of the service of a definition.
    pub(super) fn service_of(name: &str) -> &'static PresetService {
        match Self::from_name(name) {
            Some(preset) => &preset.service,
            None => &PresetService::UNKNOWN,
        }
    }

    /// Returns the preset that a host belongs to.
    pub(crate) fn find_by_host(host: &str) -> Option<&'static Self> {
        PRESETS
            .iter()
            .find(|preset| preset.service.owns.is_some_and(|owns| owns(host)))
    }

    /// Returns the port on which its servers listen.
    pub(crate) fn default_port(&self) -> u16 {
        self.service.default_port
    }

    /// Returns those whose hosts have a form of their own.
    pub(crate) fn with_hosts() -> impl Iterator<Item = &'static Self> {
        PRESETS
            .iter()
            .filter(|preset| preset.service.owns.is_some())
    }

    /// Returns the definition, which may be changed by a `[command.NAME]`.
    pub(crate) fn definition(&self) -> Result<CommandDefinition> {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let mut definition = CommandDefinition::new(self.name);
        self.title.clone_into(&mut definition.title);
        for word in self.run {
            definition.run.push(WordTemplate::parse(word)?);
        }
        definition.token = self.token.map(JsonPath::parse).transpose()?;
        definition.user = self.user.map(JsonPath::parse).transpose()?;
        definition.expires = self.expires.map(ExpiryField::parse).transpose()?;
        definition.lifetime_seconds = self.lifetime_seconds;
        definition.kind = self.kind;
        if let Some(spare) = self.spare_seconds {
            definition.spare_seconds = spare;
        }
        definition.watch = owned(self.watch);
        definition.variables = owned(self.variables);
        definition.forbidden = self.forbidden;
        definition.forbidden_starts = self.forbidden_starts;
        definition.login = self.login.map(str::to_owned);
        definition.login_if = owned(self.login_if);
        Ok(definition)
    }
}

#[cfg(test)]
mod tests;

//! AWS's side of the seam for inspecting: each question runs to its end on a runtime of its own.
//!
//! Several threads of `pgcred doctor` may ask at once. The credentials are resolved by the first of
//! them, under a lock; the others wait for that and use the same. Nobody is asked for a login, and
//! each question ends by the deadline of the run.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::aws::credentials::Credentials;

use super::arn::{Arn, Principal};
use super::client::ApiClient;
use super::{iam, server, sts};
use crate::authority::{
    AskPolicy, Caller, Inspected, Inspector, LoginPolicy, NoAnswer, Notes, Permission, Region,
    Scope, ServerState, WhyNot,
};
use crate::aws::blocking::BlockingResolver;
use crate::aws::partition;
use crate::aws::profile_plan::ProfilePlan;
use crate::aws::resolution::Resolution;
use crate::aws::runtime::block_on;
use crate::aws::service::endpoints::DSQL;
use crate::aws::settings::SharedFiles;
use crate::error::{Error, Exit, Reason, Result};

/// Where STS and IAM are asked if nothing names a region.
const ANY_REGION: &str = "us-east-1";

type ReadPlan = fn(Option<&str>) -> ProfilePlan;

/// Asks AWS with the credentials of one profile. The settings are read anew for each question,
/// since what has been read belongs to one thread.
pub(crate) struct AwsInspector {
    profile: Option<String>,
    ask: AskPolicy,
    deadline: Instant,
    /// Reads the settings of a profile.
    read: ReadPlan,
    /// What the resolution of the credentials has led to. Who comes second waits for it.
    credentials: Mutex<Option<Result<Credentials>>>,
}

impl AwsInspector {
    /// Returns an inspector that resolves credentials as a token does, but never by asking the
    /// user.
    pub(crate) fn new(profile: Option<&str>, ask: &AskPolicy, deadline: Instant) -> Self {
        let read = |profile: Option<&str>| ProfilePlan::read(profile, &SharedFiles::default());
        Self::reading(read, profile, ask, deadline)
    }

    pub(super) fn reading(
        read: ReadPlan,
        profile: Option<&str>,
        ask: &AskPolicy,
        deadline: Instant,
    ) -> Self {
        let ask = AskPolicy {
            login: LoginPolicy::Never,
            login_asked_for: false,
            terminal: false,
            ..ask.clone()
        };
        Self {
            profile: profile.map(str::to_owned),
            ask,
            deadline,
            read,
            credentials: Mutex::default(),
        }
    }

    /// Returns the ARN of a role, with its path.
    pub(in crate::aws) fn role_arn(
        &self,
        name: &str,
        region: Option<&Region>,
    ) -> Inspected<String> {
        self.with_credentials(region, async |client, region| {
            iam::role_arn(client, region, name).await
        })
    }

    /// Reads the settings, and runs a question that needs no credentials.
    fn without_credentials<T>(
        &self,
        region: Option<&Region>,
        question: impl AsyncFnOnce(&Resolution<'_>, &str) -> Inspected<T>,
    ) -> Inspected<T> {
        let planned = (self.read)(self.profile.as_deref());
        let region = region_of(&planned, region);
        let notes = self.ask.notes();
        let resolution = self.open(&planned, &region, &notes)?;
        match block_on(question(&resolution, &region)) {
            Ok(answer) => answer,
            Err(error) => Err(no_answer_of(error)),
        }
    }

    /// Reads the settings, resolves the credentials, and runs a question.
    fn with_credentials<T>(
        &self,
        region: Option<&Region>,
        question: impl AsyncFnOnce(&ApiClient<'_>, &str) -> Inspected<T>,
    ) -> Inspected<T> {
        let planned = (self.read)(self.profile.as_deref());
        let region = region_of(&planned, region);
        let notes = self.ask.notes();
        let credentials = match self.resolved(&planned, &region, &notes) {
            Ok(credentials) => credentials,
            Err(error) => return Err(no_answer_of(error)),
        };
        let resolution = self.open(&planned, &region, &notes)?;
        let client = ApiClient::new(&resolution, credentials);
        match block_on(question(&client, &region)) {
            Ok(answer) => answer,
            Err(error) => Err(no_answer_of(error)),
        }
    }

    fn resolved(&self, planned: &ProfilePlan, region: &str, notes: &Notes) -> Result<Credentials> {
        let mut known = self
            .credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref() {
            return known.clone();
        }
        let resolver = BlockingResolver {
            planned,
            ask: &self.ask,
            deadline: self.deadline,
        };
        let found = resolver.credentials(region, 0, notes);
        *known = Some(found.clone());
        found
    }

    fn open<'a>(
        &'a self,
        planned: &'a ProfilePlan,
        region: &str,
        notes: &'a Notes,
    ) -> Inspected<Resolution<'a>> {
        let settings = &planned.settings;
        match Resolution::open(settings, &self.ask, region, 0, self.deadline, notes) {
            Ok(resolution) => Ok(resolution),
            Err(error) => Err(no_answer_of(error)),
        }
    }
}

impl Inspector for AwsInspector {
    fn clock_offset(&self, region: Option<&Region>) -> Inspected<i64> {
        self.without_credentials(region, async |resolution, region| {
            sts::clock_offset(resolution, region).await
        })
    }

    fn caller(&self, region: Option<&Region>) -> Inspected<Caller> {
        self.with_credentials(region, async |client, region| {
            sts::caller(client, region).await
        })
    }

    fn server(&self, scope: &Scope<'_>, region: Option<&Region>) -> Inspected<ServerState> {
        self.with_credentials(region, async |client, region| {
            server::state(client, scope, region).await
        })
    }

    fn permission(
        &self,
        scope: &Scope<'_>,
        region: Option<&Region>,
        resource: Option<&str>,
    ) -> Inspected<Permission> {
        self.with_credentials(region, async |client, region| {
            permission(client, scope, region, resource).await
        })
    }
}

async fn permission(
    client: &ApiClient<'_>,
    scope: &Scope<'_>,
    region: &str,
    resource: Option<&str>,
) -> Inspected<Permission> {
    let caller = sts::caller(client, region).await?;
    let Some(arn) = Arn::parse(&caller.name) else {
        return Err(not_askable("AWS does not say who the caller is"));
    };
    let resource = match resource {
        Some(resource) => resource.to_owned(),
        None if scope.service == DSQL.key => {
            let partition = partition::partition_of(region).name;
            let (account, id) = (&caller.account, server::cluster_id(scope.host));
            format!("arn:{partition}:dsql:{region}:{account}:cluster/{id}")
        }
        None => server::state(client, scope, region)
            .await?
            .resource
            .unwrap_or_else(|| "*".to_owned()),
    };
    let action = format!("{}:{}", scope.service, scope.action);
    match arn.principal() {
        Principal::User => iam::simulate(client, region, &caller.name, &action, &resource).await,
        Principal::Role(name) => {
            let role = iam::role_arn(client, region, name).await;
            let path = match &role {
                Ok(role) => role.clone(),
                // Most roles have no path, so it is worth a try.
                Err(error) if error.why == WhyNot::NotAllowed => arn.role(name),
                Err(error) => return Err(error.clone()),
            };
            match (
                iam::simulate(client, region, &path, &action, &resource).await,
                role,
            ) {
                (Err(error), Err(denied)) if error.why == WhyNot::NotFound => Err(denied),
                (answer, _) => answer,
            }
        }
        Principal::Other => Err(not_askable(
            "AWS simulates no policies for root and for federated users",
        )),
    }
}

fn not_askable(why: &str) -> NoAnswer {
    NoAnswer::new(WhyNot::NotAskable, Error::failure(why))
}

/// Returns the region to ask in: that of the request, else that of the settings.
fn region_of(planned: &ProfilePlan, region: Option<&Region>) -> String {
    match region {
        Some(region) => region.as_str().to_owned(),
        None => planned.region().unwrap_or_else(|| ANY_REGION.to_owned()),
    }
}

/// Returns why there are no credentials, or why the settings cannot be used.
fn no_answer_of(error: Error) -> NoAnswer {
    let by_exit = match error.exit() {
        Exit::Login => WhyNot::LoginNeeded,
        Exit::Usage => WhyNot::Setting,
        Exit::Ok | Exit::Failure | Exit::NoTarget => WhyNot::NoCredentials,
    };
    let why = match error.reason() {
        Some(Reason::NoCredentials) => WhyNot::NoCredentials,
        Some(Reason::Expired) => WhyNot::Expired,
        Some(Reason::Unreachable) => WhyNot::Unreachable,
        Some(Reason::Untrusted) => WhyNot::Untrusted,
        Some(Reason::TimedOut) => WhyNot::Late,
        Some(
            Reason::NoRegion
            | Reason::NoProfile
            | Reason::InvalidRoleSetting
            | Reason::NoCode
            | Reason::ProgramFailed
            | Reason::Refused,
        )
        | None => by_exit,
    };
    NoAnswer::new(why, error)
}

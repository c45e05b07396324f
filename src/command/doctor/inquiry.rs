//! Asks AWS, or another authority, about the targets and about the clock of this machine.
//!
//! ```text
//! threads of a target    who signs            the server --> what policies allow for it
//!                            |                    |                   |
//!                            v                    v                   v
//! checks                aws.identity          server.*           iam.policy
//! ```
//!
//! All questions with the same profile have one inspector, which resolves the credentials once.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::pending_answer::PendingAnswer;
use crate::authority::{
    AskPolicy, Authority, CallerIdentity, InspectionResult, Inspector, Region,
    ServerLoginPermission, ServerState, TokenScope,
};
use crate::provider::Provider;
use crate::request::Request;

/// How long the clock of an authority is waited for. Every check of a target comes after it.
const INQUIRY_TIMEOUT: Duration = Duration::from_secs(5);

/// The answers about one target, each of which may not be there yet.
pub(super) struct TargetInquiry {
    pub(super) caller: PendingAnswer<InspectionResult<CallerIdentity>>,
    pub(super) server: PendingAnswer<InspectionResult<ServerState>>,
    pub(super) permission: PendingAnswer<InspectionResult<ServerLoginPermission>>,
}

/// What of a request the questions are about.
struct InquirySubject {
    provider: &'static Provider,
    host: String,
    port: u16,
    user: String,
    region: Option<Region>,
}

/// The clock of an authority that targets belong to.
pub(super) struct AuthorityClock {
    pub(super) authority: &'static dyn Authority,
    /// The region that is asked; `None` if the settings of the profile decide.
    pub(super) region: Option<String>,
    /// How many seconds the clock of this machine is ahead.
    pub(super) offset: PendingAnswer<InspectionResult<i64>>,
    pub(super) deadline: Instant,
}

/// Those who answer, by authority and profile.
#[derive(Default)]
pub(super) struct Inspectors {
    by_key: Vec<(InspectorKey, Option<Arc<dyn Inspector>>)>,
}

/// The name of an authority, and a profile.
type InspectorKey = (&'static str, Option<String>);

impl Inspectors {
    /// Returns the inspector of a request's profile, and keeps it for the next request.
    fn for_request(
        &mut self,
        request: &Request,
        ask_policy: &AskPolicy,
        deadline: Instant,
    ) -> Option<Arc<dyn Inspector>> {
        let authority = request.provider.authority;
        let key = (authority.name(), request.profile.clone());
        for (known_key, inspector) in &self.by_key {
            if *known_key == key {
                return inspector.clone();
            }
        }
        let new_inspector = authority.inspector(request.profile.as_deref(), ask_policy, deadline);
        let inspector = new_inspector.map(Arc::from);
        self.by_key.push((key, inspector.clone()));
        inspector
    }
}

impl TargetInquiry {
    /// Starts to ask about a target; `None` if its authority has nobody to ask.
    pub(super) fn start(
        inspectors: &mut Inspectors,
        request: &Request,
        ask_policy: &AskPolicy,
        deadline: Instant,
    ) -> Option<Self> {
        let inspector = inspectors.for_request(request, ask_policy, deadline)?;
        let (server, found_server) = channel();
        let (subject, server_inspector) =
            (InquirySubject::from_request(request), inspector.clone());
        let permission = PendingAnswer::start(move || {
            let region = subject.region.as_ref();
            let state = server_inspector.server(&subject.scope(), region);
            let resource = match &state {
                Ok(state) => state.resource.clone(),
                Err(_) => None,
            };
            // Nobody listens any more after the deadline.
            let _ = server.send(state);
            server_inspector.permission(&subject.scope(), region, resource.as_deref())
        });
        let region = request.region.clone();
        let caller = PendingAnswer::start(move || inspector.caller(region.as_ref()));
        Some(Self {
            caller,
            server: PendingAnswer::from(found_server),
            permission,
        })
    }
}

impl InquirySubject {
    fn from_request(request: &Request) -> Self {
        Self {
            provider: request.provider,
            host: request.sign_host.clone(),
            port: request.sign_port,
            user: request.user.clone(),
            region: request.region.clone(),
        }
    }

    fn scope(&self) -> TokenScope<'_> {
        self.provider.scope(&self.host, self.port, &self.user)
    }
}

impl AuthorityClock {
    /// Starts to ask the authority of a target; `None` if there is nobody to ask.
    pub(super) fn start(
        request: &Request,
        ask_policy: &AskPolicy,
        deadline: Instant,
    ) -> Option<Self> {
        let deadline = deadline.min(Instant::now() + INQUIRY_TIMEOUT);
        let authority = request.provider.authority;
        let inspector = authority.inspector(request.profile.as_deref(), ask_policy, deadline)?;
        let region = request.region.clone();
        Some(Self {
            authority,
            region: region.as_ref().map(ToString::to_string),
            offset: PendingAnswer::start(move || inspector.clock_offset(region.as_ref())),
            deadline,
        })
    }
}

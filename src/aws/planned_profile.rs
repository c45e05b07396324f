//! Holds a plan with the settings that it was made from, and the files that its outcome depends on.
//!
//! It is made without asking anybody, from variables and the two shared files. Its hash identifies
//! who signs: tokens in the cache belong to it. The paths of the files tell a later process whether
//! the outcome may have changed.

use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use super::cli_cache;
use super::environment::AwsVariables;
use super::plan::{self, CredentialPlan, PlannedSource};
use super::settings::{AwsSettings, ProfileNaming, SharedFiles};
use crate::error::Result;

/// Who would sign for a profile, according to AWS's variables and files.
pub(crate) struct PlannedProfile {
    pub(super) settings: AwsSettings,
    plan: Result<CredentialPlan>,
}

impl Hash for PlannedProfile {
    /// Feeds everything that decides who signs to the hasher. Secrets are a part of it, so only a
    /// cryptographic hasher may be used.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.settings.named_profile.hash(state);
        match &self.plan {
            Ok(plan) => plan.hash(state),
            Err(_) => "no plan".hash(state),
        }
    }
}

impl PlannedProfile {
    /// Plans for a profile that an option names, or by AWS's own order. A mistake in the settings
    /// becomes an error as soon as credentials are asked for.
    pub(crate) fn read(profile: Option<&str>, files: &SharedFiles) -> Self {
        Self::make(AwsSettings::new(
            AwsVariables::OfProcess,
            files.clone(),
            profile,
        ))
    }

    pub(super) fn make(settings: AwsSettings) -> Self {
        let plan = plan::make_plan(&settings);
        Self { settings, plan }
    }

    pub(super) fn credential_plan(&self) -> Result<&CredentialPlan> {
        match &self.plan {
            Ok(plan) => Ok(plan),
            Err(error) => Err(error.clone()),
        }
    }

    /// Returns the profile that an option, the connection or a rule names.
    pub(super) fn profile_by_option(&self) -> Option<&str> {
        if self.settings.profile_naming == ProfileNaming::ByOption {
            self.settings.named_profile.as_deref()
        } else {
            None
        }
    }

    /// Returns the region that a variable or the profile names.
    pub(crate) fn region(&self) -> Option<String> {
        self.settings.region()
    }

    /// Returns the source, if there is a usable one.
    fn source(&self) -> Option<&PlannedSource> {
        self.plan.as_ref().ok()?.source.as_ref().ok()
    }

    /// Returns the files that decide who signs, besides the two shared ones, whose content is in
    /// the plan: tokens of a login or a workload, old files of keys, and the program and the files
    /// of a `credential_process`.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        match self.source() {
            Some(source) => source.implementation().files(),
            None => Vec::new(),
        }
    }

    /// Returns the files and directories that change when the user has logged in: those of the
    /// source, and the AWS CLI's cached roles.
    pub(crate) fn login_paths(&self) -> Vec<PathBuf> {
        let Ok(plan) = &self.plan else {
            return Vec::new();
        };
        let mut paths = Vec::new();
        for role in &plan.roles {
            paths.extend(cli_cache::role::role_file(role));
        }
        if let Some(source) = self.source() {
            paths.extend(source.implementation().login_paths());
        }
        paths
    }
}

//! Identifies who signs with AWS credentials: by digests that change whenever other credentials
//! would be found, and tell nothing about them.
//!
//! The digest is made of the plan, so whatever decides who signs is a part of it. The digest with
//! login adds the stamps of the files that the plan rests on, such as the cached token of an SSO
//! login. The login stamp adds those of every file that a login writes.

use std::cell::OnceCell;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use super::blocking::BlockingResolver;
use super::explanation;
use super::planned_profile::PlannedProfile;
use super::region;
use super::settings::SharedFiles;
use super::signer::{AwsSigner, REGION_HINT, no_region};
use super::signer_summary;
use crate::authority::{
    AskPolicy, CredentialQuery, Identities, Identity, Region, RunNotes, Signer, SignerSummary,
    TokenScope,
};
use crate::error::{Exit, Result};
use crate::sys::fs;
use crate::text::digest::{Digester, digest};

/// The identities of one run, which read the two shared files once.
#[derive(Default)]
pub(super) struct AwsIdentities {
    files: SharedFiles,
}

impl Identities for AwsIdentities {
    /// The credentials of a profile sign for every scope.
    fn identity(&self, profile: Option<&str>, _: Option<&TokenScope<'_>>) -> Rc<dyn Identity> {
        Rc::new(AwsIdentity::read(profile, &self.files))
    }
}

/// Who signs for a profile, as AWS's variables and files say it.
struct AwsIdentity {
    planned_profile: Rc<PlannedProfile>,
    digest: String,
    digest_with_login: String,
    login_stamp: OnceCell<String>,
    region: OnceCell<String>,
}

impl AwsIdentity {
    fn read(profile: Option<&str>, files: &SharedFiles) -> Self {
        let planned_profile = Rc::new(PlannedProfile::read(profile, files));
        let mut digest = Digester::new();
        planned_profile.hash(&mut digest);
        Self::with_current_files(planned_profile, digest.finished())
    }

    fn with_current_files(planned_profile: Rc<PlannedProfile>, digest: String) -> Self {
        let digest_with_login = digest_with_stamps(&digest, planned_profile.files());
        Self {
            planned_profile,
            digest,
            digest_with_login,
            login_stamp: OnceCell::new(),
            region: OnceCell::new(),
        }
    }

    fn resolver<'a>(
        &'a self,
        ask_policy: &'a AskPolicy,
        deadline: Instant,
    ) -> BlockingResolver<'a> {
        BlockingResolver {
            planned_profile: &self.planned_profile,
            ask_policy,
            deadline,
        }
    }
}

impl Identity for AwsIdentity {
    fn digest(&self) -> &str {
        &self.digest
    }

    fn digest_with_login(&self) -> &str {
        &self.digest_with_login
    }

    fn login_stamp(&self) -> &str {
        self.login_stamp.get_or_init(|| {
            let mut files = Vec::new();
            for path in self.planned_profile.login_paths() {
                if path.is_dir() {
                    files.extend(sorted_files(&path));
                } else {
                    files.push(path);
                }
            }
            digest_with_stamps(&self.digest, files)
        })
    }

    fn login_paths(&self) -> Vec<PathBuf> {
        self.planned_profile.login_paths()
    }

    fn reload(&self) -> Rc<dyn Identity> {
        Rc::new(Self::with_current_files(
            Rc::clone(&self.planned_profile),
            self.digest.clone(),
        ))
    }

    fn configured_region(&self) -> Option<&str> {
        let region = self
            .region
            .get_or_init(|| match self.planned_profile.region() {
                Some(region) => region,
                None => "instance metadata".to_owned(),
            });
        Some(region)
    }

    fn find_region(
        &self,
        host: &str,
        ask_policy: &AskPolicy,
        notes: &RunNotes,
    ) -> Result<Option<Region>> {
        let deadline = Instant::now() + ask_policy.timeout;
        let region = match self.resolver(ask_policy, deadline).region(notes) {
            Ok(Some(region)) => region,
            Ok(None) => return Err(no_region(host)),
            Err(error) if error.exit() == Exit::Usage => return Err(error),
            Err(error) => {
                return Err(error
                    .about(&format!(
                        "no option, variable or profile names the region of {host}"
                    ))
                    .hint(REGION_HINT));
            }
        };
        Ok(Some(region::parse(&region)?))
    }

    fn trace_identity(&self, region: Option<&Region>, notes: &RunNotes) {
        if notes.shows_steps() {
            for line in explanation::explanation_lines(&self.planned_profile, region) {
                notes.step(|| line);
            }
        }
    }

    fn signer_summary(&self) -> Option<SignerSummary> {
        Some(signer_summary::signer_summary(&self.planned_profile))
    }

    fn log_in(&self, ask_policy: &AskPolicy, notes: &RunNotes) -> Result<bool> {
        self.trace_identity(None, notes);
        let deadline = Instant::now() + ask_policy.timeout;
        self.resolver(ask_policy, deadline).log_in(notes)
    }

    fn signer(&self, query: &CredentialQuery<'_>, notes: &RunNotes) -> Result<Rc<dyn Signer>> {
        let region = match query.region {
            Some(region) => region.as_str(),
            None => "",
        };
        let credentials = self
            .resolver(query.ask_policy, query.deadline)
            .credentials(region, query.lifetime_seconds, notes)?;
        let profile = self.planned_profile.profile_by_option().map(str::to_owned);
        Ok(Rc::new(AwsSigner::new(credentials, profile)))
    }
}

fn sorted_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = fs::list(directory);
    files.sort();
    files
}

/// Returns a digest of a text and of files, as they are now.
fn digest_with_stamps(text: &str, files: Vec<PathBuf>) -> String {
    let mut parts = vec![text.to_owned()];
    for file in files {
        parts.push(file.display().to_string());
        parts.push(fs::stamp_of_file(&file).unwrap_or_default());
    }
    digest(parts.iter().map(String::as_str))
}

#[cfg(test)]
mod tests;

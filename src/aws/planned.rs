//! A plan with the settings that it was made from, and the files that its outcome depends on.

use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use super::environment::Variables;
use super::plan::{self, Container, MachineService, OldFiles, Plan, Role, Source};
use super::profile::words;
use super::settings::{Settings, SharedFiles};
use super::source::sign_in;
use crate::error::Result;
use crate::sys::child;
use crate::sys::env;

/// Who would sign for a profile, as AWS's variables and files say it.
pub(crate) struct Planned {
    pub(super) settings: Settings,
    plan: Result<Plan>,
}

impl Hash for Planned {
    /// Everything that decides who signs. Secrets are a part of it: the hasher must be one that
    /// keeps them.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.settings.named.hash(state);
        match &self.plan {
            Ok(plan) => plan.hash(state),
            Err(_) => "no plan".hash(state),
        }
    }
}

impl Planned {
    /// Plans for a profile that an option names, or by AWS's own order. What is wrong is an error
    /// of whoever asks for credentials.
    pub(crate) fn read(profile: Option<&str>, files: &SharedFiles) -> Self {
        let settings = Settings::new(Variables::OfProcess, files.clone(), profile);
        let plan = plan::of(&settings);
        Self { settings, plan }
    }

    pub(super) fn plan(&self) -> Result<&Plan> {
        self.plan.as_ref().map_err(Clone::clone)
    }

    /// Returns the region that a variable or the profile names.
    pub(crate) fn region(&self) -> Option<String> {
        self.settings.region()
    }

    /// Returns the files that say who signs, besides the two shared ones, whose text is in the
    /// plan: tokens that a login left, tokens of a workload, old files of keys, and the program and
    /// the files of a `credential_process`.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        match self.plan.as_ref().map(|plan| &plan.source) {
            Ok(Ok(Source::Sso(sso))) => sso.start.path().into_iter().collect(),
            Ok(Ok(Source::SignIn(login))) => sign_in::path(&login.session).into_iter().collect(),
            Ok(Ok(Source::WebIdentity(identity))) => vec![PathBuf::from(&identity.token_file)],
            Ok(Ok(Source::Process(command))) => files_of_command(command),
            Ok(Ok(Source::Container(container))) => token_file(container),
            Ok(Ok(Source::Rest(old, service))) => {
                let mut files = old_files(old);
                if let MachineService::Container(container) = service {
                    files.extend(token_file(container));
                }
                files
            }
            Ok(
                Ok(Source::Environment(_) | Source::File(..) | Source::InstanceMetadata(_))
                | Err(_),
            )
            | Err(_) => Vec::new(),
        }
    }

    /// Returns what changes when somebody has logged in: those files, and the AWS CLI's cached
    /// roles. Where a program gives the credentials it may well use one of AWS's login caches, so
    /// all of them count, but no file that its command line names: the program may write it itself,
    /// as a log.
    pub(crate) fn places_of_logins(&self) -> Vec<PathBuf> {
        let Ok(plan) = &self.plan else {
            return Vec::new();
        };
        let mut places: Vec<PathBuf> = plan.roles.iter().filter_map(Role::cache_file).collect();
        if let Ok(Source::Process(_)) = plan.source {
            let caches = |home: PathBuf| {
                ["sso", "login", "cli"].map(|name| home.join(".aws").join(name).join("cache"))
            };
            places.extend(env::aws_home().into_iter().flat_map(caches));
        } else {
            places.extend(self.files());
        }
        places
    }
}

fn token_file(container: &Container) -> Vec<PathBuf> {
    container.token_file.iter().map(PathBuf::from).collect()
}

fn old_files(old: &OldFiles) -> Vec<PathBuf> {
    old.of_ec2
        .iter()
        .chain(&old.of_boto)
        .map(|path| env::expanded(path))
        .collect()
}

/// Returns the program that a command line starts here, and the words that name files wherever it
/// is started. They need not exist.
fn files_of_command(command: &str) -> Vec<PathBuf> {
    let words: Vec<PathBuf> = words::split(command)
        .unwrap_or_default()
        .into_iter()
        .map(PathBuf::from)
        .collect();
    let named = words.first().filter(|program| program.is_relative());
    let found = named.and_then(|program| child::find(program.as_os_str()));
    found
        .into_iter()
        .chain(words.into_iter().filter(|word| word.is_absolute()))
        .collect()
}

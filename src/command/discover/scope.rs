//! Which profiles are asked, and each for which regions: what the user names, else what the
//! configuration and the environment name. Profiles with the same credentials are one question.

use std::time::Instant;

use crate::authority::{AskPolicy, Authority, DatabaseCatalog, ProfileRegions, Region};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::provider;
use crate::text::suggest;
use crate::text::{glob, host, quote};

/// The profiles and regions that the user names.
#[derive(Default, clap::Args)]
pub(crate) struct ScopeOptions {
    /// Profile to ask with; `*` stands for any text, as in 'team-*'; may be repeated [default:
    /// those of the configuration, and the current one]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Vec<String>,
    /// Region to ask for; `*` stands for any text, as in 'eu-*'; may be repeated [default: that of
    /// the profile, and those of its connections]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Vec<String>,
    /// Ask for every region that pgcred knows
    #[arg(long, conflicts_with = "region")]
    pub(crate) all_regions: bool,
}

/// The name of a profile. `None` is what the environment selects where it names none, such as a key
/// in variables or the role of a machine.
pub(super) type ProfileName = Option<String>;

/// One who is asked, and for what.
pub(super) struct CatalogSearch {
    /// Every profile that leads to these credentials; the first one stands for all.
    pub(super) profiles: Vec<ProfileName>,
    pub(super) catalog: Box<dyn DatabaseCatalog>,
    pub(super) regions: Vec<Region>,
}

/// What questions are made from, besides the options.
#[derive(Clone, Copy)]
pub(super) struct SearchContext<'a> {
    pub(super) authority: &'a dyn Authority,
    pub(super) config: &'a Config,
    pub(super) ask: &'a AskPolicy,
    pub(super) deadline: Instant,
}

impl SearchContext<'_> {
    /// Returns who lists what a profile may see.
    pub(super) fn catalog(self, profile: Option<&str>) -> Result<Box<dyn DatabaseCatalog>> {
        let found = self.authority.catalog(profile, self.ask, self.deadline);
        let Some(catalog) = found else {
            let title = self.authority.title();
            let error = Error::failure(format!("{title} cannot list databases"));
            return Err(error.hint("pgcred add NAME HOST --profile PROFILE adds one by its host"));
        };
        Ok(catalog)
    }
}

impl ScopeOptions {
    /// Returns the options as they are typed, each after a blank, for a command that is to ask the
    /// same.
    pub(super) fn typed(&self) -> String {
        let mut words = String::new();
        for (option, values) in [("--profile", &self.profile), ("--region", &self.region)] {
            for value in values {
                words.extend([" ", option, " ", &quote::typed(value)]);
            }
        }
        if self.all_regions {
            words.push_str(" --all-regions");
        }
        words
    }

    /// Returns the same profiles, with all regions.
    pub(super) fn everywhere(&self) -> Self {
        Self {
            profile: self.profile.clone(),
            region: Vec::new(),
            all_regions: true,
        }
    }

    /// Returns whom to ask, in the order of the profiles. This asks nobody yet.
    pub(super) fn questions(&self, context: SearchContext<'_>) -> Result<Vec<CatalogSearch>> {
        let used = UsedPlaces::of(context);
        let mut questions = Vec::new();
        for profiles in grouped(self.profiles(&used, context)?, context) {
            let catalog = context.catalog(profiles[0].as_deref())?;
            let known = catalog.regions();
            let regions = self.regions(&known, &used.regions_of(&profiles))?;
            questions.push(CatalogSearch {
                profiles,
                catalog,
                regions,
            });
        }
        self.check_patterns(&questions)?;
        Ok(questions)
    }

    fn profiles(&self, used: &UsedPlaces, context: SearchContext<'_>) -> Result<Vec<ProfileName>> {
        if self.profile.is_empty() {
            return Ok(used.profiles());
        }
        let mut found: Vec<ProfileName> = Vec::new();
        for typed in &self.profile {
            let mut names = vec![typed.clone()];
            if typed.is_empty() {
                return Err(Error::usage("--profile is empty").hint("name a profile"));
            }
            if glob::is_pattern(typed) {
                let known = context.authority.profile_names()?;
                names = fitting(typed, &known);
                if names.is_empty() {
                    let names = suggest::listed(&known);
                    return Err(nothing_fits("profile", typed, "profiles", &names));
                }
            }
            for name in names {
                add_once(&mut found, Some(name));
            }
        }
        Ok(found)
    }

    /// Returns the regions to ask a profile for. `used` are those of its connections.
    fn regions(&self, known: &ProfileRegions, used: &[Region]) -> Result<Vec<Region>> {
        if self.all_regions {
            return Ok(known.all.clone());
        }
        let mut found = Vec::new();
        if self.region.is_empty() {
            for region in known.own.iter().chain(used) {
                add_once(&mut found, region.clone());
            }
        }
        for typed in &self.region {
            if !glob::is_pattern(typed) {
                add_once(&mut found, provider::parse_region(typed)?);
                continue;
            }
            for region in &known.all {
                if glob::fits(typed, region.as_str()) {
                    add_once(&mut found, region.clone());
                }
            }
        }
        Ok(found)
    }

    /// Refuses a pattern that fits no region of any profile: it is a slip.
    fn check_patterns(&self, questions: &[CatalogSearch]) -> Result<()> {
        let mut known: Vec<String> = Vec::new();
        for question in questions {
            for region in question.catalog.regions().all {
                add_once(&mut known, region.as_str().to_owned());
            }
        }
        for typed in &self.region {
            if glob::is_pattern(typed) && fitting(typed, &known).is_empty() {
                return Err(nothing_fits("region", typed, "regions", &known.join(", ")));
            }
        }
        Ok(())
    }
}

/// The profiles and regions that the configuration and the environment name.
struct UsedPlaces {
    places: Vec<(ProfileName, Option<Region>)>,
    current: ProfileName,
    /// Whether the environment names the current profile, or has a key.
    is_selected: bool,
}

impl UsedPlaces {
    fn of(context: SearchContext<'_>) -> Self {
        let (current, is_selected) = current_profile(context.authority);
        let mut places = Vec::new();
        for connection in &context.config.connections {
            let signed = connection.sign_host.as_ref().map(|signed| &signed.host);
            let host = signed.or(connection.target.host.as_ref());
            let host = host.map_or("", String::as_str);
            let rule = context.config.rule(host);
            let profile = connection.profile.clone().or(rule.profile);
            let mut region = connection.region.clone().or(rule.region);
            if let Some(provider) = provider::of_host(host) {
                region = (provider.region)(host).or(region);
            }
            places.push((profile.or(current.clone()), region));
        }
        for rule in &context.config.rules {
            if rule.profile.is_some() {
                places.push((rule.profile.clone(), rule.region.clone()));
            }
        }
        Self {
            places,
            current,
            is_selected,
        }
    }

    /// Returns the profiles that are in use, and the current one. What the environment has where it
    /// names nothing counts only if nothing else does: asking a machine for its role takes time.
    fn profiles(&self) -> Vec<ProfileName> {
        let mut found = Vec::new();
        for (profile, _) in &self.places {
            add_once(&mut found, profile.clone());
        }
        if self.is_selected || found.is_empty() {
            add_once(&mut found, self.current.clone());
        }
        found
    }

    fn regions_of(&self, profiles: &[ProfileName]) -> Vec<Region> {
        let mut found = Vec::new();
        for (profile, region) in &self.places {
            if let Some(region) = region
                && profiles.contains(profile)
            {
                add_once(&mut found, region.clone());
            }
        }
        found
    }
}

/// Returns the profile that the environment selects, and whether it names one or has a key. The
/// usual one is called by its name where there is one, so that what is added goes on to mean it.
fn current_profile(authority: &dyn Authority) -> (ProfileName, bool) {
    const USUAL: &str = "default";
    let settings = authority.shell_settings();
    if settings.profile.is_some() || settings.key.is_some() {
        return (settings.profile, true);
    }
    match authority.profile_names() {
        Ok(names) if names.iter().any(|name| name == USUAL) => (Some(USUAL.to_owned()), true),
        _ => (None, false),
    }
}

/// Puts together the profiles that lead to the same credentials.
fn grouped(profiles: Vec<ProfileName>, context: SearchContext<'_>) -> Vec<Vec<ProfileName>> {
    let identities = context.authority.identities();
    let mut groups: Vec<(String, Vec<ProfileName>)> = Vec::new();
    for profile in profiles {
        let identity = identities.identity(profile.as_deref(), None);
        let digest = identity.digest();
        match groups.iter_mut().find(|(known, _)| known == digest) {
            Some((_, group)) => group.push(profile),
            None => groups.push((digest.to_owned(), vec![profile])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn fitting(pattern: &str, known: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for name in known {
        if glob::fits(pattern, name) {
            found.push(name.clone());
        }
    }
    found
}

fn nothing_fits(what: &str, pattern: &str, plural: &str, known: &str) -> Error {
    let error = Error::usage(format!("no {what} fits {}", host::quoted(pattern)));
    if known.is_empty() {
        return error.hint(format!("there are no {plural}"));
    }
    error.hint(format!("the {plural} are {known}"))
}

fn add_once<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

#[cfg(test)]
mod tests;

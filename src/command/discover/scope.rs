//! Decides who is asked: which authorities, which of their profiles, and each for which regions.
//! What the user names counts, else what the configuration and the environment name. Profiles with
//! the same credentials are one question.

use std::time::Instant;

use crate::authority::{AskPolicy, Authority, DatabaseCatalog, Lister, ProfileRegions, Region};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::provider::{self, Provider};
use crate::text::suggest;
use crate::text::{backquoted, glob, quote};

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
    pub(super) listing_authority: ListingAuthority,
    /// Every profile that leads to these credentials; the first one stands for all.
    pub(super) profiles: Vec<ProfileName>,
    pub(super) catalog: Box<dyn DatabaseCatalog>,
    pub(super) regions: Vec<Region>,
}

/// What questions are made from, besides the options.
#[derive(Clone, Copy)]
pub(super) struct SearchContext<'a> {
    /// Who can be asked. There is one at least.
    pub(super) listing_authorities: &'a [ListingAuthority],
    pub(super) config: &'a Config,
    pub(super) ask_policy: &'a AskPolicy,
    pub(super) deadline: Instant,
}

/// An authority that can list databases.
#[derive(Clone, Copy)]
pub(crate) struct ListingAuthority {
    pub(super) authority: &'static dyn Authority,
    pub(super) lister: &'static dyn Lister,
}

impl ListingAuthority {
    /// Returns those among authorities that can list. If none can, that is an error.
    pub(crate) fn all_among(authorities: &[&'static dyn Authority]) -> Result<Vec<Self>> {
        let mut listing_authorities = Vec::new();
        for authority in authorities.iter().copied() {
            if let Some(lister) = authority.lister() {
                listing_authorities.push(Self { authority, lister });
            }
        }
        if listing_authorities.is_empty() {
            let titles: Vec<&str> = authorities
                .iter()
                .map(|authority| authority.title())
                .collect();
            let error = Error::failure(format!("{} cannot list databases", titles.join(" or ")));
            return Err(error.hint("run `pgcred add NAME HOST` to add one by its host"));
        }
        Ok(listing_authorities)
    }

    /// Returns the fake authority, whatever it has to list.
    #[cfg(test)]
    pub(super) fn fake() -> Self {
        Self {
            authority: provider::fake::PROVIDER.authority,
            lister: provider::fake::lister(),
        }
    }

    /// Returns who lists what a profile may see.
    pub(super) fn catalog(
        self,
        profile: Option<&str>,
        context: SearchContext<'_>,
    ) -> Box<dyn DatabaseCatalog> {
        self.lister
            .catalog(profile, context.ask_policy, context.deadline)
    }
}

impl ScopeOptions {
    /// Returns the options as they are typed, each after a space, for a command that is to ask the
    /// same.
    pub(super) fn typed_options(&self) -> String {
        let mut options = String::new();
        for (option, values) in [("--profile", &self.profile), ("--region", &self.region)] {
            for value in values {
                options.extend([" ", option, " ", &quote::typed(value)]);
            }
        }
        if self.all_regions {
            options.push_str(" --all-regions");
        }
        options
    }

    /// Returns the same profiles, with all regions.
    pub(super) fn with_all_regions(&self) -> Self {
        Self {
            profile: self.profile.clone(),
            region: Vec::new(),
            all_regions: true,
        }
    }

    /// Returns whom to ask, in the order of the authorities and of their profiles. This asks nobody
    /// yet.
    pub(super) fn questions(&self, context: SearchContext<'_>) -> Result<Vec<CatalogSearch>> {
        let mut candidates = Vec::new();
        for listing_authority in context.listing_authorities {
            candidates.push(SearchCandidate {
                listing_authority: *listing_authority,
                used: ProfilesInUse::find(listing_authority.authority, context.config),
                profiles: Vec::new(),
            });
        }
        if self.profile.is_empty() {
            take_used_profiles(&mut candidates);
        }
        for typed_profile in &self.profile {
            take_named_profiles(typed_profile, &mut candidates)?;
        }
        let mut questions = Vec::new();
        for SearchCandidate {
            listing_authority,
            used,
            profiles,
        } in candidates
        {
            for profiles in group_by_credentials(profiles, listing_authority.authority) {
                let catalog = listing_authority.catalog(profiles[0].as_deref(), context);
                let profile_regions = catalog.regions();
                let regions = self.regions(
                    &profile_regions,
                    &used.regions_of(&profiles),
                    listing_authority.authority,
                )?;
                questions.push(CatalogSearch {
                    listing_authority,
                    profiles,
                    catalog,
                    regions,
                });
            }
        }
        self.check_patterns(&questions)?;
        Ok(questions)
    }

    /// Returns the regions to ask a profile for. `used_regions` are those of its connections.
    fn regions(
        &self,
        profile_regions: &ProfileRegions,
        used_regions: &[Region],
        authority: &dyn Authority,
    ) -> Result<Vec<Region>> {
        if self.all_regions {
            return Ok(profile_regions.known_regions.clone());
        }
        let mut chosen_regions = Vec::new();
        if self.region.is_empty() {
            for region in profile_regions.own_region.iter().chain(used_regions) {
                add_once(&mut chosen_regions, region.clone());
            }
        }
        for pattern in &self.region {
            if !glob::is_pattern(pattern) {
                provider::parse_region(pattern)?; // what nobody can read is a slip
                if let Some(regions) = authority.regions()
                    && let Ok(region) = regions.parse(pattern)
                {
                    add_once(&mut chosen_regions, region);
                }
                continue;
            }
            for region in &profile_regions.known_regions {
                if glob::matches_pattern(pattern, region.as_str()) {
                    add_once(&mut chosen_regions, region.clone());
                }
            }
        }
        Ok(chosen_regions)
    }

    /// Returns a warning for each region that the user names and nobody who is asked knows.
    pub(super) fn region_warnings(&self, listing_authorities: &[ListingAuthority]) -> Vec<String> {
        let mut warnings = Vec::new();
        for pattern in &self.region {
            let mut region_warnings = Vec::new();
            for ListingAuthority { authority, .. } in listing_authorities {
                if let Some(regions) = authority.regions()
                    && let Ok(region) = regions.parse(pattern)
                {
                    region_warnings.push(regions.warning(&region));
                }
            }
            if region_warnings.iter().all(Option::is_some) && !glob::is_pattern(pattern) {
                warnings.extend(region_warnings.into_iter().flatten().next());
            }
        }
        warnings
    }

    /// Refuses a pattern that fits no region of any profile: it is a slip.
    fn check_patterns(&self, questions: &[CatalogSearch]) -> Result<()> {
        let mut region_names: Vec<String> = Vec::new();
        for question in questions {
            for region in question.catalog.regions().known_regions {
                add_once(&mut region_names, region.as_str().to_owned());
            }
        }
        for pattern in &self.region {
            if glob::is_pattern(pattern) && matching_names(pattern, &region_names).is_empty() {
                let name_list = region_names.join(", ");
                return Err(no_match_error("region", pattern, "regions", &name_list));
            }
        }
        Ok(())
    }
}

/// An authority, and those of its profiles that are asked.
struct SearchCandidate {
    listing_authority: ListingAuthority,
    used: ProfilesInUse,
    profiles: Vec<ProfileName>,
}

/// Takes the profiles that are in use. An authority that the user does not use is not asked, unless
/// none is in use.
fn take_used_profiles(candidates: &mut [SearchCandidate]) {
    let is_any_used = candidates.iter().any(|candidate| candidate.used.has_any());
    for candidate in candidates {
        if candidate.used.has_any() || !is_any_used {
            candidate.profiles = candidate.used.profiles();
        }
    }
}

/// Takes the profiles that the user names. A name goes to the authorities that have such a profile,
/// and where none has, to all: their answers say so.
fn take_named_profiles(pattern: &str, candidates: &mut [SearchCandidate]) -> Result<()> {
    if pattern.is_empty() {
        return Err(Error::usage("--profile is empty").hint("name a profile"));
    }
    let is_pattern = glob::is_pattern(pattern);
    let names_one = !is_pattern && candidates.len() == 1;
    let mut profile_names = Vec::new();
    let mut is_found = false;
    for candidate in candidates.iter_mut() {
        if names_one {
            break; // whether it has the profile does not matter, so its files are not read
        }
        let names = candidate.listing_authority.authority.profile_names()?;
        for name in matching_names(pattern, &names) {
            is_found = true;
            add_once(&mut candidate.profiles, Some(name));
        }
        profile_names.extend(names);
    }
    if is_found {
        return Ok(());
    }
    if is_pattern {
        let name_list = suggest::list_names(&profile_names);
        return Err(no_match_error("profile", pattern, "profiles", &name_list));
    }
    for candidate in candidates {
        add_once(&mut candidate.profiles, Some(pattern.to_owned()));
    }
    Ok(())
}

/// The profiles and regions of one authority that the configuration and the environment name.
struct ProfilesInUse {
    pairs: Vec<(ProfileName, Option<Region>)>,
    current: CurrentProfile,
}

/// The profile that counts where none is named.
struct CurrentProfile {
    name: ProfileName,
    /// Whether the environment names it or has a key, or it is the usual one.
    is_selected: bool,
}

impl ProfilesInUse {
    fn find(authority: &dyn Authority, config: &Config) -> Self {
        let current = current_profile(authority);
        let mut pairs = Vec::new();
        for connection in &config.connections {
            let sign_host = connection.sign_host.as_ref().map(|address| &address.host);
            let host = sign_host.or(connection.target.host.as_ref());
            let host = host.map_or("", String::as_str);
            let rule = config.rule(host);
            let provider_name = connection.provider.as_ref().or(rule.provider.as_ref());
            let provider = provider_of(provider_name, host);
            if !may_be_of(authority, provider) {
                continue;
            }
            let profile = connection.profile.clone().or(rule.profile);
            let mut region = connection.region.clone().or(rule.region);
            if let Some(provider) = provider {
                region = (provider.region_of)(host).or(region);
            }
            pairs.push((profile.or(current.name.clone()), region));
        }
        for rule in &config.rules {
            let provider = provider_of(rule.provider.as_ref(), &rule.host);
            if rule.profile.is_some() && may_be_of(authority, provider) {
                pairs.push((rule.profile.clone(), rule.region.clone()));
            }
        }
        Self { pairs, current }
    }

    fn has_any(&self) -> bool {
        self.current.is_selected || !self.pairs.is_empty()
    }

    /// Returns the profiles that are in use, and the current one. What the environment has where it
    /// names nothing counts only if nothing else does: asking a machine for its role takes time.
    fn profiles(&self) -> Vec<ProfileName> {
        let mut profiles = Vec::new();
        for (profile, _) in &self.pairs {
            add_once(&mut profiles, profile.clone());
        }
        if self.current.is_selected || profiles.is_empty() {
            add_once(&mut profiles, self.current.name.clone());
        }
        profiles
    }

    fn regions_of(&self, profiles: &[ProfileName]) -> Vec<Region> {
        let mut regions = Vec::new();
        for (profile, region) in &self.pairs {
            if let Some(region) = region
                && profiles.contains(profile)
            {
                add_once(&mut regions, region.clone());
            }
        }
        regions
    }
}

/// Returns the provider that is named, else that of the host, which may be a pattern.
fn provider_of(provider_name: Option<&String>, host: &str) -> Option<&'static Provider> {
    match provider_name {
        Some(name) => provider::from_name(name).ok(),
        None => provider::find_by_host(host),
    }
}

/// Tells whether an authority may be that of a provider, which may not be known.
fn may_be_of(authority: &dyn Authority, provider: Option<&Provider>) -> bool {
    match provider {
        Some(provider) => provider.authority.name() == authority.name(),
        None => true,
    }
}

/// Returns the profile that the environment selects. The usual one is called by its name where
/// there is one, so that what is added goes on to mean it.
fn current_profile(authority: &dyn Authority) -> CurrentProfile {
    const USUAL: &str = "default";
    let settings = authority.shell_settings();
    let mut current = CurrentProfile {
        name: settings.profile,
        is_selected: true,
    };
    if current.name.is_some() || settings.key.is_some() {
        return current;
    }
    match authority.profile_names() {
        Ok(names) if names.iter().any(|name| name == USUAL) => {
            current.name = Some(USUAL.to_owned());
        }
        _ => current.is_selected = false,
    }
    current
}

/// Puts together the profiles that lead to the same credentials.
fn group_by_credentials(
    profiles: Vec<ProfileName>,
    authority: &dyn Authority,
) -> Vec<Vec<ProfileName>> {
    let identities = authority.identities();
    let mut groups: Vec<(String, Vec<ProfileName>)> = Vec::new();
    for profile in profiles {
        let identity = identities.identity(profile.as_deref(), None);
        let digest = identity.digest();
        match groups
            .iter_mut()
            .find(|(group_digest, _)| group_digest == digest)
        {
            Some((_, group)) => group.push(profile),
            None => groups.push((digest.to_owned(), vec![profile])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn matching_names(pattern: &str, names: &[String]) -> Vec<String> {
    let mut matches = Vec::new();
    for name in names {
        if glob::matches_pattern(pattern, name) {
            matches.push(name.clone());
        }
    }
    matches
}

fn no_match_error(singular: &str, pattern: &str, plural: &str, names: &str) -> Error {
    let error = Error::no_target(format!("no {singular} matches {}", backquoted(pattern)));
    if names.is_empty() {
        return error.hint(format!("leave it out: there are no {plural}"));
    }
    error.hint(format!("choose one of the {plural} {names}"))
}

fn add_once<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

#[cfg(test)]
mod tests;

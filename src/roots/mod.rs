//! Decides which file of root certificates verifies the server of a request, and makes that file.
//!
//! The order is: what TARGET says (`sslrootcert`), what the request says (`--roots`, `roots` in the
//! configuration, PGSSLROOTCERT), the user's own `~/.postgresql/root.crt`, and what the provider
//! names as data. Roots that no system trusts, such as those of RDS, are certificates that pgcred
//! carries or downloads. It puts them into its data directory (`store`), because a client wants a
//! path.
//!
//! `sets` has the same certificates as data, for a probe that judges a server as clients would, and
//! for the gateway.

mod sets;
mod store;

use std::path::PathBuf;

use crate::authority::AskPolicy;
use crate::error::{Error, Result};
use crate::provider::{RequiredRoots, RootSet};
use crate::request::Request;
use crate::request::target::RootsChoice;
use crate::sys::env;
use crate::sys::fs::{self, PrivateDirectory};
pub(crate) use sets::{RootSets, root_sets, verifying_certificates};
pub(crate) use store::{remove_file, written_files};

/// The root certificates that pgcred tells a client to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TrustedRoots {
    /// A path or `system` that the user named, or the file that the user's libpq uses by default.
    UsersChoice(String),
    /// The system's file of public roots.
    System(PathBuf),
    /// A file of pgcred's own with public roots, because the system has no file of them. It exists
    /// after a call of [`provide_file`].
    PgcredPublicRoots(RootSet, PathBuf),
    /// A file of pgcred's own with private roots. It exists after a call of [`provide_file`].
    ProviderRoots(RootSet, PathBuf),
}

impl TrustedRoots {
    /// Returns the value of libpq's `sslrootcert`.
    ///
    /// It is a file unless the user said `system`. Only libpq 16 and newer know `system`, and not
    /// every libpq finds the system's certificates with it.
    pub(crate) fn value_for_libpq(&self) -> String {
        match self {
            Self::UsersChoice(text) => text.clone(),
            Self::System(file)
            | Self::PgcredPublicRoots(_, file)
            | Self::ProviderRoots(_, file) => file.display().to_string(),
        }
    }

    /// Returns the file that a Java program needs; `None` if the public roots in its own trust
    /// store are enough.
    pub(crate) fn file_for_java(&self) -> Option<String> {
        match self {
            Self::UsersChoice(text) if text == SYSTEM => None,
            Self::System(_) | Self::PgcredPublicRoots(..) => None,
            Self::UsersChoice(_) | Self::ProviderRoots(..) => Some(self.value_for_libpq()),
        }
    }
}

/// libpq's word for the system's root certificates.
const SYSTEM: &str = "system";

/// Returns the root certificates that verify the server of a request; `None` if its `sslmode` does
/// not verify the server.
pub(crate) fn choose_roots(request: &Request) -> Result<Option<TrustedRoots>> {
    if !request.verifies() {
        return Ok(None);
    }
    if let Some(path) = request.keyword("sslrootcert") {
        return Ok(Some(TrustedRoots::UsersChoice(path.to_owned())));
    }
    let choice = match &request.roots {
        Some(RootsChoice::File(file)) => Some(TrustedRoots::UsersChoice(file.clone())),
        Some(RootsChoice::System) => Some(TrustedRoots::UsersChoice(SYSTEM.to_owned())),
        Some(RootsChoice::Provider) => None,
        None => env::users_root_certificates()
            .map(|file| TrustedRoots::UsersChoice(file.display().to_string())),
    };
    match choice {
        Some(choice) => Ok(Some(choice)),
        None => roots_of_provider(request).map(Some),
    }
}

/// Returns the choice in PGSSLROOTCERT. A file that pgcred chooses by itself does not count:
/// `pgcred exec` or `--format env` may have set it for another connection.
pub(crate) fn roots_in_variable() -> Result<Option<RootsChoice>> {
    const NAME: &str = "PGSSLROOTCERT";
    match env::var_as_text(NAME)?.as_deref() {
        None => Ok(None),
        Some(SYSTEM) => Ok(Some(RootsChoice::System)),
        Some(file) if env::is_system_root_certificates(file) || store::is_own(file) => Ok(None),
        Some(file) => match absolute_choice(file) {
            Ok(choice) => Ok(Some(choice)),
            Err(error) => Err(error.about(NAME)),
        },
    }
}

/// Returns the choice of a file by its absolute path, because the program that uses it may run in
/// another directory.
pub(crate) fn absolute_choice(file: &str) -> Result<RootsChoice> {
    let path = std::path::absolute(file).map_err(|error| {
        Error::usage(format!("{file} is not the path of a file"))
            .caused_by(&error)
            .hint("write the whole path of the file")
    })?;
    match path.to_str() {
        Some(path) => RootsChoice::parse(path),
        None => Err(Error::path_not_utf8(&path)),
    }
}

fn roots_of_provider(request: &Request) -> Result<TrustedRoots> {
    let set = match required_roots(request) {
        RequiredRoots::Private(set) => {
            let path = store::file_of_set(&set)?;
            return Ok(TrustedRoots::ProviderRoots(set, path));
        }
        RequiredRoots::Public(set) => set,
    };
    if let Some(file) = env::system_root_certificates() {
        return Ok(TrustedRoots::System(file));
    }
    let Some(set) = set else {
        return Ok(TrustedRoots::UsersChoice(SYSTEM.to_owned()));
    };
    let path = store::file_of_set(&set)?;
    Ok(TrustedRoots::PgcredPublicRoots(set, path))
}

/// Makes the file, if it is one of pgcred's and does not exist. It gets the certificates that
/// pgcred carries, or those that pgcred downloads within the time that `ask_policy` allows.
pub(crate) fn provide_file(
    request: &Request,
    roots: Option<&TrustedRoots>,
    ask_policy: &AskPolicy,
) -> Result<()> {
    match roots {
        Some(TrustedRoots::PgcredPublicRoots(set, _) | TrustedRoots::ProviderRoots(set, _)) => {
            store::provide_set(set, || download_roots(set, request, ask_policy))
        }
        _ => Ok(()),
    }
}

/// Returns the value of `sslrootcert` for a client that connects now.
pub(crate) fn sslrootcert(request: &Request, ask_policy: &AskPolicy) -> Result<Option<String>> {
    let roots = choose_roots(request)?;
    provide_file(request, roots.as_ref(), ask_policy)?;
    Ok(roots.map(|roots| roots.value_for_libpq()))
}

/// Returns the same value for the program of `pgcred exec`. If pgcred's directory cannot be
/// written, as in a container, the file is put into the private directory `fallback_directory`.
pub(crate) fn sslrootcert_for_exec(
    request: &Request,
    ask_policy: &AskPolicy,
    fallback_directory: &PrivateDirectory,
) -> Result<Option<String>> {
    let roots = choose_roots(request)?;
    let Err(error) = provide_file(request, roots.as_ref(), ask_policy) else {
        return Ok(roots.map(|roots| roots.value_for_libpq()));
    };
    let required = required_roots(request);
    let Some(set) = required.set() else {
        return Err(error);
    };
    let Some(text) = store::bundled_text(set) else {
        return Err(error); // a download that failed cannot be put elsewhere
    };
    let file = fallback_directory.path(&set.file_name);
    fs::write_unsynced(&file, text.as_bytes())?;
    Ok(Some(file.display().to_string()))
}

/// How the root certificates of a provider are kept up to date.
pub(crate) enum RootsRenewal {
    /// They were downloaded into this file.
    Downloaded(PathBuf),
    /// They are public: the system has them, and pgcred does not change its file.
    BySystem,
    /// They come with pgcred, and are published nowhere.
    ByPgcred,
}

/// Downloads the certificates that the provider needs, if they are published for pgcred.
pub(crate) fn renew_file(request: &Request, ask_policy: &AskPolicy) -> Result<RootsRenewal> {
    match required_roots(request) {
        RequiredRoots::Public(_) => Ok(RootsRenewal::BySystem),
        RequiredRoots::Private(set) if set.address.is_none() && set.bundled.is_some() => {
            Ok(RootsRenewal::ByPgcred)
        }
        RequiredRoots::Private(set) => {
            let text = download_roots(&set, request, ask_policy)?;
            store::write_set(&set, &text).map(RootsRenewal::Downloaded)
        }
    }
}

/// Returns a warning if the user's own file, which clients use by default, does not verify the
/// server of a request. The file needs one of the public roots, or all of the private ones.
/// Certificates that pgcred does not carry cause no warning.
pub(crate) fn warning_about_own_file(request: &Request) -> Option<String> {
    let is_said = request.keyword("sslrootcert").is_some() || request.roots.is_some();
    if is_said || !request.verifies() {
        return None;
    }
    let file = env::users_root_certificates()?;
    let required = required_roots(request);
    let set = required.set()?;
    let needed = store::parse_certificates(set.bundled.as_ref()?.as_bytes());
    let held = store::parse_certificates(&fs::read(&file).unwrap_or_default());
    let is_held = |certificate| held.contains(certificate);
    let is_enough = match &required {
        RequiredRoots::Public(_) => needed.iter().any(is_held),
        RequiredRoots::Private(_) => needed.iter().all(is_held),
    };
    if is_enough {
        return None;
    }
    Some(format!(
        "{} verifies the server, but it lacks the root certificates of {}: add them to it, or \
         say --roots provider",
        file.display(),
        set.title
    ))
}

pub(crate) fn required_roots(request: &Request) -> RequiredRoots {
    (request.provider.roots_of)(&request.sign_host, request.region.as_ref())
}

fn download_roots(set: &RootSet, request: &Request, ask_policy: &AskPolicy) -> Result<String> {
    let Some(address) = &set.address else {
        return Err(missing_file(set));
    };
    let authority = request.provider.authority;
    let text = match authority.download(address, request.profile.as_deref(), ask_policy) {
        Ok(text) => text,
        Err(error) => {
            let context = missing_file(set).to_string();
            return Err(error.about(&context).hint(hint_to_download(address)));
        }
    };
    if !text.contains("-----BEGIN CERTIFICATE-----") || !store::is_pem(&text) {
        let message = format!(
            "{}: {address} does not hold certificates",
            missing_file(set)
        );
        return Err(Error::failure(message).hint(hint_to_download(address)));
    }
    Ok(format!("# downloaded by pgcred: {address}\n{text}"))
}

fn missing_file(set: &RootSet) -> Error {
    let message = format!("pgcred has no root certificates of {}", set.title);
    Error::failure(message).hint(format!(
        "save {}, then name it with `roots = \"FILE\"` in the connection, or --roots FILE",
        set.manual_source
    ))
}

fn hint_to_download(address: &str) -> String {
    format!(
        "run `curl -O {address}` on a machine with access to the internet, then name the file with \
         --roots FILE"
    )
}

#[cfg(test)]
mod tests;

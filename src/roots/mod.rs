//! Root certificates: decides which file verifies the server of a request, and makes that file.
//!
//! The order is: what TARGET says (`sslrootcert`), what the request says (`--roots`, `roots` in the
//! configuration, PGSSLROOTCERT), the user's own `~/.postgresql/root.crt`, and what the provider
//! needs. For RDS and Aurora those are Amazon's private roots of the region, which pgcred carries
//! (`rds.pem`) or downloads, and puts into its data directory (`store`): a client wants a path.

mod bundled;
mod store;

use std::path::PathBuf;

use crate::authority::AskPolicy;
use crate::aws;
use crate::error::{Error, Result};
use crate::provider::RequiredRoots;
use crate::request::Request;
use crate::request::target::RootsChoice;
use crate::sys::env;
use crate::sys::fs::{self, PrivateDirectory};
use bundled::RootSet;
pub(crate) use store::{remove, written_files};

/// The root certificates that pgcred tells a client to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TrustedRoots {
    /// A path or `system` that the user named, or the file that the user's libpq uses by default.
    UsersChoice(String),
    /// The system's file of public roots.
    System(PathBuf),
    /// A file of pgcred's own. It exists after a call of [`provide`].
    Own(RootSet, PathBuf),
}

impl TrustedRoots {
    /// Returns the value of libpq's `sslrootcert`.
    ///
    /// It is a file unless the user said `system`. Only libpq 16 and newer know `system`, and not
    /// every libpq finds the system's certificates with it.
    pub(crate) fn libpq(&self) -> String {
        match self {
            Self::UsersChoice(text) => text.clone(),
            Self::System(file) | Self::Own(_, file) => file.display().to_string(),
        }
    }

    /// Returns the file that a Java program needs; `None` if the public roots in its own trust
    /// store are enough.
    pub(crate) fn java(&self) -> Option<String> {
        match self {
            Self::UsersChoice(text) if text == SYSTEM => None,
            Self::System(_) | Self::Own(RootSet::Amazon, _) => None,
            Self::UsersChoice(_) | Self::Own(..) => Some(self.libpq()),
        }
    }
}

/// libpq's word for the system's root certificates.
const SYSTEM: &str = "system";

/// Returns the root certificates that verify the server of a request; `None` if its `sslmode` does
/// not verify the server.
pub(crate) fn of(request: &Request) -> Result<Option<TrustedRoots>> {
    if !request.verifies() {
        return Ok(None);
    }
    if let Some(said) = request.keyword("sslrootcert") {
        return Ok(Some(TrustedRoots::UsersChoice(said.to_owned())));
    }
    let said = match &request.roots {
        Some(RootsChoice::File(file)) => Some(TrustedRoots::UsersChoice(file.clone())),
        Some(RootsChoice::System) => Some(TrustedRoots::UsersChoice(SYSTEM.to_owned())),
        Some(RootsChoice::Provider) => None,
        None => env::users_root_certificates()
            .map(|file| TrustedRoots::UsersChoice(file.display().to_string())),
    };
    match said {
        Some(said) => Ok(Some(said)),
        None => of_provider(request).map(Some),
    }
}

/// Returns the choice in PGSSLROOTCERT. A file that pgcred chooses by itself does not count:
/// `pgcred exec` or `--format env` may have set it for another connection.
pub(crate) fn said_by_variable() -> Result<Option<RootsChoice>> {
    const NAME: &str = "PGSSLROOTCERT";
    match env::text(NAME)?.as_deref() {
        None => Ok(None),
        Some(SYSTEM) => Ok(Some(RootsChoice::System)),
        Some(file) if env::is_system_root_certificates(file) || store::is_own(file) => Ok(None),
        Some(file) => match absolute(file) {
            Ok(choice) => Ok(Some(choice)),
            Err(error) => Err(error.about(NAME)),
        },
    }
}

/// Returns the choice of a file by its absolute path, because the program that uses it may run in
/// another directory.
pub(crate) fn absolute(file: &str) -> Result<RootsChoice> {
    let path = std::path::absolute(file)
        .map_err(|error| Error::usage("the path cannot be read").caused_by(&error))
        .map_err(|error| error.hint("write the whole path of the file"))?;
    match path.to_str() {
        Some(path) => RootsChoice::parse(path),
        None => Err(Error::usage("the path is not UTF-8").hint("rename the file or directory")),
    }
}

fn of_provider(request: &Request) -> Result<TrustedRoots> {
    let set = set_of_provider(request);
    if set == RootSet::Amazon
        && let Some(file) = env::system_root_certificates()
    {
        return Ok(TrustedRoots::System(file));
    }
    let path = store::path(&set)?;
    Ok(TrustedRoots::Own(set, path))
}

/// Makes the file, if it is one of pgcred's and does not exist. It gets the certificates that
/// pgcred carries, or those that pgcred downloads within the time that `ask` allows.
pub(crate) fn provide(
    request: &Request,
    roots: Option<&TrustedRoots>,
    ask: &AskPolicy,
) -> Result<()> {
    match roots {
        Some(TrustedRoots::Own(set, _)) => store::provide(set, || download(set, request, ask)),
        _ => Ok(()),
    }
}

/// Returns the value of `sslrootcert` for a client that connects now.
pub(crate) fn ready(request: &Request, ask: &AskPolicy) -> Result<Option<String>> {
    let roots = of(request)?;
    provide(request, roots.as_ref(), ask)?;
    Ok(roots.map(|roots| roots.libpq()))
}

/// Returns the same value for the program of `pgcred exec`. If pgcred's directory cannot be
/// written, as in a container, the file is put into the private directory `spare`.
pub(crate) fn ready_for_one(
    request: &Request,
    ask: &AskPolicy,
    spare: &PrivateDirectory,
) -> Result<Option<String>> {
    let roots = of(request)?;
    let Err(error) = provide(request, roots.as_ref(), ask) else {
        return Ok(roots.map(|roots| roots.libpq()));
    };
    let set = set_of_provider(request);
    let Some(text) = set.bundled() else {
        return Err(error); // a download that failed cannot be put elsewhere
    };
    let file = spare.path(&set.file_name());
    fs::put(&file, text.as_bytes())?;
    Ok(Some(file.display().to_string()))
}

/// Downloads the certificates that the provider needs, and returns their file; `None` if the
/// system's file is used, which pgcred does not change.
pub(crate) fn renew(request: &Request, ask: &AskPolicy) -> Result<Option<PathBuf>> {
    match set_of_provider(request) {
        RootSet::Amazon => Ok(None),
        set => store::put(&set, &download(&set, request, ask)?).map(Some),
    }
}

/// Returns a warning if the user's own file, which clients use by default, does not verify the
/// server of a request. The file needs one of the public roots, or all of Amazon's private roots of
/// the region. Certificates that pgcred does not carry cause no warning.
pub(crate) fn warning_about_own_file(request: &Request) -> Option<String> {
    let is_said = request.keyword("sslrootcert").is_some() || request.roots.is_some();
    if is_said || !request.verifies() {
        return None;
    }
    let file = env::users_root_certificates()?;
    let set = set_of_provider(request);
    let needed = set.bundled()?;
    let needed = store::certificates(needed.as_bytes());
    let held = store::certificates(&fs::read(&file).unwrap_or_default());
    let is_held = |certificate| held.contains(certificate);
    let is_enough = if set == RootSet::Amazon {
        needed.iter().any(is_held)
    } else {
        needed.iter().all(is_held)
    };
    if is_enough {
        return None;
    }
    Some(format!(
        "{} verifies the server, but it lacks the root certificates of {set}: add them to it, or \
         say --roots provider",
        file.display()
    ))
}

fn set_of_provider(request: &Request) -> RootSet {
    match (request.provider.roots)(&request.sign_host) {
        RequiredRoots::AmazonPublic => RootSet::Amazon,
        RequiredRoots::AmazonRds => set_of_rds(request),
    }
}

/// Returns the roots of the region that the host names. A host that leads to more than one region,
/// as the writer of a global database does, needs the roots of all regions.
fn set_of_rds(request: &Request) -> RootSet {
    if let Some(region) = (request.provider.region)(&request.sign_host) {
        return RootSet::Region(region);
    }
    let is_own_name = (request.provider.owns)(&request.sign_host);
    match &request.region {
        Some(region) if !is_own_name => RootSet::Region(region.clone()),
        _ => RootSet::EveryRegion,
    }
}

fn download(set: &RootSet, request: &Request, ask: &AskPolicy) -> Result<String> {
    let Some(address) = set.address() else {
        return Err(missing(set));
    };
    let text = match aws::download(&address, request.profile.as_deref(), ask) {
        Ok(text) => text,
        Err(error) => {
            let missing = missing(set).to_string();
            return Err(error.about(&missing).hint(by_hand(&address)));
        }
    };
    if !text.contains("-----BEGIN CERTIFICATE-----") || !store::is_pem(&text) {
        let why = format!("{}: {address} does not hold certificates", missing(set));
        return Err(Error::failure(why).hint(by_hand(&address)));
    }
    Ok(format!("# downloaded by pgcred: {address}\n{text}"))
}

fn missing(set: &RootSet) -> Error {
    let hint = "save the bundle that AWS's documentation names for this region, then name it: \
                `roots = \"FILE\"` in the connection, or --roots FILE";
    Error::failure(format!("pgcred has no root certificates of {set}")).hint(hint)
}

fn by_hand(address: &str) -> String {
    format!(
        "on a machine with access to the internet: curl -O {address}; then name the file with \
         --roots FILE"
    )
}

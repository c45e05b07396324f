//! What a release consists of, as `packaging` makes it.
//!
//! ```text
//! release     a release whose programs are small scripts, and a web server that has it
//!   installers  the downloading installers: right and wrong checksums, cut downloads
//!   manifests   Homebrew, Scoop, winget, Arch: parsed, and compared with the archives
//!   registries  wheels and npm packages, installed from files
//! made        what `packaging/build.sh` has made of this tree: what is in it, what it needs
//!   installed   packages of distributions: installed in bare roots, used for a login, removed
//! workflows   what runs on a tag, and which tag is refused
//! ```

mod installed;
mod installers;
mod made;
mod manifests;
mod registries;
mod release;
mod workflows;

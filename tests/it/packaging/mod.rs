//! What a release consists of, as `packaging` makes it.
//!
//! ```text
//! release     a release whose programs are small scripts, and a web server that has it
//!   installers  the downloading installers: right and wrong checksums, cut downloads
//!   manifests   Homebrew, Scoop, winget, Arch: parsed, and compared with the archives
//!   registries  wheels and npm packages, installed from files
//!   whole       all that is made of the archives, by the one script that the workflow calls
//!   signed      the signature of a program, with a certificate and without
//! made        what `packaging/build.sh` has made of this tree: what is in it, what it needs
//!   names       its programs between two name servers that disagree
//!   installed   packages of distributions: what is in them, what they ask for
//! ways        each way to install, by the scripts of the workflow: used for a login, removed
//! pages       the lines that install, upgrade and remove
//! crate_file  what `cargo package` packs
//! ages        what pgcred carries and others change is not too old
//! workflows   what runs on a tag, and which tag is refused
//! ```

mod ages;
mod crate_file;
mod installed;
mod installers;
mod made;
mod manifests;
mod names;
mod pages;
mod registries;
mod release;
mod signed;
mod ways;
mod whole;
mod workflows;

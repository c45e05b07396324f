//! The project's own rules: the order of the layers, the owners of side effects, licences and
//! documents.

#[cfg(unix)]
mod documents; // paths of Unix, and what is set up there
pub mod layers;
#[cfg(unix)]
pub mod policy; // runs cargo
pub mod source;

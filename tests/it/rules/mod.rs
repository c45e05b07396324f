//! The project's own rules: the order of the layers, the owners of side effects, licences and
//! documents.

pub mod layers;
#[cfg(unix)]
pub mod policy; // runs cargo
pub mod source;

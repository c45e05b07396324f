//! The rules of the project, as far as a program can hold them: the order of the layers, the owners
//! of side effects, the form of sources and documents, names, licences.

#[cfg(unix)]
mod documents; // paths of Unix, and what is set up there
mod errors;
mod form;
mod functions;
mod introductions;
pub mod layers;
mod names;
#[cfg(unix)]
pub mod policy; // runs cargo
pub mod source;

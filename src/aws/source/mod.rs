//! The sources of credentials, one file each: every file gets the credentials that its part of the
//! plan describes.

pub(crate) mod container;
pub(crate) mod imds;
pub(crate) mod mfa;
pub(crate) mod process;
pub(crate) mod role;
pub(crate) mod sign_in;
pub(crate) mod sso;

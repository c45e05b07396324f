//! Shows the smallest provider with an authority of its own, to be copied: "A provider of another
//! authority" in src/RECIPES.md. It is compiled for unit tests, which take tokens through it.
//!
//! The service is imagined. It has given each of its users a key, and takes every token that such a
//! key has signed. The key stands in a file, and `--profile` is the path of that file.
//!
//! ```text
//! mod          the provider: which hosts, and what differs from the neutral values
//!  |
//! authority    the four traits: Authority --> Identities --> Identity --> Signer
//!
//! tests        the way of a token: the table, a request, the token, the cache, its end, a new key
//! ```

mod authority;
#[cfg(test)]
mod tests;

use super::Provider;

/// [`Provider::new`] has a neutral value for everything that is not named here. A provider that has
/// more to say, such as the lifetime of its tokens or its root certificates, names that field too.
pub(super) static PROVIDER: Provider = Provider {
    // `None` if the hosts have no form of their own: then the user types `--provider example`.
    owns: Some(|host| host.ends_with(".example.invalid")),
    // The token names the user, so one that is cached is never handed out for another.
    signs_user: true,
    ..Provider::new("example", "Example", &authority::AUTHORITY)
};

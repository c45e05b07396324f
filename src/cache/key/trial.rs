//! Tries out the places of the cache's key with an entry that is no key: it is written, read and
//! deleted. The key itself is left alone, and so is every token.

use super::{KeyPaths, KeyStore, run_within_timeout, stores_of_choice};
use crate::cache::seal::SealingKey;
use crate::config::CacheChoice;
use crate::error::{Error, Result};

/// What became of the entry.
#[derive(Debug, Default)]
pub(crate) struct KeyTrial {
    /// The first place that has kept it.
    pub(crate) holder: Option<String>,
    /// One clause for each place before that, with the reason why it has not.
    pub(crate) failures: Vec<String>,
}

/// Tries one place after another, as a search for the key does, until one keeps the entry.
pub(crate) fn try_out(choice: CacheChoice, paths: &KeyPaths) -> KeyTrial {
    let mut trial = KeyTrial::default();
    let mut key_stores = stores_of_choice(choice, paths).into_iter();
    for store in stores_of_choice(choice, &paths_of_entry(paths)) {
        let location = match key_stores.next() {
            Some(store) => store.location(),
            None => store.location(),
        };
        match run_within_timeout(store, round_trip) {
            Ok(()) => {
                trial.holder = Some(location.to_string());
                return trial;
            }
            Err(error) => trial.failures.push(format!("{location}: {error}")),
        }
    }
    trial
}

/// Returns the same places for another name, under which no key stands.
fn paths_of_entry(paths: &KeyPaths) -> KeyPaths {
    KeyPaths {
        scope: format!("test-{}", paths.scope),
        ..paths.clone()
    }
}

fn round_trip(store: &dyn KeyStore) -> Result<()> {
    let entry = SealingKey::generate()?;
    store.write(entry.expose())?;
    let read = store.read();
    store.erase()?;
    match read? {
        Some(bytes) if bytes == entry.expose() => Ok(()),
        // No hint: doctor puts the name of the place in front, and has its own advice.
        _ => Err(Error::failure("it did not return what was just stored")),
    }
}

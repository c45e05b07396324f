//! Keeps tokens between runs: sealed files in a private directory, an index without secrets, and a
//! key in the system's keyring.
//!
//! ```text
//! get     tokens/ID --open with the key--> token
//!         if that file does not exist: index.json --> passfile of `refresh` --> token
//! put     make the key if there is none, seal, write tokens/ID
//! update  change index.json: the records of tokens, failures and passfiles
//! ```
//!
//! A sealed file contains the token, its times, its region and the user that it names, if it names
//! one. It is bound to the ID of everything that was asked for, so a file that was renamed does not
//! open. `entry` makes the ID and the text that is sealed, `seal` is the cipher, `key` finds the
//! key, and `index` is index.json: times, places and failures. `trial` tries the cache out for
//! `pgcred doctor`.
//!
//! Locks:
//!
//! - The lock of an identity (`locks/NAME`) is taken first, and held until the command has its
//!   tokens. It covers the resolution of credentials: other processes that need the same identity
//!   wait for it, and then find the token in the cache. A command with several identities takes
//!   their locks in the order of the names.
//! - All other locks are taken below it, or without it. These are the lock of the key (`key.lock`),
//!   while the key is made; of the index (`index.json.pgcred-lock`), while it is read, changed and
//!   replaced; of the file for shell hooks (`due.lock`), while it is made from the index; and those
//!   of the passfile and of logins.
//! - A process that holds one of these takes no further lock, with one exception: while it makes a
//!   key that is kept in a file, it holds `key.lock` and takes the lock of that file.
//!
//! Therefore two processes never wait for each other. Readers take no lock, because each file is
//! replaced as a whole or checked by its seal.

mod entry;
mod index;
mod key;
mod seal;
mod trial;

use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

pub(crate) use entry::EntryId;
pub(crate) use index::{CacheIndex, FailureRecord, TokenLocation, TokenRecord};
pub(crate) use key::KeyTrial;
use key::{KeyLocation, KeyLookup, MissingKey};
pub(crate) use trial::CacheTrial;

use crate::authority::{Identity, Region};
use crate::config::CacheChoice;
use crate::error::{Error, Result};
use crate::passfile::block::{Passfile, PassfileLine};
use crate::sys::env;
use crate::sys::fs::{self, FileLock};
use crate::sys::paths::{self, CacheDirectory};
use crate::text::digest::digest;
use crate::time::Time;
use crate::token::{Token, TokenAge};

/// The cache of one user. Its directory is made when the first token is stored.
pub(crate) struct Cache {
    directory: CacheDirectory,
    choice: CacheChoice,
    key: OnceCell<KeyLookup>,
    /// The index as it was read last. It is read again after a lock was waited for.
    index: RefCell<Option<Rc<CacheIndex>>>,
    passfile: RefCell<Option<(PathBuf, Rc<Passfile>)>>,
    /// Whether the index has changed since the due file was made from it.
    changed: Cell<bool>,
    /// A remark for the user, set when a key is made.
    pub(crate) note: RefCell<Option<String>>,
}

impl Cache {
    /// Returns the user's cache; `None` if it is switched off or there is no directory for it.
    pub(crate) fn open(choice: Option<CacheChoice>) -> Option<Self> {
        let choice = choice.unwrap_or_default();
        if choice == CacheChoice::None {
            return None;
        }
        Some(Self {
            directory: CacheDirectory::for_user()?,
            choice,
            key: OnceCell::new(),
            index: RefCell::default(),
            passfile: RefCell::default(),
            changed: Cell::default(),
            note: RefCell::default(),
        })
    }

    /// Returns a cache in a directory of a unit test, with its key in a file.
    #[cfg(test)]
    pub(crate) fn in_directory(directory: &Path) -> Self {
        Self {
            directory: CacheDirectory::new(directory),
            choice: CacheChoice::File,
            key: OnceCell::new(),
            index: RefCell::default(),
            passfile: RefCell::default(),
            changed: Cell::default(),
            note: RefCell::default(),
        }
    }

    /// Returns the cached token and its region, if the token is not older than `oldest` allows.
    /// Unreadable entries count as a miss.
    pub(crate) fn get(
        &self,
        id: &EntryId,
        passfile_line: &PassfileLine,
        oldest: TokenAge,
    ) -> Option<(Token, Option<Region>)> {
        if let Some((token, region)) = self.get_sealed(id) {
            if token.age(Time::now()) > oldest {
                return None;
            }
            return Some((token, region));
        }
        let index = self.index();
        let record = index.records.get(id.as_str())?;
        if record.age(Time::now()) > oldest {
            return None;
        }
        self.get_from_passfile(record, passfile_line)
    }

    fn get_sealed(&self, id: &EntryId) -> Option<(Token, Option<Region>)> {
        let sealed = fs::read_own(&self.entry(id))?;
        let plain = self
            .key(MissingKey::Leave)?
            .open(id.as_str().as_bytes(), &sealed)?;
        let plain = String::from_utf8(plain).ok()?;
        entry::parse_entry(&plain)
    }

    /// Returns a token that `refresh` has written into a passfile and nowhere else. The index knows
    /// the path of the passfile and the digest of the token.
    fn get_from_passfile(
        &self,
        record: &TokenRecord,
        wanted_line: &PassfileLine,
    ) -> Option<(Token, Option<Region>)> {
        let TokenLocation::Passfile(path) = &record.location else {
            return None;
        };
        let lookup = match &*self.passfile.borrow() {
            Some((cached_path, passfile)) if cached_path == path => Some(Rc::clone(passfile)),
            _ => None,
        };
        let passfile = match lookup {
            Some(passfile) => passfile,
            None => Rc::new(Passfile::parse(&fs::read_own(path)?).ok()?),
        };
        let mut line = wanted_line.clone();
        let mut user = None;
        if wanted_line.user.is_empty() {
            line.user.clone_from(&record.line.user);
            user = Some(line.user.clone());
        }
        let text = passfile.token(&line, record.expires_at)?;
        if !record.is_record_of(&text) || text.contains(char::is_control) {
            return None;
        }
        *self.passfile.borrow_mut() = Some((path.clone(), passfile));
        let token = Token::new(text, record.issued_at, record.expires_at);
        Some((
            token.with_fresh_until(record.fresh_until).with_user(user),
            record.region.clone(),
        ))
    }

    /// Tells whether a token is sealed in its file.
    pub(crate) fn holds(&self, id: &EntryId) -> bool {
        self.has_file(id.as_str())
    }

    /// Tells the same of the token with this ID in the index.
    pub(crate) fn has_file(&self, id: &str) -> bool {
        fs::stamp(&self.directory.tokens().join(id)).is_some()
    }

    /// Seals a token into its file. The caller records it in the index with [`Cache::update`].
    pub(crate) fn put(&self, id: &EntryId, token: &Token, region: Option<&Region>) -> Result<()> {
        let plain = entry::entry_text(token, region);
        self.make_directory(&self.directory.tokens())?;
        let Some(key) = self.key(MissingKey::Create) else {
            return Err(self.no_key());
        };
        let sealed = key.seal(id.as_str().as_bytes(), plain.as_bytes())?;
        fs::write_unsynced(&self.entry(id), &sealed)
    }

    /// Returns the index as it was read last.
    pub(crate) fn index(&self) -> Rc<CacheIndex> {
        let mut cached_index = self.index.borrow_mut();
        let index = cached_index.get_or_insert_with(|| {
            let index = CacheIndex::read(&self.directory.index());
            Rc::new(index.unwrap_or_default())
        });
        Rc::clone(index)
    }

    /// Tells whether there is an index that cannot be used, so that its records are lost.
    pub(crate) fn has_unreadable_index(&self) -> bool {
        fs::stamp(&self.directory.index()).is_some()
            && CacheIndex::read(&self.directory.index()).is_none()
    }

    /// Returns the IDs of sealed tokens that are not in the index. Their connections are unknown,
    /// but a request that asks for one gets it.
    pub(crate) fn unknown_entries(&self) -> Vec<String> {
        let entries = fs::list(&self.directory.tokens());
        // The index is read again: other processes may have issued tokens meanwhile.
        let index = CacheIndex::read(&self.directory.index()).unwrap_or_default();
        let mut unknown: Vec<String> = entries.iter().map(|path| name_of(path)).collect();
        unknown.retain(|id| !index.records.contains_key(id));
        unknown
    }

    /// Changes the index, and removes the files of the records that are dropped because of their
    /// age.
    pub(crate) fn update(&self, change: impl FnOnce(&mut CacheIndex)) -> Result<()> {
        self.make_directory(self.directory.path())?;
        *self.index.borrow_mut() = None;
        self.changed.set(true);
        let removed_ids = CacheIndex::update(&self.directory.index(), change)?;
        self.remove_entries(&removed_ids)
    }

    /// Tells whether [`Cache::update`] was called since the last call of this function.
    pub(crate) fn take_has_changed(&self) -> bool {
        self.changed.take()
    }

    /// Writes the file for shell hooks: the time at which the next connection is due, and the text
    /// that a prompt may show. The time of the file's last change is set to the first of them.
    ///
    /// `passfile` is the one that PGPASSFILE names. `make` is called under a lock, and finds the
    /// index as it is then.
    pub(crate) fn write_due_file(
        &self,
        passfile: Option<&Path>,
        make: impl FnOnce() -> (Time, String),
    ) -> Result<()> {
        self.make_directory(self.directory.path())?;
        let _lock = fs::lock(&self.directory.due_lock(), Duration::from_secs(2))?;
        *self.index.borrow_mut() = None;
        let (due, text) = make();
        let text = format!("{}\n{text}\n", due.unix());
        let path = match passfile {
            None => self.directory.due(),
            Some(passfile) => self.directory.due_for(passfile),
        };
        fs::replace_atomically_with_time(&path, text.as_bytes(), due.to_system())
    }

    /// Removes the files for shell hooks, for every passfile. The next hook makes them again.
    pub(crate) fn remove_due_files(&self) -> Result<()> {
        for path in fs::list(self.directory.path()) {
            if paths::is_due_file(&name_of(&path)) {
                fs::remove(&path)?;
            }
        }
        Ok(())
    }

    /// Waits until no other process resolves credentials of this identity, and takes the identity's
    /// lock. The index and the passfile are read again afterwards.
    pub(crate) fn lock(&self, identity: &dyn Identity, timeout: Duration) -> Result<FileLock> {
        let locks = self.directory.locks();
        self.make_directory(&locks)?;
        let lock = fs::lock(&locks.join(identity.digest()), timeout);
        (*self.index.borrow_mut(), *self.passfile.borrow_mut()) = (None, None);
        lock
    }

    /// Removes sealed tokens and their records in the index.
    pub(crate) fn forget(&self, ids: &[String]) -> Result<()> {
        self.remove_entries(ids)?;
        self.update(|index| index.records.retain(|id, _| !ids.contains(id)))
    }

    /// Removes sealed tokens. Their records in the index stay.
    pub(crate) fn remove_entries(&self, ids: &[String]) -> Result<()> {
        for id in ids {
            fs::remove(&self.directory.tokens().join(id))?;
        }
        Ok(())
    }

    /// Removes all tokens and records. The index keeps only the passfiles in `passfiles_left`, from
    /// which the tokens could not be removed. If there is no cache directory, none is made.
    pub(crate) fn erase_tokens(&self, passfiles_left: Vec<PathBuf>) -> Result<()> {
        if fs::stamp(self.directory.path()).is_none() {
            return Ok(());
        }
        fs::remove_directory(&self.directory.tokens())?;
        self.update(|index| {
            *index = CacheIndex {
                passfiles: passfiles_left.into_iter().collect(),
                ..CacheIndex::default()
            }
        })
    }

    /// Removes the key and everything in the cache directory, except for the private directories of
    /// programs that still run. Returns the directory, if anything was removed.
    pub(crate) fn erase(&self) -> Result<Option<&Path>> {
        key::erase_key(self.choice, &self.key_paths())?;
        let directory = self.directory.path();
        let was_there = fs::empty_directory(
            directory,
            &fs::private_directory_parents(),
            paths::is_in_cache_directory,
        )?;
        fs::remove_empty_directories(directory);
        Ok(was_there.then_some(directory))
    }

    /// Returns the name of the place that holds the key, or the reason why there is no key.
    pub(crate) fn back_end(&self) -> String {
        let looked_up;
        let answer = if let Some(answer) = self.key.get() {
            answer
        } else {
            looked_up = key::load_key(self.choice, &self.key_paths(), MissingKey::Leave);
            &looked_up
        };
        match answer {
            KeyLookup::Found { location, .. } => location.to_string(),
            KeyLookup::Missing { reason } => reason.clone(),
        }
    }

    fn no_key(&self) -> Error {
        Error::failure(format!("tokens are not cached: {}", self.back_end()))
            .hint("set PGCRED_CACHE=file to keep the key in a file")
    }

    /// Returns the key. If there is none, `missing_key` says whether one is made.
    ///
    /// Only one process makes a key at a time. With two keys, each process could not read the
    /// tokens that the other one has sealed.
    fn key(&self, missing_key: MissingKey) -> Option<&seal::SealingKey> {
        if self.key.get().is_none() {
            let mut answer = key::load_key(self.choice, &self.key_paths(), MissingKey::Leave);
            if matches!(answer, KeyLookup::Missing { .. }) {
                if missing_key == MissingKey::Leave {
                    return None;
                }
                let _lock = fs::lock(&self.directory.key_lock(), Duration::from_secs(5));
                answer = key::load_key(self.choice, &self.key_paths(), MissingKey::Create);
                if self.choice == CacheChoice::Auto
                    && let KeyLookup::Found { location, .. } = &answer
                    && let KeyLocation::File(_) = location
                {
                    let note = format!("no keyring here: the cache's key is in {location}");
                    *self.note.borrow_mut() = Some(note);
                }
            }
            let _ = self.key.set(answer); // it was empty
        }
        match self.key.get()? {
            KeyLookup::Found { key, .. } => Some(key),
            KeyLookup::Missing { .. } => None,
        }
    }

    fn key_paths(&self) -> key::KeyPaths {
        let scope = digest([&*self.directory.path().to_string_lossy()]);
        key::KeyPaths {
            scope,
            runtime: env::runtime_directory(),
            fallback: self.directory.path().to_owned(),
        }
    }

    /// Makes a directory of the cache, if it is missing.
    fn make_directory(&self, directory: &Path) -> Result<()> {
        let mut made = fs::ensure_own_directory(self.directory.path());
        if made.is_ok() {
            made = fs::create_private_directory(directory);
        }
        let Err(error) = made else { return Ok(()) };
        // Where this is a warning, no hint is shown: the text says how to do without the cache.
        let explained = Error::failure(format!(
            "tokens are not cached: {error}; PGCRED_CACHE=none avoids this warning"
        ));
        Err(explained.hint(error.hint_text().unwrap_or("set PGCRED_CACHE=none")))
    }

    fn entry(&self, id: &EntryId) -> PathBuf {
        self.directory.tokens().join(id.as_str())
    }
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

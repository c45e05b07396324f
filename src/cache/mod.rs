//! Tokens between runs: sealed files in a private directory, an index without secrets, a key in the
//! system's keyring, and locks.
//!
//! ```text
//! get   tokens/ID --open--> token          the key: keyring, else a private file
//!       not there: index.json --> passfile that `refresh` has written
//! put   make the key if there is none, seal, write tokens/ID
//! update  index.json: what is known of tokens, failures, passfiles
//! ```
//!
//! What is sealed is the token with its times and its region, under the ID of everything that was
//! asked for: a file that is renamed does not open.
//!
//! Locks, in the order in which one process takes them. None is held while another one that stands
//! before it is waited for:
//!
//! 1. identity (`locks/NAME`): while credentials are resolved. All processes that need the same
//!    identity wait for it, then find the token in the cache.
//! 2. key (`key.lock`): while the key is made, because two keys would make each other's files
//!    unreadable.
//! 3. index (`index.json.pgcred-lock`): while the index is read, changed and replaced.
//! 4. due (`due.lock`): while the file that shell hooks read is made from the index.
//!
//! Reading takes no lock: files are replaced as a whole.

mod index;
mod key;
mod seal;

use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

pub(crate) use index::{FailureRecord, Index, Record, TokenLocation};
use key::{Choice, Holder, KeyAnswer};

use crate::authority::{Identity, Region};
use crate::config::CacheChoice;
use crate::error::{Error, Result};
use crate::passfile::block::{Passfile, PassfileKey};
use crate::request::Request;
use crate::sys::env;
use crate::sys::fs::{self, Lock};
use crate::sys::paths::{self, CacheDirectory};
use crate::text::digest::digest;
use crate::time::Time;
use crate::token::{Age, Token};

/// The cache of one user. Its directory is made when the first token is stored.
pub(crate) struct Cache {
    directory: CacheDirectory,
    choice: Choice,
    key: OnceCell<KeyAnswer>,
    /// As last read; a lock that was waited for makes it old.
    index: RefCell<Option<Rc<Index>>>,
    passfile: RefCell<Option<(PathBuf, Rc<Passfile>)>>,
    /// Whether the index has changed since the due file was made from it.
    changed: Cell<bool>,
    /// A remark for the user, set when a key is made.
    pub(crate) note: RefCell<Option<String>>,
}

/// What a token is filed under: everything that was asked for, and who signs.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct EntryId(String);

impl EntryId {
    /// The region is the one that the user, the host, a variable or the profile names.
    pub(crate) fn of(request: &Request, identity: &dyn Identity) -> Self {
        Self::of_life(request, request.life, identity)
    }

    /// The same, if another life had been asked for.
    pub(crate) fn of_life(request: &Request, life: u32, identity: &dyn Identity) -> Self {
        let scope = request.scope();
        let signed_port = match scope.port {
            Some(port) => port.to_string(),
            None => String::new(),
        };
        let region = match &request.region {
            Some(region) => region.as_str(),
            None => identity.configured_region(),
        };
        let parts = [
            "3",
            request.provider.authority.name(),
            scope.service,
            scope.action,
            scope.host,
            &signed_port,
            scope.user.unwrap_or_default(),
            &request.host,
            &request.port.to_string(),
            &request.user,
            region,
            &life.to_string(),
            identity.state(),
        ];
        Self(digest(parts))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Cache {
    /// Returns the user's cache; `None` if it is switched off or there is no directory for it.
    pub(crate) fn open(choice: Option<CacheChoice>) -> Option<Self> {
        let choice = match choice {
            None => Choice::Auto,
            Some(CacheChoice::Keyring) => Choice::Keyring,
            Some(CacheChoice::SecretService) => Choice::SecretService,
            Some(CacheChoice::File) => Choice::File,
            Some(CacheChoice::None) => Choice::None,
        };
        if choice == Choice::None {
            return None;
        }
        Some(Self {
            directory: CacheDirectory::of_user()?,
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
    pub(crate) fn at(directory: &Path) -> Self {
        Self {
            directory: CacheDirectory::at(directory),
            choice: Choice::File,
            key: OnceCell::new(),
            index: RefCell::default(),
            passfile: RefCell::default(),
            changed: Cell::default(),
            note: RefCell::default(),
        }
    }

    /// Returns the cached token and its region if the token is fresh, or as old as `oldest` allows.
    /// Unreadable entries count as a miss.
    pub(crate) fn get(
        &self,
        id: &EntryId,
        passfile_key: &PassfileKey,
        oldest: Age,
    ) -> Option<(Token, Option<Region>)> {
        let is_young = |age: Age| age == Age::Fresh || age == oldest;
        if let Some((token, region)) = self.get_sealed(id) {
            return is_young(token.age(Time::now())).then_some((token, region));
        }
        let index = self.index();
        let record = index.records.get(id.as_str())?;
        if !is_young(record.age(Time::now())) {
            return None;
        }
        self.get_from_passfile(record, passfile_key)
    }

    fn get_sealed(&self, id: &EntryId) -> Option<(Token, Option<Region>)> {
        let sealed = fs::read_own(&self.entry(id))?;
        let plain = self.key(false)?.open(id.as_str().as_bytes(), &sealed)?;
        let plain = String::from_utf8(plain).ok()?;
        let mut lines = plain.splitn(4, '\n');
        let mut time = || lines.next()?.parse().ok().map(Time::from_unix);
        let (issued_at, expires_at) = (time()?, time()?);
        let region = Region::of_cache(lines.next()?);
        Some((
            Token::new(lines.next()?.to_owned(), issued_at, expires_at),
            region,
        ))
    }

    /// Returns a token that `refresh` has written into a passfile and nowhere else. The index knows
    /// the path of the passfile and the digest of the token.
    fn get_from_passfile(
        &self,
        record: &Record,
        key: &PassfileKey,
    ) -> Option<(Token, Option<Region>)> {
        let TokenLocation::Passfile(path) = &record.location else {
            return None;
        };
        let known = match &*self.passfile.borrow() {
            Some((known, passfile)) if known == path => Some(Rc::clone(passfile)),
            _ => None,
        };
        let passfile = match known {
            Some(passfile) => passfile,
            None => Rc::new(Passfile::parse(&fs::read_own(path)?).ok()?),
        };
        let text = passfile.token(key, record.expires_at)?;
        if !record.is_of(&text) || text.contains(char::is_control) {
            return None;
        }
        *self.passfile.borrow_mut() = Some((path.clone(), passfile));
        Some((
            Token::new(text, record.issued_at, record.expires_at),
            record.region.clone(),
        ))
    }

    /// Tells whether a token is sealed in its file.
    pub(crate) fn holds(&self, id: &EntryId) -> bool {
        self.has_file(id.as_str())
    }

    /// The same, by what the index calls it.
    pub(crate) fn has_file(&self, id: &str) -> bool {
        fs::stamp(&self.directory.tokens().join(id)).is_some()
    }

    /// Seals a token into its file. The index is told by [`Cache::update`].
    pub(crate) fn put(&self, id: &EntryId, token: &Token, region: Option<&Region>) -> Result<()> {
        let (issued, expires) = (token.issued_at.unix(), token.expires_at.unix());
        let region = Region::for_cache(region);
        let plain = format!("{issued}\n{expires}\n{region}\n{}", token.expose());
        self.make_directory(&self.directory.tokens())?;
        let sealed = self
            .key(true)
            .ok_or_else(|| self.no_key())?
            .seal(id.as_str().as_bytes(), plain.as_bytes())?;
        fs::put(&self.entry(id), &sealed)
    }

    pub(crate) fn index(&self) -> Rc<Index> {
        Rc::clone(self.index.borrow_mut().get_or_insert_with(|| {
            Rc::new(Index::read(&self.directory.index()).unwrap_or_default())
        }))
    }

    /// Tells whether there is an index that cannot be used: what it knew is lost.
    pub(crate) fn has_lost_its_index(&self) -> bool {
        fs::stamp(&self.directory.index()).is_some()
            && Index::read(&self.directory.index()).is_none()
    }

    /// Returns the IDs of sealed tokens of which the index knows nothing: nobody can tell whose
    /// they are, and a request that asks for one gets it.
    pub(crate) fn unknown_entries(&self) -> Vec<String> {
        let entries = fs::list(&self.directory.tokens());
        // As it is now: other processes may have issued tokens since it was read.
        let index = Index::read(&self.directory.index()).unwrap_or_default();
        let mut unknown: Vec<String> = entries.iter().map(|path| name_of(path)).collect();
        unknown.retain(|id| !index.records.contains_key(id));
        unknown
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut Index)) -> Result<()> {
        self.make_directory(self.directory.path())?;
        *self.index.borrow_mut() = None;
        self.changed.set(true);
        let gone = Index::update(&self.directory.index(), change)?;
        self.remove_entries(&gone)
    }

    /// Tells, once, whether [`Cache::update`] was called.
    pub(crate) fn take_changed(&self) -> bool {
        self.changed.take()
    }

    /// Writes what shell hooks read: when the next connection is due, in the text and as the file's
    /// time of change, and what a prompt may show. `passfile` is the one that PGPASSFILE names.
    /// `make` is called under a lock and finds the index as it is now.
    pub(crate) fn write_due(
        &self,
        passfile: Option<&Path>,
        make: impl FnOnce() -> (Time, String),
    ) -> Result<()> {
        self.make_directory(self.directory.path())?;
        let _lock = fs::lock(&self.directory.due_lock(), Duration::from_secs(2))?;
        *self.index.borrow_mut() = None;
        let (due, shown) = make();
        let text = format!("{}\n{shown}\n", due.unix());
        let path = match passfile {
            None => self.directory.due(),
            Some(passfile) => self.directory.due_for(passfile),
        };
        fs::swap_in_dated(&path, text.as_bytes(), due.to_system())
    }

    /// Makes shell hooks look anew, whatever their passfile.
    pub(crate) fn forget_due(&self) -> Result<()> {
        for path in fs::list(self.directory.path()) {
            if paths::is_due_file(&name_of(&path)) {
                fs::remove(&path)?;
            }
        }
        Ok(())
    }

    /// Waits until no other process resolves credentials of this identity. What was read before is
    /// old then, and is forgotten.
    pub(crate) fn lock(&self, identity: &dyn Identity, patience: Duration) -> Result<Lock> {
        let locks = self.directory.locks();
        self.make_directory(&locks)?;
        let lock = fs::lock(&locks.join(identity.name()), patience);
        (*self.index.borrow_mut(), *self.passfile.borrow_mut()) = (None, None);
        lock
    }

    /// Forgets tokens.
    pub(crate) fn forget(&self, ids: &[String]) -> Result<()> {
        self.remove_entries(ids)?;
        self.update(|index| index.records.retain(|id, _| !ids.contains(id)))
    }

    /// Removes sealed tokens; what the index says of them stays.
    pub(crate) fn remove_entries(&self, ids: &[String]) -> Result<()> {
        for id in ids {
            fs::remove(&self.directory.tokens().join(id))?;
        }
        Ok(())
    }

    /// Removes all tokens, and remembers only these passfiles, which could not be erased; nothing
    /// is made for that.
    pub(crate) fn erase_tokens(&self, left: Vec<PathBuf>) -> Result<()> {
        if fs::stamp(self.directory.path()).is_none() {
            return Ok(());
        }
        fs::remove_directory(&self.directory.tokens())?;
        self.update(|index| {
            *index = Index {
                passfiles: left.into_iter().collect(),
                ..Index::default()
            }
        })
    }

    /// Removes every trace: entries, index, locks and the key, but not what programs that run have
    /// put into the directory. Returns the directory, if there was something.
    pub(crate) fn erase(&self) -> Result<Option<&Path>> {
        key::erase(self.choice, &self.key_paths())?;
        let directory = self.directory.path();
        let was_there = fs::empty_directory(
            directory,
            &fs::own_session_parents(),
            paths::is_in_cache_directory,
        )?;
        fs::remove_empty_directories(directory);
        Ok(was_there.then_some(directory))
    }

    /// Says which place holds the key, or why there is none.
    pub(crate) fn back_end(&self) -> String {
        let looked_up;
        let answer = if let Some(answer) = self.key.get() {
            answer
        } else {
            looked_up = key::load(self.choice, &self.key_paths(), false);
            &looked_up
        };
        match answer {
            KeyAnswer::Found { holder, .. } => holder.to_string(),
            KeyAnswer::Missing { reason } => reason.clone(),
        }
    }

    fn no_key(&self) -> Error {
        Error::failure(format!("tokens are not cached: {}", self.back_end()))
            .hint("choose another: PGCRED_CACHE=file")
    }

    /// One creator at a time: two keys would make each other's entries unreadable.
    fn key(&self, create: bool) -> Option<&seal::SealingKey> {
        if self.key.get().is_none() {
            let mut answer = key::load(self.choice, &self.key_paths(), false);
            if create && matches!(answer, KeyAnswer::Missing { .. }) {
                let _lock = fs::lock(&self.directory.key_lock(), Duration::from_secs(5));
                answer = key::load(self.choice, &self.key_paths(), true);
                if self.choice == Choice::Auto
                    && let KeyAnswer::Found { holder, .. } = &answer
                    && let Holder::File(_) = holder
                {
                    let note = format!("no keyring here: the cache's key is in {holder}");
                    *self.note.borrow_mut() = Some(note);
                }
            }
            if !create && matches!(answer, KeyAnswer::Missing { .. }) {
                return None;
            }
            let _ = self.key.set(answer); // it was empty
        }
        match self.key.get()? {
            KeyAnswer::Found { key, .. } => Some(key),
            KeyAnswer::Missing { .. } => None,
        }
    }

    fn key_paths(&self) -> key::Paths {
        let scope = digest([&*self.directory.path().to_string_lossy()]);
        key::Paths {
            scope,
            runtime: env::runtime_directory(),
            fallback: self.directory.path().to_owned(),
        }
    }

    /// Makes a directory of the cache, if it is missing.
    fn make_directory(&self, directory: &Path) -> Result<()> {
        let made = fs::own_directory(self.directory.path())
            .and_then(|()| fs::private_directory(directory));
        let Err(error) = made else { return Ok(()) };
        let hint = error.to_hint().map(str::to_owned);
        let explained = Error::failure(format!(
            "tokens are not cached: {error}; PGCRED_CACHE=none avoids this warning"
        ));
        Err(match hint {
            Some(hint) => explained.hint(hint),
            None => explained,
        })
    }

    fn entry(&self, id: &EntryId) -> PathBuf {
        self.directory.tokens().join(id.as_str())
    }
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

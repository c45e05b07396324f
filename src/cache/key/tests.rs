//! How a key is made, found, moved and forgotten, in each place that this machine has, and in
//! places that hang, lie or are missing.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Instant;

use tempfile::TempDir;

use super::*;

/// A store of the tests.
#[derive(Clone, Default)]
struct FakeStore {
    held: Arc<Mutex<Option<Vec<u8>>>>,
    hangs: bool,
    refuses: bool,
    forgets: bool,
}

impl KeyStore for FakeStore {
    fn location(&self) -> KeyLocation {
        KeyLocation::Keyring("fake")
    }

    fn may_hang(&self) -> bool {
        self.hangs
    }

    fn read(&self) -> Result<Option<Vec<u8>>> {
        if self.hangs {
            sleep(TIMEOUT * 5);
        }
        if self.refuses {
            Err(Error::failure("it refuses"))
        } else {
            Ok(self.held.lock().unwrap().clone())
        }
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        *self.held.lock().unwrap() = (!self.forgets).then(|| bytes.to_vec());
        Ok(())
    }

    fn erase(&self) -> Result<()> {
        *self.held.lock().unwrap() = None;
        Ok(())
    }
}

fn boxed(fakes: &[&FakeStore]) -> Vec<Box<dyn KeyStore>> {
    fakes
        .iter()
        .map(|fake| Box::new((*fake).clone()) as Box<dyn KeyStore>)
        .collect()
}

fn key(answer: &KeyLookup) -> &[u8] {
    match answer {
        KeyLookup::Found { key, .. } => key.expose(),
        KeyLookup::Missing { reason } => panic!("{reason}"),
    }
}

#[cfg(any(target_os = "linux", target_os = "windows"))]
fn location(answer: &KeyLookup) -> &KeyLocation {
    match answer {
        KeyLookup::Found { location, .. } => location,
        KeyLookup::Missing { reason } => panic!("{reason}"),
    }
}

fn reason(answer: KeyLookup) -> String {
    match answer {
        KeyLookup::Found { location, .. } => panic!("found in {location}"),
        KeyLookup::Missing { reason } => reason,
    }
}

struct Scratch {
    directory: TempDir,
    paths: KeyPaths,
}

impl Scratch {
    /// It has a scope of its own, so that it touches no key of the user.
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let scope = format!("test {}", directory.path().display());
        let fallback = directory.path().join("cache");
        Self {
            paths: KeyPaths {
                scope,
                runtime: None,
                fallback,
            },
            directory,
        }
    }

    fn file(&self) -> PathBuf {
        let KeyLookup::Found { location, .. } =
            load_key(CacheChoice::File, &self.paths, MissingKey::Create)
        else {
            panic!("no key")
        };
        let KeyLocation::File(path) = location else {
            panic!("{location} is no file")
        };
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = erase_key(CacheChoice::Auto, &self.paths);
    }
}

#[test]
fn a_key_is_made_once_and_only_on_demand() {
    let fake = FakeStore::default();
    assert_eq!(
        reason(first_key(boxed(&[&fake]), MissingKey::Leave)),
        "fake: no key yet"
    );
    assert!(fake.held.lock().unwrap().is_none());
    let made = first_key(boxed(&[&fake]), MissingKey::Create);
    assert_eq!(key(&made).len(), 32);
    assert_eq!(
        key(&first_key(boxed(&[&fake]), MissingKey::Create)),
        key(&made)
    );
    assert_eq!(
        key(&first_key(boxed(&[&fake]), MissingKey::Leave)),
        key(&made)
    );
}

#[test]
fn bytes_of_another_size_are_replaced_by_a_key() {
    for size in [0, 31, 33, 5_000] {
        let fake = FakeStore::default();
        *fake.held.lock().unwrap() = Some(vec![7; size]);
        assert_eq!(
            reason(first_key(boxed(&[&fake]), MissingKey::Leave)),
            "fake: no key yet"
        );
        assert_eq!(
            key(&first_key(boxed(&[&fake]), MissingKey::Create)).len(),
            32
        );
        assert_eq!(fake.held.lock().unwrap().as_ref().map(Vec::len), Some(32));
    }
}

#[test]
fn a_place_that_hangs_is_left_behind() {
    let [hangs, works] = [
        FakeStore {
            hangs: true,
            ..FakeStore::default()
        },
        FakeStore::default(),
    ];
    let start = Instant::now();
    assert_eq!(
        reason(first_key(boxed(&[&hangs]), MissingKey::Create)),
        "fake: it did not answer within 2 s"
    );
    assert!(start.elapsed() < TIMEOUT * 2);
    assert_eq!(
        key(&first_key(boxed(&[&hangs, &works]), MissingKey::Create)).len(),
        32
    );
    assert!(works.held.lock().unwrap().is_some());
}

#[test]
fn a_place_that_refuses_or_forgets_is_passed_over_and_named() {
    let refuses = FakeStore {
        refuses: true,
        ..FakeStore::default()
    };
    let forgets = FakeStore {
        forgets: true,
        ..FakeStore::default()
    };
    let said = reason(first_key(boxed(&[&refuses, &forgets]), MissingKey::Create));
    assert_eq!(
        said,
        "fake: it refuses; fake: it did not return the key that was just stored"
    );
}

#[test]
fn a_new_key_in_the_first_place_ends_the_one_in_the_second() {
    let [one, two] = [FakeStore::default(), FakeStore::default()];
    let second = first_key(boxed(&[&two]), MissingKey::Create);
    assert_eq!(
        key(&first_key(boxed(&[&one, &two]), MissingKey::Leave)),
        key(&second),
        "until one is made in the first place"
    );
    assert_ne!(
        key(&first_key(boxed(&[&one, &two]), MissingKey::Create)),
        key(&second)
    );
    assert!(two.held.lock().unwrap().is_none());
}

#[test]
fn no_choice_no_key() {
    let scratch = Scratch::new();
    assert_eq!(
        reason(load_key(
            CacheChoice::None,
            &scratch.paths,
            MissingKey::Create
        )),
        "switched off"
    );
    erase_key(CacheChoice::None, &scratch.paths).unwrap();
    assert!(!scratch.paths.fallback.exists());
}

#[test]
fn the_file_keeps_a_key_until_it_is_erased() {
    let scratch = Scratch::new();
    assert!(
        reason(load_key(
            CacheChoice::File,
            &scratch.paths,
            MissingKey::Leave
        ))
        .ends_with(": no key yet")
    );
    assert!(
        !scratch.paths.fallback.exists(),
        "looking makes no directory"
    );
    let made = load_key(CacheChoice::File, &scratch.paths, MissingKey::Create);
    assert_eq!(
        key(&load_key(
            CacheChoice::File,
            &scratch.paths,
            MissingKey::Leave
        )),
        key(&made)
    );
    erase_key(CacheChoice::File, &scratch.paths).unwrap();
    assert!(
        reason(load_key(
            CacheChoice::File,
            &scratch.paths,
            MissingKey::Leave
        ))
        .ends_with(": no key yet")
    );
    erase_key(CacheChoice::File, &scratch.paths).unwrap();
}

#[test]
fn another_scope_has_another_key() {
    let scratch = Scratch::new();
    let mut other = scratch.paths.clone();
    other.scope += "/../other";
    for choice in [CacheChoice::File, CacheChoice::Auto] {
        let [mine, others] = [
            load_key(choice, &scratch.paths, MissingKey::Create),
            load_key(choice, &other, MissingKey::Create),
        ];
        assert_ne!(key(&mine), key(&others));
        assert_eq!(
            key(&load_key(choice, &scratch.paths, MissingKey::Leave)),
            key(&mine)
        );
    }
    erase_key(CacheChoice::Auto, &other).unwrap();
    assert_eq!(
        fs::read_dir(scratch.directory.path()).unwrap().count(),
        1,
        "no scope leaves the directory"
    );
}

#[test]
fn the_file_is_in_the_runtime_directory_if_there_is_one() {
    let mut scratch = Scratch::new();
    scratch.paths.runtime = Some(scratch.directory.path().join("missing"));
    assert!(scratch.file().starts_with(&scratch.paths.fallback));
    let runtime = scratch.directory.path().join("runtime");
    fs::create_dir(&runtime).unwrap();
    scratch.paths.runtime = Some(runtime.clone());
    assert!(scratch.file().starts_with(runtime.join("pgcred")));
}

#[test]
fn a_file_that_cannot_be_made_is_a_reason() {
    let mut scratch = Scratch::new();
    scratch.paths.fallback = scratch.directory.path().join("file").join("cache");
    drop(
        tempfile::Builder::new()
            .prefix("file")
            .rand_bytes(0)
            .tempfile_in(scratch.directory.path())
            .unwrap()
            .keep(),
    );
    assert!(
        reason(load_key(
            CacheChoice::File,
            &scratch.paths,
            MissingKey::Create
        ))
        .contains("cannot")
    );
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, chown};

    use std::path::Path;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn file_and_directory_are_private() {
        let scratch = Scratch::new();
        assert_eq!(mode(&scratch.file()), 0o600);
        assert_eq!(mode(&scratch.paths.fallback), 0o700);
    }

    #[test]
    fn a_key_that_others_could_read_is_replaced() {
        let scratch = Scratch::new();
        let path = scratch.file();
        let before = load_key(CacheChoice::File, &scratch.paths, MissingKey::Leave);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(
            reason(load_key(
                CacheChoice::File,
                &scratch.paths,
                MissingKey::Leave
            ))
            .ends_with(": no key yet")
        );
        assert_ne!(
            key(&load_key(
                CacheChoice::File,
                &scratch.paths,
                MissingKey::Create
            )),
            key(&before)
        );
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn what_belongs_to_another_user_is_not_used() {
        let mut scratch = Scratch::new();
        let path = scratch.file();
        if chown(&path, Some(65_534), None).is_err() {
            return; // only root can give files away
        }
        assert!(
            reason(load_key(
                CacheChoice::File,
                &scratch.paths,
                MissingKey::Create
            ))
            .contains("belongs to another user")
        );
        let runtime = scratch.directory.path().join("runtime");
        fs::create_dir(&runtime).unwrap();
        chown(&runtime, Some(65_534), None).unwrap();
        scratch.paths.runtime = Some(runtime.clone());
        assert!(
            reason(load_key(
                CacheChoice::File,
                &scratch.paths,
                MissingKey::Create
            ))
            .contains("cache")
        );
        assert_eq!(fs::read_dir(runtime).unwrap().count(), 0);
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::thread;

    use super::*;

    /// `None` where this machine offers no kernel keyring (most containers).
    fn kernel(paths: &KeyPaths) -> Option<KeyLookup> {
        match load_key(CacheChoice::Keyring, paths, MissingKey::Create) {
            KeyLookup::Missing { reason } if reason.ends_with("this system does not offer it") => {
                None
            }
            answer => Some(answer),
        }
    }

    #[test]
    fn the_kernel_keeps_a_key_until_it_is_erased() {
        let scratch = Scratch::new();
        assert!(matches!(
            load_key(CacheChoice::Keyring, &scratch.paths, MissingKey::Leave),
            KeyLookup::Missing { .. }
        ));
        let Some(made) = kernel(&scratch.paths) else {
            return;
        };
        assert_eq!(*location(&made), KeyLocation::Keyring("kernel keyring"));
        assert_eq!(
            key(&load_key(
                CacheChoice::Keyring,
                &scratch.paths,
                MissingKey::Leave
            )),
            key(&made)
        );
        assert_eq!(
            key(&load_key(
                CacheChoice::Auto,
                &scratch.paths,
                MissingKey::Create
            )),
            key(&made)
        );
        erase_key(CacheChoice::Keyring, &scratch.paths).unwrap();
        assert_eq!(
            reason(load_key(
                CacheChoice::Keyring,
                &scratch.paths,
                MissingKey::Leave
            )),
            "kernel keyring: no key yet"
        );
    }

    #[test]
    fn the_kernel_replaces_bytes_of_another_size() {
        let scratch = Scratch::new();
        let Some(_) = kernel(&scratch.paths) else {
            return;
        };
        let store = kernel::KernelKeyring::new(&scratch.paths);
        for size in [1, 31, 33, 5_000] {
            store.write(&vec![7; size]).unwrap();
            assert_eq!(
                reason(load_key(
                    CacheChoice::Keyring,
                    &scratch.paths,
                    MissingKey::Leave
                )),
                "kernel keyring: no key yet"
            );
            assert_eq!(
                key(&load_key(
                    CacheChoice::Keyring,
                    &scratch.paths,
                    MissingKey::Create
                ))
                .len(),
                32
            );
        }
    }

    /// The kernel lets a user have few keys: those of caches that were thrown away go when there
    /// are many.
    #[test]
    fn the_kernel_forgets_keys_of_missing_directories() {
        let [thrown_away, kept] = [(); 2].map(|()| Scratch::new());
        let (Some(_), Some(before)) = (kernel(&thrown_away.paths), kernel(&kept.paths)) else {
            return;
        };
        let Ok(listing) = fs::read_to_string("/proc/keys") else {
            return;
        }; // some containers hide it
        fs::create_dir(&kept.paths.fallback).unwrap();
        let is_ours = |line: &&str| {
            [&thrown_away, &kept]
                .iter()
                .any(|scratch| line.contains(&scratch.paths.scope))
        };
        let ours: Vec<&str> = listing.lines().filter(is_ours).collect();
        let listing = format!("{}\n{}", ours.join("\n"), keys_of("/", kernel::MANY_KEYS));
        kernel::forget_keys(&kernel::keys_to_forget(&listing));
        assert!(matches!(
            load_key(CacheChoice::Keyring, &thrown_away.paths, MissingKey::Leave),
            KeyLookup::Missing { .. }
        ));
        assert_eq!(
            key(&load_key(
                CacheChoice::Keyring,
                &kept.paths,
                MissingKey::Leave
            )),
            key(&before)
        );
    }

    /// In a sandbox without the home directory, the user's cache seems to be gone, but its key is
    /// still good.
    #[test]
    fn a_few_keys_of_missing_directories_stay() {
        assert_eq!(
            kernel::keys_to_forget(&keys_of("/gone", kernel::MANY_KEYS - 1)),
            [0; 0]
        );
        assert_eq!(
            kernel::keys_to_forget(&keys_of("/gone", kernel::MANY_KEYS)).len(),
            kernel::MANY_KEYS
        );
    }

    /// Returns the text of /proc/keys with so many keys.
    fn keys_of(directory: &str, number: usize) -> String {
        let line = |id: usize| {
            format!(
                "{id:08x} I--Q--- 1 perm 09090000 0 0 user      pgcred:cache-key:s \
                 folder={directory}: 32"
            )
        };
        (1..=number).map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn auto_uses_the_file_only_without_a_kernel_keyring() {
        let scratch = Scratch::new();
        let auto = load_key(CacheChoice::Auto, &scratch.paths, MissingKey::Create);
        let is_in_file = matches!(location(&auto), KeyLocation::File(_));
        assert_eq!(is_in_file, kernel(&scratch.paths).is_none());
        assert_eq!(scratch.paths.fallback.exists(), is_in_file);
    }

    #[test]
    fn many_readers_see_the_one_key() {
        let scratch = Scratch::new();
        let made = load_key(CacheChoice::Auto, &scratch.paths, MissingKey::Create);
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    assert_eq!(
                        key(&load_key(
                            CacheChoice::Auto,
                            &scratch.paths,
                            MissingKey::Create
                        )),
                        key(&made)
                    );
                });
            }
        });
    }
}

#[cfg(target_os = "windows")]
#[test]
fn the_credential_manager_keeps_a_key_until_it_is_erased() {
    let scratch = Scratch::new();
    let made = load_key(CacheChoice::Auto, &scratch.paths, MissingKey::Create);
    assert_eq!(
        *location(&made),
        KeyLocation::Keyring("Windows Credential Manager")
    );
    assert_eq!(
        key(&load_key(
            CacheChoice::Keyring,
            &scratch.paths,
            MissingKey::Leave
        )),
        key(&made)
    );
    native::SystemKeyring::new(&scratch.paths.scope)
        .write(&[7; 31])
        .unwrap();
    assert_eq!(
        reason(load_key(
            CacheChoice::Keyring,
            &scratch.paths,
            MissingKey::Leave
        )),
        "Windows Credential Manager: no key yet"
    );
    assert_ne!(
        key(&load_key(
            CacheChoice::Keyring,
            &scratch.paths,
            MissingKey::Create
        )),
        key(&made)
    );
    erase_key(CacheChoice::Keyring, &scratch.paths).unwrap();
    assert_eq!(
        reason(load_key(
            CacheChoice::Keyring,
            &scratch.paths,
            MissingKey::Leave
        )),
        "Windows Credential Manager: no key yet"
    );
    assert!(!scratch.paths.fallback.exists());
}

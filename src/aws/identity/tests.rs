//! What changes the digests of an identity: the files that it rests on, and what they hold.

use super::*;

#[test]
fn the_digest_changes_with_the_files_and_with_what_they_hold() {
    let home = tempfile::tempdir().unwrap();
    let (a, b) = (home.path().join("a"), home.path().join("b"));
    let digest_of = |files: &[&PathBuf]| {
        digest_with_stamps("identity", files.iter().copied().cloned().collect())
    };
    let before = digest_of(&[&a]);
    assert_eq!(before, digest_of(&[&a]));
    fs::replace_atomically_for_owner(&a, b"login").unwrap();
    let after = digest_of(&[&a]);
    assert_ne!(before, after);
    assert_ne!(after, digest_of(&[&b]));
    assert_ne!(after, digest_of(&[&a, &b]));
    assert_ne!(after, digest_with_stamps("another", vec![a]));
}

#[test]
fn the_files_of_a_directory_come_in_one_order() {
    let home = tempfile::tempdir().unwrap();
    for name in ["b", "a", "c"] {
        fs::replace_atomically_for_owner(&home.path().join(name), b"login").unwrap();
    }
    let names = ["a", "b", "c"].map(|name| home.path().join(name));
    assert_eq!(sorted_files(home.path()), names);
}

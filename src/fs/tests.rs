//! What is written when other programs write the same files.

use std::fs;

use super::edit;

/// Who made a file that was not there keeps it.
#[test]
#[expect(clippy::disallowed_methods, reason = "it is another program that writes here")]
fn no_file_stays_no_file_and_a_new_one_is_not_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pgpass");
    let edited = edit(&path, |old| {
        assert_eq!(old, None);
        fs::write(&path, "theirs").expect("written");
        Ok((None, ()))
    });
    assert!(edited.is_ok());
    assert_eq!(fs::read(&path).expect("a file"), b"theirs");
    assert!(edit(&path, |old| Ok((None, assert_eq!(old, Some(&b"theirs"[..]))))).is_ok());
    let left = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, usize::from(cfg!(windows)), "only Windows keeps the lock's file");
}

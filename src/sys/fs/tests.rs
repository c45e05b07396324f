//! Files that pgcred writes while other programs write them too: nothing of theirs is lost.

use std::fs;

use super::edit;

/// Who made a file that was not there keeps it.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "it is another program that writes here"
)]
fn no_file_stays_no_file_and_a_new_one_is_not_removed() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("pgpass");
    let mut seen = Vec::new();
    let edited = edit(&path, |old| {
        seen.push(old.map(<[u8]>::to_vec));
        if old.is_none() {
            fs::write(&path, "theirs").expect("written");
        }
        Ok((old.map(<[u8]>::to_vec), ()))
    });
    assert!(edited.is_ok());
    assert_eq!(seen, [None, Some(b"theirs".to_vec())]);
    assert_eq!(fs::read(&path).expect("a file"), b"theirs");
    assert!(
        edit(&path, |old| Ok((
            None,
            assert_eq!(old, Some(&b"theirs"[..]))
        )))
        .is_ok()
    );
    let left = fs::read_dir(directory.path()).expect("a directory").count();
    assert_eq!(
        left,
        usize::from(cfg!(windows)),
        "only Windows keeps the lock's file"
    );
}

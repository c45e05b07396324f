//! What an identity rests on, looked at again.

use super::*;
use crate::provider::command::provider_of;
use crate::sys::fs;

/// Else the token of one account would be handed out to another.
#[test]
fn an_identity_looks_again_at_every_file_that_is_watched() {
    let home = tempfile::tempdir().unwrap();
    let (file, directory) = (home.path().join("file"), home.path().join("directory"));
    let mut definition = CommandDefinition::new("tool");
    definition.watch = [&file, &directory]
        .map(|path| path.display().to_string())
        .to_vec();
    let authority = provider_of(definition).authority;
    let mut before = authority.identities().identity(None, None);
    for (path, text) in [
        (file.clone(), "ann"),
        (file, "bob"),
        (directory.join("a"), "ann"),
        (directory.join("b"), "ann"),
        (directory.join("b"), "bob"),
    ] {
        let stamp_before = before.login_stamp().to_owned(); // taken when it is asked for
        fs::ensure_own_directory(path.parent().unwrap()).unwrap();
        fs::write_unsynced(&path, text.as_bytes()).unwrap();
        let now = before.reload();
        let path = path.display();
        assert_eq!(now.digest(), before.digest(), "{path}");
        assert_ne!(
            now.digest_with_login(),
            before.digest_with_login(),
            "{path}"
        );
        assert_ne!(now.login_stamp(), stamp_before, "{path}");
        let again = now.reload();
        assert_eq!(again.digest_with_login(), now.digest_with_login(), "{path}");
        before = now;
    }
}

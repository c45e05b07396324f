//! Shows the authority of the example: it makes tokens with the key in a file. What is here is what
//! the traits leave open; all that they have a default for is left out.

use std::path::PathBuf;
use std::rc::Rc;

use crate::authority::{
    AskPolicy, Authority, CredentialQuery, Identities, Identity, Region, RunNotes, Signer,
    TokenScope,
};
use crate::error::{Error, Result};
use crate::sys::{env, fs};
use crate::text::digest::digest;
use crate::time::Time;
use crate::token::Token;

pub(super) static AUTHORITY: ExampleAuthority = ExampleAuthority;

/// What the provider names. It has no state: what a run has read belongs to its `Identities`.
pub(super) struct ExampleAuthority;

impl Authority for ExampleAuthority {
    fn name(&self) -> &'static str {
        "example"
    }

    fn title(&self) -> &'static str {
        "Example"
    }

    fn identities(&self) -> Box<dyn Identities> {
        Box::new(ExampleIdentities)
    }
}

/// One run. A file that decides for all profiles would be read here, once.
struct ExampleIdentities;

impl Identities for ExampleIdentities {
    /// Finds out who signs from settings alone: nobody is asked, and nothing fails here. The scope
    /// does not matter, because a key signs for every host and user.
    fn identity(&self, profile: Option<&str>, _: Option<&TokenScope<'_>>) -> Rc<dyn Identity> {
        let file = env::expand_home(profile.unwrap_or("~/.example/key"));
        Rc::new(ExampleIdentity::with_file_as_it_is(file))
    }
}

/// Who signs: whoever has the key of this file.
struct ExampleIdentity {
    file: PathBuf,
    digest: String,
    digest_with_login: String,
}

impl ExampleIdentity {
    fn with_file_as_it_is(file: PathBuf) -> Self {
        let own_digest = digest(["example", &*file.display().to_string()]);
        let stamp = fs::stamp_of_file(&file).unwrap_or_default();
        Self {
            digest_with_login: digest([&*own_digest, &*stamp]),
            digest: own_digest,
            file,
        }
    }
}

impl Identity for ExampleIdentity {
    /// Everything that decides who signs is in it: whatever is not could hand out a token of
    /// another user. Two profiles that name the same file have the same one.
    fn digest(&self) -> &str {
        &self.digest
    }

    /// A new key in the file may be that of another user, so the tokens of the old one are not
    /// handed out any more. It also ends the pause after a failure.
    fn digest_with_login(&self) -> &str {
        &self.digest_with_login
    }

    fn reload(&self) -> Rc<dyn Identity> {
        Rc::new(Self::with_file_as_it_is(self.file.clone()))
    }

    /// What `--debug` says.
    fn trace_identity(&self, _: Option<&Region>, notes: &RunNotes) {
        notes.step(|| format!("the key in {} signs", self.file.display()));
    }

    /// What `pgcred login --provider example` does. An authority whose login pgcred can do or run
    /// does that here, and returns true.
    fn log_in(&self, _: &AskPolicy, _: &RunNotes) -> Result<bool> {
        let error = Error::login("Example has no login that pgcred could do");
        Err(error.hint(format!("save your key in {}", self.file.display())))
    }

    /// Everything that takes time or may fail belongs here: files, programs, requests. The deadline
    /// bounds it.
    fn signer(&self, query: &CredentialQuery<'_>, _: &RunNotes) -> Result<Rc<dyn Signer>> {
        match fs::read_foreign_text(&self.file, query.deadline) {
            Ok(text) => Ok(Rc::new(ExampleSigner {
                key: text.trim().to_owned(),
            })),
            Err(error) => Err(error.hint("save your key there, or name its file: --profile FILE")),
        }
    }
}

/// The key. It is a secret: no `Debug`, and no text has it.
struct ExampleSigner {
    key: String,
}

impl Signer for ExampleSigner {
    /// Makes a token for any scope, in no time. It says when it ends; pgcred does the rest.
    fn issue(
        &self,
        scope: &TokenScope<'_>,
        _: Option<&Region>,
        lifetime_seconds: u32,
        now: Time,
    ) -> Result<Token> {
        let expires_at = now.plus(lifetime_seconds);
        let claim = format!(
            "{}@{}/{}",
            scope.user.unwrap_or_default(),
            scope.host,
            expires_at.unix()
        );
        let signature = digest([&*self.key, &*claim]); // a real service would ask for an HMAC
        Ok(Token::new(format!("{claim}/{signature}"), now, expires_at))
    }
}

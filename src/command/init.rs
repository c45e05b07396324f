//! `pgcred init`: print the hook that refreshes what is due, for a shell's start-up file to read.

use std::path::Path;

use clap::builder::PossibleValuesParser;

use super::run::Text;
use crate::error::{Error, Result};
use crate::shell::{Hook, SHELLS, Shell, Wanted};
use crate::sys::child;
use crate::sys::paths::CacheDirectory;

#[derive(clap::Args)]
pub(crate) struct Init {
    /// The shell that reads it
    #[arg(value_parser = PossibleValuesParser::new(SHELLS.iter().map(|shell| shell.name)))]
    shell: String,
    /// When to look whether something is due
    #[arg(long, value_enum, value_name = "WHEN", default_value = "prompt")]
    hook: Hook,
    /// Also keep a text for prompts in the variable `PGCRED_SEGMENT`
    #[arg(long)]
    segment: bool,
    /// Print what takes the hook out of the shell that reads it
    #[arg(long, conflicts_with_all = ["hook", "segment"])]
    undo: bool,
}

impl Text for Init {
    fn text(self, _: fn() -> clap::Command) -> Result<String> {
        let shell = Shell::named(&self.shell).ok_or_else(|| Error::usage("no such shell"))?;
        let wanted = Wanted {
            hook: self.hook,
            segment: self.segment,
            undo: self.undo,
        };
        let due = CacheDirectory::of_user()
            .ok_or_else(|| Error::failure("no cache directory is known"))?
            .due();
        shell.hook(&wanted, &text_of(&child::own_path()?)?, &text_of(&due)?)
    }
}

fn text_of(path: &Path) -> Result<String> {
    let text = path
        .to_str()
        .ok_or_else(|| Error::failure(format!("{} is not UTF-8", path.display())));
    text.map(str::to_owned)
}

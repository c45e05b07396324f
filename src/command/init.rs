//! Prints the hook that refreshes connections that are due, for a shell's start-up file, as `pgcred
//! init` does.

use std::path::Path;

use clap::builder::PossibleValuesParser;

use super::run::PrintText;
use crate::error::{Error, Result};
use crate::shell::{HookOptions, HookTrigger, SHELLS, Shell};
use crate::sys::child;
use crate::sys::paths::CacheDirectory;
use crate::text::backquoted;

#[derive(clap::Args)]
pub(crate) struct InitCommand {
    /// The shell that reads the hook
    #[arg(value_parser = PossibleValuesParser::new(SHELLS.iter().map(|shell| shell.name)))]
    shell: String,
    /// When to look whether a connection is due
    #[arg(long, value_enum, value_name = "WHEN", default_value = "prompt")]
    hook: HookTrigger,
    /// Also keep a text for prompts in the variable `PGCRED_SEGMENT`
    #[arg(long)]
    segment: bool,
    /// Print commands that remove the hook from the running shell
    #[arg(long, conflicts_with_all = ["hook", "segment"])]
    undo: bool,
}

impl PrintText for InitCommand {
    fn text(self, _: fn() -> clap::Command) -> Result<String> {
        let Some(shell) = Shell::from_name(&self.shell) else {
            let names: Vec<_> = SHELLS.iter().map(|shell| shell.name).collect();
            let shell = backquoted(&self.shell);
            return Err(Error::no_such_shell(&shell, &names));
        };
        let options = HookOptions {
            hook: self.hook,
            segment: self.segment,
            undo: self.undo,
        };
        let Some(cache) = CacheDirectory::for_user() else {
            return Err(Error::no_directory("cache"));
        };
        let (program, due) = (child::own_path()?, cache.due());
        shell.hook(&options, &text_of(&program)?, &text_of(&due)?)
    }
}

fn text_of(path: &Path) -> Result<String> {
    match path.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(Error::path_not_utf8(path)),
    }
}

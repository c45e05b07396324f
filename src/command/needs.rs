//! Declares what a command needs before it can run, as one value, and opens that: the
//! configuration, the cache, and whether the home directory may be written.
//!
//! [`CommandNeeds::USUAL`] is right for most commands. A command names only what is different in
//! its `NEEDS`; if that depends on its options, it has a `needs` of its own.

use std::ops::ControlFlow;
use std::process::ExitCode;

use super::app::App;
use super::config_file::ConfigNeed;
use super::options::GlobalOptions;
use crate::error::Result;
use crate::sys::fs;

#[derive(Clone, Copy)]
pub(crate) struct CommandNeeds {
    pub(super) configuration: ConfigNeed,
    /// Whether the command may ask an authority. If not, the help leaves the options for that out.
    pub(super) asks_authority: bool,
    /// What the command does if root runs it in the home directory of another user.
    pub(super) foreign_home: ForeignHomePolicy,
    /// Whether the command says nothing about a configuration that cannot be used, because it runs
    /// at every prompt of a shell.
    pub(super) is_silent: bool,
}

/// What a command does if root runs it in the home directory of another user: see
/// [`crate::sys::fs::trust::root_in_foreign_home_error`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForeignHomePolicy {
    /// The command would write there.
    Refuse,
    /// The command needs no file there: it only gives a token out.
    GoOn,
    /// A shell's hook or a scheduler runs the command, and no user sees its output.
    DoNothing,
}

impl CommandNeeds {
    pub(super) const USUAL: Self = Self {
        configuration: ConfigNeed::Whole,
        asks_authority: true,
        foreign_home: ForeignHomePolicy::Refuse,
        is_silent: false,
    };

    /// Opens what the command needs. `Break` has the exit code of a command that ends here without
    /// a word.
    pub(super) fn open(self, options: GlobalOptions) -> Result<ControlFlow<ExitCode, App>> {
        let is_silent = self.is_silent && !options.debug;
        match self.app(options) {
            Ok(Some(app)) => Ok(ControlFlow::Continue(app)),
            Ok(None) => Ok(ControlFlow::Break(ExitCode::SUCCESS)),
            Err(error) if is_silent => Ok(ControlFlow::Break(error.exit().code().into())),
            Err(error) => Err(error),
        }
    }

    /// Returns `None` if the command has nothing to do in the home directory of another user.
    fn app(self, options: GlobalOptions) -> Result<Option<App>> {
        let foreign_home = fs::trust::root_in_foreign_home_error();
        if let Some(reason) = &foreign_home {
            match self.foreign_home {
                ForeignHomePolicy::DoNothing => return Ok(None),
                ForeignHomePolicy::Refuse => return Err(reason.clone()),
                ForeignHomePolicy::GoOn => {}
            }
        }
        let mut app = App::open(options, self.configuration)?;
        if let Some(reason) = foreign_home {
            app.forbid_writes(&reason);
        }
        Ok(Some(app))
    }
}

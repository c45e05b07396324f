//! Shell hooks: a template per shell, what of it is printed, and how each shell quotes. Pure.

use clap::ValueEnum;

use crate::error::{Error, Result};
use crate::text::quote;

/// A shell that has a hook.
pub(crate) struct Shell {
    pub(crate) name: &'static str,
    quote: fn(&str) -> String,
    template: &'static str,
}

/// When the hook looks at the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Hook {
    /// Before every prompt
    Prompt,
    /// At the first prompt and at the first one in another directory
    Pwd,
    /// Never by itself: call it from a prompt of your own
    None,
}

/// What the hook is to do.
pub(crate) struct Wanted {
    pub(crate) hook: Hook,
    /// Keep `PGCRED_SEGMENT` up to date.
    pub(crate) segment: bool,
    /// Nothing: take it out of the shell.
    pub(crate) undo: bool,
}

pub(crate) static SHELLS: [Shell; 8] = [
    Shell {
        name: "bash",
        quote: quote::posix,
        template: include_str!("bash.sh"),
    },
    Shell {
        name: "zsh",
        quote: quote::posix,
        template: include_str!("zsh.zsh"),
    },
    Shell {
        name: "fish",
        quote: quote::fish,
        template: include_str!("fish.fish"),
    },
    Shell {
        name: "nushell",
        quote: quote::nushell,
        template: include_str!("nushell.nu"),
    },
    Shell {
        name: "powershell",
        quote: quote::powershell_in_ascii,
        template: include_str!("powershell.ps1"),
    },
    Shell {
        name: "xonsh",
        quote: quote::python,
        template: include_str!("xonsh.xsh"),
    },
    Shell {
        name: "elvish",
        quote: quote::elvish,
        template: include_str!("elvish.elv"),
    },
    Shell {
        name: "tcsh",
        quote: quote::tcsh,
        template: include_str!("tcsh.tcsh"),
    },
];

impl Shell {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        SHELLS.iter().find(|shell| shell.name == name)
    }

    /// Returns the text that the shell reads: the template without the parts that are not wanted.
    ///
    /// A part begins with `#[names]`, ends with the next such line or `#[end]`, and is there if one
    /// of its names is wanted.
    pub(crate) fn hook(&self, wanted: &Wanted, program: &str, due: &str) -> Result<String> {
        if wanted.segment && !self.template.contains("#[segment]") {
            return Err(Error::usage(format!(
                "{} reads no file without starting a process, so it has no segment",
                self.name
            ))
            .hint("show `pgcred prompt` where a process may be started"));
        }
        for path in [program, due] {
            if path.contains(['\n', '\r']) {
                return Err(Error::usage(
                    "a path with a line end in it is nothing for a shell hook",
                ));
            }
        }
        let hook = match wanted.hook {
            Hook::Prompt => "prompt",
            Hook::Pwd => "pwd",
            Hook::None => "none",
        };
        let is_wanted = |name: &str| match name {
            "undo" => wanted.undo,
            _ if wanted.undo => false,
            "segment" => wanted.segment,
            "always" => true,
            name => name == hook,
        };
        let mut text = String::new();
        let outside = !wanted.undo;
        let mut printed = outside;
        for line in self.template.lines() {
            match line
                .trim_start()
                .strip_prefix("#[")
                .and_then(|rest| rest.strip_suffix(']'))
            {
                Some("end") => printed = outside,
                Some(names) => printed = names.split(' ').any(is_wanted),
                None if printed => text.extend([line, "\n"]),
                None => {}
            }
        }
        let due = (self.quote)(due);
        Ok(text
            .replace("@PGCRED@", &(self.quote)(program))
            .replace("@DUE@", &due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powershell_is_told_in_ascii() {
        let wanted = Wanted {
            hook: Hook::Pwd,
            segment: true,
            undo: false,
        };
        let shell = Shell::named("powershell").unwrap();
        assert!(
            shell
                .hook(&wanted, "/Jörg/pgcred", "/Jörg/due")
                .unwrap()
                .is_ascii()
        );
    }
}

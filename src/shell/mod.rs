//! Makes the hooks of shells: what `pgcred init SHELL` prints for a shell to run at its prompts. It
//! is pure.
//!
//! A hook costs the user nothing at most prompts: it reads one small file, which names the time
//! when the first token is due, and compares it with the clock.
//!
//! ```text
//! at a prompt --> read the file "due" --> not due yet:    nothing
//!                  (command::due_file)    due:            start `pgcred refresh --background`
//!                                                         once, and not again before a pause is
//!                                                         over
//!                                         with --segment: set PGCRED_SEGMENT for it
//! ```
//!
//! Each shell has one template beside this file. A line `#[NAMES]` begins a part that is printed
//! only if one of its names is wanted; the part ends at the next such line or at `#[end]`:
//!
//! - `prompt`, `pwd`, `none`: what [`HookTrigger`] the user wants;
//! - `segment`: the user wants `PGCRED_SEGMENT`;
//! - `undo`: the hook is to be taken out of the shell. Then nothing outside of such a part is
//!   printed;
//! - `always`: part of every hook, to end a part with other names.
//!
//! A word `@NAME@` is filled in: see [`Shell::values`].
//!
//! # Another shell
//!
//! 1. Copy the template of the most similar shell and write the hook. It must start no process
//!    unless a token is due, change neither exit status nor variables of the user, survive an
//!    `undo`, and do nothing where the file is missing or damaged.
//! 2. Add a row to [`SHELLS`], with the line for the start-up file, which the help and the manual
//!    page show, and with the shell's quoting from `text/quote.rs` (and its row in the table of
//!    `text/quote/tests.rs`).
//! 3. Add the shell to `tests/it/shells/session.rs`, which runs every hook in the real shell, and
//!    its package to `tests/run.sh`.
//! 4. `cargo test --bin pgcred shell::`, then `cargo test --test it shells::`.

use clap::ValueEnum;

use crate::error::{Error, Result};
use crate::text::quote;
use crate::time;

/// The longest time in seconds until a hook refreshes: the user may have edited a configuration or
/// a passfile. A hook that reads a later time takes its file for damaged.
pub(crate) const MAX_WAIT_SECONDS: u32 = 3_600;

/// How many seconds a hook waits before it starts `pgcred refresh` again, if there is a file.
const PAUSE_SECONDS: u32 = 60;

/// The same pause while there is no file: pgcred may not work at all.
const PAUSE_WITHOUT_FILE_SECONDS: u32 = 300;

/// A shell that has a hook.
pub(crate) struct Shell {
    pub(crate) name: &'static str,
    /// The line for the end of the start-up file, as the help and the manual page show it. If the
    /// shell cannot run what a program prints, the line writes a file, and the comment behind it
    /// says what the start-up file gets.
    pub(crate) line: &'static str,
    quote: fn(&str) -> String,
    template: &'static str,
}

/// When the hook looks at the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HookTrigger {
    /// Before every prompt
    Prompt,
    /// At the first prompt and at the first one in another directory
    Pwd,
    /// Never by itself: call it from a prompt of your own
    None,
}

/// What the hook is to do.
pub(crate) struct HookOptions {
    pub(crate) hook: HookTrigger,
    /// Keep `PGCRED_SEGMENT` up to date.
    pub(crate) segment: bool,
    /// Print commands that take the hook out of the shell, instead of a hook.
    pub(crate) undo: bool,
}

pub(crate) static SHELLS: [Shell; 8] = [
    Shell {
        name: "bash",
        line: "eval \"$(pgcred init bash)\"",
        quote: quote::posix,
        template: include_str!("bash.sh"),
    },
    Shell {
        name: "zsh",
        line: "eval \"$(pgcred init zsh)\"",
        quote: quote::posix,
        template: include_str!("zsh.zsh"),
    },
    Shell {
        name: "fish",
        line: "pgcred init fish | source",
        quote: quote::fish,
        template: include_str!("fish.fish"),
    },
    Shell {
        name: "nushell",
        line: "pgcred init nushell | save -f ~/.pgcred.nu     # then: source ~/.pgcred.nu",
        quote: quote::nushell,
        template: include_str!("nushell.nu"),
    },
    Shell {
        name: "powershell",
        line: "Invoke-Expression (& pgcred init powershell | Out-String)",
        quote: quote::powershell_in_ascii,
        template: include_str!("powershell.ps1"),
    },
    Shell {
        name: "xonsh",
        line: "execx($(pgcred init xonsh), 'exec', __xonsh__.ctx, filename='pgcred')",
        quote: quote::python,
        template: include_str!("xonsh.xsh"),
    },
    Shell {
        name: "elvish",
        line: "eval (pgcred init elvish | slurp)",
        quote: quote::elvish,
        template: include_str!("elvish.elv"),
    },
    Shell {
        name: "tcsh",
        line: "pgcred init tcsh > ~/.pgcred.tcsh              # then: source ~/.pgcred.tcsh",
        quote: quote::tcsh,
        template: include_str!("tcsh.tcsh"),
    },
];

/// The line of each shell, in the order of [`SHELLS`].
pub(crate) static LINES: [&str; SHELLS.len()] = {
    let mut lines = [""; SHELLS.len()];
    let mut index = 0;
    while index < SHELLS.len() {
        lines[index] = SHELLS[index].line;
        index += 1;
    }
    lines
};

impl HookOptions {
    /// Tells whether a part of the template with this name is to be printed.
    fn wants(&self, part: &str) -> bool {
        let hook = match self.hook {
            HookTrigger::Prompt => "prompt",
            HookTrigger::Pwd => "pwd",
            HookTrigger::None => "none",
        };
        match part {
            "undo" => self.undo,
            _ if self.undo => false,
            "segment" => self.segment,
            "always" => true,
            part => part == hook,
        }
    }
}

impl Shell {
    pub(crate) fn from_name(name: &str) -> Option<&'static Self> {
        SHELLS.iter().find(|shell| shell.name == name)
    }

    /// Returns the text that the shell runs. `program` is the path of pgcred, `due` that of the
    /// file with the due time.
    pub(crate) fn hook(&self, options: &HookOptions, program: &str, due: &str) -> Result<String> {
        if options.segment && !self.template.contains("#[segment]") {
            return Err(Error::usage(format!(
                "{} reads no file without starting a process, so it has no segment",
                self.name
            ))
            .hint("run `pgcred prompt` where a process may be started"));
        }
        for path in [program, due] {
            if path.contains(['\n', '\r']) {
                return Err(Error::usage(
                    "cannot write a shell hook: a path in it contains a newline",
                )
                .hint("rename the directory"));
            }
        }
        Ok(fill_values(
            &self.parts(options),
            &self.values(program, due),
        ))
    }

    /// Returns the template without the parts that are not wanted.
    fn parts(&self, options: &HookOptions) -> String {
        let mut text = String::new();
        let outside = !options.undo;
        let mut is_printed = outside;
        for line in self.template.lines() {
            match names_in_line(line) {
                Some("end") => is_printed = outside,
                Some(names) => is_printed = names.split(' ').any(|name| options.wants(name)),
                None if is_printed => text.extend([line, "\n"]),
                None => {}
            }
        }
        text
    }

    /// Returns what is filled into the template.
    fn values(&self, program: &str, due: &str) -> [(&'static str, String); 8] {
        [
            ("@PGCRED@", (self.quote)(program)),
            ("@DUE@", (self.quote)(due)),
            ("@LONGEST_WAIT@", MAX_WAIT_SECONDS.to_string()),
            ("@PAUSE@", PAUSE_SECONDS.to_string()),
            ("@LONGEST_PAUSE@", PAUSE_WITHOUT_FILE_SECONDS.to_string()),
            // The units in which the segment says how long a token is good: as `time::spoken`.
            ("@SECONDS_BELOW@", time::SECONDS_BELOW.to_string()),
            ("@MINUTES_BELOW@", time::MINUTES_BELOW.to_string()),
            ("@HOURS_BELOW@", time::HOURS_BELOW.to_string()),
        ]
    }
}

/// Returns the names in a line `#[NAMES]` of a template.
fn names_in_line(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("#[")?.strip_suffix(']')
}

/// Replaces each `@NAME@` by its value. The values are not searched: they may contain such a word.
fn fill_values(template: &str, values: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some(offset) = rest.find('@') {
        let (preceding, after) = rest.split_at(offset);
        text.push_str(preceding);
        if let Some((name, value)) = values.iter().find(|(name, _)| after.starts_with(name)) {
            text.push_str(value);
            rest = &after[name.len()..];
        } else {
            text.push('@');
            rest = &after[1..];
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every hook that can be printed, with the name of its shell.
    fn all_hooks(program: &str, due: &str) -> Vec<(&'static str, String)> {
        let mut hooks = Vec::new();
        for shell in &SHELLS {
            for hook in [HookTrigger::Prompt, HookTrigger::Pwd, HookTrigger::None] {
                for (segment, undo) in [(false, false), (true, false), (false, true)] {
                    let options = HookOptions {
                        hook,
                        segment: segment && shell.name != "tcsh",
                        undo,
                    };
                    let text = shell.hook(&options, program, due).unwrap();
                    hooks.push((shell.name, text));
                }
            }
        }
        hooks
    }

    fn words_between_ats(text: &str) -> Vec<&str> {
        let is_name = |word: &&str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        };
        text.split('@').skip(1).filter(is_name).collect()
    }

    #[test]
    fn no_placeholder_is_left_in_a_hook() {
        for (shell, text) in all_hooks("/bin/pgcred", "/cache/due") {
            assert_eq!(words_between_ats(&text), [""; 0], "{shell}: {text}");
            assert!(!text.contains("#["), "{shell}: {text}");
        }
    }

    /// A number of its own in a template would not follow when the constant changes.
    #[test]
    fn every_template_has_every_value_filled_in() {
        for shell in &SHELLS {
            for (name, value) in shell.values("", "") {
                let is_of_segment = name.ends_with("_BELOW@");
                let is_used = shell.template.contains(name);
                assert_eq!(
                    is_used,
                    !is_of_segment || shell.name != "tcsh",
                    "{}: {name}",
                    shell.name
                );
                let is_repeated = is_of_segment
                    && shell
                        .template
                        .split(|c: char| !c.is_ascii_digit())
                        .any(|number| number == value);
                assert!(!is_repeated, "{}: {name} is written as {value}", shell.name);
            }
        }
    }

    #[test]
    fn a_path_is_filled_in_as_it_is() {
        for (shell, text) in all_hooks("/@DUE@/pgcred", "/@PAUSE@/due") {
            let is_whole = text.contains("/@DUE@/pgcred") && text.contains("/@PAUSE@/due");
            assert!(is_whole || !text.contains("/pgcred"), "{shell}: {text}");
        }
    }

    #[test]
    fn powershell_is_told_in_ascii() {
        for (shell, text) in all_hooks("/Jörg/pgcred", "/Jörg/due") {
            assert!(text.is_ascii() || shell != "powershell", "{text}");
        }
    }
}

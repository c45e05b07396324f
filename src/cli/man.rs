//! `pgcred man`: the manual page, made from what `--help` is made from.

use clap_mangen::Man as Page;

use super::help;
use crate::command::run::Text;
use crate::error::{Error, Exit, Result};

#[derive(clap::Args)]
pub(super) struct Man {}

impl Text for Man {
    fn text(self, grammar: fn() -> clap::Command) -> Result<String> {
        page(grammar())
    }
}

/// What no `--help` says: environment, files, configuration, examples.
const MORE: &str = include_str!("page.roff");

/// One page for all commands: what is a section of its own for clap is a part of COMMANDS here.
fn page(mut command: clap::Command) -> Result<String> {
    let failed = |error| Error::failure("cannot write the manual page").caused_by(&error);
    command.build();
    let global: Vec<_> = command
        .get_arguments()
        .map(|argument| argument.get_id().clone())
        .collect();
    let mut text = Vec::new();
    let page = Page::new(command.clone());
    page.render_title(&mut text).map_err(failed)?;
    page.render_name_section(&mut text).map_err(failed)?;
    text.extend_from_slice(b".SH SYNOPSIS\n.B pgcred\n[OPTIONS] COMMAND ...\n");
    page.render_description_section(&mut text).map_err(failed)?;
    page.render_options_section(&mut text).map_err(failed)?;
    text.extend_from_slice(b".SH COMMANDS\n");
    for subcommand in command.get_subcommands() {
        let own = subcommand.clone().mut_args(|argument| {
            let is_hidden = argument.is_hide_set() || global.contains(argument.get_id());
            argument.hide(is_hidden)
        });
        text.extend(format!(".SS {}\n{}\n", subcommand.get_name(), head(subcommand)).bytes());
        for inner in innermost(subcommand) {
            text.extend(head(inner).bytes());
        }
        let mut options = Vec::new();
        Page::new(own)
            .render_options_section(&mut options)
            .map_err(failed)?;
        let options = String::from_utf8_lossy(&options);
        let options = options.lines().filter(|line| {
            !line.starts_with(".SH") && !line.starts_with(".ie") && !line.starts_with(".el")
        });
        options.for_each(|line| text.extend(format!("{line}\n").bytes()));
        let examples: String = help::examples(subcommand.get_name())
            .iter()
            .fold(String::new(), |all, line| {
                all + "\\fB" + &escaped(line) + "\\fR\n"
            });
        text.extend(format!(".PP\nExamples:\n.PP\n.nf\n.RS\n{examples}.RE\n.fi\n").bytes());
    }
    text.extend_from_slice(b".SH EXIT STATUS\n");
    for (code, meaning) in Exit::meanings() {
        text.extend(format!(".TP\n.B {code}\n{}\n", escaped(meaning)).bytes());
    }
    text.extend_from_slice(OTHER_CODES.as_bytes());
    text.extend_from_slice(MORE.as_bytes());
    Ok(String::from_utf8_lossy(&text).into_owned())
}

const OTHER_CODES: &str = ".PP\n\\fBpgcred exec\\fR ends as its program ends, with 127 if there is no such program; \\fBpgcred aws\\fR ends with the AWS CLI's codes.\n";

/// What a command does, and how it is typed.
fn head(command: &clap::Command) -> String {
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage
        .trim_start_matches("Usage: ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    format!(
        "{}\n.PP\n\\fB{}\\fR\n.PP\n",
        escaped(&about),
        escaped(&usage)
    )
}

/// The commands below a command that take no further command.
fn innermost(command: &clap::Command) -> Vec<&clap::Command> {
    let inner = command.get_subcommands();
    inner
        .flat_map(|inner| {
            if inner.has_subcommands() {
                innermost(inner)
            } else {
                vec![inner]
            }
        })
        .collect()
}

/// Escapes a line of text for roff.
fn escaped(text: &str) -> String {
    let text = text
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('\'', "\\(aq");
    if text.starts_with('.') {
        format!("\\&{text}")
    } else {
        text
    }
}

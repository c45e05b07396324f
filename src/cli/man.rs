//! Prints the manual page, as `pgcred man` does. `page.roff` has its text. The words between @
//! signs in it are replaced from the tables that `--help`, `setup` and the chain of credentials
//! use, so that the page cannot differ from the program.

use clap_mangen::Man as Page;

use crate::aws::VARIABLES;
use crate::command::run::PrintText;
use crate::error::{Error, Exit, Result};
use crate::integrations::TOOLS;
use crate::provider::command::PRESETS;
use crate::shell::LINES;
use crate::text::quote;

#[derive(clap::Args)]
pub(super) struct ManCommand {}

impl PrintText for ManCommand {
    fn text(self, grammar: fn() -> clap::Command) -> Result<String> {
        manual_page(grammar())
    }
}

const TEMPLATE: &str = include_str!("page.roff");

fn manual_page(mut command: clap::Command) -> Result<String> {
    command.build();
    let parts = [
        ("@TITLE@", title(&command)?),
        ("@OPTIONS@", options(&command)?),
        ("@COMMANDS@", describe_commands(&command)?),
        ("@TOOLS@", tools()),
        ("@SHELLS@", shells()),
        ("@FORMATS@", formats(&command)),
        ("@EXIT_STATUS@", exit_status()),
        ("@AWS_VARIABLES@", aws_variables()),
        ("@COMMAND_VARIABLES@", command_variables()?),
    ];
    let mut text = TEMPLATE.to_owned();
    for (mark, part) in parts {
        text = text.replace(mark, part.trim_end());
    }
    Ok(text)
}

/// Returns the title line and the NAME section of the page.
fn title(command: &clap::Command) -> Result<String> {
    let manual_page = Page::new(command.clone());
    let mut text = Vec::new();
    manual_page.render_title(&mut text).map_err(not_rendered)?;
    manual_page
        .render_name_section(&mut text)
        .map_err(not_rendered)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Returns the list of a command's options, without a heading of its own.
fn options(command: &clap::Command) -> Result<String> {
    let mut section = Vec::new();
    Page::new(command.clone().mut_args(with_aliases))
        .render_options_section(&mut section)
        .map_err(not_rendered)?;
    let mut list = Vec::new();
    for line in String::from_utf8_lossy(&section).lines() {
        let is_heading = [".SH", ".ie", ".el"]
            .iter()
            .any(|macro_name| line.starts_with(macro_name));
        if !is_heading && !line.is_empty() {
            list.push(line.to_owned());
        }
    }
    Ok(list.join("\n"))
}

/// Adds an option's other names to its text, which only `--help` does by itself.
fn with_aliases(option: clap::Arg) -> clap::Arg {
    let aliases = option.get_visible_aliases().unwrap_or_default();
    let Some(help) = option.get_help().filter(|_| !aliases.is_empty()) else {
        return option;
    };
    let help = format!("{help} [alias: --{}]", aliases.join(", --"));
    option.help(help)
}

fn not_rendered(error: impl std::error::Error) -> Error {
    // No hint: the text is written to memory, so this cannot fail for the user.
    Error::failure("cannot write the manual page").caused_by(&error)
}

/// Returns a part for each command: what it does, how it is typed, its options, examples.
fn describe_commands(command: &clap::Command) -> Result<String> {
    let mut lines = Vec::new();
    for subcommand in command.get_subcommands() {
        let name = subcommand.get_name();
        lines.push(format!(".SS {name}"));
        lines.push(command_head(subcommand));
        lines.push(options(&own_part(subcommand, command))?);
        for inner in innermost_commands(subcommand) {
            lines.push(".PP".to_owned());
            lines.push(command_head(inner));
            lines.push(options(&own_part(inner, subcommand))?);
        }
        lines.push(".PP\nExamples:\n.PP\n.nf\n.RS".to_owned());
        for example in examples(subcommand) {
            lines.push(format!("\\fB{}\\fR", quote::roff(&example)));
        }
        lines.push(".RE\n.fi".to_owned());
    }
    lines.retain(|line| !line.is_empty()); // a command may have no option of its own
    Ok(lines.join("\n"))
}

/// Returns the examples below a command's help, without their heading.
fn examples(command: &clap::Command) -> Vec<String> {
    let text = match command.get_after_help() {
        Some(text) => text.to_string(),
        None => String::new(),
    };
    let lines = text.lines().skip(1);
    lines.map(|line| line.trim_start().to_owned()).collect()
}

/// Returns a command without the options of the command above it, which are described there.
fn own_part(command: &clap::Command, parent: &clap::Command) -> clap::Command {
    let parent_ids: Vec<_> = parent.get_arguments().map(clap::Arg::get_id).collect();
    command.clone().mut_args(|argument| {
        let is_hidden = argument.is_hide_set() || parent_ids.contains(&argument.get_id());
        argument.hide(is_hidden)
    })
}

/// Returns what a command does, and how it is typed.
fn command_head(command: &clap::Command) -> String {
    let mut about = String::new();
    if let Some(text) = command.get_about() {
        about = text.to_string();
    }
    let usage = command.clone().render_usage().to_string();
    let usage: Vec<&str> = usage
        .trim_start_matches("Usage: ")
        .split_whitespace()
        .collect();
    let usage = usage.join(" ");
    format!(
        "{}\n.PP\n\\fB{}\\fR",
        quote::roff(&about),
        quote::roff(&usage)
    )
}

/// Returns the commands below a command that take no further command.
fn innermost_commands(command: &clap::Command) -> Vec<&clap::Command> {
    let mut commands = Vec::new();
    for inner in command.get_subcommands() {
        if inner.has_subcommands() {
            commands.extend(innermost_commands(inner));
        } else {
            commands.push(inner);
        }
    }
    commands
}

/// Returns the forms of the answer of `token`.
fn formats(command: &clap::Command) -> String {
    let mut text = String::new();
    for subcommand in command.get_subcommands() {
        for argument in subcommand.get_arguments() {
            if subcommand.get_name() != "token" || argument.get_id() != "format" {
                continue;
            }
            for value in argument.get_possible_values() {
                let meaning = value.get_help().map(ToString::to_string);
                text += &list_entry(value.get_name(), &meaning.unwrap_or_default());
            }
        }
    }
    text
}

fn tools() -> String {
    let mut text = String::new();
    for tool in TOOLS {
        let kind = tool.kind.as_str();
        text += &list_entry(tool.name, &format!("{} ({kind})", tool.title));
    }
    text
}

/// Returns the line for the start-up file of each shell.
fn shells() -> String {
    let lines = LINES.map(quote::roff);
    lines.join("\n")
}

fn exit_status() -> String {
    let mut text = String::new();
    for (code, meaning) in Exit::meanings() {
        text += &list_entry(&code.to_string(), meaning);
    }
    text
}

fn aws_variables() -> String {
    let mut text = String::new();
    for variable in VARIABLES {
        text += &list_entry(variable.name, variable.meaning);
    }
    text
}

/// Returns the variables that decide who logs in to the services whose programs pgcred knows.
fn command_variables() -> Result<String> {
    let mut text = String::new();
    for preset in PRESETS {
        let definition = preset.definition()?;
        let names = definition.deciding_variables().join(", ");
        text += &list_entry(preset.name, &names);
    }
    Ok(text)
}

/// Returns an entry of a list: a word, and what it means.
fn list_entry(word: &str, meaning: &str) -> String {
    format!(".TP\n.B {}\n{}\n", quote::roff(word), quote::roff(meaning))
}

#[cfg(test)]
mod tests {
    use super::{TEMPLATE, aws_variables, command_variables};
    use crate::provider::PROVIDERS;
    use crate::provider::command::{PRESETS, provider_of};

    #[test]
    fn the_page_has_the_variables_of_every_authority() {
        let manual_page = aws_variables() + &command_variables().unwrap() + TEMPLATE;
        let mut providers = PROVIDERS.to_vec();
        providers.retain(|provider| provider.name != "fake");
        for preset in PRESETS {
            providers.push(provider_of(preset.definition().unwrap()));
        }
        for provider in providers {
            for variable in provider.authority.variables() {
                assert!(
                    manual_page.contains(variable),
                    "ENVIRONMENT lacks {variable}"
                );
            }
        }
        assert!(TEMPLATE.contains("\n@AWS_VARIABLES@\n"));
        assert!(TEMPLATE.contains("\n@COMMAND_VARIABLES@\n"));
    }
}

//! `pgcred man`: the manual page, made from what `--help` is made from.

use clap_mangen::Man as Page;

use super::help::with_examples;
use super::{Text, command_line};
use crate::error::{Error, Result};

#[derive(clap::Args)]
pub(super) struct Man {}

impl Text for Man {
    fn text(self) -> Result<String> {
        page()
    }
}

/// One page for all commands: what is a section of its own for clap is a part of COMMANDS here.
fn page() -> Result<String> {
    let failed = |error| Error::failure("cannot write the manual page").caused_by(&error);
    let mut command = with_examples(command_line());
    command.build();
    let global: Vec<_> = command.get_arguments().map(|argument| argument.get_id().clone()).collect();
    let mut text = Vec::new();
    let page = Page::new(command.clone());
    page.render_title(&mut text).map_err(failed)?;
    page.render_name_section(&mut text).map_err(failed)?;
    page.render_synopsis_section(&mut text).map_err(failed)?;
    page.render_description_section(&mut text).map_err(failed)?;
    page.render_options_section(&mut text).map_err(failed)?;
    text.extend_from_slice(b".SH COMMANDS\n");
    for subcommand in command.get_subcommands() {
        let own = subcommand.clone().mut_args(|argument| {
            let is_global = global.contains(argument.get_id());
            argument.hide(is_global)
        });
        let about = own.get_about().map(ToString::to_string).unwrap_or_default();
        let mut part = Vec::new();
        let page = Page::new(own);
        page.render_synopsis_section(&mut part).map_err(failed)?;
        page.render_options_section(&mut part).map_err(failed)?;
        let part = String::from_utf8_lossy(&part);
        let body = part
            .lines()
            .filter(|line| !line.starts_with(".SH") && !line.starts_with(".ie") && !line.starts_with(".el"));
        text.extend(format!(".SS {}\n", subcommand.get_name()).bytes());
        text.extend(format!("{about}\n.PP\n").bytes());
        body.for_each(|line| text.extend(format!("{line}\n").bytes()));
    }
    page.render_extra_section(&mut text).map_err(failed)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

//! psql and all of libpq: an entry per connection in the user's service file; the passfile has the
//! token.

use crate::error::{Error, Result};
use crate::setup::{Edit, Files, Machine, Own, Target, Tool, Way, Work, block};
use crate::sys::fs;

pub(super) const TOOL: Tool = Tool {
    name: "psql",
    title: "psql and libpq programs",
    programs: &["psql", "pgcli"],
    traces: &[],
    way: Way::Passfile,
    work: Work::Files(&ServiceFile),
};

struct ServiceFile;

const OWN: Own = Own::Part {
    without,
    same: |one, other| one == other,
};

fn without(text: &str) -> Result<Option<String>> {
    let (ours, rest) = block::split(text)?;
    Ok((ours.is_none() || !rest.is_empty()).then_some(rest))
}

impl Files for ServiceFile {
    fn clash(&self, machine: &Machine, target: &Target) -> Option<Error> {
        let file = &machine.service_file;
        let text = fs::read_plain(file).ok().flatten()?;
        let (_, rest) = block::split(&text).ok()?;
        let header = format!("[{}]", target.name);
        rest.lines().any(|line| line.trim() == header).then(|| {
            Error::usage(format!(
                "{}: there is a {header} of your own",
                file.display()
            ))
            .hint("give the connection another name: pgcred add NAME ...")
        })
    }

    fn set_up(&self, machine: &Machine, targets: &[Target]) -> Result<Vec<Edit>> {
        targets.iter().try_for_each(check_lines)?;
        let edit = Edit::of(machine.service_file.clone(), &OWN, |text| {
            let (old, rest) = block::split(text)?;
            check_start(&rest)?;
            let kept = sections(old.unwrap_or_default())
                .filter(|(name, _)| targets.iter().all(|target| target.name != *name));
            let lines: String = kept
                .map(|(_, lines)| lines)
                .chain(targets.iter().map(section))
                .collect();
            block::with(text, &lines)
        });
        Ok(vec![edit?])
    }

    fn text(&self, _: &Machine, targets: &[Target]) -> String {
        targets.iter().map(section).collect()
    }

    fn undo(&self, machine: &Machine) -> Result<Vec<Edit>> {
        Ok(vec![Edit::back(machine.service_file.clone(), &OWN)?])
    }

    fn without(&self, machine: &Machine, names: &[String]) -> Result<Vec<Edit>> {
        let edit = Edit::of(machine.service_file.clone(), &OWN, |text| {
            let (old, _) = block::split(text)?;
            let kept = sections(old.unwrap_or_default()).filter(|(name, _)| !names.contains(name));
            block::with(text, &kept.map(|(_, lines)| lines).collect::<String>())
        });
        Ok(vec![edit?])
    }

    fn steps(&self, _: &Machine, targets: &[Target]) -> Vec<String> {
        targets
            .iter()
            .map(|target| format!("psql service={}", target.name))
            .collect()
    }

    fn state(&self, machine: &Machine) -> Vec<String> {
        let text = fs::read_plain(&machine.service_file)
            .ok()
            .flatten()
            .unwrap_or_default();
        let (old, _) = block::split(&text).unwrap_or_default();
        sections(old.unwrap_or_default())
            .map(|(name, _)| name)
            .collect()
    }
}

fn section(target: &Target) -> String {
    let request = &target.request;
    let options: Vec<_> = target
        .options()
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!(
        "[{}]\nhost={}\nport={}\ndbname={}\nuser={}\n{}\n",
        target.name,
        request.host,
        request.port,
        request.dbname,
        request.user,
        options.join("\n")
    )
}

/// libpq cuts blanks at the end of a line, knows no quotes, and reads no file with a line that is
/// longer than its buffer.
fn check_lines(target: &Target) -> Result<()> {
    const LONGEST: usize = 1000;
    for line in section(target).lines() {
        let key = line.split('=').next().unwrap_or_default();
        let why = if line.ends_with(char::is_whitespace) {
            "ends in a blank, which libpq cuts off in service files"
        } else if line.len() > LONGEST {
            "is too long for a line of libpq's service file"
        } else {
            continue;
        };
        return Err(
            Error::usage(format!("{}: the {key} {why}", target.name)).hint(format!(
                "`pgcred exec {} -- psql` needs no service file",
                target.name
            )),
        );
    }
    Ok(())
}

/// A line that stands in no section now would stand in our last one, below the block; libpq would
/// take it or stumble.
fn check_start(rest: &str) -> Result<()> {
    let mut lines = rest
        .lines()
        .zip(1..)
        .map(|(line, number)| (line.trim(), number));
    match lines.find(|(line, _)| !line.is_empty() && !line.starts_with('#')) {
        Some((line, number)) if !line.starts_with('[') => Err(Error::usage(format!(
            "line {number} stands in no section, so libpq cannot use it"
        ))
        .hint("put it below a line [NAME], or remove it; a byte order mark counts too")),
        _ => Ok(()),
    }
}

/// The sections of the block, each with its name and whole text.
fn sections(lines: &str) -> impl Iterator<Item = (String, String)> {
    let parts =
        lines
            .split_inclusive('\n')
            .fold(Vec::new(), |mut parts: Vec<(String, String)>, line| {
                if let Some(name) = line
                    .trim()
                    .strip_prefix('[')
                    .and_then(|rest| rest.strip_suffix(']'))
                {
                    parts.push((name.to_owned(), String::new()));
                }
                if let Some((_, text)) = parts.last_mut() {
                    text.push_str(line);
                }
                parts
            });
    parts.into_iter()
}

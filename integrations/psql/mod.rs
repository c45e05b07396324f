//! psql and all of libpq: an entry per connection in the user's service file; the passfile has the token.

use crate::error::{Error, Result};
use crate::fs;
use crate::setup::{Edit, Files, Machine, Os, Target, Tool, Work, block, psql_version};

pub(super) const TOOL: Tool = Tool {
    name: "psql",
    title: "psql and libpq programs",
    programs: &["psql", "pgcli"],
    traces: &[],
    reads_passfile: true,
    work: Work::Files(&ServiceFile),
};

/// The first libpq that takes the system's root certificates by the name `system`.
const KNOWS_SYSTEM: u32 = 16;

struct ServiceFile;

impl Files for ServiceFile {
    fn set_up(&self, machine: &Machine, targets: &[Target]) -> Result<Vec<Edit>> {
        let roots = roots(machine);
        let edit = Edit::of(machine.service_file.clone(), |text| {
            let (old, rest) = block::split(text)?;
            for target in targets {
                let header = format!("[{}]", target.name);
                if rest.lines().any(|line| line.trim() == header) {
                    return Err(Error::usage(format!("there is a {header} of your own"))
                        .hint("give the connection another name: pgcred add NAME ..."));
                }
            }
            let kept =
                sections(old.unwrap_or_default()).filter(|(name, _)| targets.iter().all(|target| target.name != *name));
            let lines: String =
                kept.map(|(_, lines)| lines).chain(targets.iter().map(|target| section(target, &roots))).collect();
            Ok(Some(block::with(text, &lines)?))
        });
        Ok(vec![edit?])
    }

    fn undo(&self, machine: &Machine) -> Result<Vec<Edit>> {
        let edit = Edit::of(machine.service_file.clone(), |text| {
            let rest = block::with(text, "")?;
            Ok((!rest.is_empty()).then_some(rest))
        });
        Ok(vec![edit?])
    }

    fn steps(&self, _: &Machine, targets: &[Target]) -> Vec<String> {
        targets.iter().map(|target| format!("psql service={}", target.name)).collect()
    }

    fn state(&self, machine: &Machine) -> Vec<String> {
        let text = fs::read(&machine.service_file).and_then(|text| String::from_utf8(text).ok()).unwrap_or_default();
        let (old, _) = block::split(&text).unwrap_or_default();
        sections(old.unwrap_or_default()).map(|(name, _)| name).collect()
    }
}

fn roots(machine: &Machine) -> String {
    let system = psql_version().is_none_or(|version| version >= KNOWS_SYSTEM);
    match &machine.roots {
        Some(file) if !system && machine.os != Os::Windows => file.display().to_string(),
        _ => "system".to_owned(),
    }
}

fn section(target: &Target, roots: &str) -> String {
    let request = &target.request;
    format!(
        "[{}]\nhost={}\nport={}\ndbname={}\nuser={}\nsslmode=verify-full\nsslrootcert={roots}\n",
        target.name, request.host, request.port, request.dbname, request.user
    )
}

/// The sections of the block, each with its name and whole text.
fn sections(lines: &str) -> impl Iterator<Item = (String, String)> {
    let parts = lines.split_inclusive('\n').fold(Vec::new(), |mut parts: Vec<(String, String)>, line| {
        if let Some(name) = line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            parts.push((name.to_owned(), String::new()));
        }
        if let Some((_, text)) = parts.last_mut() {
            text.push_str(line);
        }
        parts
    });
    parts.into_iter()
}

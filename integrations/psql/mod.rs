//! Sets up psql and all other programs that use libpq: writes an entry for each connection into the
//! user's service file. `refresh` keeps the token in the passfile.
//!
//! ```text
//! ~/.pg_service.conf                or PGSERVICEFILE; %APPDATA%\postgresql\.pg_service.conf
//!
//!   # the mark that begins pgcred's block            (setup::block)
//!   [prod]                          one section for each connection: IniSection
//!   host=...                        the server, or the directory of the gateway's socket
//!   port= dbname= user= ...         no password: libpq looks it up in the passfile
//!   # the mark that ends the block
//!   [mine]                          the user's part: every byte stays
//! ```
//!
//! The block stands first in the file, so that no section of the user's ends up in it. A section
//! that is set up again is replaced, and the others in the block stay. A file with lines above its
//! first section is refused, because below the block they would become a part of pgcred's last
//! section.
//!
//! Undo takes the block out and leaves the user's part: byte for byte if it was not edited since,
//! as `FileOwnership` says, and no file if there was none. `remove` takes out single sections.
//! `follow_users` changes nothing but the lines `user=` in the block, for services that name the
//! user with each token.
//!
//! The host is the directory of the gateway's socket only where the user has asked for the gateway
//! (`--proxy`) and `proxy` of the connection has `socket = true`: there libpq needs no password. By
//! TCP the gateway asks for the local password, which libpq would have to know, so `steps` says
//! what to do.

use crate::config::LocalAuth;
use crate::error::{Error, Result};
use crate::setup::{
    FileOwnership, FollowedUsers, Machine, SetupEdit, SetupMethod, StoredPassword, TokenUser, Tool,
    ToolEntry, ToolFiles, ToolKind, ToolTarget, block,
};
use crate::sys::{fs, paths};

pub(super) const TOOL: Tool = Tool {
    name: "psql",
    title: "psql and libpq programs",
    programs: &["psql", "pgcli"],
    kind: ToolKind::Passfile,
    method: SetupMethod::Files(&ServiceFile),
    takes_hostaddr: true,
    follows_users: true,
    ..Tool::DEFAULT
};

struct ServiceFile;

/// pgcred's part is its block, the first in the file.
const OWNERSHIP: FileOwnership = FileOwnership::Part {
    users_part,
    is_equivalent: |one, other| one == other,
};

fn users_part(text: &str) -> Result<Option<String>> {
    let (block, rest) = block::split_at_block(text)?;
    if block.is_some() && rest.is_empty() {
        return Ok(None);
    }
    Ok(Some(rest))
}

impl ToolFiles for ServiceFile {
    fn conflict(&self, machine: &Machine, target: &ToolTarget) -> Option<Error> {
        let file = &machine.service_file;
        let text = machine.planned_files.read(file).ok().flatten()?;
        let (_, rest) = block::split_at_block(&text).ok()?;
        let header = format!("[{}]", target.name);
        if !rest.lines().any(|line| line.trim() == header) {
            return None;
        }
        let message = format!("{}: there is a {header} of your own", file.display());
        Some(
            Error::usage(message)
                .hint("give the connection another name with `pgcred add NAME ...`"),
        )
    }

    fn set_up(&self, machine: &Machine, targets: &[ToolTarget]) -> Result<Vec<SetupEdit>> {
        for target in targets {
            check_lines(target)?;
        }
        let edit = SetupEdit::changing(machine, machine.service_file.clone(), &OWNERSHIP, |text| {
            let (old, rest) = block::split_at_block(text)?;
            check_start(&rest)?;
            let mut lines = String::new();
            for section in sections(old.unwrap_or_default()) {
                if targets.iter().all(|target| target.name != section.name) {
                    lines += &section.text;
                }
            }
            lines += &text_of(targets);
            block::with_block(text, &lines)
        });
        Ok(vec![edit?])
    }

    fn preview(&self, _: &Machine, targets: &[ToolTarget]) -> String {
        text_of(targets)
    }

    /// Only the lines `user=` inside pgcred's block change.
    fn follow_users(&self, machine: &Machine, users: &[TokenUser]) -> Result<FollowedUsers> {
        let file = machine.service_file.clone();
        let mut followed = FollowedUsers::default();
        let mut edit = SetupEdit::changing(machine, file, &OWNERSHIP, |text| {
            block::with_changed(text, |lines| {
                Ok(with_users(lines, users, &mut followed.refused))
            })
        })?;
        if edit.old_text.is_some() {
            edit.backup_text = None; // the user's part is not touched
            followed.edits.push(edit);
        }
        Ok(followed)
    }

    fn undo(&self, machine: &Machine) -> Result<Vec<SetupEdit>> {
        let edit = SetupEdit::restoring(machine, machine.service_file.clone(), &OWNERSHIP);
        Ok(vec![edit?])
    }

    fn remove(&self, machine: &Machine, entries: &[String]) -> Result<Vec<SetupEdit>> {
        let edit = SetupEdit::changing(machine, machine.service_file.clone(), &OWNERSHIP, |text| {
            let (old, _) = block::split_at_block(text)?;
            let mut lines = String::new();
            for section in sections(old.unwrap_or_default()) {
                if !entries.contains(&section.name) {
                    lines += &section.text;
                }
            }
            block::with_block(text, &lines)
        });
        Ok(vec![edit?])
    }

    fn steps(&self, _: &Machine, targets: &[ToolTarget]) -> Vec<String> {
        const MAX_SHOWN: usize = 20;
        let mut steps = Vec::new();
        for target in targets.iter().take(MAX_SHOWN) {
            steps.push(format!("to open a session: psql service={}", target.name));
            steps.extend(password_step(target));
        }
        if targets.len() > MAX_SHOWN {
            let others = targets.len() - MAX_SHOWN;
            steps.push(format!(
                "and {others} more: psql service=NAME; `pgcred list` has the names"
            ));
        }
        steps
    }

    fn inspect(&self, machine: &Machine) -> Vec<ToolEntry> {
        let Ok(Some(text)) = fs::read_plain(&machine.service_file) else {
            return Vec::new();
        };
        let Ok((block, rest)) = block::split_at_block(&text) else {
            return Vec::new();
        };
        let mut entries = Vec::new();
        for section in sections(block.unwrap_or_default()) {
            entries.push(section.own_entry());
        }
        for section in sections(&rest) {
            entries.push(section.users_entry());
        }
        entries
    }

    /// Returns the names of pgcred's sections. A file that cannot be read has none.
    fn configured_names(&self, machine: &Machine) -> Vec<String> {
        let Ok(Some(text)) = fs::read_plain(&machine.service_file) else {
            return Vec::new();
        };
        let Ok((Some(block), _)) = block::split_at_block(&text) else {
            return Vec::new();
        };
        sections(block)
            .into_iter()
            .map(|section| section.name)
            .collect()
    }
}

fn text_of(targets: &[ToolTarget]) -> String {
    targets.iter().map(section_of).collect()
}

/// Returns the directory of the gateway's socket, at which libpq needs no password.
fn socket_of(target: &ToolTarget) -> Option<String> {
    if !target.uses_gateway || !target.gateway?.socket {
        return None;
    }
    Some(paths::gateway_sockets()?.display().to_string())
}

/// Says how the password of a target comes to libpq that connects through the gateway.
fn password_step(target: &ToolTarget) -> Option<String> {
    let gateway = target.gateway?;
    let is_asked = target.uses_gateway && gateway.auth == LocalAuth::Password;
    if !is_asked || socket_of(target).is_some() {
        return None;
    }
    let name = &target.name;
    Some(format!(
        "libpq runs no command for a password: type the one that `pgcred proxy --password {name}` \
         prints, or add `socket = true` to `proxy` of {name}, at whose socket none is needed"
    ))
}

fn section_of(target: &ToolTarget) -> String {
    let request = &target.request;
    let host = socket_of(target).unwrap_or_else(|| request.host.clone());
    let mut lines = vec![
        format!("[{}]", target.name),
        format!("host={host}"),
        format!("port={}", request.port),
        format!("dbname={}", request.dbname),
        format!("user={}", request.user),
    ];
    for (keyword, value) in target.options() {
        lines.push(format!("{keyword}={value}"));
    }
    lines.join("\n") + "\n"
}

/// Refuses a connection that a service file cannot hold: libpq cuts blanks at the end of a line,
/// knows no quotes, and reads no file with a line that is longer than its buffer.
fn check_lines(target: &ToolTarget) -> Result<()> {
    for line in section_of(target).lines() {
        check_line(line, &target.name)?;
    }
    Ok(())
}

fn check_line(line: &str, name: &str) -> Result<()> {
    const MAX_LINE_LENGTH: usize = 1000;
    let keyword = line.split('=').next().unwrap_or_default();
    let problem = if line.ends_with(char::is_whitespace) {
        "ends in a space, which libpq cuts off in service files"
    } else if line.len() > MAX_LINE_LENGTH {
        "is too long for a line of libpq's service file"
    } else {
        return Ok(());
    };
    Err(
        Error::usage(format!("{name}: the {keyword} {problem}")).hint(format!(
            "run `pgcred exec {name} -- psql`, which needs no service file"
        )),
    )
}

/// Returns the lines of pgcred's block with these users in the sections of their connections. One
/// that a service file cannot hold is refused, and the line of before stays.
fn with_users(block: &str, users: &[TokenUser], refused: &mut Vec<Error>) -> String {
    let mut lines = String::new();
    let mut section = None;
    for line in block.split_inclusive('\n') {
        if let Some(name) = header(line) {
            section = users.iter().find(|user| user.connection == name);
        }
        match section {
            Some(user) if line.starts_with("user=") => {
                let new_line = format!("user={}", user.user);
                match check_line(&new_line, &user.connection) {
                    Ok(()) => {
                        lines += &new_line;
                        lines.push('\n');
                    }
                    Err(error) => {
                        refused.push(error);
                        lines += line;
                    }
                }
            }
            _ => lines += line,
        }
    }
    lines
}

/// Refuses a file that has lines above its first section. Below pgcred's block they would stand in
/// pgcred's last section, and libpq would read them as a part of it.
fn check_start(users_part: &str) -> Result<()> {
    for (index, line) in users_part.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            return Ok(());
        }
        if !line.is_empty() && !line.starts_with('#') {
            let number = index + 1;
            return Err(Error::usage(format!(
                "line {number} stands in no section, so libpq cannot use it"
            ))
            .hint(
                "put it below a line [NAME], or remove it; at the beginning of the file it may be \
                 an invisible byte order mark",
            ));
        }
    }
    Ok(())
}

/// One section of pgcred's block.
struct IniSection {
    name: String,
    /// The header and the lines below it.
    text: String,
}

impl IniSection {
    /// Returns the entry of a section that pgcred has written.
    fn own_entry(self) -> ToolEntry {
        ToolEntry {
            connection: Some(self.name.clone()),
            ..self.users_entry()
        }
    }

    /// Returns the entry of a section that the user has written.
    fn users_entry(self) -> ToolEntry {
        let password = match self.value("password") {
            Some("") | None => StoredPassword::None,
            Some(_) => StoredPassword::Kept,
        };
        ToolEntry {
            connection: None,
            host: self.value("host").unwrap_or_default().to_owned(),
            commands: Vec::new(),
            password,
            name: self.name,
        }
    }

    /// Returns the value of a keyword, without the blanks that libpq cuts off.
    fn value(&self, keyword: &str) -> Option<&str> {
        for line in self.text.lines() {
            if let Some((key, value)) = line.split_once('=')
                && key.trim() == keyword
            {
                return Some(value.trim());
            }
        }
        None
    }
}

fn sections(block: &str) -> Vec<IniSection> {
    let mut sections: Vec<IniSection> = Vec::new();
    for line in block.split_inclusive('\n') {
        if let Some(name) = header(line) {
            sections.push(IniSection {
                name: name.to_owned(),
                text: String::new(),
            });
        }
        if let Some(section) = sections.last_mut() {
            section.text.push_str(line);
        }
    }
    sections
}

/// Returns the name in a line `[NAME]`.
fn header(line: &str) -> Option<&str> {
    line.trim().strip_prefix('[')?.strip_suffix(']')
}

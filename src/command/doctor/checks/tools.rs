//! Checks the tools: what their own files say that pgcred, or the user, has put there.
//!
//! A thread of `jobs` reads the files of all tools, by the `look` of each integration. The checks
//! wait for it until the deadline of the run, and then go by [`ToolState`] alone. What they decide
//! from that is pure: `finding_of`, `fault_of_command`, `judge_entries`.

use std::path::Path;

use crate::command::doctor::check::Check;
use crate::command::doctor::context::Examination;
use crate::command::doctor::finding::Finding;
use crate::command::doctor::jobs::ToolState;
use crate::command::doctor::redact::RedactedKind;
use crate::provider;
use crate::setup::{StoredPassword, ToolEntry};
use crate::text::quote;

pub(super) const CHECKS: &[Check] = &[
    Check::for_machine("tools.found", "which tools are set up", examine_tools_found),
    Check::for_machine(
        "tools.commands",
        "whether the commands in tools still lead to this pgcred",
        examine_commands,
    ),
    Check::for_machine(
        "tools.passwords",
        "whether a tool keeps a password instead of asking",
        examine_passwords,
    ),
    Check::for_machine(
        "tools.entries",
        "whether tools have entries of connections that are gone",
        examine_entries,
    ),
    Check::for_machine(
        "tools.jdbc",
        "whether a Java tool has an empty password",
        examine_jdbc,
    ),
];

/// Judges the tools as they are, if they are known in time.
fn with_tools(
    examination: &mut Examination<'_>,
    judge: impl FnOnce(&[ToolState]) -> Finding,
) -> Finding {
    let deadline = examination.deadline;
    let Some(tools) = examination.jobs.tools(deadline) else {
        return Finding::skip("the tools' files could not be read in time");
    };
    let mut finding = judge(tools);
    for tool in tools {
        for entry in &tool.entries {
            if !entry.host.is_empty() {
                finding = finding.naming(RedactedKind::Connection, &entry.name);
            }
            if let Some(connection) = &entry.connection {
                finding = finding.naming(RedactedKind::Connection, connection);
            }
        }
    }
    finding
}

fn examine_tools_found(examination: &mut Examination<'_>) -> Finding {
    with_tools(examination, |tools| {
        let mut clauses = Vec::new();
        for tool in tools {
            if !tool.set_up.is_empty() {
                clauses.push(format!("{}: {}", tool.title, tool.set_up.join(", ")));
            }
        }
        if clauses.is_empty() {
            return Finding::ok("none by files; `pgcred setup` shows what there is");
        }
        Finding::ok(clauses.join("; "))
    })
}

/// What is wrong with a command in a tool.
#[derive(Debug, PartialEq, Eq)]
enum CommandFault {
    /// The program is named without its directory.
    NotAbsolute(String),
    Gone(String),
    OtherPgcred(String),
}

fn examine_commands(examination: &mut Examination<'_>) -> Finding {
    let own_path = examination.machine.pgcred.clone();
    with_tools(examination, |tools| {
        for tool in tools {
            for entry in &tool.entries {
                for text in &entry.commands {
                    if is_of_tokens(entry, text)
                        && let Some(fault) = fault_of_command(text, &own_path)
                    {
                        return finding_of(&fault, tool, entry);
                    }
                }
            }
        }
        Finding::ok("every command in a tool leads to this pgcred")
    })
}

/// Tells whether a command of an entry has to do with tokens: the user may have others.
fn is_of_tokens(entry: &ToolEntry, command: &str) -> bool {
    command.contains("pgcred") || has_token_login(entry)
}

/// Tells whether the host of an entry takes tokens, or pgcred has made the entry.
fn has_token_login(entry: &ToolEntry) -> bool {
    entry.connection.is_some() || provider::find_by_host(&entry.host).is_some()
}

fn finding_of(fault: &CommandFault, tool: &ToolState, entry: &ToolEntry) -> Finding {
    let problem = match fault {
        CommandFault::NotAbsolute(program) => format!("runs `{program}` without its directory"),
        CommandFault::Gone(program) => format!("{program} does not exist any more"),
        CommandFault::OtherPgcred(program) => format!("runs another pgcred, {program}"),
    };
    Finding::warn(
        "tool.path",
        format!("{}, {}: {problem}", tool.title, entry.name),
    )
    .with_command(format!("pgcred setup {}", tool.name))
}

/// Returns what is wrong with the program of a command, or with the pgcred in a text.
fn fault_of_command(text: &str, own_path: &Path) -> Option<CommandFault> {
    let (program, is_pgcred) = match pgcred_in(text) {
        Some(program) => (program, true),
        // The files of a scheduler; one of them may only name the other.
        None if text.trim().contains('\n') => return None,
        None => (first_word(text)?, false),
    };
    let path = Path::new(program);
    if program.contains("${") {
        return None; // the tool fills it in
    }
    if !path.is_absolute() {
        return Some(CommandFault::NotAbsolute(program.to_owned()));
    }
    if !path.exists() {
        return Some(CommandFault::Gone(program.to_owned()));
    }
    if is_pgcred && path.canonicalize().ok() != own_path.canonicalize().ok() {
        return Some(CommandFault::OtherPgcred(program.to_owned()));
    }
    None
}

/// Returns the path in a text that ends in `pgcred`: the text is a command line, or the file of a
/// scheduler.
fn pgcred_in(text: &str) -> Option<&str> {
    const NAME: &str = "pgcred";
    for (start, _) in text.match_indices(NAME) {
        let mut end = start + NAME.len();
        if text[end..].starts_with(".exe") {
            end += ".exe".len();
        }
        let after = text[end..].chars().next();
        let is_end = match after {
            Some(c) => c.is_whitespace() || "\"'<".contains(c),
            None => true,
        };
        let preceding = &text[..start];
        // A quoted path may have blanks; any other ends at one.
        let begin = match after {
            Some(quote @ ('"' | '\'')) => preceding.rfind(quote),
            _ => preceding.rfind(|c: char| c.is_whitespace() || "\"'>=".contains(c)),
        };
        let path = &text[begin.map_or(0, |begin| begin + 1)..end];
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        if is_end && name.trim_end_matches(".exe") == NAME {
            return Some(path);
        }
    }
    None
}

fn first_word(command: &str) -> Option<&str> {
    let command = command.trim();
    for quote in ['"', '\''] {
        if let Some(rest) = command.strip_prefix(quote) {
            return rest.split(quote).next();
        }
    }
    command.split_whitespace().next()
}

fn examine_passwords(examination: &mut Examination<'_>) -> Finding {
    with_tools(examination, |tools| {
        match first_with(tools, StoredPassword::Kept) {
            Some((tool, entry)) => Finding::warn(
                "token.pasted",
                format!(
                    "{}, {}: keeps a password, and a token that is kept there is soon too old",
                    tool.title, entry.name
                ),
            )
            .with_command(format!("pgcred setup {}", tool.name)),
            None => Finding::ok("none that can be seen"),
        }
    })
}

fn examine_jdbc(examination: &mut Examination<'_>) -> Finding {
    with_tools(examination, |tools| {
        match first_with(tools, StoredPassword::Empty) {
            Some((tool, entry)) => Finding::warn(
                "tool.jdbc.empty",
                format!(
                    "{}, {}: has an empty password, so the driver does not read the passfile",
                    tool.title, entry.name
                ),
            )
            .with_command(format!("pgcred setup {}", tool.name)),
            None => Finding::ok("none that can be seen"),
        }
    })
}

/// Returns the first entry for a host with tokens whose password is kept so.
fn first_with(
    tools: &[ToolState],
    stored_password: StoredPassword,
) -> Option<(&ToolState, &ToolEntry)> {
    for tool in tools {
        for entry in &tool.entries {
            if entry.password == stored_password && has_token_login(entry) {
                return Some((tool, entry));
            }
        }
    }
    None
}

fn examine_entries(examination: &mut Examination<'_>) -> Finding {
    let mut names = Vec::new();
    for connection in &examination.app.preferences.config.connections {
        names.push(connection.name.clone());
    }
    with_tools(examination, |tools| judge_entries(tools, &names))
}

fn judge_entries(tools: &[ToolState], names: &[String]) -> Finding {
    for tool in tools {
        for entry in &tool.entries {
            if let Some(connection) = &entry.connection
                && !names.contains(connection)
            {
                let detail = format!(
                    "{}, {}: there is no connection `{connection}` any more",
                    tool.title, entry.name
                );
                let name = quote::typed(connection);
                return Finding::warn("tool.entry", detail)
                    .with_command(format!("pgcred setup {} {name} --undo", tool.name));
            }
        }
    }
    Finding::ok("every entry has its connection")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::ToolKind;

    #[test]
    fn the_path_of_pgcred_is_found_in_each_kind_of_text() {
        for (text, expected) in [
            (
                "/usr/bin/pgcred token --host h < /dev/null",
                Some("/usr/bin/pgcred"),
            ),
            ("'/opt/my dir/pgcred' token", Some("/opt/my dir/pgcred")),
            ("\"C:\\a b\\pgcred.exe\" token", Some("C:\\a b\\pgcred.exe")),
            ("pgcred token", Some("pgcred")),
            ("ExecStart=/u/pgcred refresh", Some("/u/pgcred")),
            (
                "# by `pgcred setup`\nExecStart=\"/u/pgcred\" refresh",
                Some("/u/pgcred"),
            ),
            ("<string>/u/pgcred</string>", Some("/u/pgcred")),
            ("*/2 * * * * /u/pgcred refresh", Some("/u/pgcred")),
            ("/home/pgcred/aws token", None),
            ("aws rds generate-db-auth-token", None),
            ("/u/pgcred-aws dsql", None),
            ("", None),
        ] {
            assert_eq!(pgcred_in(text), expected, "{text}");
        }
        assert_eq!(first_word(" \"a b\" c"), Some("a b"));
        assert_eq!(first_word("aws rds"), Some("aws"));
        assert_eq!(first_word(""), None);
    }

    #[test]
    #[cfg_attr(windows, ignore = "the paths are those of Unix")]
    fn a_command_is_judged_by_its_program() {
        let own = std::env::current_exe().expect("a path");
        for (text, expected) in [
            ("aws rds", Some(CommandFault::NotAbsolute("aws".to_owned()))),
            (
                "pgcred token",
                Some(CommandFault::NotAbsolute("pgcred".to_owned())),
            ),
            (
                "/none/pgcred token",
                Some(CommandFault::Gone("/none/pgcred".to_owned())),
            ),
            (
                "/none/aws x",
                Some(CommandFault::Gone("/none/aws".to_owned())),
            ),
            ("\"${home}/pgcred\" token", None),
            ("/bin/sh -c x", None),
            (
                "# Written by `pgcred setup systemd`\n[Timer]\nUnit=pgcred-refresh.service\n",
                None,
            ),
            ("", None),
        ] {
            assert_eq!(fault_of_command(text, &own), expected, "{text}");
        }
    }

    fn tool(entry: ToolEntry) -> [ToolState; 1] {
        [ToolState {
            name: "tool",
            title: "The Tool",
            kind: ToolKind::Command,
            set_up: Vec::new(),
            entries: vec![entry],
        }]
    }

    #[test]
    fn a_password_counts_only_for_hosts_with_tokens() {
        let entry = |host: &str, connection: Option<&str>| ToolEntry {
            host: host.to_owned(),
            connection: connection.map(str::to_owned),
            password: StoredPassword::Kept,
            ..ToolEntry::default()
        };
        let dsql = "foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws";
        for (entry, expected) in [
            (entry(dsql, None), true),
            (entry("localhost", Some("prod")), true),
            (entry("localhost", None), false),
        ] {
            let tools = tool(entry);
            assert_eq!(first_with(&tools, StoredPassword::Kept).is_some(), expected);
            assert!(first_with(&tools, StoredPassword::Empty).is_none());
            assert_eq!(is_of_tokens(&tools[0].entries[0], "./tunnel.sh"), expected);
            assert!(is_of_tokens(&tools[0].entries[0], "pgcred token"));
        }
    }

    #[test]
    fn an_entry_without_its_connection_is_found() {
        let entry = ToolEntry {
            name: "Prod".to_owned(),
            connection: Some("prod".to_owned()),
            ..ToolEntry::default()
        };
        let tools = tool(entry);
        assert_eq!(judge_entries(&tools, &["prod".to_owned()]).cause, None);
        let finding = judge_entries(&tools, &[]);
        assert_eq!(finding.cause, Some("tool.entry"));
        assert_eq!(finding.commands, ["pgcred setup tool prod --undo"]);
    }
}

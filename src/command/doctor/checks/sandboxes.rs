//! Finds sandboxes: Flatpak, Snap and the App Store's containers, in which a tool sees other files
//! than the user does.

use std::path::{Path, PathBuf};

use crate::command::doctor::finding::Finding;
use crate::setup::Machine;
use crate::sys::fs;

/// A tool in a sandbox, and what the sandbox keeps from it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SandboxedTool {
    /// It reads the passfile, but runs no program outside the home directory.
    Flatpak(String),
    /// It sees no file of the home directory whose name begins with a dot.
    Snap(String),
    /// It sees no file but its own.
    Container(String),
}

/// The Flatpaks and the Snaps that connect to PostgreSQL.
const FLATPAKS: [&str; 4] = [
    "io.dbeaver.DBeaverCommunity",
    "io.beekeeperstudio.Studio",
    "org.pgadmin.pgadmin4",
    "org.dbgate.DbGate",
];
const SNAPS: [&str; 4] = ["dbeaver-ce", "beekeeper-studio", "dbgate", "pgadmin4"];
/// The words in the names of containers of such apps, in lower case.
const CONTAINERS: [&str; 3] = ["postico", "tableplus", "beekeeper"];

/// Returns the sandboxed tools of this machine that get in pgcred's way.
pub(super) fn sandboxed_tools(machine: &Machine) -> Vec<SandboxedTool> {
    let home = &machine.home;
    let mut tools = Vec::new();
    if !machine.pgcred.starts_with(home) {
        let data_directories = [
            home.join(".local/share/flatpak/app"),
            PathBuf::from("/var/lib/flatpak/app"),
        ];
        for id in FLATPAKS {
            let has_data = home.join(".var/app").join(id).is_dir();
            if has_data
                || data_directories
                    .iter()
                    .any(|directory| directory.join(id).is_dir())
            {
                tools.push(SandboxedTool::Flatpak(id.to_owned()));
            }
        }
    }
    for name in SNAPS {
        let file = Path::new("/snap").join(name).join("current/meta/snap.yaml");
        let text = fs::read(&file).unwrap_or_default();
        if is_strict(&String::from_utf8_lossy(&text)) {
            tools.push(SandboxedTool::Snap(name.to_owned()));
        }
    }
    for path in fs::list(&home.join("Library/Containers")) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_container_of_tool(&name) {
            tools.push(SandboxedTool::Container(name.into_owned()));
        }
    }
    tools
}

fn is_strict(yaml: &str) -> bool {
    for line in yaml.lines() {
        if let Some(confinement) = line.strip_prefix("confinement:") {
            return confinement.trim() == "strict";
        }
    }
    false
}

fn is_container_of_tool(name: &str) -> bool {
    let name = name.to_lowercase();
    CONTAINERS.iter().any(|word| name.contains(word))
}

pub(super) fn judge_sandboxes(tools: &[SandboxedTool]) -> Finding {
    let Some(first) = tools.first() else {
        return Finding::ok("no tool in a sandbox is seen");
    };
    match first {
        SandboxedTool::Flatpak(id) => Finding::warn(
            "tool.flatpak",
            format!("{id} is a Flatpak, which runs no program outside the home directory"),
        )
        .with_advice("let it read the passfile, or install pgcred below the home directory"),
        SandboxedTool::Snap(name) => Finding::warn(
            "tool.snap",
            format!("{name} is a strict snap, which sees neither ~/.pgpass nor ~/.aws"),
        )
        .with_command(format!("sudo snap install {name} --classic")),
        SandboxedTool::Container(name) => Finding::warn(
            "tool.mac",
            format!("{name} is from the App Store, and sees no file but its own"),
        )
        .with_advice("install the app from its maker's page"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strict_snap_and_a_container_are_recognised() {
        assert!(is_strict("name: x\nconfinement: strict\n"));
        assert!(!is_strict("name: x\nconfinement: classic\n"));
        assert!(!is_strict(""));
        assert!(is_container_of_tool("at.eggerapps.Postico"));
        assert!(!is_container_of_tool("com.apple.mail"));
    }

    #[test]
    fn each_sandbox_has_its_cause() {
        let name = || "x".to_owned();
        for (found, cause) in [
            (vec![], None),
            (vec![SandboxedTool::Flatpak(name())], Some("tool.flatpak")),
            (vec![SandboxedTool::Snap(name())], Some("tool.snap")),
            (vec![SandboxedTool::Container(name())], Some("tool.mac")),
        ] {
            assert_eq!(judge_sandboxes(&found).cause, cause);
        }
    }
}

//! Sets up the local gateway as a service of the user, so that tools find it whenever they connect.
//!
//! ```text
//! setup::scheduler   the words of the command, and where the gateway listens
//!        |
//!        v
//!      texts         systemd          pgcred-proxy.socket and .service: the gateway is started
//!        |                            when a tool connects, and ends when none needs it
//!        |           launchd          pgcred.proxy.plist: it always runs
//!        |           Task Scheduler   pgcred-proxy.xml: it is started at the log-on
//!        v
//!     commands       what was set up before is ended first, because its ports may be others;
//!                    if nothing has changed since, it is left running
//! ```
//!
//! The calls of the three managers, and how a command is written for them, are those of their
//! schedulers.

use std::path::PathBuf;

use super::{launchd, systemd, task_scheduler};
use crate::setup::{
    EditDestination, Machine, Os, Schedule, ScheduledText, ScheduledWork, Scheduler, SetupCommands,
    SetupDirection, SetupMethod, Tool, ToolKind,
};
use crate::sys::{env, fs};
use crate::text::quote;

pub(super) const TOOL: Tool = Tool {
    name: "proxy",
    title: "local gateway",
    programs: &["systemctl", "launchctl", "schtasks"],
    kind: ToolKind::Service,
    method: SetupMethod::Files(&Scheduler {
        work: ScheduledWork::Gateway,
        texts,
        commands: commands_of_service,
        probe,
        remark: "it serves tools while you are logged in; after a change of `proxy` in a \
                 connection, set it up again",
    }),
    ..Tool::DEFAULT
};

/// What a user enters into a tool that connects through the gateway.
pub(crate) const DIALOG: &str = include_str!("tool.txt");

const SOCKET: &str = "pgcred-proxy.socket";
const SERVICE: &str = "pgcred-proxy.service";
const AGENT: &str = "pgcred.proxy.plist";
const LABEL: &str = "pgcred.proxy";
const TASK_FILE: &str = "pgcred-proxy.xml";

/// The task's name in Task Scheduler.
const TASK: &str = "pgcred proxy";

fn texts(machine: &Machine) -> Vec<ScheduledText> {
    let scheduled_text = |name, text| ScheduledText {
        destination: EditDestination::File(file_of_service(machine, name)),
        text,
    };
    match machine.os {
        Os::Linux => vec![
            scheduled_text(SERVICE, service_text),
            scheduled_text(SOCKET, socket_text),
        ],
        Os::Mac => vec![scheduled_text(AGENT, agent_text)],
        Os::Windows => vec![scheduled_text(TASK_FILE, task_text)],
    }
}

fn file_of_service(machine: &Machine, name: &str) -> PathBuf {
    let directory = match machine.os {
        Os::Linux => systemd::units_directory(machine),
        Os::Mac => launchd::agents_directory(machine),
        Os::Windows => machine.pgcred_config.clone(),
    };
    directory.join(name)
}

fn service_text(schedule: &Schedule) -> String {
    let mut command_line = schedule.command_line.clone();
    command_line.extend(["--exit-idle", "15m"].map(str::to_owned));
    include_str!("pgcred-proxy.service")
        .replace("{read_at_start}", &schedule.read_at_start)
        .replace("{command}", &systemd::command_line(&command_line))
}

/// Returns the unit of the sockets. `%t` is the directory that the gateway takes for its own
/// sockets, too.
fn socket_text(schedule: &Schedule) -> String {
    let mut listeners = Vec::new();
    for proxy in &schedule.listeners {
        let port = proxy.port;
        listeners.push(format!("ListenStream=127.0.0.1:{port}\n"));
        if proxy.socket {
            listeners.push(format!("ListenStream=%t/pgcred/.s.PGSQL.{port}\n"));
        }
    }
    include_str!("pgcred-proxy.socket").replace("{listeners}", &listeners.concat())
}

fn agent_text(schedule: &Schedule) -> String {
    include_str!("pgcred.proxy.plist")
        .replace("{read_at_start}", &schedule.read_at_start)
        .replace("{words}", &launchd::strings(&schedule.command_line))
}

/// Returns the task. Without a user its trigger would be the log-on of anyone, for which Windows
/// wants an administrator.
fn task_text(schedule: &Schedule) -> String {
    let user = env::var("USERNAME").unwrap_or_default();
    let user = match env::var("USERDOMAIN") {
        Some(domain) => format!("{domain}\\{user}"),
        None => user,
    };
    include_str!("pgcred-proxy.xml")
        .replace("{read_at_start}", &schedule.read_at_start)
        .replace("{user}", &quote::xml_in_ascii(&user))
        .replace(
            "{arguments}",
            &task_scheduler::arguments(&schedule.command_line),
        )
}

fn commands_of_service(machine: &Machine, direction: SetupDirection) -> SetupCommands {
    match machine.os {
        Os::Linux => commands_of_systemd(machine, direction),
        Os::Mac => SetupCommands {
            unchanged: vec![launchd::loaded_check_command(LABEL)],
            ..launchd::reload_commands(&file_of_service(machine, AGENT), direction)
        },
        Os::Windows => commands_of_task_scheduler(machine, direction),
    }
}

/// systemd keeps the sockets of an active unit as they are, and starts no such unit while its
/// service runs. Therefore both are ended before the files change.
fn commands_of_systemd(machine: &Machine, direction: SetupDirection) -> SetupCommands {
    let mut commands = SetupCommands::default();
    let reload = systemd::systemctl(&["daemon-reload"]);
    if direction == SetupDirection::Undo {
        commands.before = vec![
            systemd::systemctl(&["disable", "--now", SOCKET]),
            systemd::systemctl(&["stop", SERVICE]),
        ];
        commands.after = vec![reload];
        return commands;
    }
    if fs::read(&file_of_service(machine, SOCKET)).is_some() {
        commands.before = vec![systemd::systemctl(&["stop", SOCKET, SERVICE])];
    }
    commands.after = vec![reload, systemd::systemctl(&["enable", "--now", SOCKET])];
    commands.unchanged = vec![systemd::systemctl(&["is-active", "--quiet", SOCKET])];
    commands
}

fn commands_of_task_scheduler(machine: &Machine, direction: SetupDirection) -> SetupCommands {
    let file = file_of_service(machine, TASK_FILE);
    let mut commands = SetupCommands::default();
    if fs::read(&file).is_some() {
        commands.before = vec![task_scheduler::schtasks(&["/End", "/TN", TASK])];
    }
    if direction == SetupDirection::Undo {
        let delete = task_scheduler::schtasks(&["/Delete", "/F", "/TN", TASK]);
        commands.before.push(delete);
        return commands;
    }
    let file = file.display().to_string();
    let run = task_scheduler::schtasks(&["/Run", "/TN", TASK]);
    // A task that runs is not started twice (`IgnoreNew`).
    commands.unchanged = vec![run.clone()];
    commands.after = vec![
        task_scheduler::schtasks(&["/Create", "/F", "/TN", TASK, "/XML", &file]),
        run,
    ];
    commands
}

fn probe(machine: &Machine) -> Option<&'static [&'static str]> {
    match machine.os {
        Os::Linux => Some(&["systemctl", "--user", "show-environment"]),
        Os::Mac => Some(&["launchctl", "list"]),
        Os::Windows => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{GatewaySettings, LocalAuth};

    fn schedule() -> Schedule {
        let listener = |port, socket| GatewaySettings {
            port,
            socket,
            auth: LocalAuth::Password,
        };
        Schedule {
            minutes: 2,
            command_line: ["/o p/pgcred", "proxy", "--config", "/a&b"]
                .map(str::to_owned)
                .to_vec(),
            listeners: vec![listener(15432, true), listener(15433, false)],
            read_at_start: "0123".to_owned(),
        }
    }

    #[test]
    fn the_sockets_are_those_of_the_connections() {
        let text = socket_text(&schedule());
        let listeners = "[Socket]\nListenStream=127.0.0.1:15432\n\
                         ListenStream=%t/pgcred/.s.PGSQL.15432\n\
                         ListenStream=127.0.0.1:15433\nSocketMode=0600\n";
        assert!(text.contains(listeners), "{text}");
    }

    /// A gateway that has read another configuration is started again.
    #[test]
    fn what_the_gateway_has_read_is_a_part_of_its_texts() {
        for text in [
            service_text(&schedule()),
            agent_text(&schedule()),
            task_text(&schedule()),
        ] {
            assert!(
                text.contains("The configuration that it reads: 0123"),
                "{text}"
            );
        }
    }

    /// Only systemd starts the gateway again when a tool connects.
    #[test]
    fn the_gateway_ends_by_itself_only_where_a_tool_starts_it() {
        let text = service_text(&schedule());
        let command = "ExecStart=\"/o p/pgcred\" \"proxy\" \"--config\" \"/a&b\" \
                       \"--exit-idle\" \"15m\"\n";
        assert!(text.contains(command), "{text}");
        assert!(agent_text(&schedule()).contains("    <string>/a&amp;b</string>\n  </array>\n"));
        let task = task_text(&schedule());
        let arguments = "<Arguments>--headless &quot;/o p/pgcred&quot; proxy --config \
                         &quot;/a&amp;b&quot;</Arguments>";
        assert!(task.contains(arguments), "{task}");
        for text in [agent_text(&schedule()), task] {
            assert!(!text.contains("idle") && !text.contains('{'), "{text}");
        }
    }
}

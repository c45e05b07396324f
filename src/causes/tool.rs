//! Lists the causes that lie in tools: what a desktop program or a driver does with the command or
//! the password.
//!
//! There are rows of the table here, and nothing else. A row here is mended in the tool: its
//! connection, its driver or its sandbox. The stages `tools` and `clients` of doctor find those
//! that leave traces in files.

use super::text::{certain, likely};
use super::{Cause, CauseDetection};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "tool.path",
        title: "the tool does not find the program that makes the token",
        meaning: "A program that was started from a desktop has a short PATH and \
            none of the shell's variables. A command in it needs a whole path and its own \
            --profile.",
        fix: "Let pgcred write the command, with its whole path.",
        templates: &["pgcred setup {tool}"],
        texts: &[
            certain(&["aws: command not found"]),
            certain(&["pgcred: command not found"]),
            certain(&["pgcred: not found"]),
            certain(&["aws: not found"]),
            certain(&["command not found: aws"]),
            certain(&["command not found: pgcred"]),
            certain(&["'aws' is not recognized"]),
            certain(&["'pgcred' is not recognized"]),
            certain(&["env: aws: no such file"]),
            certain(&["env: pgcred: no such file"]),
            certain(&["createprocess error=2"]),
            certain(&["cannot run program \"pgcred\""]),
            certain(&["cannot run program \"aws\""]),
            certain(&["enoent", "spawn aws"]),
            certain(&["enoent", "spawn pgcred"]),
            certain(&["pgcred", "not found in $path"]),
            certain(&["aws", "not found in $path"]),
            certain(&["returned non-zero exit status 127"]),
        ],
        detection: CauseDetection::Checks(&["tools.commands"]),
    },
    Cause {
        id: "tool.command",
        title: "the command that makes the token has failed inside the tool",
        meaning: "The tool ran the command and shows only its exit code: 3 says that a login is \
            missing, 4 that there is no such target, 2 that an option is wrong.",
        fix: "Run pgcred in a terminal to see the reason.",
        templates: &["pgcred token {target}"],
        texts: &[
            likely(&["returned non-zero exit status"]).unless(&["127"]),
            certain(&["password command exited with code"]),
            certain(&["password command returned empty output"]),
            certain(&["command", "timed out after 60 seconds"]),
        ],
        detection: CauseDetection::None("the tool shows only how the command ended"),
    },
    Cause {
        id: "tool.snap",
        title: "the tool runs in a snap and does not see your files",
        meaning: "A strict snap has a home of its own, and files whose name begins with a \
            full stop are closed to it.",
        fix: "Install the tool in another way, or as a classic snap.",
        templates: &["sudo snap install dbeaver-ce --classic"],
        texts: &[
            certain(&["/snap/", "pgpass"]),
            certain(&["profile file cannot be null"]),
        ],
        detection: CauseDetection::Checks(&["clients.sandboxes"]),
    },
    Cause {
        id: "tool.flatpak",
        title: "the tool runs in a Flatpak and cannot run programs of this machine",
        meaning: "DBeaver's Flatpak sees the home directory, so it can read the passfile, \
            but neither programs outside nor your PATH.",
        fix: "Use the tool's pgpass authentication instead of a command, and let a \
            scheduler keep the passfile fresh.",
        templates: &["pgcred setup systemd"],
        texts: &[certain(&["bwrap:"])],
        detection: CauseDetection::Checks(&["clients.sandboxes"]),
    },
    Cause {
        id: "tool.mac",
        title: "the tool from the App Store is shut in",
        meaning: "Such a program sees only its own container, and runs no scripts.",
        fix: "Install the version that its maker offers for download.",
        templates: &["ls ~/Library/Containers"],
        texts: &[certain(&["operation not permitted", "library/containers"])],
        detection: CauseDetection::Checks(&["clients.sandboxes"]),
    },
    Cause {
        id: "tool.jdbc.empty",
        title: "the tool sends an empty password, so the passfile is not read",
        meaning: "The driver of Java reads the passfile only if there is no password at all. \
            An empty one, which many dialogs give, counts as one.",
        fix: "Choose pgpass as the authentication of the connection, or let pgcred set \
            the tool up.",
        templates: &["pgcred setup {tool}"],
        texts: &[
            certain(&["password-based authentication, but no password was provided"]),
            certain(&["scram-based authentication, but no password was provided"]),
            certain(&["scram-based authentication, but the password is an empty string"]),
            certain(&["but no password was provided by plugin"]),
        ],
        detection: CauseDetection::Checks(&["tools.jdbc"]),
    },
    Cause {
        id: "tool.dbeaver",
        title: "DBeaver's passwords by command are switched off",
        meaning: "The connection uses a command for its password, and the preference that \
            allows this is off, or you have refused the command.",
        fix: "Tick Preferences, Connections, General, \"Enable password retrieval via \
            CLI\", then connect and approve the command once.",
        templates: &["pgcred setup dbeaver"],
        texts: &[
            certain(&["authentication model", "shell_command", "not applicable"]),
            certain(&["authentication model", "shell_command", "not found"]),
        ],
        detection: CauseDetection::None("where DBeaver keeps this preference is not known"),
    },
    Cause {
        id: "tool.pgadmin",
        title: "pgAdmin does not run password commands here",
        meaning: "In server mode it does so only if its administrator has allowed it, and \
            never for shared servers.",
        fix: "Use the desktop mode, or let the administrator set \
            ENABLE_SERVER_PASS_EXEC_CMD = True.",
        templates: &["pgcred setup pgadmin"],
        texts: &[certain(&["passexec not available in server mode"])],
        detection: CauseDetection::None("pgAdmin keeps it in the files of its own installation"),
    },
    Cause {
        id: "tool.pgadmin.key",
        title: "pgAdmin waits for its master password",
        meaning: "Without a keyring pgAdmin protects its servers by a master password, and \
            connects to none before it is given.",
        fix: "Type the master password in pgAdmin, or switch it off in its settings.",
        templates: &[],
        texts: &[certain(&["crypt key is missing"])],
        detection: CauseDetection::None("it is a question of pgAdmin's own window"),
    },
    Cause {
        id: "tool.java.sso",
        title: "the tool's own AWS mode lacks the part for SSO and roles",
        meaning: "Its Java libraries were packed without the modules that profiles with \
            sso_session or role_arn need.",
        fix: "Let the tool take the token from pgcred instead.",
        templates: &["pgcred setup {tool}"],
        texts: &[
            certain(&["service module must be on the class path"]),
            certain(&["'sso' service module"]),
            certain(&["'sts' service module"]),
        ],
        detection: CauseDetection::None("it depends on what the tool has packed"),
    },
    Cause {
        id: "tool.scram",
        title: "the client or its libpq is too old for this server",
        meaning: "The server asks for a method of login that came with PostgreSQL 10, and \
            the client knows only older ones.",
        fix: "Install a newer client or driver.",
        templates: &["psql --version"],
        texts: &[
            certain(&["scram authentication requires libpq version 10"]),
            certain(&["authentication type 10 is not supported"]),
            certain(&["unknown authentication type: 10"]),
            certain(&["authentication method 10 not supported"]),
            certain(&["authentication method not supported (received: 10)"]),
        ],
        detection: CauseDetection::Checks(&["clients.psql"]),
    },
    Cause {
        id: "tool.require_auth",
        title: "the client refuses to send the token as it is",
        meaning: "A token is sent as a clear password inside TLS. The setting require_auth, \
            or one like it, permits only other methods.",
        fix: "Remove require_auth and PGREQUIREAUTH for this connection, or set password.",
        templates: &["unset PGREQUIREAUTH"],
        texts: &[
            certain(&[
                "authentication method requirement",
                "server requested a cleartext password",
            ]),
            certain(&["authentication method requirement", "failed"]),
        ],
        detection: CauseDetection::Checks(&["environment.demands"]),
    },
    Cause {
        id: "tool.channel",
        title: "the client demands channel binding",
        meaning: "Channel binding belongs to SCRAM, and a login by token has none.",
        fix: "Set channel_binding=prefer, or remove it.",
        templates: &["unset PGCHANNELBINDING"],
        texts: &[
            certain(&["channel binding required"]),
            certain(&["channel binding is required"]),
        ],
        detection: CauseDetection::Checks(&["environment.demands"]),
    },
    Cause {
        id: "tool.protocol",
        title: "client and server do not agree on the version of the protocol",
        meaning: "New clients offer a newer protocol than an older server, pooler or proxy \
            understands.",
        fix: "Set max_protocol_version=3.0, or connect straight to the endpoint.",
        templates: &["export PGMAXPROTOCOLVERSION=3.0"],
        texts: &[
            certain(&["unsupported frontend protocol"]),
            certain(&["server only supports protocol version"]),
            certain(&["invalid protocol negotiation message"]),
            certain(&["received invalid protocol negotiation"]),
        ],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
    Cause {
        id: "tool.parameter",
        title: "a pooler does not know a parameter that the client sends",
        meaning: "PgBouncer and others refuse start-up parameters that are not on their list.",
        fix: "Connect straight to the endpoint, or add the parameter to \
            ignore_startup_parameters of PgBouncer.",
        templates: &[],
        texts: &[certain(&["unsupported startup parameter"])],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
    Cause {
        id: "tool.pooler",
        title: "a pooler stands between, and cannot renew tokens",
        meaning: "PgBouncer and others keep one password for each user, compare it \
            themselves, and cut long ones. A token does not live that long.",
        fix: "Connect straight to the endpoint, or use a pooler that checks tokens itself.",
        templates: &["pgcred exec {target} -- psql"],
        texts: &[
            certain(&["pgbouncer"]),
            certain(&["server login failed:"]),
            certain(&["pgbouncer cannot connect to server"]),
        ],
        detection: CauseDetection::None("a pooler looks like the server"),
    },
    Cause {
        id: "tool.savedpassword",
        title: "the tool has saved a password, and does not ask the command any more",
        meaning: "Once a password is saved, for example in the window that appears after a \
            failure, pgAdmin and others use it and nothing else.",
        fix: "Delete the saved password in the tool (pgAdmin: Clear Saved Password), \
            then connect again.",
        templates: &["pgcred setup {tool}"],
        texts: &[],
        detection: CauseDetection::None("tools encrypt the passwords that they keep"),
    },
    Cause {
        id: "tool.entry",
        title: "a tool has an entry of a connection that is gone",
        meaning: "The connection was removed or renamed after the tool was set up, so the \
            command in the entry finds no connection of that name.",
        fix: "Take the entry out of the tool, or add the connection again.",
        templates: &["pgcred setup {tool} {target} --undo"],
        texts: &[],
        detection: CauseDetection::Checks(&["tools.entries"]),
    },
];

//! Lists the causes that lie in the passfile: lines that a client does not find, cannot read or
//! reads in another way.
//!
//! There are rows of the table here, and nothing else. The stages `passfile` and `entry` of doctor
//! find most of them; what only the driver of a client knows, nothing can find.

use super::text::{certain, likely, possible};
use super::{Cause, CauseDetection};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "passfile.key",
        title: "the passfile has no line for what the client dials",
        meaning: "A line counts only if host, port, database and user are the same texts as \
            in the connection: localhost is not 127.0.0.1, and capital letters and a final full \
            stop count.",
        fix: "Issue the token for this host, port and user. What the client dials \
            through a tunnel is named as an alias.",
        templates: &[
            "pgcred refresh {target}",
            "pgcred add NAME ENDPOINT --alias {host}:{port}",
        ],
        texts: &[
            likely(&["fe_sendauth: no password supplied"]),
            likely(&["no matches in pgpass"]),
            certain(&["couldn't get password from pgpass file"]),
            likely(&["empty password returned by client"]),
            likely(&["no password has been provided but the backend requires one"]),
            likely(&["password missing"]),
            likely(&["client password must be a string"]),
            likely(&["no password supplied"]),
        ],
        detection: CauseDetection::Checks(&["passfile.entry"]),
    },
    Cause {
        id: "passfile.bom",
        title: "some clients cannot read a line of the passfile",
        meaning: "A byte order mark, as PowerShell writes it, carriage returns, a line with too \
            few or too many fields, or a NUL byte makes clients miss the line, or refuse the file.",
        fix: "The command names the lines. Save the file as UTF-8 without BOM.",
        templates: &["pgcred refresh"],
        texts: &[possible(&["no matches in pgpass"])],
        detection: CauseDetection::Checks(&["passfile.lines"]),
    },
    Cause {
        id: "passfile.utf8",
        title: "the passfile is not UTF-8",
        meaning: "Some clients read the whole file as UTF-8 and give up at one wrong byte, \
            even in a comment.",
        fix: "Save the file as UTF-8; pgcred never changes lines of yours.",
        templates: &["pgcred refresh"],
        texts: &[
            certain(&["error reading pgpass"]),
            certain(&["malformedinputexception"]),
            certain(&["unicodedecodeerror", "pgpass"]),
        ],
        detection: CauseDetection::Checks(&["passfile.lines"]),
    },
    Cause {
        id: "passfile.mode",
        title: "the passfile is readable for others, so clients ignore it",
        meaning: "libpq and others read a passfile only if nobody but its owner can, and \
            only if it is a plain file.",
        fix: "Take the permission from the others. The file is usually ~/.pgpass.",
        templates: &["chmod 600 {file}"],
        texts: &[
            certain(&["has group or world access"]),
            certain(&["is not a plain file"]),
        ],
        detection: CauseDetection::Checks(&["passfile.mode"]),
    },
    Cause {
        id: "passfile.stale",
        title: "the password came from the passfile, and the server refuses it",
        meaning: "psql names the file from which it took the password. Its line is old, or a \
            line of your own comes first and has another password.",
        fix: "Renew the token. `pgcred list` names lines of yours that hide pgcred's.",
        templates: &["pgcred refresh {target}", "pgcred list"],
        texts: &[certain(&["password retrieved from file"])],
        detection: CauseDetection::None("psql says it only after the server has refused"),
    },
    Cause {
        id: "passfile.shadow",
        title: "another line of the passfile comes before pgcred's",
        meaning: "The first line that fits is used (by node-postgres the last one), and a \
            line of your own fits too, with an old password.",
        fix: "Move or delete that line; the command names it.",
        templates: &["pgcred list"],
        texts: &[],
        detection: CauseDetection::Checks(&["passfile.entry"]),
    },
    Cause {
        id: "passfile.windows",
        title: "the client reads another passfile than pgcred writes",
        meaning: "On Windows the file is %APPDATA%\\postgresql\\pgpass.conf. WSL and Windows \
            have two homes, and programs from the Store have an APPDATA of their own.",
        fix: "Write the file that the client reads.",
        templates: &["pgcred refresh {target} --passfile {file}"],
        texts: &[likely(&["pgpass.conf", "not found"])],
        detection: CauseDetection::None("only the client itself knows which APPDATA it has"),
    },
    Cause {
        id: "passfile.home",
        title: "HOME is not the account's home directory, and some clients go by the account",
        meaning: "pgcred writes ~/.pgpass by the variable HOME, where libpq 15 and newer read it. \
            libpq 14 and older, pgx 4 and pgjdbc look in the home directory that the system has \
            for the account. sudo is a usual reason why the two differ.",
        fix: "Let PGPASSFILE name pgcred's file: every client that reads a passfile goes by it. \
            After sudo, run pgcred and the client as the same user instead.",
        templates: &[],
        texts: &[],
        detection: CauseDetection::Checks(&["passfile.file"]),
    },
    Cause {
        id: "passfile.reader",
        title: "this client reads no passfile, or reads it in a way of its own",
        meaning: "tokio-postgres, postgres.js and pg8000 read none. asyncpg and sqlx before 0.9 \
            keep the backslash that a token with a colon needs there, so its \
            login fails.",
        fix: "Give the token to the driver's own callback, or as PGPASSWORD.",
        templates: &[
            "pgcred token {target} --format json",
            "pgcred exec {target} -- PROGRAM",
        ],
        texts: &[
            possible(&["password missing"]),
            possible(&["client password must be a string"]),
            possible(&["empty password returned by client"]),
        ],
        detection: CauseDetection::None("only the client itself knows which driver it has"),
    },
    Cause {
        id: "passfile.block",
        title: "pgcred's lines in the passfile are damaged",
        meaning: "The marks around pgcred's lines are not whole, or a line between them is not \
            pgcred's. pgcred does not guess whose a line is, and writes no token.",
        fix: "Repair the marks as the check says, then renew the tokens.",
        templates: &["pgcred refresh"],
        texts: &[],
        detection: CauseDetection::Checks(&["passfile.block"]),
    },
    Cause {
        id: "passfile.conflict",
        title: "two connections need the same line of the passfile",
        meaning: "They have the same host, port and user, and clients look for nothing else. \
            The line has the token of the connection that is first in the configuration.",
        fix: "Use the other connection without the passfile.",
        templates: &["pgcred exec {target} -- psql"],
        texts: &[],
        detection: CauseDetection::Checks(&["configuration.lines"]),
    },
    Cause {
        id: "passfile.git",
        title: "git would publish the passfile",
        meaning: "The file is in a git repository that does not ignore it. Whoever can read the \
            repository could then log in.",
        fix: "Add the file to .gitignore, or let PGPASSFILE name a file elsewhere.",
        templates: &[],
        texts: &[],
        detection: CauseDetection::Checks(&["passfile.repository"]),
    },
];

//! Lists the causes that lie in the environment: variables and service files that lead a client
//! elsewhere.

use super::text::{certain, possible};
use super::{Cause, CauseDetection};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "env.password",
        title: "PGPASSWORD is set, and wins over the passfile",
        meaning: "Clients take the variable before they look at any file, and node-postgres \
            even if it is empty. An old token or password in it is sent every time.",
        fix: "Remove it from the environment, and from the start-up file of the shell.",
        templates: &["unset PGPASSWORD"],
        texts: &[possible(&["password authentication failed for user"])
            .unless(&["password retrieved from file"])],
        detection: CauseDetection::Checks(&["environment.password"]),
    },
    Cause {
        id: "env.passfile",
        title: "the client is told to read another passfile",
        meaning: "PGPASSFILE, passfile= in the connection, or a service file names another \
            file than pgcred writes.",
        fix: "Remove the variable, or write that file.",
        templates: &[
            "unset PGPASSFILE",
            "pgcred refresh {target} --passfile {file}",
        ],
        texts: &[certain(&["pgpass file", "not found"]).unless(&["snap", "pgpass.conf"])],
        detection: CauseDetection::Checks(&["passfile.file"]),
    },
    Cause {
        id: "env.service",
        title: "a service leads the client to another server, or does not exist",
        meaning: "PGSERVICE or service= names an entry of a service file, and its host and \
            user win over the variables.",
        fix: "Remove the variable, or let pgcred write the entry.",
        templates: &["unset PGSERVICE PGSERVICEFILE", "pgcred setup psql"],
        texts: &[
            certain(&["definition of service", "not found"]),
            certain(&["service file", "not found"]),
            certain(&["syntax error in service file"]),
        ],
        detection: CauseDetection::Checks(&["environment.service"]),
    },
    Cause {
        id: "env.address",
        title: "PGHOSTADDR leads clients to one address for every host",
        meaning: "Clients of libpq dial that address, whatever host they are given. Only a \
            certificate that is verified would tell them that another server answers.",
        fix: "Remove the variable, and name the address in the connection that needs it.",
        templates: &["unset PGHOSTADDR"],
        texts: &[],
        detection: CauseDetection::Checks(&["environment.address"]),
    },
    Cause {
        id: "env.require",
        title: "a variable demands what the server does not offer",
        meaning: "PGGSSENCMODE=require wants GSSAPI, and PGSSLCERTMODE=require wants to show a \
            certificate. Servers that take tokens offer neither.",
        fix: "Remove the variable.",
        templates: &["unset PGGSSENCMODE PGSSLCERTMODE"],
        texts: &[],
        detection: CauseDetection::Checks(&["environment.demands"]),
    },
];

//! Lists the causes that lie in the installation: another pgcred, links, the configuration, the
//! directory of the cache.

use super::{Cause, CauseDetection};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "install.path",
        title: "PATH leads to another pgcred",
        meaning: "Two are installed. What you type runs the one that PATH leads to, and tools \
            and hooks may run the other, with other options and another version.",
        fix: "Remove the one that you do not use, or change the order of PATH.",
        templates: &["pgcred --version"],
        texts: &[],
        detection: CauseDetection::Checks(&["installation.path"]),
    },
    Cause {
        id: "install.link",
        title: "a link that stands for pgcred leads nowhere",
        meaning: "pgcred was moved or removed after the link was made. A program that runs the \
            link finds nothing.",
        fix: "Remove the link, or make it anew.",
        templates: &[],
        texts: &[],
        detection: CauseDetection::Checks(&["installation.links"]),
    },
    Cause {
        id: "config.file",
        title: "the configuration cannot be read",
        meaning: "The file belongs to another user, can be changed by others, or has something \
            in it that pgcred does not know. No connection of it can be used.",
        fix: "Do what the check says.",
        templates: &[],
        texts: &[],
        detection: CauseDetection::Checks(&["configuration.file"]),
    },
    Cause {
        id: "config.none",
        title: "no connection is configured",
        meaning: "pgcred works for a host that is named each time. Tools, hooks and schedulers \
            need a connection with a name.",
        fix: "Name the host of a database once.",
        templates: &["pgcred add NAME HOST"],
        texts: &[],
        detection: CauseDetection::Checks(&["configuration.targets"]),
    },
    Cause {
        id: "cache.directory",
        title: "the cache's directory cannot be used",
        meaning: "It belongs to another user, the disk is full or can only be read, or a file has \
            its name. Each call makes a new token.",
        fix: "Do what the check says, or let PGCRED_HOME name another directory.",
        templates: &[],
        texts: &[],
        detection: CauseDetection::Checks(&["store.directory"]),
    },
    Cause {
        id: "target.unknown",
        title: "the target is not known",
        meaning: "It is neither the name of a connection nor a host that takes tokens, or \
            something that it needs, such as a user or a region, is missing.",
        fix: "Correct the name, or do what the check says.",
        templates: &["pgcred list"],
        texts: &[],
        detection: CauseDetection::Checks(&["target.known"]),
    },
];

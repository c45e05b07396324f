//! The pages that say how pgcred is installed name files that a release has, and every way in.

use std::fs;

use crate::packaging::release::VERSION;
use crate::support::sources::root;

const PAGES: [&str; 2] = ["README.md", "packaging/INSTALL.md"];

/// The files of a release that are installed without a registry, for one kind of machine. The tests
/// of `installed` and `manifests` take them by the same names.
fn files() -> [String; 9] {
    [
        format!("pgcred_{VERSION}-1_amd64.deb"),
        format!("pgcred-{VERSION}-1.x86_64.rpm"),
        format!("pgcred_{VERSION}-r1_x86_64.apk"),
        format!("pgcred-{VERSION}-1-x86_64.pkg.tar.zst"),
        "PKGBUILD".to_owned(),
        "pgcred.json".to_owned(),
        "pgcred-install.sh".to_owned(),
        "pgcred-install.ps1".to_owned(),
        "install.sh".to_owned(), // of an archive
    ]
}

/// Tells whether a name is what a shell finds for a pattern with at most one `*`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => name.starts_with(start) && name.ends_with(end),
        None => pattern == name,
    }
}

/// Returns the rows of the table of a page that says how pgcred is installed.
fn rows_of(page: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(page)).expect("a page");
    // The README has tables of other things too.
    let after_heading = text.split_once("\n## Install\n").map(|(_, rest)| rest);
    let part = after_heading.unwrap_or(&text).split("\n## ").next();
    let rows = part.unwrap_or_default().lines();
    let rows = rows.filter(|line| line.starts_with("| ")).skip(1);
    rows.map(str::to_owned).collect()
}

/// Returns the files that the commands of a page install: the words that begin with `./`.
fn installed_by(page: &str) -> Vec<String> {
    let rows = rows_of(page);
    let words = rows.iter().flat_map(|row| row.split(['`', ' ', ',']));
    let files = words.filter_map(|word| word.strip_prefix("./"));
    files
        .filter(|file| !file.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn what_is_installed_is_a_file_of_the_release() {
    for page in PAGES {
        let patterns = installed_by(page);
        for pattern in &patterns {
            let is_found = files().iter().any(|name| fits(pattern, name));
            assert!(is_found, "{page}: ./{pattern}");
        }
        for name in files() {
            let is_named = patterns.iter().any(|pattern| fits(pattern, &name));
            let is_optional = page == "README.md" && name == "PKGBUILD";
            assert!(is_named || is_optional, "{page} lacks {name}");
        }
    }
}

#[test]
fn each_way_to_install_says_how_to_upgrade_and_to_remove() {
    for (page, least) in PAGES.into_iter().zip([9, 15]) {
        let rows = rows_of(page);
        for row in &rows {
            let cells = row.trim_matches('|').split(" | ");
            let cells: Vec<&str> = cells.map(str::trim).collect();
            assert_eq!(cells.len(), 4, "{page}: {row}");
            assert!(cells.iter().all(|cell| !cell.is_empty()), "{page}: {row}");
        }
        assert!(rows.len() >= least, "{page}: {}", rows.len());
    }
}

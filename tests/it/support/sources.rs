//! The project's own sources, for the tests of its rules.

use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the files below a directory with their text.
pub fn rust_files(directory: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(directory)];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// Returns the code without comments, and without everything that only unit tests are compiled
/// with. The module of a file's unit tests is the last item of the file.
pub fn without_tests(text: &str) -> String {
    let mut code = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            code.push(line.split("//").next().unwrap_or_default());
            continue;
        }
        let indent = indent_of(line);
        for item in lines.by_ref() {
            if item.starts_with("mod ") && item.ends_with('{') {
                return code.join("\n");
            }
            if indent_of(item) == indent && item.ends_with([';', ',', '}']) {
                break;
            }
        }
    }
    code.join("\n")
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[test]
fn only_what_is_for_unit_tests_is_cut() {
    let text = "#[cfg(test)]\nmod tests;\nuse a; // c\nfn f() {\n    #[cfg(test)]\n    g(\n        \
        1;\n    \
        );\n    h();\n}\n#[cfg(test)]\nfn i() {\n    j();\n}\nfn k() {}\n#[cfg(test)]\n\
        mod tests {\n\
        use l;\n}\n";
    assert_eq!(
        without_tests(text),
        "use a; \nfn f() {\n    h();\n}\nfn k() {}"
    );
}

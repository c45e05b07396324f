//! The errors of the program: each says what to do next, and all say it in one form.
//!
//! A hint is a sentence that begins with what to do, such as "run `pgcred login`, then try again",
//! or the question "did you mean `prod`?" after a word that was mistyped. A command to type stands
//! between backquotes.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::sources::{root, rust_files};

/// What makes an error. The other constructors of `Error` have a hint of their own.
const CONSTRUCTORS: [&str; 4] = [
    "Error::failure(",
    "Error::usage(",
    "Error::login(",
    "Error::no_target(",
];

/// What makes an error of the gateway, which a tool shows. The arguments end with text and hint.
const REFUSALS: [&str; 2] = ["Self::with_error(", "Refusal::unreachable("];

/// What gives a text to the user as a hint.
const HINTS: [&str; 3] = [".hint(", ".or_hint(", ".usual_hint("];

/// What stands above an error without a hint, with the reason.
const EXCUSE: &str = "No hint";

/// How many lines above an error its excuse or its name may stand.
const NEAR: usize = 12;

/// The words that a hint begins with, if it does not begin with a condition.
#[rustfmt::skip]
const VERBS: [&str; 53] = [
    "add", "allow", "ask", "attach", "begin", "check", "choose", "close", "compare", "connect",
    "correct", "delete", "detach", "edit", "enable", "end", "enter", "fill", "find", "free",
    "give", "go", "install", "keep", "leave", "let", "log", "look", "make", "move", "name",
    "open", "press", "put", "read", "remove", "rename", "renew", "report", "run", "save", "set",
    "show", "start", "store", "take", "try", "unlock", "unset", "use", "wait", "watch", "write",
];

/// What a condition begins with. What to do comes after its comma.
const CONDITIONS: [&str; 2] = ["if ", "to "];

/// The beginnings of commands that a user types, which stand between backquotes.
#[rustfmt::skip]
const COMMANDS: [&str; 20] = [
    "pgcred add", "pgcred aws", "pgcred doctor", "pgcred exec", "pgcred list", "pgcred login",
    "pgcred proxy", "pgcred refresh", "pgcred setup", "pgcred token", "aws sso",
    "aws configure", "chmod ", "sudo ", "mkdir ", "systemctl ", "ulimit ", "pgcred discover",
    "pgcred policy", "proxy = {",
];

/// Returns where the group ends that opens at `open`: the place after its closing bracket.
fn end_of_group(code: &str, open: usize) -> Option<usize> {
    let (mut depth, mut at) = (0, open);
    while let Some(rest) = code.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(length) = length_of_literal(rest) {
            at += length;
            continue;
        }
        match rest.as_bytes()[0] {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 1 => return Some(at + 1),
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    None
}

/// Returns how long the string, character or comment is that a text begins with.
fn length_of_literal(code: &str) -> Option<usize> {
    if code.starts_with("//") {
        return code.find('\n');
    }
    if let Some(raw) = code.strip_prefix("r#\"") {
        return raw.find("\"#").map(|end| end + 5);
    }
    if let Some(raw) = code.strip_prefix("r\"") {
        return raw.find('"').map(|end| end + 3);
    }
    if code.starts_with('\'') {
        let character = code.strip_prefix("'\\").or(code.strip_prefix('\''))?;
        let end = character.char_indices().nth(1)?.0;
        let before = code.len() - character.len();
        return character[end..]
            .starts_with('\'')
            .then_some(before + end + 1);
    }
    let mut escaped = false;
    for (at, c) in code.strip_prefix('"')?.char_indices() {
        match c {
            '"' if !escaped => return Some(at + 2),
            _ => escaped = c == '\\' && !escaped,
        }
    }
    None
}

/// Returns the names of the methods that are called on what ends at `end`.
fn methods_after(code: &str, mut end: usize) -> Vec<&str> {
    let mut methods = Vec::new();
    loop {
        let rest = code[end..].trim_start().trim_start_matches('?');
        let Some(method) = rest.trim_start().strip_prefix('.') else {
            return methods;
        };
        let length = method.find(|c: char| !c.is_alphanumeric() && c != '_');
        let (name, rest) = method.split_at(length.unwrap_or(method.len()));
        let Some(after) = end_of_group(code, code.len() - rest.len()) else {
            return methods;
        };
        if !rest.starts_with('(') {
            return methods;
        }
        methods.push(name);
        end = after;
    }
}

/// Tells whether what ends at `end` is given a hint.
fn is_given_hint(code: &str, end: usize) -> bool {
    let methods = methods_after(code, end);
    HINTS
        .iter()
        .any(|hint| methods.contains(&&hint[1..hint.len() - 1]))
}

/// Returns the name of the variable or closure that a statement defines.
fn defined_name(statement: &str) -> Option<&str> {
    let name = statement.trim_start().strip_prefix("let ")?;
    let name = name.strip_prefix("mut ").unwrap_or(name);
    name.split([' ', ':']).next()
}

/// Tells whether the error at this place has a hint, gets one through its name, or is excused.
fn is_mended(code: &str, start: usize) -> bool {
    let end = end_of_call(code, start);
    if is_given_hint(code, end) {
        return true;
    }
    let before = code[..start].lines().rev().take(NEAR);
    let before: Vec<&str> = before.take_while(|line| !line.starts_with('}')).collect();
    let rest_of_line = code[end..].lines().next().unwrap_or_default();
    if before.iter().any(|line| is_excuse(line)) || is_excuse(rest_of_line) {
        return true;
    }
    let Some(name) = before.iter().find_map(|line| defined_name(line)) else {
        return false;
    };
    let function = &code[..code[start..]
        .find("\n}")
        .map_or(code.len(), |end| start + end)];
    for (at, _) in function.match_indices(name) {
        let is_whole = !function[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if at > start && is_whole {
            let end = at + name.len();
            let end = if function[end..].starts_with('(') {
                end_of_call(function, at)
            } else {
                end
            };
            if is_given_hint(function, end) {
                return true;
            }
        }
    }
    false
}

/// Returns the end of the call that begins at `start`.
fn end_of_call(code: &str, start: usize) -> usize {
    let open = code[start..].find('(').map(|open| start + open);
    open.and_then(|open| end_of_group(code, open))
        .unwrap_or(code.len())
}

fn is_excuse(line: &str) -> bool {
    let comment = line.split_once("//");
    comment.is_some_and(|(_, comment)| comment.contains(EXCUSE))
}

/// Returns the code of a file without its module of unit tests.
fn without_unit_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default()
}

/// Returns the sources with their paths, without those of unit tests.
fn sources() -> Vec<(String, String)> {
    let mut sources = Vec::new();
    for (path, text) in [rust_files("src"), rust_files("integrations")].concat() {
        let path = path.strip_prefix(root()).expect("a path in the project");
        let path = path.display().to_string();
        if !path.ends_with("tests.rs") && !path.contains("/tests/") {
            sources.push((path, without_unit_tests(&text).to_owned()));
        }
    }
    sources
}

/// Returns where an error is made that says nothing of what to do, by its line.
fn errors_without_hint(code: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    for constructor in CONSTRUCTORS {
        for (start, _) in code.match_indices(constructor) {
            if !is_mended(code, start) {
                lines.push(code[..start].lines().count());
            }
        }
    }
    lines
}

#[test]
fn an_error_says_what_to_do_next() {
    let (mut errors, mut without) = (0, Vec::new());
    for (path, code) in sources() {
        errors += CONSTRUCTORS
            .iter()
            .map(|constructor| code.matches(constructor).count())
            .sum::<usize>();
        for line in errors_without_hint(&code) {
            without.push(format!("{path}:{line}"));
        }
    }
    assert!(errors > 300, "only {errors} errors were found");
    assert!(
        without.is_empty(),
        "add `.hint(..)`, or a comment `// {EXCUSE}: ` with the reason\n{}",
        without.join("\n")
    );
}

/// A mistake has one exit code, wherever it is found. Compared are texts that stand in the call and
/// have three words at least.
#[test]
fn one_message_has_one_exit_code() {
    let mut codes: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (_, code) in sources() {
        for constructor in CONSTRUCTORS {
            for (at, _) in code.match_indices(constructor) {
                let argument = code[at + constructor.len()..].trim_start();
                let argument = argument.strip_prefix("format!(").unwrap_or(argument);
                let Some(text) = argument.trim_start().strip_prefix('"') else {
                    continue;
                };
                let end = text.find('"').expect("the end of the text");
                let message = text[..end].to_owned();
                let words = message.split(' ').filter(|word| !word.starts_with('{'));
                if words.count() < 3 {
                    continue;
                }
                codes.entry(message).or_default().insert(constructor);
            }
        }
    }
    assert!(
        codes.len() > 250,
        "only {} messages were found",
        codes.len()
    );
    codes.retain(|_, constructors| constructors.len() > 1);
    assert!(codes.is_empty(), "{codes:#?}");
}

/// Returns the texts that a file gives as hints, as far as they stand in it as literals.
fn hints_in(code: &str) -> Vec<String> {
    let mut hints = Vec::new();
    for opening in HINTS.iter().chain(&["let hint = ", "let hint = format!("]) {
        for (at, _) in code.match_indices(opening) {
            let mut argument = code[at + opening.len()..].trim_start();
            for wrapper in ["&", "format!("] {
                argument = argument
                    .strip_prefix(wrapper)
                    .unwrap_or(argument)
                    .trim_start();
            }
            if let Some(length) = length_of_literal(argument)
                && argument.starts_with('"')
            {
                hints.push(unescaped(&argument[1..length - 1]));
            }
        }
    }
    for (at, _) in REFUSALS
        .iter()
        .flat_map(|refusal| code.match_indices(refusal))
    {
        if let [_, .., hint] = literals(&code[at..end_of_call(code, at)])[..] {
            hints.push(unescaped(hint));
        }
    }
    hints
}

/// Returns the strings in a piece of code, without their quotes.
fn literals(code: &str) -> Vec<&str> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(rest) = code.get(at..).filter(|rest| !rest.is_empty()) {
        let length = length_of_literal(rest);
        if let Some(length) = length.filter(|_| rest.starts_with('"')) {
            found.push(&rest[1..length - 1]);
        }
        at += length.unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8));
    }
    found
}

/// Returns the text of a literal: continued lines are joined, and quotes lose their backslash.
fn unescaped(literal: &str) -> String {
    let mut lines = literal.split("\\\n");
    let mut text = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        text.push_str(line.trim_start());
    }
    text.replace("\\\"", "\"")
}

/// Returns what is wrong with the form of a hint.
fn fault_of(hint: &str) -> Option<&'static str> {
    let mut deed = hint;
    if CONDITIONS
        .iter()
        .any(|condition| hint.starts_with(condition))
    {
        let Some((_, after)) = hint.split_once(", ") else {
            return Some("a condition without what to do");
        };
        deed = after;
    }
    let first = deed.split([' ', ',', ':', ';']).next().unwrap_or_default();
    if !(VERBS.contains(&first) || first.starts_with('{') || hint.starts_with("did you mean ")) {
        return Some("does not begin with what to do");
    }
    if hint.ends_with('.') && !hint.ends_with("...") {
        return Some("ends with a period");
    }
    if hint
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| word == "retry")
    {
        return Some("write `try again`");
    }
    for outside in hint.split('`').step_by(2) {
        if COMMANDS.iter().any(|command| outside.contains(command)) {
            return Some("put the command between backquotes");
        }
    }
    None
}

#[test]
fn hints_have_one_form() {
    let (mut hints, mut wrong) = (0, Vec::new());
    for (path, code) in sources() {
        for hint in hints_in(&code) {
            hints += 1;
            if let Some(fault) = fault_of(&hint) {
                wrong.push(format!("{path}: {fault}: {hint}"));
            }
        }
    }
    assert!(hints > 200, "only {hints} hints were found");
    for call in REFUSALS.iter().chain(&HINTS) {
        let is_called = sources().iter().any(|(_, code)| code.contains(call));
        assert!(is_called, "{call} is nowhere: it has another name now");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_form_of_a_hint_is_told() {
    for right in [
        "run `pgcred login`, then try again",
        "if that is right, add --yes",
        "did you mean `prod`?",
        "{hint}; or write `x`",
    ] {
        assert_eq!(fault_of(right), None, "{right}");
    }
    for wrong in [
        "pgcred login",
        "run pgcred login first",
        "--passfile FILE",
        "the shells are bash and zsh",
        "type: pgcred login",
        "wait, then retry",
        "try again.",
        "if it fails again",
        "if that is right, --yes",
        "",
    ] {
        assert!(fault_of(wrong).is_some(), "{wrong}");
    }
    let code = "a.hint(\"one \\\n    two\").or_hint(&format!(\n    \"{x} \\\"y\\\"\"\n));\n\
        let hint = \"three\";\nlet hint = format!(\"four\");\nb.hint(five);\n\
        Self::with_error(X, \"what\", format!(\"six\"))";
    let expected = ["one two", "{x} \"y\"", "three", "four", "six"];
    let mut hints = hints_in(code);
    hints.sort();
    hints.dedup();
    assert!(
        expected
            .iter()
            .all(|text| hints.contains(&(*text).to_owned()))
    );
    assert_eq!(hints.len(), expected.len());
}

#[test]
fn errors_without_a_hint_are_found() {
    for mended in [
        "Error::failure(\"a ) '\\\"' b\").because(x)\n    .hint(\"wait\")",
        "let e = Error::usage(format!(\"{}\", ')'));\nif x {\n    return Err(e.hint(HINT));\n}",
        "let wrong = |what: &str| Error::usage(what);\nErr(wrong(\"it\").or_hint(\"wait\"))",
        "// No hint: the caller has one.\nErr(Error::login(why))",
        "/// No hint: the caller has one.\nfn f() -> Error {\n    Error::login(why)\n}",
    ] {
        assert_eq!(errors_without_hint(mended), [0; 0], "{mended}");
    }
    for bare in [
        "Error::failure(\".hint(\").because(x);\nother.hint(\"wait\")",
        "let e = Error::usage(\"a\");\nErr(e)\n}\nfn f() {\n    e.hint(\"b\")",
        "let wrong = |what: &str| Error::usage(what);\nErr(wrong(\"it\"))",
        "/// No hint: the caller has one.\nfn f() {}\n}\nErr(Error::no_target(why))",
    ] {
        assert_eq!(errors_without_hint(bare).len(), 1, "{bare}");
    }
}

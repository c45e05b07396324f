//! One table proves all dialects: each word is quoted, and then read back by the rules of that
//! dialect, which are those in the sources and manuals of its parsers. The same words, which are
//! hostile to every dialect, go through all.

use super::*;

const HOSTILE: [&str; 16] = [
    "",
    "plain",
    r#"a"b'c$d"#,
    "/home/my own/pgcred",
    r"C:\Program Files\my own\pgcred.exe",
    r"ends in \",
    r#"before a quote \\" and %PORT% and %"#,
    "${host}$ {user}",
    "& | < > ^ ( ) ! ; * ? ~ # `id` $(id) \\",
    "%PATH%",
    "\"\"",
    "''",
    "{a}={b};[c]",
    ".begins with a dot, or 'an apostrophe - and !history",
    "\u{2018}typographic\u{2019} \u{201a}quotes\u{201b}",
    "é ’ 😀",
];

/// How a dialect is read.
enum Reader {
    /// By a splitter: the words of a line.
    Splits(fn(&str) -> Vec<String>),
    /// As one value.
    Reads(fn(&str) -> String),
}

use Reader::{Reads, Splits};

/// A dialect: its name, how it quotes, and how it is read.
type Dialect = (&'static str, fn(&str) -> String, Reader);

const DIALECTS: [Dialect; 28] = [
    ("posix", posix, Splits(by_sh)),
    ("posix_in_tool", posix_in_tool, Splits(by_sh)),
    ("tcsh", tcsh, Splits(by_tcsh)),
    ("cron", cron, Splits(by_cron)),
    ("fish", fish, Splits(by_fish)),
    ("python", python, Splits(by_fish)),
    ("conninfo", conninfo, Splits(by_fish)),
    ("nushell", nushell, Splits(by_nushell)),
    ("elvish", elvish, Splits(by_elvish)),
    ("powershell", powershell, Reads(by_powershell)),
    (
        "powershell_in_ascii",
        powershell_in_ascii,
        Reads(by_powershell),
    ),
    ("cmd", cmd, Splits(by_cmd_and_c_runtime)),
    ("c_runtime", c_runtime, Splits(by_c_runtime)),
    ("systemd_program", systemd_program, Splits(by_systemd)),
    (
        "systemd_argument",
        systemd_argument,
        Splits(by_systemd_after_variables),
    ),
    (
        "dbeaver_on_unix",
        dbeaver_on_unix,
        Splits(by_dbeaver_on_unix),
    ),
    (
        "dbeaver_on_windows",
        dbeaver_on_windows,
        Splits(by_dbeaver_on_windows),
    ),
    ("go", go, Reads(by_go)),
    ("odbc", odbc, Reads(by_odbc)),
    ("sql_name", sql_name, Reads(|sql| by_sql(sql, '"'))),
    ("sql_text", sql_text, Reads(|sql| by_sql(sql, '\''))),
    ("percent", |text| percent(text).to_string(), Reads(by_url)),
    ("json_inside", json_inside, Reads(by_json)),
    (
        "doubled_inside",
        doubled_inside,
        Reads(|text| text.replace("\"\"", "\"")),
    ),
    ("xml", xml, Reads(by_xml)),
    ("xml_in_ascii", xml_in_ascii, Reads(by_xml)),
    ("roff", roff, Reads(by_roff)),
    ("typed", typed, Splits(by_usual_shell)),
];

#[test]
fn every_dialect_gives_the_words_back() {
    for (name, quote, reader) in &DIALECTS {
        if cfg!(windows) && *name == "typed" {
            // It is used for names of files and profiles, which have no double quote on Windows.
            continue;
        }
        let quoted = HOSTILE.map(quote);
        match reader {
            Splits(split) => assert_eq!(split(&quoted.join(" ")), HOSTILE, "{name}"),
            Reads(read) => {
                for (word, quoted) in HOSTILE.iter().zip(&quoted) {
                    assert_eq!(read(quoted), *word, "{name}: {quoted}");
                }
            }
        }
    }
}

#[test]
fn the_ascii_forms_are_ascii() {
    for word in HOSTILE {
        assert!(
            xml_in_ascii(word).is_ascii() && powershell_in_ascii(word).is_ascii(),
            "{word}"
        );
    }
    assert_eq!(xml_in_ascii("J\u{f6}rg & Co"), "J&#246;rg &amp; Co");
    assert_eq!(
        powershell_in_ascii("J\u{f6}rg\u{2019}s 🔑"),
        "('J' + [char]0xF6 + 'rg' + [char]0x2019 + 's ' + [char]0xD83D + '' + [char]0xDD11 + '')"
    );
}

#[test]
fn a_value_that_cmd_cannot_hold_is_not_written() {
    assert_eq!(
        cmd_assignment("PGUSER", "a&b %c%").as_deref(),
        Some("set \"PGUSER=a&b %c%\"")
    );
    assert_eq!(cmd_assignment("PGUSER", "a\"b"), None);
}

/// pgAdmin replaces these by values of the server before the shell sees the line.
#[test]
fn no_placeholder_of_pgadmin_survives_quoting() {
    for quote in [posix_in_tool, cmd] {
        let line = quote("a%PORT%b%HOSTNAME%%USERNAME%");
        for name in ["%PORT%", "%HOSTNAME%", "%USERNAME%"] {
            assert!(!line.contains(name), "{line}");
        }
    }
}

// --- The readers ------------------------------------------------------------------------------

/// The meaning of a character inside one kind of quotes.
#[derive(Clone, Copy)]
enum Inside {
    /// These quotes do not exist in the dialect.
    No,
    /// No character escapes: the next quote ends the word.
    Plain,
    /// A backslash escapes the quote and itself.
    Backslash,
    /// A doubled quote stands for one quote.
    Doubled,
}

struct Rules {
    single: Inside,
    double: Inside,
    /// A backslash outside of quotes escapes what follows.
    bare_backslash: bool,
}

/// Splits a line at blanks outside of quotes.
fn split(line: &str, rules: &Rules) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        let inside = match c {
            '\'' => rules.single,
            '"' => rules.double,
            _ => Inside::No,
        };
        let text = match (c, inside) {
            (' ', _) => {
                words.extend(word.take());
                continue;
            }
            ('\\', _) if rules.bare_backslash => rest.next().into_iter().collect(),
            (_, Inside::No) => {
                assert!(!"&|<>()$`;*?~#!\"'".contains(c), "{c} is bare in {line}");
                c.to_string()
            }
            _ => quoted_part(&mut rest, c, inside),
        };
        word.get_or_insert_default().push_str(&text);
    }
    words.extend(word);
    words
}

fn quoted_part(
    rest: &mut std::iter::Peekable<std::str::Chars>,
    quote: char,
    inside: Inside,
) -> String {
    let mut text = String::new();
    loop {
        match (rest.next().expect("an end quote"), inside) {
            (c, Inside::Doubled) if c == quote && rest.next_if_eq(&quote).is_some() => text.push(c),
            (c, _) if c == quote => return text,
            ('\\', Inside::Backslash) => match rest.next().expect("an escaped character") {
                c if c == quote || c == '\\' => text.push(c),
                c => text.extend(['\\', c]),
            },
            (c, _) => text.push(c),
        }
    }
}

fn by_sh(line: &str) -> Vec<String> {
    let rules = Rules {
        single: Inside::Plain,
        double: Inside::Backslash,
        bare_backslash: true,
    };
    split(line, &rules)
}

fn by_usual_shell(line: &str) -> Vec<String> {
    if cfg!(windows) {
        by_c_runtime(line)
    } else {
        by_sh(line)
    }
}

/// tcsh replaces history first, inside quotes and outside.
fn by_tcsh(line: &str) -> Vec<String> {
    assert!(!line.replace(r"\!", "").contains('!'), "{line}");
    by_sh(&line.replace(r"\!", "!"))
}

/// cron ends the command at a percent sign, unless a backslash stands before it. It removes that
/// backslash.
fn by_cron(line: &str) -> Vec<String> {
    assert!(!line.replace(r"\%", "").contains('%'), "{line}");
    by_sh(&line.replace(r"\%", "%"))
}

fn by_fish(line: &str) -> Vec<String> {
    let rules = Rules {
        single: Inside::Backslash,
        double: Inside::No,
        bare_backslash: false,
    };
    split(line, &rules)
}

fn by_nushell(line: &str) -> Vec<String> {
    let rules = Rules {
        single: Inside::No,
        double: Inside::Backslash,
        bare_backslash: false,
    };
    split(line, &rules)
}

fn by_elvish(line: &str) -> Vec<String> {
    let rules = Rules {
        single: Inside::Doubled,
        double: Inside::No,
        bare_backslash: false,
    };
    split(line, &rules)
}

/// Specifiers are replaced before the words are split.
fn by_systemd(line: &str) -> Vec<String> {
    assert!(!line.replace("%%", "").contains('%'), "{line}");
    let rules = Rules {
        single: Inside::No,
        double: Inside::Backslash,
        bare_backslash: false,
    };
    split(&line.replace("%%", "%"), &rules)
}

fn by_systemd_after_variables(line: &str) -> Vec<String> {
    assert!(!line.replace("$$", "").contains('$'), "{line}");
    by_systemd(&line.replace("$$", "$"))
}

/// `'a' + [char]0xF6 + 'b'`, in parentheses or not.
fn by_powershell(text: &str) -> String {
    let text = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'))
        .unwrap_or(text);
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text.chars().peekable();
    let is_quote = |c: &char| matches!(c, '\'' | '\u{2018}'..='\u{201b}');
    loop {
        if rest.next_if(is_quote).is_some() {
            while let Some(c) = rest.next() {
                if is_quote(&c) && rest.next_if(is_quote).is_none() {
                    break;
                }
                units.extend(c.encode_utf16(&mut [0; 2]).iter());
            }
        } else {
            let code: String = std::iter::from_fn(|| rest.next_if(|c| *c != ' ')).collect();
            let digits = code.strip_prefix("[char]0x").expect("a code unit");
            units.push(u16::from_str_radix(digits, 16).expect("hex"));
        }
        let joint: String = rest.by_ref().take(3).collect();
        match joint.as_str() {
            "" => return String::from_utf16(&units).expect("UTF-16"),
            joint => assert_eq!(joint, " + ", "{text}"),
        }
    }
}

/// cmd.exe replaces variables first, also inside quotes. Then it reads quotes and carets, and after
/// that the program gets the rest.
fn by_cmd(line: &str) -> String {
    let line = line
        .replace("%PATH%", "EXPANDED")
        .replace("%PORT%", "EXPANDED");
    let mut rest = line.chars();
    let (mut text, mut quoted) = (String::new(), false);
    while let Some(c) = rest.next() {
        match c {
            '"' => quoted = !quoted,
            '^' if !quoted => {
                text.extend(rest.next());
                continue;
            }
            '&' | '|' | '<' | '>' if !quoted => panic!("{c} is bare in {line}"),
            _ => {}
        }
        text.push(c);
    }
    text
}

/// The C runtime since 2008, and Rust: backslashes count before a quote; two quotes inside of
/// quotes are one.
fn by_c_runtime(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut started) = (Vec::new(), String::new(), false, false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' if !quoted => {
                if std::mem::take(&mut started) {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            '\\' => {
                let mut count = 1;
                while rest.next_if_eq(&'\\').is_some() {
                    count += 1;
                }
                let before_quote = rest.peek() == Some(&'"');
                let kept = if before_quote { count / 2 } else { count };
                word.extend(std::iter::repeat_n('\\', kept));
                if before_quote && count % 2 == 1 {
                    word.extend(rest.next());
                }
            }
            '"' if quoted && rest.next_if_eq(&'"').is_some() => word.push('"'),
            '"' => quoted = !quoted,
            _ => word.push(c),
        }
        started = true;
    }
    words.extend(started.then_some(word));
    words
}

fn by_cmd_and_c_runtime(line: &str) -> Vec<String> {
    by_c_runtime(&by_cmd(line))
}

/// DBeaver replaces its variables first; on Unix a backslash escapes.
fn by_dbeaver_on_unix(line: &str) -> Vec<String> {
    assert!(!line.contains("${"), "{line}");
    let rules = Rules {
        single: Inside::Backslash,
        double: Inside::Backslash,
        bare_backslash: true,
    };
    split(line, &rules)
}

fn by_dbeaver_on_windows(line: &str) -> Vec<String> {
    assert!(!line.contains("${"), "{line}");
    let rules = Rules {
        single: Inside::Plain,
        double: Inside::Plain,
        bare_backslash: false,
    };
    split(line, &rules)
}

fn by_go(text: &str) -> String {
    match text.strip_prefix('`') {
        Some(rest) => {
            let (inside, after) = rest.split_once('`').expect("an end");
            assert_eq!(after, "");
            inside.to_owned()
        }
        None => serde_json::from_str(text).expect("a string"),
    }
}

/// A single quote in the middle would end the text for PostgreSQL.
fn by_sql(sql: &str, quote: char) -> String {
    let inside = sql
        .strip_prefix(quote)
        .and_then(|sql| sql.strip_suffix(quote));
    let mut letters = inside.expect("quotes around it").chars();
    let mut read = String::new();
    while let Some(letter) = letters.next() {
        if letter == quote {
            assert_eq!(letters.next(), Some(quote), "{sql}");
        }
        read.push(letter);
    }
    read
}

fn by_odbc(text: &str) -> String {
    let Some(rest) = text.strip_prefix('{') else {
        assert!(!text.contains([';', '=']), "{text}");
        return text.to_owned();
    };
    let inside = rest.strip_suffix('}').expect("an end");
    assert!(!inside.replace("}}", "").contains('}'), "{text}");
    inside.replace("}}", "}")
}

fn by_url(text: &str) -> String {
    assert!(
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)),
        "{text}"
    );
    let bytes = percent_encoding::percent_decode_str(text);
    bytes.decode_utf8().expect("UTF-8").into_owned()
}

fn by_json(inside: &str) -> String {
    serde_json::from_str(&format!("\"{inside}\"")).expect("a string")
}

fn by_xml(text: &str) -> String {
    assert!(!text.contains(['<', '>', '"']), "{text}");
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';').expect("an entity");
        plain.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            _ => name
                .strip_prefix('#')
                .and_then(|digits| char::from_u32(digits.parse().ok()?))
                .expect("a number"),
        });
        plain.push_str(rest);
    }
    plain
}

/// A line that begins with a dot is a request; with `\&` before the dot it is text.
fn by_roff(line: &str) -> String {
    assert!(!line.starts_with(['.', '\'']), "{line}");
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        for (escape, meaning) in [("&", ""), ("e", "\\"), ("-", "-"), ("(aq", "'")] {
            if let Some(left) = after.strip_prefix(escape) {
                text.push_str(meaning);
                rest = left;
            }
        }
    }
    text + rest
}

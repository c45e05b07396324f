//! The passfile modules against 235 files and libpq's answers, and against random files.
//!
//! The corpus stands in `tests/vectors`, with the answers that libpq 15 gave. Every file of it
//! takes a block and gives it back unchanged, and a damaged block is refused.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

use super::block::{Passfile, PassfileLine};
use super::line::{PassfileQuery, escape, look_up, unescape};
use super::survey::survey_passfile;
use crate::time::Time;
use crate::token::Token;

const HOST: &str = "foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws";
const TOKEN: &str =
    "foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws/?Action=DbConnectAdmin&X-Amz-Signature=ab12";

/// A case of the corpus: a file, a look-up, libpq 15's answer.
struct Case {
    name: String,
    text: Vec<u8>,
    host: String,
    port: String,
    dbname: String,
    user: String,
    expected: Option<Vec<u8>>,
}

/// Reads the corpus and fills in what libpq fills in before it looks into the file.
fn corpus() -> Vec<Case> {
    const DEFAULT_SOCKETS: &str = "/var/run/postgresql";
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/passfile");
    let json = std::fs::read_to_string(directory.join("cases.json")).expect("the corpus");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let read = |case: &Value| {
        let text = |field: &str| case[field].as_str().filter(|value| !value.is_empty());
        let first = |list: &str| list.split(',').next().unwrap_or_default().to_owned();
        let host = text("host")
            .or(text("hostaddr"))
            .filter(|host| *host != DEFAULT_SOCKETS)
            .unwrap_or("localhost");
        let user = text("user").expect("a user");
        let name = text("name").expect("a name");
        let bytes = |list: &Vec<Value>| {
            list.iter()
                .filter_map(|b| u8::try_from(b.as_u64()?).ok())
                .collect()
        };
        let expected = text("expected").map(|text| text.as_bytes().to_vec());
        Case {
            name: name.to_owned(),
            text: std::fs::read(directory.join(text("file").expect("a file")))
                .expect("the case's file"),
            host: first(host),
            port: first(text("port").unwrap_or("5432")),
            dbname: text("database").unwrap_or(user).to_owned(),
            user: user.to_owned(),
            // One password is not UTF-8 and stands as a list of bytes.
            expected: expected.or_else(|| case["expected"].as_array().map(bytes)),
        }
    };
    json.as_array().expect("cases").iter().map(read).collect()
}

fn line(host: &str) -> PassfileLine {
    PassfileLine {
        host: host.to_owned(),
        port: 5432,
        user: "admin".to_owned(),
    }
}

fn wanted<'a>(line: &'a PassfileLine, port: &'a str) -> PassfileQuery<'a> {
    PassfileQuery {
        host: line.host.as_bytes(),
        port: port.as_bytes(),
        dbname: Some(b"postgres"),
        user: line.user.as_bytes(),
    }
}

/// One time for all tokens: a second may pass between two of them.
static NOW: LazyLock<Time> = LazyLock::new(Time::now);

fn token(text: &str) -> Token {
    Token::new(text.to_owned(), *NOW, NOW.plus(900))
}

fn with_entry(text: &[u8], line: &PassfileLine, token_text: &str) -> Vec<u8> {
    let mut passfile = Passfile::parse(text).expect("no damage");
    passfile
        .set(line.clone(), &token(token_text))
        .expect("a good entry");
    passfile.render()
}

fn erased(text: &[u8]) -> Vec<u8> {
    let mut passfile = Passfile::parse(text).expect("no damage");
    passfile.remove(|_| true);
    passfile.render()
}

impl Case {
    fn answer(&self, text: &[u8]) -> Option<Vec<u8>> {
        let (host, port) = (self.host.as_bytes(), self.port.as_bytes());
        look_up(
            text,
            PassfileQuery {
                host,
                port,
                dbname: Some(self.dbname.as_bytes()),
                user: self.user.as_bytes(),
            },
        )
    }
}

#[test]
fn look_up_agrees_with_libpq_15_in_every_case() {
    let cases = corpus();
    assert_eq!(cases.len(), 235);
    for case in cases {
        assert_eq!(case.answer(&case.text), case.expected, "{}", case.name);
    }
}

#[test]
fn every_file_of_the_corpus_takes_a_block_and_gives_it_back() {
    for case in corpus() {
        let ours = line("pgcred-test.dsql.us-east-1.on.aws");
        let managed = with_entry(&case.text, &ours, TOKEN);
        assert_eq!(
            look_up(&managed, wanted(&ours, "5432")).as_deref(),
            Some(TOKEN.as_bytes()),
            "{}",
            case.name
        );
        assert_eq!(
            case.answer(&managed),
            case.expected,
            "{}: another look-up changed",
            case.name
        );
        assert!(
            with_entry(&managed, &ours, TOKEN) == managed,
            "{}: not idempotent",
            case.name
        );
        assert!(
            erased(&managed) == case.text,
            "{}: bytes changed",
            case.name
        );
    }
}

#[test]
fn the_blocks_text() {
    let mut passfile = Passfile::parse(b"h:1:*:u:p\n").expect("no damage");
    let at = Time::from_compact("20260101T001500Z").expect("a time");
    passfile
        .set(line(HOST), &Token::new("a:b".into(), at, at))
        .expect("a good entry");
    let expected = format!(
        "# pgcred begin - lines up to the end mark are rewritten by pgcred\n\
         # expires 20260101T001500Z\n\
         {HOST}:5432:*:admin:a\\:b\n# pgcred end\nh:1:*:u:p\n"
    );
    assert_eq!(
        String::from_utf8(passfile.render()).expect("text"),
        expected
    );
    passfile.drop_expired(at);
    assert_eq!(passfile.render(), b"h:1:*:u:p\n");
}

#[test]
fn a_block_that_was_moved_down_goes_up_again() {
    let managed = with_entry(b"", &line(HOST), TOKEN);
    let moved = [b"mine:1:*:u:p\n", &managed[..], b"last:1:*:u:p"].concat();
    let again = with_entry(&moved, &line("b"), TOKEN);
    assert!(again.starts_with(b"# pgcred begin") && again.ends_with(b"mine:1:*:u:p\nlast:1:*:u:p"));
}

#[test]
fn a_damaged_block_is_refused_with_its_line() {
    let block = String::from_utf8(with_entry(b"", &line(HOST), TOKEN)).expect("text");
    let (begin, end) = (block.lines().next().expect("a mark"), "# pgcred end");
    for (text, says) in [
        (format!("a:1:*:b:c\n{end}\n"), "line 2:"),
        (format!("{begin}\n"), "end mark is missing"),
        (format!("{begin}\n{begin}\n{end}\n"), "line 2:"),
        (format!("{block}{block}"), "line 5:"),
        (format!("{begin}\nmine:1:*:u:p\n{end}\n"), "line 2:"),
        (format!("{begin}\n# a note\n{end}\n"), "line 2:"),
        (format!("{begin}\n# expires soon\n{end}\n"), "line 2:"),
        (
            format!("{begin}\n# expires 20260101T001500Z\n{end}\n"),
            "line 3:",
        ),
        (
            format!("{begin}\n# expires 20260101T001500Z\nh:1:db:u:p\n{end}\n"),
            "line 3:",
        ),
        (
            format!("{begin}\n# expires 20260101T001500Z\n\\# pgcred begin:1:*:u:p\n{end}\n"),
            "line 3:",
        ),
    ] {
        let error = Passfile::parse(text.as_bytes())
            .err()
            .unwrap_or_else(|| panic!("accepted: {text}"));
        assert!(error.to_string().contains(says), "{error} for {text}");
    }
}

/// Lines that the user appends below a block that came with a newline of its own stay lines of
/// their own.
#[test]
fn what_is_appended_later_is_not_glued() {
    let mine = b"\xef\xbb\xbfa:1:*:u:p";
    let appended = [
        &with_entry(mine, &line(HOST), TOKEN)[..],
        b"h2:5432:*:u:second\n",
    ]
    .concat();
    let expected = [&mine[..], b"\nh2:5432:*:u:second\n"].concat();
    assert_eq!(erased(&appended), expected);
    assert_eq!(erased(&with_entry(&appended, &line(HOST), TOKEN)), expected);
}

/// An editor that turns the whole file to CRLF damages nothing.
#[test]
fn crlf_in_the_block_is_read() {
    let block = String::from_utf8(with_entry(b"", &line(HOST), TOKEN))
        .expect("text")
        .replace('\n', "\r\n");
    assert_eq!(
        with_entry(block.as_bytes(), &line(HOST), TOKEN),
        with_entry(b"", &line(HOST), TOKEN)
    );
}

#[test]
fn what_no_reader_can_match_is_refused() {
    for (host, user) in [
        ("", "u"),
        ("h", ""),
        ("*", "u"),
        ("h", "a*"),
        ("h", " u"),
        ("h", "u\t"),
        ("#h", "u"),
        ("h", "a\u{2028}b"),
    ] {
        assert!(
            PassfileLine {
                host: host.into(),
                port: 1,
                user: user.into()
            }
            .check()
            .is_err(),
            "{host:?} {user:?}"
        );
    }
}

#[test]
fn the_survey_names_lines_and_readers_and_no_content() {
    let users = b"*:*:*:*:s3cret\nshort:line\nh:x:d:u:s3cret\nh:1:d:u:s3:cret\n\
        h:1:d:u:s\\3cret\n  # s3cret\n\
        h:1:d:u:s3cret\0\nh:1:d:u:s3cr\xe9t\n";
    let text = with_entry(users, &line(HOST), TOKEN);
    let keys = [line(HOST)];
    let said = survey_passfile(&text, keys.iter());
    for expected in [
        "line 5 also matches",
        "line 6 has fewer than five",
        "line 7 has a port",
        "line 8 has a bare",
        "line 9 escapes more",
        "line 10 is indented",
        "line 11 has a NUL",
        "line 12 is not UTF-8",
    ] {
        assert!(
            said.iter().any(|line| line.starts_with(expected)),
            "{expected} not in {said:#?}"
        );
    }
    assert_eq!(said.len(), 8, "{said:#?}");
    assert!(!said.concat().contains("s3c"));
    let long = with_entry(
        &[&vec![b'x'; 65_536][..], b":1:*:u:p\nh:1:*:u:p\r\n"].concat(),
        &line(HOST),
        TOKEN,
    );
    let said = survey_passfile(&long, keys.iter());
    assert!(
        said[0].starts_with("line 5 is longer") && said[1].starts_with("line 6 ends in CR LF"),
        "{said:?}"
    );
    let said = survey_passfile(
        &with_entry(b"a:b\nh:1:*:u:p\nc:d\n", &line(HOST), TOKEN),
        keys.iter(),
    );
    assert!(
        said[0].starts_with("lines 5, 7 have fewer than five fields"),
        "{said:?}"
    );
    assert!(
        survey_passfile(
            &with_entry(b"# fine\nother:5432:*:u:p\n", &line(HOST), TOKEN),
            keys.iter()
        )
        .is_empty()
    );
}

proptest! {
    /// Any bytes that hold no mark of ours: the token is found, the rest answers as before, and
    /// comes back as it was.
    #[test]
    fn random_files(
        lines in prop::collection::vec(prop_oneof![
            "[a-z*:\\\\# ]{0,12}", "(h|\\*):(5432|\\*):(d|\\*):(u|\\*):[a-z:\\\\]{0,5}", "\\PC{0,8}"
        ], 0..8),
        end in prop::sample::select(vec!["\n", "\r\n", "\r", ""]),
        bom in any::<bool>(),
        raw in prop::collection::vec(any::<u8>(), 0..6),
        user in "[a-z:\\\\'é]{1,6}",
        secret in "[a-z:\\\\%=&]{1,9}",
    ) {
        prop_assume!(user.trim() == user);
        let mut text = if bom { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
        text.extend(lines.join(end).bytes());
        text.extend(raw);
        let ours = PassfileLine { host: "ours.example.com".into(), port: 5432, user };
        let managed = with_entry(&text, &ours, &secret);
        let line = b"later:5432:d:u:pw\n";
        let appended = [&managed[..], line].concat();
        prop_assert!(erased(&with_entry(&appended, &ours, &secret)).starts_with(&text));
        prop_assert!(erased(&appended).ends_with(line));
        let first_line = text.split(|b| *b == b'\n').next();
        let nul_above = bom && first_line.is_some_and(|line| line.contains(&0));
        if !nul_above {
            let found = look_up(&managed, wanted(&ours, "5432"));
            prop_assert_eq!(found, Some(secret.clone().into_bytes()));
        }
        let other = PassfileLine { host: "h".into(), port: 5432, user: "u".into() };
        let found = look_up(&managed, wanted(&other, "5432"));
        prop_assert_eq!(found, look_up(&text, wanted(&other, "5432")));
        prop_assert_eq!(erased(&managed), text);
    }

    #[test]
    fn escaping_survives(text in "\\PC{0,20}") {
        prop_assert_eq!(unescape(escape(&text).as_bytes()), text.into_bytes());
    }
}

proptest! {
    #![proptest_config(crate::text::mutation::cases())]

    /// A file that can be parsed is rendered again with the same entries, and with the user's bytes
    /// as they were.
    #[test]
    fn files_that_are_nearly_right(text in crate::text::mutation::bytes(
        &[
            "# pgcred begin - lines up to the end mark are rewritten by pgcred\n\
             # expires 20300101T001500Z\nh:5432:*:u:t\\:x\n# pgcred end\nmine:1:*:u:p\n",
            "# pgcred begin in a file of its own - lines up to the end mark are rewritten by \
             pgcred\n# expires 20300101T001500Z\nh:5432:*:u:t\n# pgcred end\n",
            "\u{feff}mine:1:*:u:p\n# pgcred begin after an added newline - lines up to the end \
             mark are rewritten by pgcred\n# expires 20300101T001500Z\nh:1:*:u:t\n# pgcred end\n",
            "mine:1:*:u:p\r\n*:*:*:*:pw",
        ],
        &[
            "# pgcred begin",
            "# pgcred end\n",
            "# expires ",
            "20300101T001500Z",
            "h:5432:*:u:t\n",
            "*",
            "\\:",
        ],
    )) {
        let _ = survey_passfile(&text, std::iter::empty::<&PassfileLine>());
        let Ok(passfile) = Passfile::parse(&text) else { return Ok(()) };
        let rendered = passfile.render();
        let again = Passfile::parse(&rendered);
        prop_assert!(again.is_ok(), "{:?}", String::from_utf8_lossy(&rendered));
        let again = again.unwrap();
        prop_assert!(again.token_lines().eq(passfile.token_lines()));
        prop_assert_eq!(again.render(), rendered);
    }
}

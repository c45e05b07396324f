//! What is refused, and with which text.

use super::*;

fn refused(sql: &str) -> Option<String> {
    Dialect::default()
        .first_offence(&tokens(sql))
        .map(|(_, text)| text)
}

#[test]
fn parameters_off_the_list_are_found() {
    for (sql, name) in [
        ("SET bytea_output=hex", "bytea_output"),
        (
            "  set SESSION client_min_messages TO notice;",
            "client_min_messages",
        ),
        ("SET LOCAL \"Statement_Timeout\" = 0", "statement_timeout"),
        ("set my.var = 'x'", "my.var"),
        ("/* a /* b */ c */ SET -- d\n jit = off", "jit"),
        ("SELECT 'SET x = 1'; SET jit = off", "jit"),
        ("SELECT $q$;$q$; SET jit TO off", "jit"),
        ("SELECT E'\\';'; SET jit TO off", "jit"),
        ("SET search_path = a; SET jit = off", "jit"),
        (
            "SELECT set_config('bytea_output','hex',false) FROM pg_settings",
            "bytea_output",
        ),
        (
            "SELECT set_config('datestyle','ISO',false), pg_catalog.set_config('JIT', 'off', true)",
            "jit",
        ),
        ("INSERT INTO t SELECT set_config('jit', 'off', true)", "jit"),
        ("SET XML OPTION DOCUMENT", "xmloption"),
        ("SET enable_sort = off", "enable_sort"),
        (
            "SET default_transaction_isolation = 'repeatable read'",
            "default_transaction_isolation",
        ),
        (
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "TRANSACTION",
        ),
        ("SET TRANSACTION READ ONLY", "TRANSACTION"),
        ("SET LOCAL TRANSACTION READ ONLY", "TRANSACTION"),
        (
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "SESSION CHARACTERISTICS",
        ),
        ("SET SESSION AUTHORIZATION DEFAULT", "session_authorization"),
    ] {
        assert_eq!(refused(sql), Some(not_settable(name)), "{sql}");
    }
}

#[test]
fn statements_and_functions_that_are_missing_are_refused() {
    for (sql, text) in [
        (
            "SAVEPOINT a",
            "unsupported transaction statement: SAVEPOINT",
        ),
        (
            "RELEASE SAVEPOINT a",
            "unsupported transaction statement: RELEASE",
        ),
        (
            "ROLLBACK WORK TO a",
            "unsupported transaction statement: ROLLBACK TO",
        ),
        ("lock table t", "unsupported statement: Lock"),
        ("SELECT 1; UNLISTEN *", "unsupported statement: Unlisten"),
        ("vacuum", "unsupported VACUUM statement"),
        ("PREPARE a AS SELECT 1", "unsupported statement: Prepare"),
        (
            "DECLARE c CURSOR FOR SELECT 1",
            "unsupported statement: DeclareCursor",
        ),
        (
            "BEGIN ISOLATION LEVEL SERIALIZABLE",
            "Unsupported isolation level: SERIALIZABLE",
        ),
        (
            "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            "Unsupported isolation level: SERIALIZABLE",
        ),
        (
            "START TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "Unsupported isolation level: READ COMMITTED",
        ),
        (
            "SELECT 1 FROM a WHERE pid = PG_BACKEND_PID ()",
            "function pg_backend_pid not supported",
        ),
        (
            "SELECT pg_catalog.pg_try_advisory_lock(1)",
            "function pg_try_advisory_lock not supported",
        ),
    ] {
        assert_eq!(refused(sql).as_deref(), Some(text), "{sql}");
    }
}

#[test]
fn everything_else_passes() {
    for sql in [
        "",
        ";;",
        "SET search_path TO a, b",
        "SET DateStyle = ISO; SET TIME ZONE 'UTC'; SET NAMES 'UTF8'; SET extra_float_digits = 3",
        "SET ROLE r",
        "SET role = r; SET enable_seqscan = off; SET \"IntervalStyle\" TO iso_8601",
        "SET CONSTRAINTS ALL DEFERRED",
        "UPDATE t SET jit = 1",
        "SELECT ';SET jit = 1', \";SET jit = 1\", $$;SET jit = 1$$ -- ;SET jit = 1",
        "SELECT $1, $2; SELECT set_config($1, $2, false)",
        "SELECT set_config('search_path', '', false)",
        "SELECT 'unfinished; SET jit = 1",
        "SELECT /* unfinished ; SET jit = 1",
        "SELECT $a$ unfinished ; SET jit = 1",
        "SET",
        "SET jit",
        "BEGIN ISOLATION LEVEL REPEATABLE READ; ROLLBACK",
        "SELECT 'pg_backend_pid()', lock, pg_backend_pid FROM t",
        "CREATE TABLE a (b int)",
    ] {
        assert_eq!(refused(sql), None, "{sql}");
    }
}

#[test]
fn a_transaction_has_one_ddl_and_nothing_beside_it() {
    const TWO: Option<&str> = Some("multiple ddl statements not supported in a transaction");
    const MIXED: Option<&str> = Some("ddl and dml are not supported in the same transaction");
    // Each step is one query.
    for (steps, wanted) in [
        (&["BEGIN", "CREATE TABLE a ()", "DROP TABLE b"][..], TWO),
        (&["CREATE TABLE a (); CREATE TABLE b ()"], TWO),
        (
            &["BEGIN", "CREATE TABLE a ()", "INSERT INTO b VALUES (1)"],
            MIXED,
        ),
        (&["INSERT INTO b VALUES (1); CREATE TABLE a ()"], MIXED),
        (&["CREATE TABLE a ()", "CREATE TABLE b ()"], None),
        (
            &["BEGIN", "CREATE TABLE a ()", "COMMIT", "DROP TABLE a"],
            None,
        ),
        (&["BEGIN", "CREATE TABLE a ()", "SELECT 1"], None),
    ] {
        let mut dialect = Dialect::default();
        let mut last = None;
        for sql in steps {
            last = dialect.first_offence(&tokens(sql)).map(|(_, text)| text);
            dialect.sync();
        }
        assert_eq!(last.as_deref(), wanted, "{steps:?}");
    }
}

#[test]
fn earlier_statements_are_kept() {
    let sql = Dialect::default()
        .rewrite("BEGIN; SET jit = off; SELECT 1")
        .unwrap();
    assert!(sql.starts_with(
        "BEGIN; DO $standin$BEGIN RAISE EXCEPTION USING ERRCODE='0A000', MESSAGE='setting \
         configuration parameter \"jit\" not supported', DETAIL="
    ));
}

#[test]
fn names_cannot_break_out_of_the_message() {
    let sql = Dialect::default()
        .rewrite("SET \"a'; $standin$ b\" = 1")
        .unwrap();
    assert!(sql.contains("parameter \"a standin b\" not"), "{sql}");
}

#[test]
fn what_only_dsql_knows_is_kept_from_the_real_server() {
    let rewrite = |sql| Dialect::default().rewrite(sql);
    assert_eq!(
        rewrite("SELECT 1; SET SESSION disable_sync_create_index = on").as_deref(),
        Some("SELECT 1; SET SESSION standin.disable_sync_create_index = on")
    );
    assert_eq!(rewrite("SET dsql.enable_batched_nestloop = on"), None);
    assert_eq!(rewrite("SELECT disable_sync_create_index"), None);
}

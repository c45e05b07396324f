<?php
// The client PHP (pgsql), with the system's libpq: `environment` (PG* variables, and what PGSERVICE names), `url` (from URL);
// with `command`, pgcred gives the password.
$how = $argv[1];
if ($how === 'version') {
    exit('PHP ' . PHP_VERSION . ', libpq ' . PGSQL_LIBPQ_VERSION . "\n");
}
if (($argv[2] ?? '') === 'command') {
    putenv('PGPASSWORD=' . trim(shell_exec('pgcred token "$CONNECTION"')));
}
$connection = pg_connect($how === 'url' ? getenv('URL') : '') ?: exit(1);
echo pg_fetch_result(pg_query($connection, "select current_user || '@' || current_database()"), 0), "\n";

<?php
// The client PHP (pgsql), with the system's libpq: `environment` (PG* variables), `url` (from URL), `command` (asks pgcred).
$way = $argv[1];
if ($way === 'version') {
    exit('PHP ' . PHP_VERSION . ', libpq ' . PGSQL_LIBPQ_VERSION . "\n");
}
$source = ['url' => getenv('URL'), 'command' => "password='" . trim(shell_exec('pgcred token')) . "'"][$way] ?? '';
$connection = pg_connect($source) ?: exit(1);
echo pg_fetch_result(pg_query($connection, "select current_user || '@' || current_database()"), 0), "\n";

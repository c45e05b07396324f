// The client postgres.js: `environment` (PG* variables), `url` (from URL), `command` (asks pgcred at every connection).
'use strict';
const { execFileSync } = require('node:child_process');
const { dirname, join } = require('node:path');
const postgres = require('postgres');

const way = process.argv[2];
if (way === 'version') {
  const package_ = require(join(dirname(require.resolve('postgres')), '../../package.json'));
  console.log(`postgres ${package_.version}, node ${process.version}`);
  process.exit();
}
const options = { ssl: 'verify-full', max: 1, fetch_types: false };
if (way === 'command') options.pass = () => execFileSync('pgcred', ['token'], { encoding: 'utf8' }).trim();
const sql = way === 'url' ? postgres(process.env.URL, { max: 1 }) : postgres(options);
sql`select current_user || '@' || current_database() as who`
  .then((rows) => console.log(rows[0].who))
  .then(() => sql.end())
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });

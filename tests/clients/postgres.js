// The client postgres.js: `url` (from URL), `environment` (PG* variables: it reads all but TLS's by itself); with `command`,
// pgcred gives the password at every connection, and the program takes out of URL what the client cannot read.
'use strict';
const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const postgres = require('postgres');

const [how, password] = process.argv.slice(2);
if (how === 'version') {
  const package_ = require(join(dirname(require.resolve('postgres')), '../../package.json'));
  console.log(`postgres ${package_.version}, node ${process.version}`);
  process.exit();
}
const options = { max: 1, fetch_types: false };
const url = how === 'url' ? new URL(process.env.URL) : undefined;
if (!url) options.ssl = { ca: readFileSync(process.env.PGSSLROOTCERT) };
if (password === 'command') {
  options.ssl = { ca: readFileSync(url.searchParams.get('sslrootcert')) };
  url.search = '';
  options.pass = () => execFileSync('pgcred', ['token', process.env.CONNECTION], { encoding: 'utf8' }).trim();
}
const sql = url ? postgres(url.href, options) : postgres(options);
sql`select current_user || '@' || current_database() as who`
  .then((rows) => console.log(rows[0].who))
  .then(() => sql.end())
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });

// The client node-postgres: `url` (from URL), `environment` (PG* variables: it reads all but the root certificates by itself);
// with `command`, pgcred gives the password at every connection.
'use strict';
const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const pg = require('pg');

const [how, password] = process.argv.slice(2);
if (how === 'version') {
  console.log(`pg ${require('pg/package.json').version}, node ${process.version}`);
  process.exit();
}
const options =
  how === 'url'
    ? require('pg-connection-string').parse(process.env.URL)
    : { ssl: { ca: readFileSync(process.env.PGSSLROOTCERT) } };
if (password === 'command') {
  options.password = () => execFileSync('pgcred', ['token', process.env.CONNECTION], { encoding: 'utf8' }).trim();
}
const client = new pg.Client(options);
client
  .connect()
  .then(() => client.query("select current_user || '@' || current_database() as who"))
  .then((result) => console.log(result.rows[0].who))
  .then(() => client.end())
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });

// The client node-postgres: `environment` (PG* variables), `url` (from URL), `command` (asks pgcred at every connection).
'use strict';
const { execFileSync } = require('node:child_process');
const pg = require('pg');

const way = process.argv[2];
if (way === 'version') {
  console.log(`pg ${require('pg/package.json').version}, node ${process.version}`);
  process.exit();
}
const options = {
  url: { connectionString: process.env.URL },
  command: { ssl: true, password: () => execFileSync('pgcred', ['token'], { encoding: 'utf8' }).trim() },
};
const client = new pg.Client(options[way] ?? { ssl: true });
client
  .connect()
  .then(() => client.query("select current_user || '@' || current_database() as who"))
  .then((result) => console.log(result.rows[0].who))
  .then(() => client.end())
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });

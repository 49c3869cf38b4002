// `npm run sbom`: writes dist/sbom.cdx.json, the software bill of materials (CycloneDX) of what we ship, from the lock file.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const FILE = 'dist/sbom.cdx.json';

// Not --omit=dev: that leaves out what tools of development need as well as we do.
const args = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'];
const { status, stdout, stderr } = spawnSync('npm', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
if (status !== 0) throw new Error(`npm sbom failed: ${stderr}`);

const bom = JSON.parse(stdout);
if (bom.bomFormat !== 'CycloneDX' || !Array.isArray(bom.components))
  throw new Error('npm sbom made no CycloneDX document');
const isForDevelopment = ({ properties = [] }) => properties.some(({ name }) => name === 'cdx:npm:package:development');
bom.components = bom.components.filter((component) => !isForDevelopment(component));
const shipped = new Set([bom.metadata.component, ...bom.components].map((component) => component['bom-ref']));
bom.dependencies = bom.dependencies
  .filter(({ ref }) => shipped.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => shipped.has(other)) }));

// The lock file says the same in other words: by it the document is checked.
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const locked = Object.entries(packages).filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional);
const expected = new Set(locked.map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`));
const listed = new Set(bom.components.map((component) => component['bom-ref'].split('|', 1)[0]));
const wrong = [...expected]
  .filter((name) => !listed.has(name))
  .concat([...listed].filter((name) => !expected.has(name)));
if (wrong.length > 0) throw new Error(`The bill of materials and package-lock.json differ in ${wrong.join(', ')}`);

mkdirSync('dist', { recursive: true });
writeFileSync(FILE, `${JSON.stringify(bom, null, 2)}\n`);
process.stdout.write(`${FILE}: ${bom.components.length} components\n`);

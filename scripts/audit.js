// `npm run audit`: known holes in what we ship. Exits 1 at any that is high or critical, 3 where the registry has no audit to ask.
import { spawnSync } from 'node:child_process';

const NO_AUDIT = 3;

const { stdout, stderr } = spawnSync('npm', ['audit', '--json', '--omit=dev'], { encoding: 'utf8' });
const report = parse(stdout);

if (report.vulnerabilities) {
  const grave = Object.values(report.vulnerabilities).filter(({ severity }) => /^(high|critical)$/.test(severity));
  for (const { name, severity, via } of grave) {
    const titles = via.map((cause) =>
      typeof cause === 'string' ? `by ${cause}` : `${cause.title} ${cause.url ?? ''}`,
    );
    say(`${name}: ${severity}: ${titles.join('; ')}`);
  }
  say(`${grave.length} dependencies with a high or critical hole (npm audit --omit=dev).`);
  process.exitCode = grave.length > 0 ? 1 : 0;
} else if ([404, 405, 501].includes(report.statusCode)) {
  say(`NOT AUDITED: the npm registry has no audit endpoint (${report.message}).`);
  process.exitCode = NO_AUDIT;
} else {
  say(`npm audit failed: ${report.message ?? report.error?.summary ?? stderr}`);
  process.exitCode = 1;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { message: `${text}${stderr}` };
  }
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

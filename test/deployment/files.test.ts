import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { readConfig, requireSettings } from '../../src/config.js';
import { SERVER_FLAGS } from '../../src/dev/temporal-server.js';
import { COMPOSE_FILE, readCompose, readDockerfile, serviceOf, type Compose, type Service } from './read-deployment.js';
import { PRODUCTION, REQUIRED } from './variables.js';

const composeText = readFileSync(COMPOSE_FILE, 'utf8');
const namesIn = (file: string): string[] => Object.keys(parseEnv(readFileSync(file, 'utf8')));
const settingsOf = ({ environment = {} }: Service): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, value ?? '']));

/** Of one machine alone, of `npm start`, or given by the file itself or by the image. */
const NOT_FOR_COMPOSE = [
  ...['DATA_DIR', 'TEMPORAL_CLI_PATH', 'TEMPORAL_DEV_PORT', 'TEMPORAL_DEV_UI_PORT'],
  // Its two programs do not start without keys; to go without them is for who runs it otherwise.
  'PAYLOAD_ENCRYPTION',
  ...['NODE_ENV', 'HOST', 'PORT'],
  // Of who runs the CLI of support, wherever that is.
  ...['SUPPORT_API_URL', 'SUPPORT_API_TOKEN'],
];

describe('docker-compose.temporal.yml', function () {
  this.timeout(600_000);
  let compose: Compose;
  before('build what reads it', async () => {
    compose = await readCompose({ ...PRODUCTION, TEMPORAL_DEPLOYMENT_NAME: 'prompt-generation' });
  });
  const all = () => Object.entries(compose.services);

  it('is read by Docker, with every service of the topology', () => {
    const expected = ['api', 'database', 'grafana', 'prometheus', 'temporal', 'temporal-database'];
    const jobs = ['temporal-namespace', 'temporal-schema', 'temporal-ui', 'worker', 'worker-next'];
    assert.deepEqual(Object.keys(compose.services).sort(), [...expected, ...jobs]);
  });

  for (const name of Object.keys(REQUIRED)) {
    it(`is refused without ${name}, which has no default`, async () => {
      await assert.rejects(readCompose({ ...PRODUCTION, [name]: '' }), new RegExp(`${name} is missing a value`));
    });
  }

  it('has no secret of its own', () => {
    const secret = /(PASSWORD|PWD|SECRET|KEYS?)$/;
    for (const [, name = '', value = ''] of composeText.matchAll(/^ +([A-Z_]+): (.*)$/gm))
      if (secret.test(name)) assert.match(value, /^\$\{[A-Z_]+:(\?.*|-)\}$/, name);
    assert.doesNotMatch(composeText, /:\/\/\w+:(?!\$\{)[^/\s]*@/, 'a password in a URL');
  });

  it('pins every image to one version', () => {
    for (const [name, { image }] of all()) assert.match(image, /:v?\d+(\.|-)\d+[\w.-]*$|:none$/, name);
  });

  it('runs nothing as root, with capabilities, with a way to more rights, or with an image it can write to', () => {
    for (const [name, service] of all()) {
      assert.equal(service.read_only, true, `${name}: its own files`);
      assert.match(service.user ?? '', /^[1-9]\d*:\d+$/, `${name}: user`);
      assert.deepEqual(service.cap_drop, ['ALL'], `${name}: capabilities`);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], `${name}: privileges`);
    }
  });

  it('checks the health of everything that stays, and starts nothing before what it needs', () => {
    for (const [name, service] of all()) {
      const isJob = service.restart === 'on-failure:5';
      assert.equal(service.healthcheck === undefined, isJob, `${name}: health`);
      // Else `up --wait` would take its end for a failure.
      const isNeeded = all().some(([, { depends_on = {} }]) => name in depends_on);
      assert.ok(isNeeded || !isJob, `nothing waits for ${name}`);
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        const needed = serviceOf(compose, other);
        const expected = needed.restart === 'on-failure:5' ? 'service_completed_successfully' : 'service_healthy';
        assert.equal(condition, expected, `${name} waits for ${other}`);
      }
    }
  });

  it('gives a port to this machine alone, and to databases and workers none', () => {
    for (const [name, { ports = [] }] of all()) {
      for (const { host_ip } of ports) assert.equal(host_ip, '127.0.0.1', name);
      if (/database|worker/.test(name)) assert.deepEqual(ports, [], name);
    }
    const networksOf = (name: string) => Object.keys(serviceOf(compose, name).networks);
    for (const name of ['database', 'temporal-database']) {
      assert.deepEqual(networksOf(name), [name]);
      assert.equal(compose.networks[name]?.internal, true, name);
    }
  });

  it('mounts files that are there', () => {
    const mounted = all().flatMap(([, { volumes = [] }]) => volumes.filter(({ type }) => type === 'bind'));
    assert.ok(mounted.length >= 5, `only ${mounted.length}`);
    for (const { source, read_only } of mounted) {
      assert.ok(readdirSync(source).length > 0, source);
      assert.equal(read_only, true, source);
    }
  });

  it('gives API and worker settings that they start with', () => {
    const api = readConfig(settingsOf(serviceOf(compose, 'api')));
    requireSettings(api, ['databaseUrl', 'auth', 'encryption']);
    const worker = readConfig(settingsOf(serviceOf(compose, 'worker')));
    requireSettings(worker, ['databaseUrl', 'llm', 'encryption']);
    assert.deepEqual(worker.temporal.deployment, { deploymentName: 'prompt-generation', buildId: PRODUCTION.VERSION });
    for (const { temporal } of [api, worker]) {
      const { target, taskQueue } = temporal;
      assert.deepEqual(
        [target.connectionOptions.address, target.namespace, taskQueue],
        ['temporal:7233', 'prompt-generation', 'prompt-generation'],
      );
    }
    assert.equal(api.temporal.uiUrl, PRODUCTION.TEMPORAL_UI_URL);
  });

  it('switches worker versioning on for both versions, or for none', async () => {
    const buildIds = ({ services }: Compose) =>
      ['worker', 'worker-next'].map((name) => readConfig(settingsOf(services[name]!)).temporal.deployment?.buildId);
    const deploying = { ...PRODUCTION, TEMPORAL_DEPLOYMENT_NAME: 'prompt-generation', NEXT_VERSION: '2026-11-26.1' };
    assert.deepEqual(buildIds(await readCompose(deploying)), [PRODUCTION.VERSION, '2026-11-26.1']);
    assert.deepEqual(buildIds(await readCompose(PRODUCTION)), [undefined, undefined]);
  });

  it('knows every setting of .env.example, and gives its programs no other', () => {
    const known = namesIn('.env.example').filter((name) => !NOT_FOR_COMPOSE.includes(name));
    const given = ['api', 'worker'].flatMap((name) => Object.keys(settingsOf(serviceOf(compose, name))));
    assert.deepEqual([...new Set(given)].sort(), known.sort());
  });

  it('asks for exactly the variables that ops/production.env.example has', () => {
    const asked = new Set([...composeText.matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map(([, name]) => name!));
    assert.deepEqual([...asked].sort(), namesIn('ops/production.env.example').sort());
  });

  it('gives Temporal the settings that `npm start` gives it, but for what only one shard can bear', () => {
    const embedded = SERVER_FLAGS.filter((flag) => flag.includes('='))
      .filter((flag) => !flag.includes('UpdateAckInterval'))
      .map((flag) => flag.replaceAll('"', ''));
    const file = readFileSync('ops/temporal/dynamic-config.yaml', 'utf8');
    const values = [...file.matchAll(/^([\w.]+):\n {2}- value: (.*)$/gm)].map(([, key, value]) => `${key}=${value}`);
    assert.deepEqual(values.sort(), embedded.sort());
  });

  it('is scraped and shown by files that name its services', () => {
    const prometheus = readFileSync('ops/prometheus/prometheus.yml', 'utf8');
    const jobs = [...prometheus.matchAll(/(?:names: \[(.*)\]|targets: \['([\w-]+):)/g)];
    const names = jobs.flatMap(([, many = '', one = '']) => (many || one).split(', '));
    assert.deepEqual(names, ['localhost', 'api', 'worker', 'worker-next', 'temporal']);
    const network = (name: string) => Object.keys(serviceOf(compose, name).networks);
    for (const name of names.slice(1)) assert.ok(network(name).includes('monitoring'), name);
    assert.equal(settingsOf(serviceOf(compose, 'worker')).METRICS_PORT, '9464');
    assert.equal([...prometheus.matchAll(/port: 9464/g)].length, 2);
  });
});

describe('The Dockerfile', function () {
  this.timeout(600_000);

  it('is built in stages by Docker, which has nothing to warn of', async () => {
    const { warnings, stages } = await readDockerfile();
    assert.equal(warnings, null);
    assert.deepEqual(
      stages.map(({ name }) => name),
      ['build', 'dependencies', ''],
    );
  });

  it('leaves an image without root, with a health check, that starts an API', async () => {
    const { image, stages } = await readDockerfile();
    assert.equal(image.User, 'node');
    assert.deepEqual(image.Cmd, ['node', 'dist/api/server.js']);
    assert.match(image.Healthcheck.Test.join(' '), /livez/);
    assert.ok(image.Env.includes('NODE_ENV=production'));
    const last = stages.at(-1)!.instructions.join('\n');
    assert.match(stages.at(-2)!.instructions.join('\n'), /npm ci --omit=dev/);
    assert.doesNotMatch(last, /^RUN|COPY \./m, 'only chosen files are copied, and nothing is run');
  });

  it('pins Node to one version, of those the tests run on', () => {
    const text = readFileSync('Dockerfile', 'utf8');
    const [, version = ''] = /^ARG NODE=node:(\d+)\.\d+\.\d+-bookworm-slim$/m.exec(text) ?? [];
    assert.match(readFileSync('.ci/run', 'utf8'), new RegExp(`node@${version}\\b`));
  });

  it('copies only what .dockerignore lets through', async () => {
    const ignored = readFileSync('.dockerignore', 'utf8').split('\n');
    const { stages } = await readDockerfile();
    const copied = stages
      .flatMap(({ instructions }) => instructions)
      .filter((instruction) => instruction.startsWith('COPY') && !instruction.includes('--from'))
      .flatMap((instruction) => instruction.split(' ').slice(1, -1));
    assert.ok(copied.length > 5);
    for (const path of copied) assert.ok(ignored.includes(`!${path}`), path);
  });

  it('is told from one that Docker warns of, and from what is none', async () => {
    const bad = join(tmpdir(), `Dockerfile-${process.pid}`);
    await writeFile(bad, 'from node:24\nMAINTAINER me\nENV SECRET_KEY=x\nCMD node\n');
    const { warnings } = await readDockerfile(bad);
    const rules = new Set(warnings?.map(({ ruleName }) => ruleName));
    for (const rule of ['MaintainerDeprecated', 'JSONArgsRecommended']) assert.ok(rules.has(rule), rule);
    await writeFile(bad, 'FROM node:24\nCOPPY . .\n');
    await assert.rejects(readDockerfile(bad), /unknown instruction: COPPY/);
  });
});

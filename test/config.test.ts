import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError, readConfig, requireSettings } from '../src/config.js';

const SECRET = 'a secret of at least 32 characters';
const problemsOf = (environment: Record<string, string>): string => {
  try {
    readConfig(environment);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  return assert.fail('nothing was found wrong');
};

describe('The settings', () => {
  it('have the defaults of the contract', () => {
    const { temporal, ...config } = readConfig({});
    assert.deepEqual(config, {
      production: false,
      host: '127.0.0.1',
      port: 3000,
      metrics: { port: 9464, explicit: false },
      logLevel: 'info',
      dataDir: '.data',
      llmLimits: {},
      pageLinks: {},
      minimumTokens: 700,
      maxOutputTokens: 3_000,
      startLimits: { startsPerMinute: 160, runningTasks: 120 },
    });
    const { target, ...rest } = temporal;
    assert.deepEqual(rest, { external: false, taskQueue: 'prompt-generation', dev: { port: 7233, uiPort: 8233 } });
    assert.equal(target.namespace, 'default');
  });

  it('count as not set where they are empty, as in a copied .env.example', () => {
    const example = parseEnv(readFileSync('.env.example', 'utf8')) as Record<string, string>;
    assert.ok(Object.keys(example).length > 15);
    const { metrics, ...config } = readConfig(example);
    const { metrics: _, ...defaults } = readConfig({});
    assert.deepEqual(config, defaults);
    assert.deepEqual(metrics, { port: 9464, explicit: true });
  });

  it('name each bad one in one message', () => {
    const message = problemsOf({
      PORT: 'x',
      METRICS_PORT: '70000',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://x',
      OPENAI_BASE_URL: 'ftp://x',
      AUTH_JWT_SECRET: 'short',
      MINIMUM_TOKENS: '-1',
      MAX_OUTPUT_TOKENS: '1.5',
      LLM_CALLS_PER_SECOND: '0',
      LLM_CONCURRENT_CALLS: '1.5',
      MAX_STARTS_PER_MINUTE: '0',
      MAX_RUNNING_TASKS: 'none',
      SHUTDOWN_DELAY_SECONDS: '9',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'key-of-the-collector',
      OTEL_TRACES_SAMPLER_ARG: '2',
      TEMPORAL_UI_URL: 'here',
    });
    for (const name of [
      ...['PORT', 'METRICS_PORT', 'LOG_LEVEL', 'DATABASE_URL', 'OPENAI_BASE_URL', 'AUTH_JWT_SECRET'],
      ...['MINIMUM_TOKENS', 'MAX_OUTPUT_TOKENS', 'TEMPORAL_UI_URL'],
      ...['LLM_CALLS_PER_SECOND', 'LLM_CONCURRENT_CALLS'],
      ...['MAX_STARTS_PER_MINUTE', 'MAX_RUNNING_TASKS', 'SHUTDOWN_DELAY_SECONDS'],
      ...['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_TRACES_SAMPLER_ARG'],
    ]) {
      assert.match(message, new RegExp(`^  ${name}: `, 'm'));
    }
    assert.doesNotMatch(message, /short|mysql|collector/, 'values may be secrets');
  });

  it('take one way to verify tokens, not two', () => {
    const both = { AUTH_JWT_SECRET: SECRET, AUTH_JWKS_URL: 'https://id.example/jwks.json' };
    assert.match(problemsOf(both), /AUTH_JWKS_URL: .*not both/);
    assert.deepEqual(readConfig({ AUTH_JWT_SECRET: SECRET, AUTH_ISSUER: 'i', AUTH_AUDIENCE: 'a' }).auth, {
      kind: 'secret',
      secret: SECRET,
      issuer: 'i',
      audience: 'a',
    });
  });

  it('limit the calls of the model by either or both, the rate also below one a second', () => {
    assert.deepEqual(readConfig({ LLM_CALLS_PER_SECOND: '0.5' }).llmLimits, { perSecond: 0.5 });
    const both = { LLM_CALLS_PER_SECOND: '20', LLM_CONCURRENT_CALLS: '8' };
    assert.deepEqual(readConfig(both).llmLimits, { perSecond: 20, concurrent: 8 });
  });

  it('of tracing are those of its ecosystem, and there is none without a collector', () => {
    assert.equal(readConfig({ OTEL_SERVICE_NAME: 'prompts' }).tracing, undefined);
    const endpoint = 'http://collector:4318';
    assert.deepEqual(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).tracing, {
      endpoint,
      headers: {},
      sampleRatio: 1,
    });
    assert.deepEqual(
      readConfig({
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x==, x-team = prompts',
        OTEL_SERVICE_NAME: 'prompts',
        OTEL_TRACES_SAMPLER_ARG: '0.1',
      }).tracing,
      {
        endpoint,
        headers: { authorization: 'Bearer x==', 'x-team': 'prompts' },
        sampleRatio: 0.1,
        serviceName: 'prompts',
      },
    );
    for (const bad of ['x', 'a=b,', '=b', 'a=%zz'])
      assert.match(problemsOf({ OTEL_EXPORTER_OTLP_HEADERS: bad }), /_HEADERS: must be/);
  });

  it('of the encryption are named keys of 32 bytes, the current one first', () => {
    const [one, two] = ['A', 'B'].map((byte) => `${byte.repeat(42)}A=`);
    const { encryption } = readConfig({ PAYLOAD_ENCRYPTION_KEYS: `2026:${one!}, 2025:${two!}` });
    assert.equal(encryption?.on, true);
    assert.deepEqual(
      encryption.masterKeys.map(({ id, key }) => [id, key.export().toString('base64')]),
      [
        ['2026', one],
        ['2025', two],
      ],
    );
    assert.equal(readConfig({ PAYLOAD_ENCRYPTION_KEYS: `k:${one!}`, PAYLOAD_ENCRYPTION: 'off' }).encryption?.on, false);
    assert.deepEqual(readConfig({ PAYLOAD_ENCRYPTION: 'off' }).encryption, { on: false, masterKeys: [] });

    const short = Buffer.alloc(31, 1).toString('base64');
    for (const bad of [
      one!,
      `:${one!}`,
      `k:${short}`,
      `k:${one!},`,
      `k k:${one!}`,
      `k:${one!},k:${two!}`,
      `k:${one!}x`,
    ]) {
      const message = problemsOf({ PAYLOAD_ENCRYPTION_KEYS: bad });
      assert.match(
        message,
        /^ {2}PAYLOAD_ENCRYPTION_KEYS: (part \d must be name:key.*openssl rand|each key must)/m,
        bad,
      );
      assert.doesNotMatch(message, /AAAA|BBBB/, 'values are secrets');
    }
    assert.match(problemsOf({ PAYLOAD_ENCRYPTION: 'on' }), /PAYLOAD_ENCRYPTION_KEYS: must be set .*openssl rand/);
    assert.match(problemsOf({ PAYLOAD_ENCRYPTION: 'yes' }), /PAYLOAD_ENCRYPTION: /);
  });

  it('of Temporal are those of its ecosystem', () => {
    const { temporal } = readConfig({
      TEMPORAL_ADDRESS: 'temporal:7233',
      TEMPORAL_NAMESPACE: 'prompts',
      TEMPORAL_API_KEY: 'k',
    });
    assert.equal(temporal.external, true);
    assert.equal(temporal.target.namespace, 'prompts');
    assert.equal(temporal.target.connectionOptions.address, 'temporal:7233');
    assert.equal(temporal.target.connectionOptions.apiKey, 'k');
    assert.match(
      problemsOf({ TEMPORAL_PROFILE: 'nowhere', TEMPORAL_CONFIG_FILE: 'package-lock.toml' }),
      /^The TEMPORAL_\* settings are wrong: /,
    );
  });

  it('make OpenAI the model where there is only a key, and ask for no key where there is a URL', () => {
    assert.deepEqual(readConfig({ OPENAI_API_KEY: 'k' }).llm, {
      baseUrl: 'https://api.openai.com/v1',
      apiKey: 'k',
      model: 'gpt-4o-mini',
    });
    assert.equal(
      readConfig({ OPENAI_BASE_URL: 'http://localhost:11434/v1' }).llm?.baseUrl,
      'http://localhost:11434/v1',
    );
    assert.equal(readConfig({ OPENAI_MODEL: 'm' }).llm, undefined);
  });

  it('that only some programs need are asked for by name', () => {
    assert.throws(
      () => requireSettings(readConfig({}), ['databaseUrl', 'auth', 'llm', 'encryption']),
      (error) =>
        error instanceof ConfigError &&
        ['DATABASE_URL', 'AUTH_JWT_SECRET or AUTH_JWKS_URL', 'OPENAI_API_KEY', 'PAYLOAD_ENCRYPTION_KEYS'].every(
          (name) => error.message.includes(name),
        ),
    );
    assert.equal(requireSettings(readConfig({ AUTH_JWT_SECRET: SECRET }), ['auth']).auth.kind, 'secret');
  });
});

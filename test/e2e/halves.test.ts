import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { masterKeySetting } from '../encryption/support.js';
import { freshDatabaseOn, startPostgres } from '../support/postgres.js';
import { runProgram, SECRET } from '../support/program.js';
import { temporal } from '../support/temporal.js';
import { testTwoOfEach } from './two-of-each.js';

const API = 'dist/api/server.js';
const WORKER = 'dist/worker.js';

testTwoOfEach('Two APIs and two workers, on PostgreSQL', async (modelSettings) => {
  const [postgres, { address, client }] = await Promise.all([startPostgres(), temporal()]);
  const databaseUrl = await freshDatabaseOn(postgres.url);
  const taskQueue = `halves ${randomUUID()}`;
  const settings = {
    ...modelSettings,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_TASK_QUEUE: taskQueue,
    DATABASE_URL: databaseUrl,
    AUTH_JWT_SECRET: SECRET,
    PAYLOAD_ENCRYPTION_KEYS: masterKeySetting(),
  };
  return {
    run: (program, more) => runProgram(program === 'api' ? API : WORKER, { ...settings, ...more }),
    client,
    taskQueue,
    databaseUrl,
    postgres,
    stop: () => postgres.remove(),
  };
});

describe('Each half by itself', () => {
  for (const [main, missing] of [
    [API, ['DATABASE_URL', 'AUTH_JWT_SECRET or AUTH_JWKS_URL', 'PAYLOAD_ENCRYPTION_KEYS']],
    [WORKER, ['DATABASE_URL', 'OPENAI_API_KEY', 'PAYLOAD_ENCRYPTION_KEYS']],
  ] as const) {
    it(`${main} names every setting it lacks, and every one that is wrong`, async () => {
      const without = runProgram(main);
      assert.equal(await without.exited, 1);
      for (const name of missing) assert.ok(without.output().includes(name), name);
      const wrong = runProgram(main, { PORT: 'x', LOG_LEVEL: 'loud' });
      assert.equal(await wrong.exited, 1);
      assert.match(wrong.output(), /^These settings are wrong:\n {2}PORT: .*\n {2}LOG_LEVEL: .*\n$/);
    });
  }
});

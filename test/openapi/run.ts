import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run-command.js';
import { installSchemathesis } from './schemathesis.js';
import { startBatch } from '../e2e/batches.js';
import { masterKeySetting } from '../encryption/support.js';
import { tokenFor } from '../support/program.js';
import { TestService } from '../support/service.js';

/** `npm run test:openapi`: asks the real service everything that /openapi.json allows and forbids. Exits 1 at any finding. */

/** Per operation and phase. */
const MAX_EXAMPLES = 60;

/** Of the tasks. */
const OWNER = 'openapi-1';

/** Each of its tasks fails, however often it runs again. */
const WITHOUT_ACCOUNT = 'openapi-0';

/** The owner of the document's examples has a receipt to read. */
const ERASED = 'acct_42';

const USERS = [
  { name: 'an owner', owner: OWNER, scope: '' },
  { name: 'another owner', owner: 'openapi-2', scope: '' },
  { name: 'a supporter', owner: 'openapi-3', scope: 'support' },
  { name: 'an admin', owner: 'openapi-4', scope: 'admin' },
];

const SETTINGS = {
  LOG_LEVEL: 'warn',
  PAYLOAD_ENCRYPTION_KEYS: masterKeySetting(),
  // Thousands of starts of one owner: what a limit refuses would be nothing that is wrong.
  MAX_STARTS_PER_MINUTE: '1000000000',
  MAX_RUNNING_TASKS: '1000000000',
};

const schemathesis = await installSchemathesis();
const service = await TestService.start(SETTINGS);
try {
  await Promise.all(USERS.map(({ owner }) => service.api.open(owner, { tokens: 1_000_000_000 })));
  await service.api.json('DELETE', `/api/v1/admin/owners/${ERASED}/data/`, { as: 'openapi-3', scope: 'admin' });
  const users = join(service.folder, 'users.json');
  await writeFile(users, JSON.stringify({ auth: await Promise.all(USERS.map(asFixedHeaders)) }));
  const task = await service.api.start(OWNER, 'We sell shoes.');
  const { batch_id } = await startBatch(service.api, OWNER, ['We sell shoes.', 'We repair bicycles.']);
  const failed = await service.api.start(WITHOUT_ACCOUNT, 'We sell shoes.');
  await service.api.untilEnded(WITHOUT_ACCOUNT, failed);
  process.exitCode = await run(
    schemathesis,
    [
      '--config-file=test/openapi/schemathesis.toml',
      'run',
      `${service.url}/openapi.json`,
      `--max-examples=${MAX_EXAMPLES}`,
      '--generation-database=none',
      '--no-color',
      ...process.argv.slice(2),
    ],
    {
      OPENAPI_TEST_USERS: users,
      OPENAPI_TEST_ENCRYPTED: await encrypted(),
      OPENAPI_TEST_TASK: task.task_id,
      OPENAPI_TEST_BATCH: batch_id,
      OPENAPI_TEST_FAILED_TASK: failed.task_id,
      OPENAPI_TEST_ERASED: ERASED,
    },
  );
} finally {
  await service.stop();
}

/** A payload that this very service encrypted, as no document can have one. */
async function encrypted(): Promise<string> {
  const response = await fetch(`${service.url}/codec/encode`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${await tokenFor('openapi-3', 'support')}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ payloads: [{ data: Buffer.from('"in clear"').toString('base64') }] }),
  });
  const { payloads } = (await response.json()) as { payloads: [object] };
  return JSON.stringify(payloads[0]);
}

async function asFixedHeaders({ name, owner, scope }: (typeof USERS)[number]): Promise<object> {
  const value = `Bearer ${await tokenFor(owner, scope)}`;
  return { name, fixedHeaders: [{ name: 'Authorization', value }] };
}

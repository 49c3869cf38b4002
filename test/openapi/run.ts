import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run-command.js';
import { installSchemathesis } from './schemathesis.js';
import { tokenFor } from '../support/program.js';
import { TestService } from '../support/service.js';

/** `npm run test:openapi`: asks the real service everything that /openapi.json allows and forbids. Exits 1 at any finding. */

/** Per operation and phase. */
const MAX_EXAMPLES = 60;

const USERS = [
  { name: 'an owner', owner: 'openapi-1', scope: '' },
  { name: 'another owner', owner: 'openapi-2', scope: '' },
  { name: 'an admin', owner: 'openapi-3', scope: 'admin' },
];

const schemathesis = await installSchemathesis();
const service = await TestService.start({ LOG_LEVEL: 'warn' });
try {
  await Promise.all(USERS.map(({ owner }) => service.api.open(owner, { tokens: 1_000_000_000 })));
  // The owner of the document's examples has a receipt to read.
  await service.api.json('DELETE', '/api/v1/admin/owners/acct_42/data/', { as: 'openapi-3', scope: 'admin' });
  const users = join(service.folder, 'users.json');
  await writeFile(users, JSON.stringify({ auth: await Promise.all(USERS.map(asFixedHeaders)) }));
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
    { OPENAPI_TEST_USERS: users },
  );
} finally {
  await service.stop();
}

async function asFixedHeaders({ name, owner, scope }: (typeof USERS)[number]): Promise<object> {
  const value = `Bearer ${await tokenFor(owner, scope)}`;
  return { name, fixedHeaders: [{ name: 'Authorization', value }] };
}

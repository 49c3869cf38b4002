import assert from 'node:assert/strict';
import pg from 'pg';
import { GENERATE_ASYNC_PATH, GENERATIONS_PATH } from '../../src/contract/names.js';
import type { Status } from '../support/api-client.js';
import { freshPostgres } from '../support/postgres.js';
import { TestService } from '../support/service.js';

/** Each would be noticed, were it ever a part of a statement: by an error, by a row too many, or by a table that is gone. */
const SQL = [
  "'; DROP TABLE accounts CASCADE; --",
  "' OR '1'='1",
  "' UNION SELECT owner, 1, 1 FROM accounts --",
  "x'); DELETE FROM generations; --",
  "x', (SELECT key FROM shared_keys LIMIT 1), '",
  "\\'; UPDATE accounts SET balance = 1e9; --",
  '$1 $2 $$ || $tag$',
  "%_\\%' ESCAPE '",
  '"; SELECT pg_sleep(60); --',
  "'||(SELECT 1/0)||'",
];

describe('SQL in what a caller sends, on a real PostgreSQL', function () {
  this.timeout(600_000);
  let service: TestService;
  let database: pg.Client;

  before(async () => {
    const DATABASE_URL = await freshPostgres();
    service = await TestService.start({ DATABASE_URL });
    database = new pg.Client(DATABASE_URL);
    await database.connect();
    await service.api.open('victim', { tokens: 5_000 });
  });
  after(async () => {
    await database.end();
    await service.stop();
  });

  const admin = { as: 'admin', scope: 'admin' };
  const count = async (table: string) =>
    (await database.query(`SELECT count(*)::int AS n FROM ${table}`)).rows as object[];

  it('is data: as owner, business type, template, reason and key', async () => {
    for (const text of SQL) {
      const account = `/api/v1/admin/accounts/${encodeURIComponent(text)}/`;
      const body = { business_type: text, subscription: { status: 'active' } };
      const made = await service.api.json<{ owner: string; business_type: string }>('PUT', account, { ...admin, body });
      assert.deepEqual([made.owner, made.business_type], [text, text]);
      const template = `/api/v1/admin/prompt-templates/${encodeURIComponent(text)}/`;
      const stored = await service.api.json<object>('PUT', template, { ...admin, body: { template: text } });
      assert.deepEqual(stored, { business_type: text, template: text, version: 1 });
      const granted = await service.api.json<{ reason: string }>('POST', `${account}grants/`, {
        ...admin,
        headers: { 'Idempotency-Key': text },
        body: { tokens: 10_000, reason: text },
      });
      assert.equal(granted.reason, text);
      const ledger = await service.api.json<{ entries: unknown[] }>('GET', `${account}ledger/`, admin);
      assert.equal(ledger.entries.length, 1);
    }
    assert.deepEqual(await count('accounts'), [{ n: SQL.length + 1 }]);
  });

  it('is data: as prompt, key and owner of a generation, and in what is looked for among them', async () => {
    await Promise.all(
      SQL.map(async (text) => {
        const headers = { 'Idempotency-Key': text };
        const body = { manual_prompt: text };
        const task = await service.api.json<{ status_url: string }>('POST', GENERATE_ASYNC_PATH, {
          as: text,
          headers,
          body,
        });
        assert.equal((await service.api.untilEnded(text, task)).status, 'completed');
        interface Found {
          generations: (Status & { manual_prompt: string })[];
        }
        const found = await service.api.json<Found>('GET', `${GENERATIONS_PATH}?q=${encodeURIComponent(text)}`, {
          as: text,
        });
        assert.deepEqual(
          found.generations.map(({ manual_prompt }) => manual_prompt),
          [text],
        );
      }),
    );
    assert.deepEqual(await count('generations'), [{ n: SQL.length }]);
    const sent = new Set(service.llm.requests().map(({ messages }) => messages.at(-1)?.content));
    assert.deepEqual(sent, new Set(SQL), 'the model got each text as it is');
  });

  it('is refused as cursor, limit and status', async () => {
    for (const text of SQL.map(encodeURIComponent)) {
      for (const [path, who] of [
        [`${GENERATIONS_PATH}?cursor=${text}`, { as: 'victim' }],
        [`${GENERATIONS_PATH}?status=${text}`, { as: 'victim' }],
        [`${GENERATIONS_PATH}?limit=${text}`, { as: 'victim' }],
        [`/api/v1/admin/accounts/victim/ledger/?cursor=${text}`, admin],
        [`/api/v1/admin/accounts/victim/ledger/?limit=${text}`, admin],
      ] as const) {
        assert.equal((await service.api.call('GET', path, who)).status, 400, path);
      }
    }
  });

  it('has changed nothing of anybody else', async () => {
    const { tokens } = await service.api.account('victim');
    assert.deepEqual(tokens, { balance: 5_000, held: 0, available: 5_000 });
    assert.deepEqual((await service.api.ledger('victim')).charges, []);
  });
});

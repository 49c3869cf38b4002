import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import pg from 'pg';
import { batchRunId } from '../../src/contract/names.js';
import { masterKeySetting } from '../encryption/support.js';
import { eventually } from '../support/eventually.js';
import { dumpOf, freshPostgres } from '../support/postgres.js';
import { TestService } from '../support/service.js';
import { startBatch, untilBatchEnded, type StartedBatch } from './batches.js';

/** In the owner's texts, in what the model answers and in what it says when it fails. */
const MARKER = { gone: 'zanzibar', kept: 'madagascar' };

interface Receipt {
  erasure_id: string;
  status: string;
  erased: Record<string, number>;
  kept: { ledger_entries: number };
}

const ADMIN = { as: 'admin', scope: 'admin' };
const dataOf = (owner: string): string => `/api/v1/admin/owners/${owner}/data/`;

for (const encrypted of [true, false]) {
  describe(`After the erasure of an owner, ${encrypted ? 'with' : 'without'} encryption`, function () {
    this.timeout(180_000);
    let service: TestService;
    let databaseUrl: string;
    let connection: Connection;
    const tasks = { gone: [] as Task[], kept: [] as Task[] };
    const owners = { gone: '', kept: '' };
    const batches = {} as Record<'gone' | 'kept', StartedBatch>;

    interface Task {
      task_id: string;
      status_url: string;
    }

    before(async function () {
      this.timeout(600_000);
      databaseUrl = await freshPostgres();
      service = await TestService.start({
        DATABASE_URL: databaseUrl,
        ...(encrypted ? { PAYLOAD_ENCRYPTION_KEYS: masterKeySetting() } : {}),
      });
      connection = await Connection.connect({ address: `127.0.0.1:${service.settings.TEMPORAL_DEV_PORT!}` });
    });
    after(async () => {
      await connection.close();
      await service.stop();
    });

    /** Generations in every state, the last one still running. */
    const generate = async (who: 'gone' | 'kept'): Promise<void> => {
      const { api } = service;
      const [owner, word] = [await service.owner(), MARKER[who]];
      owners[who] = owner;
      const completed = await api.start(owner, `We sell shoes of ${word}!`, { 'Idempotency-Key': 'first' });
      const fallback = await api.start(owner, `refused ${word}!`);
      const cancelled = await api.start(owner, `slow and cancelled ${word}!`);
      await api.untilProgress(owner, cancelled, 50);
      await api.call('DELETE', cancelled.status_url, { as: owner });
      const ends = [];
      for (const task of [completed, fallback, cancelled]) ends.push(await api.untilEnded(owner, task));
      assert.deepEqual(
        ends.map(({ status, generated_by_ai, error_code }) => generated_by_ai ?? error_code ?? status),
        [true, false, 'cancelled'],
      );
      await api.json('PUT', `/api/v1/admin/accounts/${owner}/`, {
        ...ADMIN,
        body: { subscription: { status: 'deactivated' } },
      });
      const failed = await api.start(owner, `We sell hats of ${word}!`);
      assert.equal((await api.untilEnded(owner, failed)).error_code, 'subscription_deactivated');
      await api.open(owner);
      const running = await api.start(owner, `slow ${word}!`);
      await api.untilProgress(owner, running, 50);
      const batch = await startBatch(api, owner, [`We sell bags of ${word}!`, `slow bags ${word}!`]);
      for (const item of batch.items) await api.untilProgress(owner, item, item.index === 0 ? 100 : 50);
      batches[who] = batch;
      tasks[who] = [completed, fallback, cancelled, failed, running, ...batch.items];
    };
    const erase = () => service.api.json<Receipt>('DELETE', dataOf(owners.gone), ADMIN);
    /** Every byte of the files of Temporal's database. */
    const temporalFiles = async (): Promise<Buffer> => {
      const files = (await readdir(service.folder)).filter((name) => name.startsWith('temporal.db'));
      return Buffer.concat(await Promise.all(files.map((name) => readFile(join(service.folder, name)))));
    };

    it('nothing of it is found in the database and in Temporal, the money stays, and the owner can begin anew', async () => {
      const { api } = service;
      for (const who of ['gone', 'kept'] as const) await generate(who);
      const { gone, kept } = owners;
      const before = { ledger: await api.ledger(gone), dump: await dumpOf(databaseUrl) };
      assert.ok(before.dump.includes(MARKER.gone), 'the dump has what is to be erased');

      const first = await erase();
      const receipt = await eventually(
        async () => {
          const now = await api.json<Receipt>('GET', dataOf(gone), ADMIN);
          assert.equal(now.status, 'finished');
          return now;
        },
        { timeoutMs: 90_000 },
      );
      assert.equal(receipt.erasure_id, first.erasure_id);
      const { ledger_entries } = receipt.kept;
      const counts = { keys: encrypted ? 1 : 0, generations: 7, starts: 7, workflow_runs: 8 };
      assert.deepEqual([receipt.erased, ledger_entries], [counts, 1 + before.ledger.charges.length]);

      // The model answers what was still asked of it.
      service.open();
      assert.equal((await api.untilEnded(kept, tasks.kept[4]!)).status, 'completed');
      assert.equal((await untilBatchEnded(api, kept, batches.kept)).counts.completed, 2);

      const dump = await dumpOf(databaseUrl);
      assert.equal(dump.includes(MARKER.gone), false, 'the dump');
      assert.ok(dump.includes(MARKER.kept), 'the dump has what nobody erased');
      const client = new Client({ connection });
      for (const { task_id, status_url } of tasks.gone) {
        assert.equal((await api.call('GET', status_url, { as: gone })).status, 404);
        await assert.rejects(client.workflow.getHandle(task_id).describe(), WorkflowNotFoundError);
      }
      assert.equal((await api.call('GET', batches.gone.status_url, { as: gone })).status, 404);
      const run = client.workflow.getHandle(batchRunId(batches.gone.batch_id));
      await assert.rejects(run.describe(), WorkflowNotFoundError);
      const list = '/api/v1/web-knowledge/generations/';
      assert.deepEqual((await api.json<{ generations: [] }>('GET', list, { as: gone })).generations, []);
      assert.equal((await api.json<{ generations: [] }>('GET', list, { as: kept })).generations.length, 7);
      for (const task of tasks.kept) assert.equal((await api.call('GET', task.status_url, { as: kept })).status, 200);

      assert.deepEqual(await api.ledger(gone), before.ledger);
      const { tokens } = await api.account(gone);
      assert.deepEqual(tokens, { balance: before.ledger.sum, held: 0, available: before.ledger.sum });

      const again = { as: gone, headers: { 'Idempotency-Key': 'first' }, body: { manual_prompt: 'We sell boots.' } };
      assert.equal((await api.call('POST', '/api/v1/web-knowledge/generate-prompt-async/', again)).status, 422);
      const anew = await api.start(gone, 'We sell boots.', { 'Idempotency-Key': randomUUID() });
      assert.equal((await api.untilEnded(gone, anew)).status, 'completed');
      if (!encrypted) return;
      const database = new pg.Client(databaseUrl);
      await database.connect();
      const { rows } = await database.query<{ live: boolean }>(
        'SELECT destroyed_at IS NULL AS live FROM data_keys WHERE owner = $1 ORDER BY created_at',
        [gone],
      );
      await database.end();
      assert.deepEqual(rows, [{ live: false }, { live: true }], 'by a new key');
    });

    if (encrypted) {
      it('not even the files of Temporal have a word of it', async () => {
        assert.equal(await service.program.stop(), 0);
        const bytes = await temporalFiles();
        const [anyTask] = tasks.kept;
        assert.ok(bytes.includes(anyTask!.task_id), 'these are the right files');
        assert.equal(bytes.includes(MARKER.gone), false, 'the files');
      });
    }
  });
}

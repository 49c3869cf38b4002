import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { freePort } from '../../src/free-port.js';
import { WORKFLOW_TIMEOUT_MS } from '../../src/contract/limits.js';
import { findTemporalCli } from '../../src/dev/temporal-cli.js';
import { startTemporalServer, type TemporalServer } from '../../src/dev/temporal-server.js';
import { NO_ENCRYPTION } from '../../src/encryption/open-encryption.js';
import { createGenerations } from '../../src/generations/create-generations.js';
import type { ReadSource } from '../../src/generations/read-source.js';
import type { Generations, StatusResult } from '../../src/generations/types.js';
import { connectClient } from '../../src/temporal-connection.js';
import { SILENT_FEED } from '../support/silent-feed.js';
import { eventually } from '../support/eventually.js';
import { fakeActivities } from '../support/fake-activities.js';
import { installTestRuntime, workflowBundle } from '../support/temporal.js';
import { asOwner, bare, quiet, UNLIMITED, useLedger } from './support.js';

const TASK_QUEUE = 'outage';
const isAway = () => Promise.reject(new Error('ECONNREFUSED'));

describe('While Temporal is away', function () {
  this.timeout(60_000);
  const on = useLedger();
  let folder: string;
  let port: number;
  let server: TemporalServer;
  let client: Client;
  let generations: Generations;
  let reads: ReadSource[] = [];

  const startServer = async () => {
    const cliPath = await findTemporalCli(() => undefined);
    server = await startTemporalServer({
      cliPath,
      dbFile: join(folder, 'temporal.db'),
      port,
      uiPort: null,
      log: quiet,
    });
  };
  /** What one API process has: its own memory. */
  const process = (ledger = on.ledger) =>
    createGenerations({
      client,
      ledger,
      log: quiet,
      limits: UNLIMITED,
      taskQueue: TASK_QUEUE,
      assignKey: NO_ENCRYPTION.assign,
      onRead: (source) => reads.push(source),
    });
  const start = async (owner: string, idempotencyKey?: string) => {
    const result = await generations.start({ owner, manualPrompt: 'p', idempotencyKey, requestId: 'r' });
    return 'taskId' in result ? result.taskId : assert.fail(result.outcome);
  };
  const stateOf = (result: StatusResult) =>
    result.outcome === 'found'
      ? { progress: result.snapshot.progress, status: result.snapshot.status, stale: result.staleAsOf !== undefined }
      : result.outcome;

  before('find the server, bundle the workflow', async function () {
    this.timeout(600_000);
    installTestRuntime();
    await findTemporalCli((line) => globalThis.process.stderr.write(`${line}\n`));
    await workflowBundle();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'test-outage-'));
    port = await freePort();
    await startServer();
    client = connectClient({ connectionOptions: { address: server.address }, namespace: server.namespace });
    generations = process();
  });
  afterEach(async () => {
    await client.connection.close();
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  });

  it('a running task reads as the last state known, by this process or in the ledger; an ended one as it ended', async () => {
    const connection = await NativeConnection.connect({ address: server.address });
    const working = await Worker.create({
      connection,
      taskQueue: TASK_QUEUE,
      workflowBundle: await workflowBundle(),
      activities: { ...fakeActivities(), generateWithAI: () => Context.current().cancelled },
      sinks: SILENT_FEED,
      shutdownGraceTime: 0,
    });
    const worked = working.run();
    const [running, ended, stranger] = [await start('ann'), randomUUID(), randomUUID()];
    await eventually(async () => {
      assert.deepEqual(stateOf(await generations.status(running, asOwner('ann'))), {
        progress: 50,
        status: 'processing',
        stale: false,
      });
    });
    // Started here, and begun before anybody asked for it.
    const [overdue, begun] = [randomUUID(), await start('ann')];
    for (const taskId of [running, ended, overdue, begun]) {
      const createdAt = new Date(Date.now() - (taskId === overdue ? WORKFLOW_TIMEOUT_MS : 0));
      await on.ledger.beginGeneration({ taskId, owner: 'ann', manualPrompt: 'p', createdAt });
    }
    const end = { status: 'failed', failure: { code: 'internal' } } as const;
    await on.ledger.endGeneration({ taskId: ended, owner: 'ann', end });
    working.shutdown();
    await worked;
    await connection.close();
    await server.kill();

    reads = [];
    const seen = async (by: Generations, taskId: string, owner = 'ann') =>
      stateOf(await by.status(taskId, asOwner(owner)));
    const other = process();
    // At once, as each waits until Temporal was given up.
    const told = await Promise.all([
      seen(generations, running),
      seen(generations, ended),
      seen(generations, begun),
      seen(other, running),
      seen(other, begun),
      seen(other, overdue),
      seen(other, stranger),
    ]);
    assert.deepEqual(told, [
      { progress: 50, status: 'processing', stale: true },
      { progress: 100, status: 'failed', stale: false },
      // Its row is there.
      { progress: 10, status: 'processing', stale: true },
      // Told by the first process.
      { progress: 50, status: 'processing', stale: true },
      { progress: 10, status: 'processing', stale: true },
      // Each task ends.
      { progress: 100, status: 'failed', stale: false },
      // Who knows?
      'unavailable',
    ]);
    assert.deepEqual(reads.sort(), ['none', 'row', 'row', 'row', 'row', 'told', 'told']);
    assert.equal(await seen(other, running, 'bob'), 'not_found');
    const startedAt = new Date().toISOString();
    const byCookie = await other.status(stranger, { kind: 'task', taskId: stranger, owner: 'ann', startedAt });
    assert.deepEqual(stateOf(byCookie), { progress: 0, status: 'queued', stale: true }, 'our signature says it exists');
    const blind = process({ ...on.ledger, getGeneration: isAway, newsOf: isAway });
    const mayBeFurther = await blind.status(running, { kind: 'task', taskId: running, owner: 'ann', startedAt });
    assert.deepEqual(mayBeFurther, { outcome: 'unavailable' }, 'others may have told more');
    const halfBlind = process({ ...on.ledger, getGeneration: isAway });
    const over = await halfBlind.status(ended, asOwner('ann'));
    assert.deepEqual(over, { outcome: 'unavailable' }, 'it has ended, and how can not be read');
    const list = await generations.list('ann', { limit: 20 });
    assert.ok(list.outcome === 'listed');
    assert.deepEqual(
      Object.fromEntries(list.generations.map(({ status }) => [status.snapshot.task_id, stateOf(status)])),
      {
        [running]: { progress: 50, status: 'processing', stale: true },
        [ended]: { progress: 100, status: 'failed', stale: false },
        [overdue]: { progress: 100, status: 'failed', stale: false },
        [begun]: { progress: 10, status: 'processing', stale: true },
      },
    );
    assert.deepEqual(await generations.health(), ['temporal']);
    assert.deepEqual(await generations.cancel(running, asOwner('ann')), { outcome: 'unavailable' });
  });

  it('nothing is started, and what was started before goes on afterwards', async () => {
    const taskId = await start('ann', 'key');
    await server.kill();
    const repeated = { owner: 'ann', manualPrompt: 'p', idempotencyKey: 'key', requestId: 'r' };
    assert.deepEqual(bare(await generations.start(repeated)), { outcome: 'unavailable' });
    await startServer();
    await eventually(async () => {
      assert.deepEqual(bare(await generations.start(repeated)), { outcome: 'existing', taskId });
    });
    assert.deepEqual(stateOf(await generations.status(taskId, asOwner('ann'))), {
      progress: 0,
      status: 'queued',
      stale: true,
    });
  });
});

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Activities } from '../../src/activities/index.js';
import { openEmbeddedDatabase } from '../../src/dev/embedded-database.js';
import { openEncryption, type Encryption } from '../../src/encryption/open-encryption.js';
import { createGenerations } from '../../src/generations/create-generations.js';
import type { Generations } from '../../src/generations/types.js';
import type { Database } from '../../src/ledger/database.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { migrate } from '../../src/ledger/migrate.js';
import { connectClient } from '../../src/temporal-connection.js';
import { SILENT_FEED } from '../support/silent-feed.js';
import { asOwner, quiet } from '../generations/support.js';
import { eventually } from '../support/eventually.js';
import { UNLIMITED } from '../generations/support.js';
import { fakeActivities } from '../support/fake-activities.js';
import { encryptedWorkflowBundle, temporal, workflowBundle } from '../support/temporal.js';
import { storedOf } from './stored.js';
import { destroyKeysOf, masterKey } from './support.js';

describe('An encrypted run', function () {
  this.timeout(60_000);
  const keys = [masterKey('m')];
  let db: Database;
  let away: boolean;
  let atApi: Encryption;
  let atWorker: Encryption;
  let connection: NativeConnection;
  let client: ReturnType<typeof connectClient>;
  let generations: Generations;
  let taskQueue: string;
  let stops: (() => Promise<void>)[];

  before('start the server, open a database', async function () {
    this.timeout(600_000);
    const { address } = await temporal();
    await Promise.all([encryptedWorkflowBundle(), workflowBundle()]);
    const real = await openEmbeddedDatabase();
    await migrate(real);
    db = { ...real, query: (...args) => (away ? Promise.reject(new Error('away')) : real.query(...args)) };
    connection = await NativeConnection.connect({ address });
  });
  after(async () => {
    await connection.close();
    await db.close();
  });
  beforeEach('be an API and a worker, each with its own memory', async () => {
    away = false;
    taskQueue = randomUUID();
    stops = [];
    atApi = await openEncryption(db, { on: true, masterKeys: keys }, quiet);
    atWorker = await openEncryption(db, { on: true, masterKeys: keys }, quiet);
    const connectionOptions = { address: (await temporal()).address };
    client = connectClient({ connectionOptions, namespace: 'default' }, atApi.dataConverter);
    generations = newApi(atApi);
  });
  afterEach(async () => {
    for (const stop of stops) await stop();
    await client.connection.close();
    await atApi.close();
    await atWorker.close();
  });

  const newApi = ({ assign }: Encryption) =>
    createGenerations({
      client,
      ledger: createLedger(db),
      log: quiet,
      limits: UNLIMITED,
      taskQueue,
      assignKey: assign,
    });
  const work = async (own: Partial<Activities>, encryption = atWorker) => {
    const worker = await Worker.create({
      connection,
      taskQueue,
      dataConverter: encryption.dataConverter,
      workflowBundle: await (encryption.on ? encryptedWorkflowBundle() : workflowBundle()),
      activities: fakeActivities(own),
      sinks: SILENT_FEED,
      shutdownGraceTime: 0,
    });
    const running = worker.run();
    const stop = async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running;
    };
    stops.push(stop);
    return stop;
  };
  const start = async (owner: string) => {
    const result = await generations.start({ owner, manualPrompt: 'zanzibar', requestId: 'r' });
    return 'taskId' in result ? result.taskId : assert.fail(result.outcome);
  };
  const progressOf = async (taskId: string, owner: string, by = generations) => {
    const status = await by.status(taskId, asOwner(owner));
    return status.outcome === 'found' ? status.snapshot.progress : status.outcome;
  };

  it('that fails hides what failed: message, details, cause and stack, for the operator to decrypt', async () => {
    const broken = () => {
      throw ApplicationFailure.create({
        message: 'zanzibar is closed',
        nonRetryable: true,
        details: ['zanzibar in detail'],
        cause: new Error('zanzibar at the root'),
      });
    };
    await work({ initialize: broken });
    const taskId = await start('ann');
    const failed: unknown = await client.workflow
      .getHandle(taskId)
      .result()
      .catch((error: unknown) => error);
    assert.ok(failed instanceof WorkflowFailedError);
    const causes = [];
    for (let cause: unknown = failed.cause; cause instanceof Error; cause = cause.cause) causes.push(cause.message);
    assert.ok(causes.includes('zanzibar is closed'), causes.join());
    assert.ok(causes.includes('zanzibar at the root'), causes.join());
    const { text, encodings } = await storedOf(client.connection, taskId);
    assert.equal(text.includes('zanzibar'), false);
    assert.equal(text.includes('runs.test'), false, 'no stack');
    assert.ok(text.includes('Encoded failure'));
    assert.deepEqual(new Set(encodings), new Set(['binary/encrypted']));
    const end = await generations.waitForEnd(taskId, asOwner('ann'), 5_000);
    assert.equal(end.outcome === 'ended' && end.snapshot.status, 'failed');
  });

  it('of before encryption was switched on goes on with it, and one of before it was switched off without', async () => {
    const off = await openEncryption(db, { on: false, masterKeys: keys }, quiet);
    for (const [before, after] of [
      [off, atWorker],
      [atWorker, off],
    ] as const) {
      generations = newApi(before === off ? off : atApi);
      const stop = await work({ generateWithAI: () => Context.current().cancelled }, before);
      const taskId = await start('ann');
      await eventually(async () => {
        assert.equal(await progressOf(taskId, 'ann'), 50);
      });
      await stop();
      taskQueue = (await client.workflow.getHandle(taskId).describe()).taskQueue;
      await work({}, after);
      const end = await generations.waitForEnd(taskId, asOwner('ann'), 20_000);
      assert.equal(end.outcome === 'ended' && end.snapshot.status, 'completed');
      taskQueue = randomUUID();
    }
    await off.close();
  });

  it('is not started, within its deadline, where the owner is new and the database is away; of a known owner it is', async () => {
    await start('ann');
    away = true;
    const known = await generations.start({ owner: 'ann', manualPrompt: 'p', requestId: 'r' });
    assert.equal(known.outcome, 'started');
    const fresh = await generations.start({ owner: 'bob', manualPrompt: 'p', idempotencyKey: 'k', requestId: 'r' });
    assert.equal(fresh.outcome, 'unavailable');
    away = false;
    const again = await generations.start({ owner: 'bob', manualPrompt: 'p', idempotencyKey: 'k', requestId: 'r' });
    assert.equal(again.outcome, 'started', 'nothing was started before');
  });

  it('can be read while the database is away', async () => {
    await work({ generateWithAI: () => Context.current().cancelled });
    const taskId = await start('ann');
    await eventually(async () => {
      assert.equal(await progressOf(taskId, 'ann'), 50);
    });
    away = true;
    assert.equal(
      await progressOf(taskId, 'ann', newApi(atApi)),
      50,
      'by what Temporal says, not by what was told before',
    );
    away = false;
    await generations.cancel(taskId, asOwner('ann'));
  });

  it('waits at a worker that does not know its owner while the database is away, and goes on when it is back', async () => {
    await start('ann');
    away = true;
    const taskId = await start('ann');
    await work({});
    const status = await eventually(async () => {
      const { pendingWorkflowTask } = (await client.workflow.getHandle(taskId).describe()).raw;
      assert.ok((pendingWorkflowTask?.attempt ?? 0) > 1, 'the worker could not read its task');
      return generations.status(taskId, asOwner('ann'));
    });
    assert.equal(status.outcome === 'found' && status.snapshot.progress, 0, 'it is told as it is');
    away = false;
    const end = await generations.waitForEnd(taskId, asOwner('ann'), 40_000);
    assert.equal(end.outcome === 'ended' && end.snapshot.status, 'completed');
  });

  it('of an owner whose key was destroyed reads as what the ledger has of it: nothing', async () => {
    const stop = await work({});
    const taskId = await start('ann');
    assert.equal((await generations.waitForEnd(taskId, asOwner('ann'), 20_000)).outcome, 'ended');
    await stop();
    await destroyKeysOf(db, 'ann');
    const other = await openEncryption(db, { on: true, masterKeys: keys }, quiet);
    const { address } = await temporal();
    const fresh = connectClient({ connectionOptions: { address }, namespace: 'default' }, other.dataConverter);
    const api = createGenerations({
      client: fresh,
      ledger: createLedger(db),
      log: quiet,
      limits: UNLIMITED,
      taskQueue,
      assignKey: other.assign,
    });
    assert.equal(await progressOf(taskId, 'ann', api), 'not_found');
    await fresh.connection.close();
    await other.close();
  });

  it('needs every master key that is still in use, by name', async () => {
    await assert.rejects(openEncryption(db, { on: true, masterKeys: [masterKey('n')] }, quiet), {
      name: 'ConfigError',
      message: /PAYLOAD_ENCRYPTION_KEYS lacks keys that are still in use: m\..*rotate-keys/,
    });
  });

  it('is given up with a lost master key as docs/security.md says, and later ones go on with another', async () => {
    const [, giveUp = ''] = /`(UPDATE data_keys [^`]+)`/.exec(readFileSync('docs/security.md', 'utf8')) ?? [];
    const stop = await work({});
    const lost = await start('ann');
    await generations.waitForEnd(lost, asOwner('ann'), 20_000);
    await stop();
    await db.query(giveUp.replace("'name'", "'m'"));
    const other = await openEncryption(db, { on: true, masterKeys: [masterKey('n')] }, quiet);
    await client.connection.close();
    const { address } = await temporal();
    client = connectClient({ connectionOptions: { address }, namespace: 'default' }, other.dataConverter);
    generations = newApi(other);
    assert.equal(await progressOf(lost, 'ann'), 'not_found', 'the ledger of this test has nothing of it');
    assert.equal(await progressOf(await start('ann'), 'ann'), 0, 'a new one is readable');
    await other.close();
  });
});

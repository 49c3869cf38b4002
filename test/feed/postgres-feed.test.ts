import assert from 'node:assert/strict';
import { pino } from 'pino';
import { atStep, queuedSnapshot } from '../../src/contract/snapshot.js';
import type { Listener } from '../../src/feed/feed.js';
import type { Message } from '../../src/feed/messages.js';
import { createPostgresFeed } from '../../src/feed/postgres-feed.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { migrate } from '../../src/ledger/migrate.js';
import { openPostgres } from '../../src/ledger/postgres.js';
import type { Database } from '../../src/ledger/database.js';
import { eventually } from '../support/eventually.js';
import { freshPostgres } from '../support/postgres.js';

const quiet = pino({ level: 'silent' });
const AT = '2026-01-02T03:04:05.000Z';
const queued = queuedSnapshot({ taskId: 't', owner: 'ann', createdAt: AT });

describe('The feed between processes', () => {
  let [one, other]: Database[] = [];
  let heard: (Message | string)[];
  let stop: () => Promise<void>;
  const feedOf = (db: Database | undefined) => createPostgresFeed(db!, quiet);
  const listener: Listener = {
    message: (message) => heard.push(message),
    ended: (taskId) => heard.push(`ended ${taskId}`),
    connected: () => heard.push('connected'),
    disconnected: () => heard.push('disconnected'),
  };
  const hears = (what: Message | string) =>
    eventually(() => {
      assert.deepEqual(heard.at(-1), what);
    });

  before(async function () {
    this.timeout(60_000);
    const url = await freshPostgres();
    [one, other] = [openPostgres(url, quiet), openPostgres(url, quiet)];
    await migrate(one);
  });
  after(() => Promise.all([one?.close(), other?.close()]));
  beforeEach(async () => {
    heard = [];
    stop = await feedOf(other).listen(listener);
    await hears('connected');
  });
  afterEach(() => stop());

  const message = (n: number, states = [queued]): Message => ({ worker: 'w', n, states, texts: [] });

  it('carries what a worker says, and keeps the newest state of each task for when Temporal is away', async () => {
    const ledger = createLedger(one!);
    const initializing = atStep(queued, 'initializing', AT);
    await feedOf(one).publish(message(1, [initializing]));
    await hears(message(1, [initializing]));
    await feedOf(one).publish(message(2, [queued, { ...queued, task_id: 'u' }]));
    await hears(message(2, [queued, { ...queued, task_id: 'u' }]));
    const ever = (taskId: string) => ({ taskId, seq: -1 });
    const [first, nobody, second] = await ledger.newsOf([ever('t'), ever('none'), ever('u')]);
    assert.deepEqual(first?.told?.snapshot, initializing);
    assert.deepEqual(nobody, { told: null, ended: false });
    assert.equal(second?.told?.snapshot.progress, 0);
    assert.deepEqual(await ledger.newsOf([{ taskId: 't', seq: initializing.seq }]), [{ told: null, ended: false }]);
  });

  it('tells of the end of a task when it is stored, and not where it is not', async () => {
    const ledger = createLedger(one!);
    const end = { status: 'failed', failure: { code: 'internal' } } as const;
    await assert.rejects(
      one!.transaction(async (tx) => {
        await tx.query("SELECT pg_notify('generation_ended', 'never')");
        throw new Error('rolled back');
      }),
      /rolled back/,
    );
    await ledger.endGeneration({ taskId: 't', owner: 'ann', end });
    await hears('ended t');
    assert.deepEqual(heard, ['connected', 'ended t']);
    assert.deepEqual(await ledger.newsOf([{ taskId: 't', seq: -1 }]), [{ told: null, ended: true }]);
  });

  it('listens again, and says so, when its connection broke', async () => {
    await one!.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'prompt-generation-feed' AND datname = current_database()",
    );
    await hears('connected');
    await eventually(() => {
      assert.deepEqual(heard, ['connected', 'disconnected', 'connected']);
    });
    await feedOf(one).publish(message(3));
    await hears(message(3));
  });

  it('is quiet about what it does not understand', async () => {
    await one!.query("SELECT pg_notify('worker_messages', 'nonsense')");
    await feedOf(one).publish(message(4));
    await hears(message(4));
  });
});

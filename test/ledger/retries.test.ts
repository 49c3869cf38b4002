import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { OVERDUE_MS } from '../../src/contract/limits.js';
import type { GenerationEnd } from '../../src/contract/snapshot.js';
import { createSupportLedger } from '../../src/ledger/support-ledger.js';
import type { NewRetry, SupportLedger } from '../../src/ledger/support-types.js';
import { TaskErased } from '../../src/ledger/task-erased.js';
import { BY } from '../support/by.js';
import { onEachDatabase } from './databases.js';
import { assertInvariants } from './invariants.js';

const FAILED: GenerationEnd = { status: 'failed', failure: { code: 'internal' } };
const completed = (generatedByAi: boolean): GenerationEnd => ({
  status: 'completed',
  prompt: 'You are kind.',
  generatedByAi,
  model: 'm',
  usage: { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 },
});

onEachDatabase('A retry by support', (on) => {
  let records: SupportLedger;
  let owner: string;
  let taskId: string;

  beforeEach(async () => {
    records = createSupportLedger(on.db);
    owner = randomUUID();
    taskId = randomUUID();
    await on.ledger.putAccount(owner, { subscription: { status: 'active' } }, BY);
    await on.ledger.grant({ owner, tokens: 1_000, reason: 'test', key: 'first', by: BY });
    await on.ledger.beginGeneration({ taskId, owner, manualPrompt: 'x', createdAt: new Date() });
  });
  afterEach(() => assertInvariants(on.db, owner));

  const note = (charge: NewRetry['charge'], more: Partial<NewRetry> = {}) =>
    records.noteRetry({ taskId, runsAs: taskId, owner, charge, by: BY, details: { reason: 'Ticket 1' }, ...more });
  const hold = (wanted = 900, task = taskId, run = randomUUID()) =>
    on.ledger.hold({ holdId: `${task}/${run}`, taskId: task, owner, minimum: 700, wanted, ttlMs: 60_000 });
  const end = (how: GenerationEnd, task = taskId) =>
    on.ledger.endGeneration({ taskId: task, owner, end: how, runId: randomUUID() });
  const tokens = async () => (await on.ledger.getAccount(owner))?.tokens;

  it('at nobody’s charge holds and charges nothing, whatever the owner has', async () => {
    await end(FAILED);
    assert.equal(await note('none'), 'noted');
    assert.deepEqual(await hold(5_000), { outcome: 'held', tokens: 5_000 });
    assert.deepEqual(await tokens(), { balance: 1_000, held: 0, available: 1_000 });
    const ended = await end(completed(true));
    assert.deepEqual([ended.status, ended.tokensCharged, ended.tokensAvailable], ['completed', 0, 1_000]);
    assert.deepEqual(await tokens(), { balance: 1_000, held: 0, available: 1_000 });
  });

  it('at the customer’s charge costs what it takes, once', async () => {
    await end(completed(false));
    assert.equal(await note('customer'), 'noted');
    await hold();
    for (let n = 0; n < 2; n++) assert.equal((await end(completed(true))).tokensCharged, 150);
    assert.deepEqual(await tokens(), { balance: 850, held: 0, available: 850 });
  });

  it('at nobody’s charge is guarded by the database, whatever the code does', async () => {
    await end(FAILED);
    await note('none');
    const entry = `INSERT INTO entries (owner, type, tokens, balance_after, reason, task_id, key)
      VALUES ($1, 'charge', -1, 999, 'x', $2, $3)`;
    await assert.rejects(on.db.query(entry, [owner, taskId, `charge:${taskId}`]), /is free of charge/);
    const held = `INSERT INTO holds (hold_id, task_id, owner, tokens, expires_at) VALUES ($3, $2, $1, 1, now())`;
    await assert.rejects(on.db.query(held, [owner, taskId, randomUUID()]), /is free of charge/);
    await assert.rejects(on.db.query("UPDATE retries SET charge = 'customer'"), /append-only/);
    await assert.rejects(on.db.query('DELETE FROM retries'), /append-only/);
    await assert.rejects(on.db.query('TRUNCATE retries'), /append-only/);
  });

  it('still asks for a subscription: that is about the account, not about tokens', async () => {
    await on.ledger.putAccount(owner, { subscription: { status: 'deactivated' } }, BY);
    await end(FAILED);
    await note('none');
    assert.equal((await hold()).outcome, 'refused');
  });

  it('is one at a time, so that nobody else changes who pays while it runs, and another when it has ended', async () => {
    await end(FAILED);
    const noted = await Promise.all([note('none'), note('none'), note('none')]);
    assert.deepEqual(noted.sort(), ['noted', 'retrying', 'retrying']);
    assert.equal(await note('customer'), 'retrying');
    assert.equal((await end(completed(true))).tokensCharged, 0);
    assert.equal(await note('customer'), 'completed');
  });

  it('may be another one when the first could not be started, or has long ended without a word', async () => {
    await end(FAILED);
    await note('none');
    await records.withdrawRetry(taskId);
    assert.equal(await note('customer'), 'noted');
    const old = randomUUID();
    await on.db.query(
      "INSERT INTO retries (task_id, owner, charge, created_at) VALUES ($1, $2, 'none', now() - $3 * interval '1 millisecond')",
      [old, owner, OVERDUE_MS + 1_000],
    );
    assert.equal(await note('none', { runsAs: old }), 'noted');
  });

  it('that could not be started decides nothing: who paid before it pays', async () => {
    await end(completed(false));
    await note('none');
    await records.withdrawRetry(taskId);
    await hold();
    assert.equal((await end(completed(true))).tokensCharged, 150);
  });

  it('is not ended by what the run before it says late', async () => {
    const first = randomUUID();
    const ofFirst = (how: GenerationEnd) => on.ledger.endGeneration({ taskId, owner, end: how, runId: first });
    await ofFirst(FAILED);
    await note('none');
    assert.equal((await ofFirst(completed(true))).status, 'failed', 'it was told as failed');
    assert.equal(await note('customer'), 'retrying');
    assert.equal((await end(completed(true))).tokensCharged, 0);
  });

  it('is only of a task of that owner that has ended, and not by the AI', async () => {
    assert.equal(await note('none'), 'running');
    assert.equal(await note('none', { owner: 'somebody else' }), 'unknown');
    assert.equal(await note('none', { taskId: randomUUID() }), 'unknown');
    await hold();
    await end(completed(true));
    assert.equal(await note('none'), 'completed');
    const actions = await on.ledger.listActions({ target: taskId, limit: 9 });
    assert.deepEqual(actions?.actions, []);
  });

  it('as a new task is free there, and leaves the old one as it is', async () => {
    await end(FAILED);
    const runsAs = randomUUID();
    assert.equal(await note('none', { runsAs }), 'noted');
    await on.ledger.beginGeneration({ taskId: runsAs, owner, manualPrompt: 'x', createdAt: new Date() });
    await hold(900, runsAs);
    assert.equal((await end(completed(true), runsAs)).tokensCharged, 0);
    assert.equal((await records.getTask(taskId))?.state, 'failed');
  });

  it('as a new task is over with the end of that: it may be retried itself', async () => {
    await end(FAILED);
    const runsAs = randomUUID();
    assert.equal(await note('none', { runsAs }), 'noted');
    await on.ledger.beginGeneration({ taskId: runsAs, owner, manualPrompt: 'x', createdAt: new Date() });
    await end(FAILED, runsAs);
    assert.equal(await note('customer', { taskId: runsAs, runsAs }), 'noted');
  });

  it('of a fallback that falls back again, or fails, leaves the fallback', async () => {
    await end(completed(false));
    await note('customer');
    await hold();
    assert.equal((await end(FAILED)).status, 'completed');
    assert.equal((await records.getTask(taskId))?.state, 'fallback');
    assert.equal(await note('customer'), 'noted', 'the first one has ended');
  });

  it('is a line that says who, why and at whose charge, without a text', async () => {
    await end(FAILED);
    await note('none');
    const page = await on.ledger.listActions({ target: taskId, limit: 9 });
    assert.deepEqual(
      page?.actions.map(({ action, actor, details }) => [action, actor, details]),
      [['retry_task', BY.actor, { reason: 'Ticket 1', owner, charge: 'none', runs_as: taskId }]],
    );
  });

  it('of an erased task is refused', async () => {
    await end(FAILED);
    const { erasure } = await on.ledger.requestErasure(owner, BY);
    await on.ledger.eraseData(erasure.id);
    await assert.rejects(note('none'), TaskErased);
  });
});

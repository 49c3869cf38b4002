import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { GenerationEnd } from '../../src/contract/snapshot.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { Registry } from 'prom-client';
import { createEndMetrics } from '../../src/metrics/end-metrics.js';
import { BY } from '../support/by.js';
import { onEachDatabase } from './databases.js';

const USAGE = { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 };
const BY_AI: GenerationEnd = { status: 'completed', prompt: 'p', generatedByAi: true, model: 'm', usage: USAGE };
const FALLBACK: GenerationEnd = { ...BY_AI, generatedByAi: false };

onEachDatabase('The audit of the ledger', (on) => {
  const owner = async (): Promise<string> => {
    const name = randomUUID();
    await on.ledger.putAccount(name, { subscription: { status: 'active' } }, BY);
    await on.ledger.grant({ owner: name, tokens: 5_000, reason: 'test', key: 'k', by: BY });
    return name;
  };
  const hold = async (name: string, ttlMs = 60_000) => {
    const taskId = randomUUID();
    await on.ledger.hold({ holdId: taskId, taskId, owner: name, minimum: 700, wanted: 1_000, ttlMs });
    return { taskId, owner: name };
  };
  const NOTHING = { openHolds: 0, heldTokens: 0, expiredHolds: 0, stuckTasks: 0, mismatchedAccounts: 0 };

  it('finds nothing where nothing is', async () => {
    assert.deepEqual(await on.ledger.audit(), NOTHING);
  });

  it('finds what is open, expired and stuck, and agrees while money moves', async () => {
    const name = await owner();
    const settled = await hold(name);
    await on.ledger.endGeneration({ ...settled, end: BY_AI });
    const open = await hold(name);
    const expired = await hold(name, -1);
    const stuck = { taskId: randomUUID(), owner: name };
    await on.ledger.beginGeneration({ ...stuck, manualPrompt: 'x', createdAt: new Date(Date.now() - 200_000) });
    await on.ledger.beginGeneration({ ...open, manualPrompt: 'x', createdAt: new Date() });
    assert.deepEqual(await on.ledger.audit(), {
      openHolds: 2,
      heldTokens: 2_000,
      expiredHolds: 1,
      stuckTasks: 1,
      mismatchedAccounts: 0,
    });
    for (const task of [open, expired, stuck]) await on.ledger.endGeneration({ ...task, end: FALLBACK });
    assert.deepEqual(await on.ledger.audit(), NOTHING);
  });

  it('finds each account whose money was changed by hand', async () => {
    const [ann, bob, eve] = [await owner(), await owner(), await owner()];
    await hold(bob);
    const mismatched = async () => (await on.ledger.audit()).mismatchedAccounts;
    await on.db.query('UPDATE accounts SET balance = balance + 1 WHERE owner = $1', [ann]);
    assert.equal(await mismatched(), 1);
    await on.db.query('UPDATE accounts SET held = held - 1 WHERE owner = $1', [bob]);
    assert.equal(await mismatched(), 2);
    await on.db.query('UPDATE accounts SET held = 7 WHERE owner = $1', [eve]);
    assert.equal(await mismatched(), 3);
  });
});

onEachDatabase('Ends in the metrics', (on) => {
  it('are counted once each, when they are stored: by whom and how often ever they are sent', async () => {
    const registry = new Registry();
    const ledger = createLedger(on.db, { onEnd: createEndMetrics(registry) });
    const taskId = randomUUID();
    const task = { taskId, owner: 'ann', runId: 'first' };
    await ledger.beginGeneration({ ...task, manualPrompt: 'x', createdAt: new Date(Date.now() - 8_000) });
    for (let n = 0; n < 2; n += 1) await ledger.endGeneration({ ...task, end: FALLBACK });
    await ledger.endGeneration({ ...task, end: { status: 'failed', failure: { code: 'timed_out' } } });
    const another = { taskId: randomUUID(), owner: 'ann' };
    await ledger.endGeneration({ ...another, end: { status: 'failed', failure: { code: 'cancelled' } } });
    const lines = (await registry.metrics()).split('\n');
    for (const line of [
      'generation_ends_total{state="fallback",error_code=""} 1',
      'generation_ends_total{state="failed",error_code="timed_out"} 0',
      'generation_ends_total{state="failed",error_code="cancelled"} 1',
      'generation_duration_seconds_bucket{le="7.5",state="fallback"} 0',
      'generation_duration_seconds_bucket{le="15",state="fallback"} 1',
    ])
      assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`);
    // An operator's reset may better it: that is another end.
    await ledger.endGeneration({ ...task, runId: 'second', end: BY_AI });
    assert.match(await registry.metrics(), /^generation_ends_total\{state="completed",error_code=""\} 1$/m);
  });
});

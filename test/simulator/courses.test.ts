import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { wordsFor, type Failure } from '../../src/contract/failures.js';
import { MIN_OUTPUT_TOKENS } from '../../src/contract/money.js';
import { isEnded, type RunningSnapshot, type Snapshot } from '../../src/contract/snapshot.js';
import { STEPS } from '../../src/contract/steps.js';
import type { StatusResult } from '../../src/generations/types.js';
import { SCENARIOS } from '../../src/simulator/scenarios.js';
import { assertInvariants } from '../ledger/invariants.js';
import { found, useSimulator } from './support/simulator.js';
import { BY } from '../support/by.js';

const shown = (results: StatusResult[]): Snapshot[] =>
  results.flatMap((result) => (result.outcome === 'found' ? [result.snapshot] : []));
const running = (results: StatusResult[]): RunningSnapshot[] =>
  shown(results).filter((snapshot): snapshot is RunningSnapshot => !isEnded(snapshot));

describe('A simulated task', () => {
  const on = useSimulator();

  for (const scenario of SCENARIOS) {
    if (!('course' in scenario)) continue;
    const { name, course } = scenario;

    it(`goes through "${name}" to its end, never back, and leaves the money right`, async () => {
      const task = await on.start(name);
      const seen = await on.watch(task);
      const states = shown(seen);
      states.slice(1).forEach((state, n) => {
        assert.ok(state.progress >= states[n]!.progress);
        assert.ok(state.updated_at >= states[n]!.updated_at);
      });
      for (const state of running(seen)) {
        const step = Object.values(STEPS).find(({ progress }) => progress === state.progress)!;
        assert.deepEqual([state.status, state.message], [step.status, step.message]);
      }
      const money = await on.moneyOf(task.owner);
      await assertInvariants(on.db, task.owner);
      assert.equal(money.held, 0);
      if (course.ending === 'forgotten') {
        assert.equal(seen.at(-1)?.outcome, 'not_found');
        assert.equal(await on.ledger.getGeneration(task.taskId), null);
        assert.deepEqual(money, { balance: 10_000, held: 0, available: 10_000, charges: [] });
        return;
      }
      const end = found(seen.at(-1)).snapshot;
      if (end.status === 'completed') {
        const charged = course.ending === 'prompt' ? end.usage.total_tokens : 0;
        assert.equal(end.generated_by_ai, course.ending === 'prompt');
        assert.deepEqual(end.tokens, { charged, available: 10_000 - charged });
        assert.deepEqual(money.charges, charged > 0 ? [-charged] : []);
        assert.equal(money.balance, 10_000 - charged);
      } else {
        assert.ok(end.status === 'failed' && end.error_code === course.ending, end.status);
        const { message, error, action } = wordsFor({ code: course.ending, ...end.tokens } as Failure);
        assert.deepEqual([end.message, end.error, end.action], [message, error, action]);
        assert.deepEqual(money, { balance: 10_000, held: 0, available: 10_000, charges: [] });
      }
    });
  }

  it('goes through each step in the normal course, and writes a prompt of the given words', async () => {
    const seen = await on.watch(await on.start(undefined, { text: 'We sell shoes. Be friendly.' }));
    assert.deepEqual([...new Set(shown(seen).map(({ progress }) => progress))], [0, 10, 30, 50, 70, 90, 100]);
    const end = found(seen.at(-1)).snapshot;
    assert.ok(end.status === 'completed');
    assert.match(end.prompt, /- We sell shoes\.\n- Be friendly\./);
    assert.match(end.prompt, /Written by the simulator/);
    assert.doesNotMatch(end.prompt, /OPENAI/);
    assert.ok(end.usage.prompt_tokens > 0 && end.usage.completion_tokens > 0);
  });

  it('holds what the call may cost while it runs, and settles what it cost', async () => {
    const task = await on.start('normal');
    const held = new Map<number, boolean>();
    while (on.time.resting > 0) {
      const { progress } = found(await on.status(task)).snapshot;
      held.set(progress, (await on.moneyOf(task.owner)).held > 0);
      await on.next(task);
    }
    assert.deepEqual(Object.fromEntries(held), { 0: false, 10: false, 30: false, 50: true, 70: true, 90: true });
  });

  it('lets the text of the model grow, from its first word up to the prompt', async () => {
    for (const [name, attempt] of [
      ['normal', 1],
      ['retrying', 3],
    ] as const) {
      const task = await on.start(name);
      const texts: string[] = [];
      while (on.time.resting > 0) {
        const { progress } = found(await on.status(task)).snapshot;
        const written = on.generations.textOf(task.taskId);
        if (progress < 70) assert.equal(written, undefined);
        if (written) {
          assert.equal(written.attempt, attempt);
          texts.push(written.text);
        }
        await on.next(task);
      }
      assert.ok(texts.length > 5, `${texts.length} pieces`);
      texts.slice(1).forEach((text, n) => {
        assert.ok(text.startsWith(texts[n]!));
      });
      const end = found(await on.status(task)).snapshot;
      assert.equal(end.status === 'completed' && end.prompt, texts.at(-1));
      assert.equal(on.generations.textOf(task.taskId), undefined);
    }
  });

  it('writes no more than the account can pay', async () => {
    const owner = await on.owner(1_100);
    const end = await on.endOf(await on.start('fast', { owner, text: 'word '.repeat(300) }));
    assert.ok(end.status === 'completed');
    assert.doesNotMatch(end.prompt, /Written by the simulator/, 'it is cut off');
    assert.ok(end.tokens.charged <= 1_100);
    assert.equal((await on.moneyOf(owner)).balance, 1_100 - end.tokens.charged);
  });

  it("lets the account's own refusal come before the scenario's end", async () => {
    for (const name of ['normal', 'fallback', 'timed_out']) {
      const owner = await on.owner(250);
      const end = await on.endOf(await on.start(name, { owner }));
      assert.ok(end.status === 'failed');
      assert.deepEqual([end.error_code, end.tokens], ['insufficient_tokens', { required: 700, available: 250 }]);
    }
    const nobody = await on.endOf(await on.start('normal', { owner: randomUUID() }));
    assert.ok(nobody.status === 'failed' && nobody.error_code === 'no_subscription');
  });

  it('tells what the two refusals for tokens miss', async () => {
    for (const [name, available] of [
      ['insufficient_tokens', 250],
      ['no_tokens_remaining', 0],
    ] as const) {
      const end = await on.endOf(await on.start(name));
      assert.ok(end.status === 'failed');
      assert.deepEqual(end.tokens, { required: 700, available });
    }
    const long = await on.endOf(await on.start('insufficient_tokens', { text: 'word '.repeat(1_000) }));
    assert.ok(long.status === 'failed' && long.tokens!.required > 5_000 / 3 + MIN_OUTPUT_TOKENS);
  });

  it('delivers as the fallback the instruction, a blank line and the words', async () => {
    const owner = await on.owner();
    await on.ledger.putAccount(owner, { businessType: 'Feet' }, BY);
    await on.ledger.putTemplate('Feet', 'You advise people with sore feet.', BY);
    const end = await on.endOf(await on.start('fallback', { owner, text: 'Be kind.' }));
    assert.ok(end.status === 'completed');
    assert.deepEqual([end.prompt, end.model], ['You advise people with sore feet.\n\nBe kind.', 'none']);
    assert.equal(end.warning, 'AI generation failed, using simple combination');
  });

  it('tells of each attempt and when the next one comes, as "retrying" and as "stuck"', async () => {
    for (const [name, attempts] of [
      ['retrying', 3],
      ['stuck', 6],
    ] as const) {
      const seen = running(await on.watch(await on.start(name)));
      const details = seen.flatMap(({ progress, detail }) => (progress === 50 ? [detail!] : []));
      assert.deepEqual(
        details.map(({ attempt }) => attempt),
        Array.from({ length: attempts }, (_, n) => n + 1),
      );
      for (const { waiting_for, attempt, next_attempt_at } of details) {
        assert.equal(waiting_for, 'llm');
        assert.equal(next_attempt_at !== undefined, attempt! > 1);
      }
      for (const { detail, updated_at } of seen) {
        if (detail?.next_attempt_at) assert.ok(detail.next_attempt_at > updated_at);
      }
    }
  });

  it('that is stuck stays at 50 until just before the latest end of all', async () => {
    const task = await on.start('stuck');
    const states = shown(await on.watch(task));
    assert.deepEqual([...new Set(states.map(({ progress }) => progress))], [0, 10, 30, 50, 100]);
    assert.ok(on.time.passedMs > 105_000 && on.time.passedMs < 110_000, `${on.time.passedMs} ms`);
  });

  it('says that a state is stale, as of when it was known, and goes on', async () => {
    const seen = (await on.watch(await on.start('stale'))).map(found);
    const stale = seen.filter(({ staleAsOf }) => staleAsOf !== undefined);
    assert.ok(stale.length > 0);
    for (const { snapshot, staleAsOf } of stale) {
      assert.equal(snapshot.progress, 50);
      assert.ok(staleAsOf! >= snapshot.updated_at);
    }
    const after = seen.slice(seen.lastIndexOf(stale.at(-1)!) + 1);
    assert.deepEqual([...new Set(after.map(({ snapshot }) => snapshot.progress))], [70, 90, 100]);
  });

  it('that is down says nothing for a while, and then how it ended', async () => {
    const seen = await on.watch(await on.start('down'));
    const outcomes = seen.map(({ outcome }) => outcome);
    assert.ok(outcomes.includes('unavailable'));
    assert.deepEqual(outcomes.slice(-2), ['found', 'found']);
    assert.equal(on.cuts, 0);
  });
});

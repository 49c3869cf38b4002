import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/activity';
import { Client } from '@temporalio/client';
import { createActivities, type Activities } from '../../src/activities/index.js';
import { NO_ENCRYPTION } from '../../src/encryption/open-encryption.js';
import { createGenerations } from '../../src/generations/create-generations.js';
import { createExportHistory } from '../../src/generations/export-history.js';
import { createInspect } from '../../src/generations/inspect.js';
import { createRetries, type Retries, type RunAgainResult } from '../../src/generations/retry.js';
import type { Generations } from '../../src/generations/types.js';
import { createSupport } from '../../src/helpdesk/create-support.js';
import type { RetryRequest } from '../../src/helpdesk/retry-types.js';
import type { Support } from '../../src/helpdesk/types.js';
import { createSupportLedger } from '../../src/ledger/support-ledger.js';
import { LlmError } from '../../src/llm/llm.js';
import { asOwner, quiet, richOwner, UNLIMITED, useLedger } from '../generations/support.js';
import { BY } from '../support/by.js';
import { eventually } from '../support/eventually.js';
import { gate, type Gate } from '../support/gate.js';
import { useRig } from '../support/rig.js';

const INSTRUCTION = 'You are the AI assistant of a business. Answer its customers helpfully, briefly and politely.';
const COSTS = { minimumTokens: 700, maxOutputTokens: 3_000 };

describe('Support, over Temporal', function () {
  this.timeout(60_000);
  const on = useLedger();
  const rig = useRig();
  let generations: Generations;
  let support: Support;
  /** Texts the model was asked about. */
  let asked: string[];
  let aiIsAway: boolean;
  let databaseIsAway: boolean;
  /** Temporal does what it is asked, and nobody hears of it. */
  let answersAreLost: boolean;
  let modelAnswers: Gate;

  beforeEach('be a service whose parts can break', async () => {
    [asked, aiIsAway, databaseIsAway, answersAreLost] = [[], false, false, false];
    modelAnswers = gate();
    modelAnswers.open();
    const { client, taskQueue } = rig;
    const deps = { client, ledger: on.ledger, log: quiet, taskQueue, assignKey: NO_ENCRYPTION.assign };
    generations = createGenerations({ ...deps, client: losingStarts(client), limits: UNLIMITED });
    support = createSupport({
      ledger: on.ledger,
      records: createSupportLedger(on.db),
      generations,
      inspect: createInspect(deps),
      exportHistory: createExportHistory(deps),
      retries: losing(createRetries(deps)),
      costs: COSTS,
      log: quiet,
    });
    const real = createActivities({
      ledger: on.ledger,
      llm: {
        generate: async ({ user }) => {
          asked.push(user);
          await modelAnswers.opened;
          if (aiIsAway) throw new LlmError('The model answered 401', false);
          const usage = { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 };
          return { text: `Prompt of ${user}`, model: 'm', usage, finishReason: 'stop' };
        },
      },
      modelId: 'm',
      tellWorkflow: () => Promise.resolve(),
      showText: () => undefined,
      ...COSTS,
    });
    const activities: Activities = {
      ...real,
      finalize: (input) => {
        if (databaseIsAway) throw ApplicationFailure.create({ type: 'Away', message: 'x', nonRetryable: true });
        return real.finalize(input);
      },
    };
    await rig.work(activities);
  });

  const losingStarts = ({ connection, options }: Client): Client =>
    new Client({
      connection,
      workflow: { queryRejectCondition: options.workflow.queryRejectCondition },
      interceptors: {
        workflow: [
          {
            startWithDetails: async (input, next) => {
              const answer = await next(input);
              if (answersAreLost) throw new Error('The answer was lost');
              return answer;
            },
          },
        ],
      },
    });
  const losing = ({ basis, startAgain, resetTo }: Retries): Retries => ({
    basis,
    startAgain: async (task) => lost(await startAgain(task)),
    resetTo: async (task) => lost(await resetTo(task)),
  });
  const lost = (result: RunAgainResult): RunAgainResult => (answersAreLost ? { outcome: 'unavailable' } : result);
  const ended = (taskId: string, owner: string, expected: unknown[]) =>
    eventually(async () => {
      const result = await generations.status(taskId, asOwner(owner));
      assert.equal(result.outcome, 'found');
      const { snapshot } = result;
      const end = snapshot.status === 'completed' ? [snapshot.prompt, snapshot.tokens.charged] : [snapshot.status];
      assert.deepEqual(end, expected);
      return snapshot;
    });
  const start = async (owner: string, manualPrompt: string, idempotencyKey?: string) => {
    const result = await generations.start({ owner, manualPrompt, idempotencyKey, requestId: 'r' });
    assert.ok('taskId' in result);
    rig.replay(result.taskId);
    return result.taskId;
  };
  const retry = (taskId: string, request: Partial<RetryRequest> = {}) =>
    support.retry(
      taskId,
      { as: 'same', from: 'start', charge: 'customer', reason: 'T', dryRun: false, ...request },
      BY,
    );
  /** Its end is told a moment before Temporal has closed its run: until then it can't run again. */
  const planOf = (taskId: string, request: Partial<RetryRequest> = {}) =>
    eventually(async () => {
      const result = await retry(taskId, request);
      assert.ok('plan' in result, JSON.stringify(result));
      return result.plan;
    });
  const balance = async (owner: string) => (await on.ledger.getAccount(owner))?.tokens;

  it('goes on from the step that failed with the answer that is there, and charges it once', async () => {
    const owner = await richOwner(on.ledger);
    databaseIsAway = true;
    const taskId = await start(owner, 'shoes');
    await ended(taskId, owner, ['failed']);
    databaseIsAway = false;
    const dry = await planOf(taskId, { from: 'failed_step', dryRun: true });
    assert.deepEqual([dry.step, dry.asksModel, dry.mayCost], ['finalize', false, 0]);
    await planOf(taskId, { from: 'failed_step' });
    await ended(taskId, owner, ['Prompt of shoes', 150]);
    assert.deepEqual(asked, ['shoes'], 'the model is asked once');
    assert.deepEqual(await balance(owner), { balance: 99_850, held: 0, available: 99_850 });
  });

  it('puts the prompt of an AI that is back in place of a fallback, which its owner keeps until then', async () => {
    const owner = await richOwner(on.ledger);
    aiIsAway = true;
    const taskId = await start(owner, 'shoes', 'key');
    const fallback = `${INSTRUCTION}\n\nshoes`;
    await ended(taskId, owner, [fallback, 0]);
    const report = await support.show(taskId);
    assert.ok(report.outcome === 'found');
    assert.ok(
      report.task.summary.includes('Why: generateWithAI: The model answered 401'),
      report.task.summary.join('\n'),
    );
    await planOf(taskId);
    await eventually(() => {
      assert.equal(asked.length, 2);
    });
    await ended(taskId, owner, [fallback, 0]);
    aiIsAway = false;
    await planOf(taskId, { manualPrompt: 'boots' });
    await ended(taskId, owner, ['Prompt of boots', 150]);
    const again = { owner, manualPrompt: 'shoes', idempotencyKey: 'key', requestId: 'r' };
    assert.equal((await generations.start(again)).outcome, 'existing', 'the key still stands for what its owner sent');
    assert.equal((await retry(taskId)).outcome, 'not_retryable');
  });

  it('gives a prompt to who has no tokens where nobody is charged', async () => {
    const owner = await richOwner(on.ledger, 100);
    const taskId = await start(owner, 'shoes');
    await ended(taskId, owner, ['failed']);
    const dry = await planOf(taskId, { from: 'failed_step', charge: 'none', dryRun: true });
    assert.deepEqual([dry.step, dry.mayCharge, dry.available], ['checkTokens', 0, 100]);
    assert.ok(dry.mayCost > 3_000, 'the model costs all the same');
    await planOf(taskId, { from: 'failed_step', charge: 'none' });
    await ended(taskId, owner, ['Prompt of shoes', 0]);
    assert.deepEqual(await balance(owner), { balance: 100, held: 0, available: 100 });
  });

  it('takes the first step that failed, where a later one failed too', async () => {
    const owner = await richOwner(on.ledger);
    [aiIsAway, databaseIsAway] = [true, true];
    const taskId = await start(owner, 'shoes');
    await ended(taskId, owner, ['failed']);
    [aiIsAway, databaseIsAway] = [false, false];
    const { step } = await planOf(taskId, { from: 'failed_step', charge: 'none' });
    assert.equal(step, 'generateWithAI');
    await ended(taskId, owner, ['Prompt of shoes', 0]);
  });

  it('lets a cancelled task run again, which what was asked before does not cancel', async () => {
    const owner = await richOwner(on.ledger);
    modelAnswers = gate();
    const taskId = await start(owner, 'shoes');
    await eventually(() => {
      assert.deepEqual(asked, ['shoes']);
    });
    assert.equal((await support.cancel(taskId, 'T', BY)).outcome, 'requested');
    await ended(taskId, owner, ['failed']);
    modelAnswers.open();
    await planOf(taskId, { from: 'failed_step' });
    await ended(taskId, owner, ['Prompt of shoes', 150]);
    const { actions } = (await on.ledger.listActions({ target: taskId, limit: 9 }))!;
    assert.deepEqual(
      actions.map(({ action }) => action),
      ['retry_task', 'cancel_task'],
    );
  });

  it('runs as another task of the owner, free or not, and leaves the old one', async () => {
    const owner = await richOwner(on.ledger);
    aiIsAway = true;
    const taskId = await start(owner, 'shoes');
    const { status } = await ended(taskId, owner, [`${INSTRUCTION}\n\nshoes`, 0]);
    assert.equal(status, 'completed');
    aiIsAway = false;
    const { taskId: next } = await planOf(taskId, { as: 'new', charge: 'none' });
    assert.ok(next !== null && next !== taskId);
    rig.replay(next);
    await ended(next, owner, ['Prompt of shoes', 0]);
    assert.deepEqual(await balance(owner), { balance: 100_000, held: 0, available: 100_000 });
  });

  it('runs as one other task however often it is asked for with the same key', async () => {
    const owner = await richOwner(on.ledger);
    aiIsAway = true;
    const taskId = await start(owner, 'shoes');
    await eventually(() => {
      assert.equal(asked.length, 1);
    });
    [aiIsAway, modelAnswers] = [false, gate()];
    const { taskId: next } = await planOf(taskId, { as: 'new', key: 'k' });
    assert.ok(next !== null && next !== taskId);
    rig.replay(next);
    assert.equal((await planOf(taskId, { as: 'new', key: 'k' })).taskId, next);
    modelAnswers.open();
    await ended(next, owner, ['Prompt of shoes', 150]);
    assert.equal((await planOf(taskId, { as: 'new', key: 'k' })).taskId, next);
    assert.equal(asked.length, 2);
    assert.deepEqual(await balance(owner), { balance: 99_850, held: 0, available: 99_850 });
  });

  it('cancels another task that could not be told whether it runs, where nobody could ask for it again', async () => {
    const owner = await richOwner(on.ledger);
    aiIsAway = true;
    const taskId = await start(owner, 'shoes');
    await ended(taskId, owner, [`${INSTRUCTION}\n\nshoes`, 0]);
    [aiIsAway, modelAnswers, answersAreLost] = [false, gate(), true];
    await eventually(async () => {
      assert.deepEqual(await retry(taskId, { as: 'new' }), { outcome: 'unavailable' });
    });
    const { actions } = (await on.ledger.listActions({ target: taskId, limit: 9 }))!;
    const next = String(actions[0]?.details.runs_as);
    rig.replay(next);
    await ended(next, owner, ['failed']);
    modelAnswers.open();
    assert.deepEqual(await balance(owner), { balance: 100_000, held: 0, available: 100_000 });
  });

  it('can be cancelled while it makes a better prompt than the fallback, which stays', async () => {
    const owner = await richOwner(on.ledger);
    aiIsAway = true;
    const taskId = await start(owner, 'shoes');
    const fallback = [`${INSTRUCTION}\n\nshoes`, 0];
    await ended(taskId, owner, fallback);
    [aiIsAway, modelAnswers] = [false, gate()];
    await planOf(taskId);
    await eventually(() => {
      assert.equal(asked.length, 2);
    });
    assert.equal((await generations.cancel(taskId, asOwner(owner))).outcome, 'requested');
    await eventually(async () => {
      const { status } = await rig.client.workflow.getHandle(taskId).describe();
      assert.notEqual(status.name, 'RUNNING');
    });
    modelAnswers.open();
    await ended(taskId, owner, fallback);
    assert.equal((await generations.cancel(taskId, asOwner(owner))).outcome, 'nothing_to_do');
    assert.deepEqual(await balance(owner), { balance: 100_000, held: 0, available: 100_000 });
  });

  for (const from of ['start', 'failed_step'] as const) {
    it(`charges nobody where nobody shall be, though it could not be told whether it runs: from ${from}`, async () => {
      const owner = await richOwner(on.ledger);
      [aiIsAway, databaseIsAway] = [true, true];
      const taskId = await start(owner, 'shoes');
      await ended(taskId, owner, ['failed']);
      [aiIsAway, databaseIsAway, answersAreLost] = [false, false, true];
      modelAnswers = gate();
      await eventually(async () => {
        assert.deepEqual(await retry(taskId, { from, charge: 'none' }), { outcome: 'unavailable' });
      });
      answersAreLost = false;
      const again = await retry(taskId, { from: 'start', charge: 'customer' });
      assert.equal(again.outcome, 'not_retryable', 'who pays is not decided anew while it may run');
      modelAnswers.open();
      await ended(taskId, owner, ['Prompt of shoes', 0]);
      assert.deepEqual(await balance(owner), { balance: 100_000, held: 0, available: 100_000 });
    });
  }

  it('refuses a task that runs, one that never was, and a step where none failed', async () => {
    const owner = await richOwner(on.ledger);
    assert.deepEqual(await retry('00000000-0000-4000-8000-000000000000'), { outcome: 'not_found' });
    const taskId = await start(owner, 'shoes');
    await ended(taskId, owner, ['Prompt of shoes', 150]);
    assert.deepEqual(await retry(taskId), { outcome: 'not_retryable', why: 'It has its prompt by the AI.' });
  });
});

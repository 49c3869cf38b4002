import assert from 'node:assert/strict';
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import type { Activities } from '../../src/activities/index.js';
import { LLM_PROGRESS_SIGNAL, type GenerationMemo, type LlmProgress } from '../../src/contract/names.js';
import type { EndedSnapshot } from '../../src/contract/snapshot.js';
import { eventually } from '../support/eventually.js';
import { fakeActivities, storedEnd } from '../support/fake-activities.js';
import { gate } from '../support/gate.js';
import { useRig } from '../support/rig.js';

describe('The workflow of a generation', () => {
  const rig = useRig();

  it('shows 10, 30, 50, 70 and 90 on the way, each while its step runs, and ends with the prompt', async () => {
    const gates = { initialize: gate(), checkTokens: gate(), generateWithAI: gate(), finalize: gate() };
    const fake = fakeActivities();
    const waiting = <K extends keyof Activities>(name: K): Activities[K] =>
      (async (input: never) => {
        await gates[name].opened;
        return (fake[name] as (input: never) => Promise<unknown>)(input);
      }) as Activities[K];
    await rig.work({
      initialize: waiting('initialize'),
      checkTokens: waiting('checkTokens'),
      generateWithAI: waiting('generateWithAI'),
      finalize: waiting('finalize'),
    });
    const { workflowId, ...handle } = await rig.start({ owner: 'ann' });
    const shows = (progress: number, message: string) =>
      eventually(async () => {
        const now = await rig.progress(workflowId);
        assert.deepEqual([now.progress, now.message, now.status, now.owner], [progress, message, 'processing', 'ann']);
        return now;
      });

    await shows(10, 'Initializing AI generation...');
    gates.initialize.open();
    await shows(30, 'Checking tokens...');
    gates.checkTokens.open();
    const generating = await shows(50, 'Generating enhanced prompt with AI...');
    assert.deepEqual('detail' in generating && generating.detail, { waiting_for: 'llm', attempt: 1 });
    await rig.client.workflow
      .getHandle(workflowId)
      .signal(LLM_PROGRESS_SIGNAL, { kind: 'responding', attempt: 1 } satisfies LlmProgress);
    await shows(70, 'Waiting for AI response...');
    gates.generateWithAI.open();
    await shows(90, 'Finalizing...');
    gates.finalize.open();

    const end = await handle.result();
    assert.equal(end.status, 'completed');
    assert.equal(end.progress, 100);
    assert.equal(end.message, 'Prompt generated successfully');
    assert.equal(end.prompt, 'You are the assistant of a shoe store.');
    assert.deepEqual(end.tokens, { charged: 150, available: 5_000 });
  });

  it('keeps the memo in step, without any text of the user or the model', async () => {
    const step = gate();
    await rig.work(
      fakeActivities({
        finalize: async ({ end }) => {
          await step.opened;
          return storedEnd(end);
        },
      }),
    );
    const handle = await rig.start({ manualPrompt: 'The secret sauce' });
    const memoOf = async () => (await handle.describe()).memo as unknown as GenerationMemo;
    await eventually(async () => {
      const { progress } = await memoOf();
      assert.equal(progress?.progress, 90);
      assert.equal(progress.seq, (await rig.progress(handle.workflowId)).seq);
    });
    step.open();
    await handle.result();
    const { progress } = await memoOf();
    assert.equal(progress?.status, 'completed');
    assert.doesNotMatch(JSON.stringify(await memoOf()), /secret sauce|assistant of a shoe store/);
  });

  it('ends a refusal as a result in the words of the contract, without asking the model', async () => {
    const activities = fakeActivities({
      checkTokens: () =>
        Promise.resolve({
          outcome: 'refused',
          refusal: { code: 'insufficient_tokens', required: 700, available: 250 },
        }),
    });
    await rig.work(activities);
    const end = await (await rig.start()).result();
    assert.equal(end.status, 'failed');
    assert.equal(end.message, 'Insufficient tokens');
    assert.equal(end.error, 'You need at least 700 tokens. Available: 250');
    assert.equal(end.error_code, 'insufficient_tokens');
    assert.equal(end.action, 'buy_tokens');
    assert.deepEqual(
      activities.calls.map(({ name }) => name),
      ['initialize', 'checkTokens', 'finalize'],
    );
  });

  it("delivers the instruction, a blank line and the owner's words where the model refuses", async () => {
    await rig.work(
      fakeActivities({
        generateWithAI: () => {
          throw ApplicationFailure.create({
            message: 'The model answered 401',
            type: 'LlmRefused',
            nonRetryable: true,
          });
        },
      }),
    );
    const end = await (await rig.start({ manualPrompt: 'Be kind.' })).result();
    assert.equal(end.status, 'completed');
    assert.equal(end.prompt, 'You sell shoes.\n\nBe kind.');
    assert.equal(end.generated_by_ai, false);
    assert.equal(end.message, 'Prompt generated (AI unavailable, using fallback)');
    assert.equal(end.warning, 'AI generation failed, using simple combination');
    assert.equal(end.tokens.charged, 0);
  });

  it('asks the model again at the time the activity names, and never shows an earlier step meanwhile', async () => {
    const inspected = gate();
    await rig.work(
      fakeActivities({
        generateWithAI: async () => {
          const { attempt, workflowExecution } = Context.current().info;
          const tell = (news: LlmProgress) =>
            rig.client.workflow.getHandle(workflowExecution!.workflowId).signal(LLM_PROGRESS_SIGNAL, news);
          if (attempt === 1) {
            await tell({ kind: 'responding', attempt: 1 });
            await tell({ kind: 'retrying', attempt: 2, nextAttemptAt: '2030-01-01T00:00:00.000Z' });
            await inspected.opened;
            throw ApplicationFailure.create({ message: 'broke off', type: 'LlmUnavailable', nextRetryDelay: 1 });
          }
          return {
            prompt: `attempt ${attempt}`,
            model: 'm',
            usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
          };
        },
      }),
    );
    const handle = await rig.start();
    await eventually(async () => {
      const now = await rig.progress(handle.workflowId);
      assert.equal(now.progress, 70);
      assert.deepEqual('detail' in now && now.detail, {
        waiting_for: 'llm',
        attempt: 2,
        next_attempt_at: '2030-01-01T00:00:00.000Z',
      });
    });
    inspected.open();
    const end = await handle.result();
    assert.equal(end.status === 'completed' && end.prompt, 'attempt 2');
  });

  it('gives up on a model that stays away after five attempts', async () => {
    let attempts = 0;
    await rig.work(
      fakeActivities({
        generateWithAI: () => {
          attempts += 1;
          throw ApplicationFailure.create({ message: 'away', type: 'LlmUnavailable', nextRetryDelay: 1 });
        },
      }),
    );
    const end = await (await rig.start()).result();
    assert.equal(attempts, 5);
    assert.equal(end.status === 'completed' && end.generated_by_ai, false);
  });

  it('aborts the call, releases the tokens and ends as cancelled when it is cancelled', async () => {
    const seen: string[] = [];
    const activities = fakeActivities({
      generateWithAI: async () => {
        const context = Context.current();
        const beat = setInterval(() => {
          context.heartbeat();
        }, 50);
        try {
          return await context.cancelled;
        } catch (error) {
          seen.push(error instanceof CancelledFailure ? 'aborted' : 'other');
          throw error;
        } finally {
          clearInterval(beat);
        }
      },
    });
    await rig.work(activities);
    const handle = await rig.start();
    await eventually(async () => {
      assert.equal((await rig.progress(handle.workflowId)).progress, 50);
    });
    await handle.cancel();
    await assert.rejects(handle.result(), (error: WorkflowFailedError) => error.cause?.name === 'CancelledFailure');
    assert.equal((await handle.describe()).status.name, 'CANCELLED');
    assert.deepEqual(activities.calls.at(-1), {
      name: 'finalize',
      input: {
        taskId: handle.workflowId,
        owner: 'ann',
        end: { status: 'failed', failure: { code: 'cancelled' } },
        reason: 'generateWithAI: cancelled',
      },
    });
    await eventually(() => {
      assert.deepEqual(seen, ['aborted']);
    });
  });

  it('ends as cancelled also where the step that ran then fails by itself', async () => {
    const failing = gate();
    const activities = fakeActivities({
      initialize: async () => {
        await failing.opened;
        throw ApplicationFailure.create({ message: 'the connection broke', nonRetryable: true });
      },
    });
    await rig.work(activities);
    const handle = await rig.start();
    await eventually(async () => {
      assert.equal((await rig.progress(handle.workflowId)).progress, 10);
    });
    await handle.cancel();
    failing.open();
    await assert.rejects(handle.result(), WorkflowFailedError);
    assert.equal((await handle.describe()).status.name, 'CANCELLED');
    assert.deepEqual(activities.calls.at(-1)?.input, {
      taskId: handle.workflowId,
      owner: 'ann',
      end: { status: 'failed', failure: { code: 'cancelled' } },
      reason: 'initialize: cancelled',
    });
  });

  it('completes a task that is cancelled while its money is being settled', async () => {
    const settling = gate();
    const activities = fakeActivities({
      finalize: async ({ end }) => {
        await settling.opened;
        return storedEnd(end);
      },
    });
    await rig.work(activities);
    const handle = await rig.start();
    await eventually(async () => {
      assert.equal((await rig.progress(handle.workflowId)).progress, 90);
    });
    await handle.cancel();
    settling.open();
    const end = await handle.result();
    assert.equal(end.status, 'completed');
    assert.deepEqual(
      activities.calls.filter(({ name }) => name === 'finalize').map(({ input }) => (input as { end: object }).end),
      [{ status: 'completed', generatedByAi: true, prompt: end.prompt, model: 'fake-model', usage: end.usage }],
    );
  });

  it('fails as internal, with the reason for the operator, when the end of a task cannot be stored', async () => {
    await rig.work(
      fakeActivities({
        finalize: () => {
          throw ApplicationFailure.create({ message: 'disk full', type: 'LedgerBroken', nonRetryable: true });
        },
      }),
    );
    const handle = await rig.start();
    await assert.rejects(handle.result(), WorkflowFailedError);
    const { memo, status } = await handle.describe();
    assert.equal(status.name, 'FAILED');
    const { progress } = memo as unknown as GenerationMemo;
    assert.equal(progress?.status === 'failed' && progress.error_code, 'internal');
  });

  it('has nothing to do for a task that already has its prompt', async () => {
    const ended = storedEnd({
      status: 'completed',
      prompt: 'Paid before',
      generatedByAi: true,
      model: 'm',
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
    });
    const activities = fakeActivities({
      initialize: () =>
        Promise.resolve({ businessType: null, templateVersion: null, instruction: '', inputTokens: 1, ended }),
    });
    await rig.work(activities);
    const end: EndedSnapshot = await (await rig.start()).result();
    assert.equal(end.status === 'completed' && end.prompt, 'Paid before');
    assert.deepEqual(
      activities.calls.map(({ name }) => name),
      ['initialize'],
    );
  });
});

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { LLM_PROGRESS_SIGNAL, WORKFLOW_TYPE, type LlmProgress } from '../../src/contract/names.js';
import { attributePairs, firstAttributes, SEARCH_ATTRIBUTES } from '../../src/contract/search-attributes.js';
import { eventually } from '../support/eventually.js';
import { fakeActivities } from '../support/fake-activities.js';
import { gate } from '../support/gate.js';
import { useRig } from '../support/rig.js';
import { workflowBundle } from '../support/temporal.js';

/** Of every run of these tests, until more is known of it. */
const STARTED = {
  PromptOwner: 'ann',
  PromptBusinessType: '',
  PromptState: 'processing',
  PromptStep: 'initializing',
  PromptErrorCode: '',
  PromptGeneratedByAi: false,
  PromptTokensCharged: 0,
  PromptModel: '',
};
const ANN = { ...STARTED, PromptBusinessType: 'Shoe store' };

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('The search attributes of a generation', () => {
  const rig = useRig();

  /** Ours, as Temporal has them of its run. */
  const attributesOf = async (taskId: string): Promise<Record<string, unknown>> => {
    const { typedSearchAttributes } = await rig.client.workflow.getHandle(taskId).describe();
    const pairs = typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value] as const);
    return Object.fromEntries(pairs.filter(([name]) => name.startsWith('Prompt')));
  };
  const until = (taskId: string, expected: Record<string, unknown>) =>
    eventually(async () => {
      assert.deepEqual(await attributesOf(taskId), expected);
    });
  const stuck = () => Context.current().cancelled;
  const refuse = (message: string) => () => {
    throw ApplicationFailure.create({ message, nonRetryable: true });
  };

  it('say where it is while it runs, and cost no workflow task of their own', async () => {
    const gates = { initialize: gate(), generateWithAI: gate(), finalize: gate() };
    const fake = fakeActivities();
    await rig.work({
      ...fake,
      initialize: (input) => gates.initialize.opened.then(() => fake.initialize(input)),
      generateWithAI: (input) => gates.generateWithAI.opened.then(() => fake.generateWithAI(input)),
      finalize: (input) => gates.finalize.opened.then(() => fake.finalize(input)),
    });
    const handle = await rig.start();
    const { workflowId: taskId } = handle;
    await until(taskId, STARTED);
    gates.initialize.open();
    await until(taskId, { ...ANN, PromptStep: 'generating' });
    await handle.signal(LLM_PROGRESS_SIGNAL, { kind: 'responding', attempt: 1 } satisfies LlmProgress);
    await until(taskId, { ...ANN, PromptStep: 'responding' });
    gates.generateWithAI.open();
    await until(taskId, { ...ANN, PromptStep: 'finalizing' });
    gates.finalize.open();
    await handle.result();
    assert.deepEqual(await attributesOf(taskId), {
      ...ANN,
      PromptState: 'completed',
      PromptStep: 'finalizing',
      PromptGeneratedByAi: true,
      PromptTokensCharged: 150,
      PromptModel: 'fake-model',
    });
    const { events } = await handle.fetchHistory();
    const tasks = events?.filter(({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes);
    // The first, one after each of the four activities, and the signal's.
    assert.equal(tasks?.length, 6);
  });

  it('say of a fallback that no AI wrote it and that it was free', async () => {
    await rig.work(fakeActivities({ generateWithAI: refuse('The model answered 401') }));
    const handle = await rig.start();
    await handle.result();
    assert.deepEqual(await attributesOf(handle.workflowId), {
      ...ANN,
      PromptState: 'completed',
      PromptStep: 'finalizing',
      PromptGeneratedByAi: false,
      PromptTokensCharged: 0,
      PromptModel: 'none',
    });
  });

  it('have the error code of a refusal, and the step it ended at', async () => {
    const refusal = { code: 'insufficient_tokens', required: 700, available: 250 } as const;
    await rig.work(fakeActivities({ checkTokens: () => Promise.resolve({ outcome: 'refused', refusal }) }));
    const handle = await rig.start();
    await handle.result();
    assert.deepEqual(await attributesOf(handle.workflowId), {
      ...ANN,
      PromptState: 'failed',
      PromptStep: 'checkingTokens',
      PromptErrorCode: 'insufficient_tokens',
    });
  });

  it('have the error code also where the run is cancelled', async () => {
    await rig.work(fakeActivities({ checkTokens: stuck }));
    const cancelled = await rig.start();
    await until(cancelled.workflowId, { ...ANN, PromptStep: 'checkingTokens' });
    await cancelled.cancel();
    await assert.rejects(cancelled.result(), WorkflowFailedError);
    assert.deepEqual(await attributesOf(cancelled.workflowId), {
      ...ANN,
      PromptState: 'failed',
      PromptStep: 'checkingTokens',
      PromptErrorCode: 'cancelled',
    });
  });

  it('have the error code internal where the end of a task can not be stored', async () => {
    await rig.work(fakeActivities({ initialize: refuse('broken'), finalize: refuse('disk full') }));
    const handle = await rig.start();
    await assert.rejects(handle.result(), WorkflowFailedError);
    assert.deepEqual(await attributesOf(handle.workflowId), {
      ...STARTED,
      PromptState: 'failed',
      PromptErrorCode: 'internal',
    });
  });

  it('stay as they were where the run is terminated or timed out: only its status tells', async () => {
    await rig.work(fakeActivities({ checkTokens: stuck }));
    const last = { ...ANN, PromptStep: 'checkingTokens' };
    const terminated = await rig.start();
    await until(terminated.workflowId, last);
    await terminated.terminate();
    const timedOut = await rig.start({}, 1_000);
    await assert.rejects(timedOut.result(), WorkflowFailedError);
    for (const { workflowId } of [terminated, timedOut]) assert.deepEqual(await attributesOf(workflowId), last);
  });

  it('begin anew with a reset', async () => {
    let model = { prompt: 'one', model: 'first', usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } };
    await rig.work(fakeActivities({ generateWithAI: () => Promise.resolve(model) }));
    const handle = await rig.start();
    await handle.result();
    model = { ...model, model: 'second' };
    await rig.client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: handle.workflowId },
      reason: 'test',
      requestId: handle.workflowId,
      workflowTaskFinishEventId: 4 as never,
    });
    await eventually(async () => {
      assert.equal((await attributesOf(handle.workflowId)).PromptModel, 'second');
    });
  });

  it('that it was started without, all or some, are not written: the namespace may not know them', async () => {
    await rig.work(fakeActivities());
    const { owner, state } = firstAttributes('ann');
    for (const startedWith of [{}, { owner, state }]) {
      const taskId = randomUUID();
      rig.replay(taskId);
      await rig.client.workflow.execute(WORKFLOW_TYPE, {
        workflowId: taskId,
        taskQueue: rig.taskQueue,
        args: [{ owner: 'ann', manualPrompt: 'We sell shoes.' }],
        typedSearchAttributes: attributePairs(startedWith),
      });
      const expected = 'owner' in startedWith ? { PromptOwner: 'ann', PromptState: 'completed' } : {};
      assert.deepEqual(await attributesOf(taskId), expected);
    }
  });

  it('are not written by a run that a worker of 0.1.0 began, though a newer API had started it with them', async () => {
    const file = 'test/histories/0.1.0/has-nothing-to-do-for-a-task-that-already-has-its-prompt.json';
    const history = JSON.parse(await readFile(file, 'utf8')) as { events: Record<string, Record<string, unknown>>[] };
    const metadata = { encoding: base64('json/plain'), type: base64('Keyword') };
    history.events[0]!.workflowExecutionStartedEventAttributes!.searchAttributes = {
      indexedFields: { [SEARCH_ATTRIBUTES.owner.name]: { metadata, data: base64('"ann"') } },
    };
    await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, 'begun by 0.1.0');
  });
});

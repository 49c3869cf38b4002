import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { InitializeInput } from '../../src/activities/initialize.js';
import { llmTaskQueueOf } from '../../src/contract/names.js';
import { createExamineTemporal } from '../../src/generations/examine-temporal.js';
import { createRetries } from '../../src/generations/retry.js';
import { createStartRun } from '../../src/generations/start-run.js';
import { quiet } from '../generations/support.js';
import { eventually } from '../support/eventually.js';
import { fakeActivities } from '../support/fake-activities.js';
import { gate } from '../support/gate.js';
import { useRig } from '../support/rig.js';

/** How many of one owner wait before another's one. */
const MANY = 20;

describe('The turn of what waits for a worker', function () {
  this.timeout(60_000);
  const rig = useRig();

  const start = async (owner: string): Promise<string> => {
    const taskId = randomUUID();
    const startRun = createStartRun({ client: rig.client, log: quiet, taskQueue: rig.taskQueue });
    const memo = { owner, request_hash: 'h', request_id: 'r' };
    await startRun({ taskId, memo, input: { owner, manualPrompt: 'We sell shoes.' }, keyed: false });
    rig.replay(taskId);
    return taskId;
  };
  const examine = () => createExamineTemporal({ client: rig.client, taskQueue: rig.taskQueue })();
  const ends = (taskIds: string[]) => Promise.all(taskIds.map((id) => rig.client.workflow.getHandle(id).result()));
  const currentTask = () => Context.current().info.workflowExecution!.workflowId;

  it('comes to an owner’s first call of the model at once, however many calls of another owner wait', async () => {
    const llmTaskQueue = llmTaskQueueOf(rig.taskQueue);
    const job = { ...(await fakeActivities().initialize({} as InitializeInput)), llmTaskQueue };
    await rig.work(fakeActivities({ initialize: () => Promise.resolve(job) }));
    const many = await Promise.all(Array.from({ length: MANY }, () => start('ann')));
    await eventually(async () => {
      for (const taskId of many) assert.equal((await rig.progress(taskId)).progress, 50);
    });
    const one = await start('bob');
    await eventually(async () => {
      assert.equal((await examine()).llmCalls.waiting, MANY + 1);
    });

    const calls: string[] = [];
    const { generateWithAI } = fakeActivities();
    const recorded = fakeActivities({
      generateWithAI: (input) => {
        calls.push(currentTask());
        return generateWithAI(input);
      },
    });
    await rig.work(recorded, { taskQueue: llmTaskQueue, maxConcurrentActivityTaskExecutions: 1 });
    await ends([...many, one]);
    assert.equal(calls.length, MANY + 1);
    assert.ok(calls.indexOf(one) <= 1, `it was call ${calls.indexOf(one) + 1} of ${calls.length}`);
  });

  it('comes to the last step of a task before the first steps of others', async () => {
    const [model, database] = [gate(), gate()];
    let first = '';
    const fakes = fakeActivities();
    const activities = fakeActivities({
      initialize: async (input) => {
        if (currentTask() !== first) await database.opened;
        return fakes.initialize(input);
      },
      generateWithAI: async (input) => {
        await model.opened;
        return fakes.generateWithAI(input);
      },
    });
    first = (await rig.start()).workflowId;
    await rig.work(activities, { maxConcurrentActivityTaskExecutions: 1 });
    await eventually(() => {
      assert.equal(activities.calls.at(-1)?.name, 'generateWithAI');
    });
    const others = await Promise.all([1, 2, 3].map(() => rig.start()));
    await eventually(async () => {
      assert.equal((await examine()).activities.waiting, 3);
    });
    model.open();
    // One of the others has the only place; the last step waits behind the rest of them.
    await eventually(async () => {
      assert.equal((await examine()).activities.waiting, 3);
      assert.equal((await rig.progress(first)).progress, 90);
    });
    assert.deepEqual(
      activities.calls.slice(3).map(({ name }) => name),
      ['initialize'],
    );
    database.open();
    await ends([first, ...others.map(({ workflowId }) => workflowId)]);
    assert.equal(activities.calls[4]?.name, 'finalize');
  });

  it('is by a hash of the owner, whatever their name is, also when support lets a task run again', async () => {
    const owner = '☃'.repeat(255);
    const key = createHash('sha256').update(owner).digest('hex').slice(0, 32);
    const taskId = await start(owner);
    const handle = rig.client.workflow.getHandle(taskId);
    const keyOf = async () => (await handle.describe()).raw.workflowExecutionInfo?.priority?.fairnessKey;
    assert.equal(await keyOf(), key);
    await handle.terminate();

    const { client, taskQueue } = rig;
    const retries = createRetries({ client, log: quiet, taskQueue, assignKey: () => Promise.resolve() });
    const request = { taskId, owner, manualPrompt: 'x', askedFor: 'x', requestId: 'r' };
    assert.deepEqual(await retries.startAgain(request), { outcome: 'runs' });
    assert.equal(await keyOf(), key);
    await handle.terminate();
  });
});

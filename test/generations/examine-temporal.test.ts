import assert from 'node:assert/strict';
import { Client } from '@temporalio/client';
import { createExamineTemporal } from '../../src/generations/examine-temporal.js';
import { scheduleReconciler } from '../../src/schedule-reconciler.js';
import type { Activities } from '../../src/activities/index.js';
import { quiet } from './support.js';
import { eventually } from '../support/eventually.js';
import { useRig } from '../support/rig.js';

describe('Examining Temporal', function () {
  this.timeout(60_000);
  const rig = useRig();

  it('tells its version, who works, what waits and whether the reconciler ran', async () => {
    const { client, taskQueue } = rig;
    const examine = createExamineTemporal({ client, taskQueue });
    const before = await examine();
    assert.match(before.version, /^\d+\.\d+/);
    assert.deepEqual(
      [before.namespace, before.taskQueue, before.searchAttributes, before.reconciler],
      ['default', taskQueue, true, null],
    );
    assert.deepEqual([before.workflows.workers, before.activities.workers], [[], []]);

    const run = await client.workflow.start('generatePrompt', {
      workflowId: `${taskQueue} waits`,
      taskQueue,
      args: [{ owner: 'o', manualPrompt: 'x' }],
    });
    await eventually(async () => {
      assert.equal((await examine()).workflows.waiting, 1);
    });
    await run.terminate();

    await rig.work({ reconcile: () => Promise.resolve(null) } as unknown as Activities);
    await eventually(async () => {
      const { workflows, activities } = await examine();
      assert.deepEqual([workflows.workers.length, activities.workers.length], [1, 1]);
    });
    await scheduleReconciler(client, taskQueue, quiet);
    const { reconciler } = await examine();
    assert.ok(reconciler && Date.now() - reconciler.scheduledAt.getTime() < 60_000);
    const handle = client.schedule.getHandle(`reconcile ${taskQueue}`);
    await handle.trigger();
    await eventually(async () => {
      assert.ok((await examine()).reconciler?.ranAt, 'it has run');
    });
    await handle.delete();
  });

  it('says that a namespace lacks the search attributes', async () => {
    const { connection } = rig.client;
    const namespace = `without ${rig.taskQueue}`.replaceAll(/[^a-z0-9]/gi, '-').slice(0, 60);
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
    const client = new Client({ connection, namespace });
    await eventually(async () => {
      const facts = await createExamineTemporal({ client, taskQueue: 'none' })();
      assert.deepEqual([facts.namespace, facts.searchAttributes], [namespace, false]);
    });
  });
});

import assert from 'node:assert/strict';
import proto from '@temporalio/proto';
import { eventually } from '../support/eventually.js';
import type { Task } from './support/judge.js';
import { trial } from './support/trial.js';
import { World } from './support/world.js';

const RUNNING = proto.temporal.api.enums.v1.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING;
/** Commands of the CLI at the same time. */
const AT_ONCE = 4;

describe('An operator with the Temporal CLI', function () {
  this.timeout(180_000);
  let world: World;
  before(async function () {
    this.timeout(600_000);
    world = await World.start();
  });
  after(() => world.stop());

  const each = async (tasks: Task[], act: (task: Task, n: number) => Promise<unknown>): Promise<void> => {
    const left = [...tasks.entries()];
    const work = async () => {
      for (let next = left.shift(); next; next = left.shift()) await act(next[1], next[0]);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  };
  /** One that has ended meanwhile can't be acted upon: that is no fault. */
  const unlessEnded = (command: Promise<string>) =>
    command.catch((error: unknown) => {
      assert.match(String(error), /already completed|not found|no pending activity/i);
    });
  const reason = ['--reason', 'a test'] as const;

  for (const [command, ...why] of [['terminate', ...reason], ['cancel']] as const) {
    it(`who uses ${command} leaves no task and no token behind`, async () => {
      const end = (running: Task[]) =>
        each(running, ({ id }) => unlessEnded(world.cli('workflow', command, '-w', id, ...why)));
      const tasks = await trial(world, `operator: ${command}`, end, { at: 50 });
      assert.ok(
        tasks.some(({ last }) => last?.error_code === 'cancelled'),
        'some were cancelled',
      );
    });
  }

  it('who resets runs, to each of their workflow tasks, takes nothing back and charges nothing twice', async () => {
    const points = new Set<number>();
    const reset = async (tasks: Task[]) => {
      await each(tasks, async ({ id }, n) => {
        const ids = await workflowTasksOf(id);
        const point = n % ids.length;
        points.add(point);
        await world.cli('workflow', 'reset', '-w', id, '--event-id', String(ids[point]), ...reason);
      });
      await eventually(
        async () => {
          for (const { id } of tasks) assert.notEqual((await world.describe(id))?.status, RUNNING, id);
        },
        { timeoutMs: 110_000, everyMs: 1_000 },
      );
    };
    await trial(world, 'operator: reset to each workflow task', reset, { at: 50 });
    assert.ok(points.size >= 3, `only ${points.size} different points`);
  });

  it('who pauses the call of the model, and lets some go on, ends every task in time', async () => {
    const pause = async (tasks: Task[]) => {
      const activity = ['--activity-type', 'generateWithAI'];
      await each(tasks, ({ id }) => unlessEnded(world.cli('activity', 'pause', '-w', id, ...activity)));
      const half = tasks.filter((_, n) => n % 2 === 0);
      await each(half, ({ id }) => unlessEnded(world.cli('activity', 'unpause', '-w', id, ...activity)));
    };
    const text = () => '[storm]';
    await trial(world, 'operator: activity pause, and unpause of every second one', pause, { at: 50, text });
  });

  const workflowTasksOf = async (id: string): Promise<string[]> => {
    const { events } = await world.client.workflow.getHandle(id).fetchHistory();
    return (events ?? [])
      .filter(({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes)
      .map(({ eventId }) => String(eventId));
  };
});

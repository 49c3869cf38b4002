import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { NO_ENCRYPTION } from '../../src/encryption/open-encryption.js';
import { createAnnouncer, type Announcer } from '../../src/feed/announcer.js';
import type { Feed } from '../../src/feed/feed.js';
import { createLocalFeed } from '../../src/feed/local-feed.js';
import { createPostgresFeed } from '../../src/feed/postgres-feed.js';
import type { Message } from '../../src/feed/messages.js';
import { createGenerations, type FollowingGenerations } from '../../src/generations/create-generations.js';
import { toStoredEnd } from '../../src/ledger/stored-end.js';
import { eventually } from '../support/eventually.js';
import { fakeActivities } from '../support/fake-activities.js';
import { gate, type Gate } from '../support/gate.js';
import { useRig } from '../support/rig.js';
import { asOwner, quiet, richOwner, UNLIMITED, useLedger } from './support.js';

describe('Statuses from the live feed', () => {
  const on = useLedger();
  const rig = useRig();
  let feed: Feed;
  let createProcess: () => FollowingGenerations;
  let generations: FollowingGenerations;
  let unfollow: () => Promise<void>;
  let announcers: Announcer[];
  let queries: number;
  let loses: (message: Message) => boolean;
  let model: Gate;
  /** Set: what Temporal answers arrives when it opens. */
  let answers: Gate | undefined;

  beforeEach(async () => {
    queries = 0;
    announcers = [];
    model = gate();
    loses = () => false;
    answers = undefined;
    const local = createLocalFeed(on.db);
    feed = { ...local, publish: (message) => (loses(message) ? Promise.resolve() : local.publish(message)) };
    const client = new Client({
      connection: rig.env.connection,
      workflow: { queryRejectCondition: 'NOT_OPEN' },
      interceptors: {
        workflow: [
          {
            query: async (input, next) => {
              queries += 1;
              const answer = await next(input);
              await answers?.opened;
              return answer;
            },
          },
        ],
      },
    });
    createProcess = () =>
      createGenerations({
        client,
        ledger: on.ledger,
        log: quiet,
        limits: UNLIMITED,
        taskQueue: rig.taskQueue,
        assignKey: NO_ENCRYPTION.assign,
      });
    generations = createProcess();
    unfollow = await generations.follow(feed);
  });
  afterEach(async () => {
    model.open();
    await unfollow();
    await Promise.all(announcers.map((announcer) => announcer.stop()));
  });

  /** A worker whose model answers when the gate opens, that announces what it does. */
  const work = async ({ polls }: { polls?: string } = {}) => {
    const worker = `worker ${randomUUID()}`;
    const identity = polls ?? worker;
    const announcer = await createAnnouncer({ feed, worker, modelId: 'm', log: quiet });
    announcers.push(announcer);
    const { generateWithAI } = fakeActivities();
    const activities = fakeActivities({
      generateWithAI: async (input) => {
        await Promise.race([model.opened, Context.current().cancelled]);
        return generateWithAI(input);
      },
      finalize: async (input) =>
        toStoredEnd(
          await on.ledger.endGeneration({ ...input, runId: Context.current().info.workflowExecution?.runId }),
        ),
    });
    const announce = (snapshot: Parameters<Announcer['announce']>[0]) => {
      announcer.announce(snapshot);
    };
    return rig.work(activities, {
      identity,
      sinks: {
        feed: {
          announce: {
            fn: (_: unknown, snapshot) => {
              announce(snapshot as never);
            },
          },
        },
      },
    });
  };
  const start = async (owner: string) => {
    const result = await generations.start({ owner, manualPrompt: 'We sell shoes.', requestId: 'r' });
    const taskId = 'taskId' in result ? result.taskId : assert.fail(result.outcome);
    rig.replay(taskId);
    return taskId;
  };
  const progressOf = async (taskId: string, owner: string, by = generations) => {
    const result = await by.status(taskId, asOwner(owner));
    return result.outcome === 'found' ? result.snapshot.progress : result.outcome;
  };
  const reads = (taskId: string, owner: string, progress: number) =>
    eventually(async () => {
      assert.equal(await progressOf(taskId, owner), progress);
    });
  /** A gap in what is heard: the next poll has to ask. */
  const missSomething = async () => {
    const ghost = { worker: `ghost ${randomUUID()}`, states: [], texts: [] };
    await feed.publish({ ...ghost, n: 0 });
    await feed.publish({ ...ghost, n: 9, bye: true });
  };
  /** Polls until one is answered from memory. */
  const trusted = (taskId: string, owner: string) =>
    eventually(async () => {
      const before = queries;
      await generations.status(taskId, asOwner(owner));
      assert.equal(queries, before);
    });

  it('ask nobody while a task runs, nor for its end; and only its owner is told', async () => {
    const owner = await richOwner(on.ledger);
    await work();
    const taskId = await start(owner);
    await reads(taskId, owner, 50);
    await trusted(taskId, owner);
    queries = 0;
    for (let n = 0; n < 100; n += 1) assert.equal(await progressOf(taskId, owner), 50);
    assert.equal(await progressOf(taskId, await richOwner(on.ledger)), 'not_found');
    const changed = new Promise<void>((resolve) => generations.subscribe(taskId, resolve));
    model.open();
    await changed;
    await reads(taskId, owner, 100);
    assert.equal(await progressOf(taskId, 'stranger'), 'not_found');
    assert.equal(queries, 0);
  });

  it('are never older than what another process has told, which the news reached sooner', async () => {
    const owner = await richOwner(on.ledger);
    await unfollow();
    feed = createPostgresFeed(on.db, quiet);
    unfollow = await generations.follow(feed);
    await work();
    const late: (() => void)[] = [];
    const other = createProcess();
    let isLate = false;
    const unfollowOther = await other.follow({
      ...feed,
      listen: (listener) => {
        const later =
          <T>(hear: (news: T) => void) =>
          (news: T) => {
            const heard = () => {
              hear(news);
            };
            if (isLate) late.push(heard);
            else heard();
          };
        return feed.listen({ ...listener, message: later(listener.message), ended: later(listener.ended) });
      },
    });
    try {
      const taskId = await start(owner);
      await reads(taskId, owner, 50);
      await eventually(async () => {
        const before = queries;
        assert.deepEqual([await progressOf(taskId, owner, other), queries], [50, before]);
      });
      isLate = true;
      await rig.client.workflow.getHandle(taskId).signal('llmProgress', { kind: 'responding', attempt: 1 });
      await reads(taskId, owner, 70);
      assert.equal(await progressOf(taskId, owner, other), 70);
      model.open();
      await reads(taskId, owner, 100);
      assert.equal(await progressOf(taskId, owner, other), 100);
      for (const hear of late) hear();
      assert.equal(await progressOf(taskId, owner, other), 100);
    } finally {
      await unfollowOther();
    }
  });

  it('are right although announcements were lost', async () => {
    const owner = await richOwner(on.ledger);
    await work();
    const taskId = await start(owner);
    await reads(taskId, owner, 50);
    await trusted(taskId, owner);
    let lost = 0;
    loses = ({ states }) => {
      lost += states.length;
      return states.length > 0;
    };
    await rig.client.workflow.getHandle(taskId).signal('llmProgress', { kind: 'responding', attempt: 1 });
    await eventually(() => {
      assert.equal(lost, 1);
    });
    await reads(taskId, owner, 70);
  });

  it('are right although an answer of Temporal arrives after the news', async () => {
    const owner = await richOwner(on.ledger);
    await work();
    const taskId = await start(owner);
    await reads(taskId, owner, 50);
    for (const [change, progress] of [
      [(handle: WorkflowHandle) => handle.signal('llmProgress', { kind: 'responding', attempt: 1 }), 70],
      [(handle: WorkflowHandle) => handle.terminate(), 100],
    ] as const) {
      await missSomething();
      answers = gate();
      queries = 0;
      const late = generations.status(taskId, asOwner(owner));
      await eventually(() => {
        assert.equal(queries, 1);
      });
      const news = new Promise<void>((resolve) => generations.subscribe(taskId, resolve));
      await change(rig.client.workflow.getHandle(taskId));
      await news;
      answers.open();
      await late;
      assert.equal(await progressOf(taskId, owner), progress);
    }
  });

  it('are the end where that is stored while an answer of Temporal is under way', async () => {
    const owner = await richOwner(on.ledger);
    await work();
    const taskId = await start(owner);
    await reads(taskId, owner, 50);
    await missSomething();
    answers = gate();
    queries = 0;
    const late = generations.status(taskId, asOwner(owner));
    await eventually(() => {
      assert.equal(queries, 1);
    });
    const news = new Promise<void>((resolve) => generations.subscribe(taskId, resolve));
    model.open();
    await news;
    await eventually(async () => {
      assert.ok((await on.ledger.getGeneration(taskId))?.ended, 'stored');
    });
    answers.open();
    const result = await late;
    assert.equal(result.outcome === 'found' && result.snapshot.progress, 100);
  });

  it('are right although the worker that made the step died before it could say so', async () => {
    const owner = await richOwner(on.ledger);
    await work();
    const taskId = await start(owner);
    await reads(taskId, owner, 50);
    await trusted(taskId, owner);
    loses = () => true;
    await rig.client.workflow.getHandle(taskId).signal('llmProgress', { kind: 'responding', attempt: 1 });
    await reads(taskId, owner, 70);
  });

  it('say that no worker is there as soon as the last one falls silent', async () => {
    await work();
    await eventually(async () => {
      assert.deepEqual(await generations.health(), []);
    });
    loses = () => true;
    await eventually(async () => {
      assert.deepEqual(await generations.health(), ['worker'], 'though Temporal still lists it');
    });
  });

  it('tell of a run that an operator terminated', async () => {
    const owner = await richOwner(on.ledger);
    await work();
    const taskId = await start(owner);
    await reads(taskId, owner, 50);
    await trusted(taskId, owner);
    await rig.client.workflow.getHandle(taskId).terminate();
    await reads(taskId, owner, 100);
  });

  it('are asked for while a worker is at work that nobody hears of', async () => {
    const owner = await richOwner(on.ledger);
    await work({ polls: 'unheard' });
    const taskId = await start(owner);
    await reads(taskId, owner, 50);
    await eventually(async () => {
      queries = 0;
      await progressOf(taskId, owner);
      assert.equal(queries, 1, 'Temporal was asked who is at work');
    });
    for (let n = 0; n < 10; n += 1) {
      const before = queries;
      assert.equal(await progressOf(taskId, owner), 50);
      assert.equal(queries, before + 1);
    }
  });

  it('tell at once of a fallback that is written anew after a reset', async () => {
    const owner = await richOwner(on.ledger);
    const stop = await rig.work(
      fakeActivities({
        generateWithAI: () => {
          throw ApplicationFailure.create({ message: 'refused', type: 'LlmRefused', nonRetryable: true });
        },
        finalize: async (input) => toStoredEnd(await on.ledger.endGeneration(input)),
      }),
    );
    const handle = rig.client.workflow.getHandle(await start(owner));
    const isWritten = async (byAi: boolean) => {
      const result = await generations.status(handle.workflowId, asOwner(owner));
      assert.ok(result.outcome === 'found' && result.snapshot.status === 'completed');
      assert.equal(result.snapshot.generated_by_ai, byAi);
    };
    await eventually(() => isWritten(false), { timeoutMs: 60_000 });
    await stop();
    await work();
    const { events } = await handle.fetchHistory();
    const begun = events?.find(({ workflowTaskCompletedEventAttributes: attributes }) => attributes);
    await rig.client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: handle.workflowId },
      workflowTaskFinishEventId: begun!.eventId!,
      requestId: randomUUID(),
      reason: 'the AI is back',
    });
    model.open();
    await eventually(() => isWritten(true));
  }).timeout(120_000);

  it('have the text of the model, as far as all of it was heard', async () => {
    const piece = (attempt: number, offset: number, text: string) =>
      feed.publish({ worker: 'w', n: 0, states: [], texts: [{ taskId: 't', attempt, offset, text }] });
    await piece(1, 5, 'late');
    assert.equal(generations.textOf('t'), undefined);
    await piece(1, 0, 'You ');
    await piece(1, 4, 'are');
    assert.deepEqual(generations.textOf('t'), { attempt: 1, text: 'You are' });
    await piece(1, 9, 'gap');
    assert.deepEqual(generations.textOf('t'), { attempt: 1, text: 'You are' });
    await piece(2, 0, 'Be');
    assert.deepEqual(generations.textOf('t'), { attempt: 2, text: 'Be' });
  });
});

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, ServiceError, WorkflowNotFoundError, type WorkflowClientInterceptor } from '@temporalio/client';
import { createActivities, type Activities } from '../../src/activities/index.js';
import { fallbackEnd } from '../../src/contract/fallback.js';
import { atStep, isEnded, queuedSnapshot } from '../../src/contract/snapshot.js';
import { PayloadErased } from '../../src/encryption/payload-codec.js';
import { NO_ENCRYPTION } from '../../src/encryption/open-encryption.js';
import type { ReadSource } from '../../src/generations/read-source.js';
import { createGenerations } from '../../src/generations/create-generations.js';
import { READS_AT_ONCE } from '../../src/generations/read-limit.js';
import { keyedTaskId } from '../../src/generations/task-id.js';
import type { Generations, ListedGeneration, StartResult, StatusResult } from '../../src/generations/types.js';
import type { GenerationQuery } from '../../src/ledger/types.js';
import type { Answer, Llm } from '../../src/llm/llm.js';
import { eventually } from '../support/eventually.js';
import { fakeActivities } from '../support/fake-activities.js';
import { gate } from '../support/gate.js';
import { useRig } from '../support/rig.js';
import { asOwner, bare, quiet, richOwner, UNLIMITED, useLedger } from './support.js';

const WRITTEN: Answer = {
  text: 'You are kind.',
  model: 'm',
  usage: { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 },
  finishReason: 'stop',
};

describe('The door to Temporal', () => {
  const on = useLedger();
  const rig = useRig();
  let generations: Generations;
  let reads: ReadSource[] = [];
  let queries: number;

  /** What one API process has: its own client and memory. */
  const process = (network: WorkflowClientInterceptor = {}, limits = UNLIMITED, ledger = on.ledger) => {
    const { connection } = rig.env;
    const client = new Client({
      connection,
      workflow: { queryRejectCondition: 'NOT_OPEN' },
      interceptors: {
        workflow: [
          network,
          {
            query: (input, next) => {
              queries += 1;
              return next(input);
            },
          },
        ],
      },
    });
    return createGenerations({
      client,
      ledger,
      log: quiet,
      limits,
      taskQueue: rig.taskQueue,
      assignKey: NO_ENCRYPTION.assign,
      onRead: (source) => reads.push(source),
    });
  };

  beforeEach(() => {
    queries = 0;
    reads = [];
    generations = process();
  });

  const start = async (owner: string, manualPrompt = 'We sell shoes.', idempotencyKey?: string, by = generations) => {
    const result = await by.start({ owner, manualPrompt, idempotencyKey, requestId: 'r' });
    if ('taskId' in result) rig.replay(result.taskId);
    return result;
  };
  const started = async (owner: string, manualPrompt?: string, by = generations): Promise<string> => {
    const result = await start(owner, manualPrompt, undefined, by);
    assert.equal(result.outcome, 'started');
    return (result as Extract<StartResult, { taskId: string }>).taskId;
  };
  const found = async (taskId: string, owner: string, by = generations) => {
    const result: StatusResult = await by.status(taskId, asOwner(owner));
    assert.equal(result.outcome, 'found');
    return result;
  };
  const shows = (taskId: string, owner: string, progress: number) =>
    eventually(async () => {
      const result = await found(taskId, owner);
      assert.equal(result.snapshot.progress, progress);
      return result;
    });
  const realActivities = (generate: Llm['generate']) =>
    createActivities({
      ledger: on.ledger,
      llm: { generate },
      modelId: 'm',
      tellWorkflow: () => Promise.resolve(),
      showText: () => undefined,
      minimumTokens: 700,
      maxOutputTokens: 3_000,
    });
  /** A call of the model that goes on until it is aborted. */
  const forever: Llm['generate'] = (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });
  /** Activities whose LLM call waits for the test. */
  const held = (): Activities & { open: () => void } => {
    const { open, opened } = gate();
    const fake = fakeActivities();
    return {
      ...fake,
      open,
      generateWithAI: async (input) => {
        await opened;
        return fake.generateWithAI(input);
      },
    };
  };

  /** A process that starts what it is asked to, and does not hear so; and what it started. */
  const losing = (network: WorkflowClientInterceptor = {}) => {
    const lost: string[] = [];
    const lossy = process({
      ...network,
      start: async (input, next) => {
        await next(input);
        lost.push(input.options.workflowId);
        throw new ServiceError('The answer got lost');
      },
    });
    return { lossy, lost };
  };

  describe('starting', () => {
    it('is one task for the same owner, key and prompt, however many ask at once', async () => {
      const owner = randomUUID();
      const results = await Promise.all(Array.from({ length: 20 }, () => start(owner, 'p', 'k')));
      assert.deepEqual(results.map(({ outcome }) => outcome).sort(), [
        ...Array<string>(19).fill('existing'),
        'started',
      ]);
      assert.equal(new Set(results.map((result) => 'taskId' in result && result.taskId)).size, 1);
      await rig.work(fakeActivities());
      await shows((results[0] as { taskId: string }).taskId, owner, 100);
      assert.equal((await start(owner, 'p', 'k')).outcome, 'existing', 'also when it has ended');
    });

    it('refuses a key that was used for another prompt, and keeps the keys of owners apart', async () => {
      const [ann, bob] = [randomUUID(), randomUUID()];
      const first = await start(ann, 'p', 'k');
      assert.deepEqual(bare(await start(ann, 'q', 'k')), { outcome: 'key_reused' });
      const other = await start(bob, 'q', 'k');
      assert.equal(other.outcome, 'started');
      assert.notDeepEqual(other, first);
    });

    it('knows a key for as long as the ledger knows its task, longer than Temporal', async () => {
      const owner = await richOwner(on.ledger);
      const taskId = keyedTaskId(owner, 'old');
      await on.ledger.beginGeneration({ taskId, owner, manualPrompt: 'p', createdAt: new Date() });
      await on.ledger.endGeneration({ taskId, owner, end: { status: 'failed', failure: { code: 'internal' } } });
      const again = (manualPrompt: string) =>
        generations.start({ owner, manualPrompt, idempotencyKey: 'old', requestId: 'r' });
      assert.deepEqual(bare(await again('p')), { outcome: 'existing', taskId });
      assert.deepEqual(bare(await again('q')), { outcome: 'key_reused' });
    });

    it('begins no task anew that ended before its first step, for as long as the ledger knows it', async () => {
      const owner = randomUUID();
      const taskId = keyedTaskId(owner, 'old');
      await on.ledger.endGeneration({ taskId, owner, end: { status: 'failed', failure: { code: 'cancelled' } } });
      const again = await generations.start({ owner, manualPrompt: 'p', idempotencyKey: 'old', requestId: 'r' });
      assert.deepEqual(bare(again), { outcome: 'existing', taskId });
      await assert.rejects(rig.env.client.workflow.getHandle(taskId).describe(), WorkflowNotFoundError);
    });

    it('charges nothing for a task whose start was never confirmed, and which nobody could cancel', async () => {
      const owner = await richOwner(on.ledger);
      const { lossy, lost } = losing({ cancel: () => Promise.reject(new ServiceError('Temporal is away')) });
      const request = { owner, manualPrompt: 'p', requestId: 'r' };
      assert.equal((await lossy.start(request)).outcome, 'unavailable');
      const [taskId] = lost as [string];
      rig.replay(taskId);
      await eventually(async () => {
        const waived = await on.db.query('SELECT 1 FROM starts WHERE task_id = $1 AND waived', [taskId]);
        assert.equal(waived.length, 1);
      });
      await rig.work(realActivities(() => Promise.resolve(WRITTEN)));
      const { snapshot } = await shows(taskId, owner, 100);
      assert.ok(snapshot.status === 'completed', snapshot.status);
      assert.deepEqual(snapshot.tokens, { charged: 0, available: 100_000 });
    });

    it('cancels a task whose start was never confirmed, as its caller was told that nothing was started', async () => {
      const { lossy, lost } = losing();
      const result = await lossy.start({ owner: 'ann', manualPrompt: 'p', requestId: 'r' });
      assert.equal(result.outcome, 'unavailable');
      await rig.work(fakeActivities());
      const { snapshot } = await shows(lost[0]!, 'ann', 100);
      assert.equal(snapshot.status === 'failed' && snapshot.error_code, 'cancelled');
    });
  });

  describe('limits', () => {
    it('refuse a start, but no repeated request', async () => {
      const owner = randomUUID();
      const strict = process({}, { startsPerMinute: 1, runningTasks: 5 });
      const ask = (manualPrompt: string, idempotencyKey: string) =>
        strict.start({ owner, manualPrompt, idempotencyKey, requestId: 'r' });
      const first = await ask('p', 'k');
      assert.ok(first.outcome === 'started', first.outcome);
      rig.replay(first.taskId);
      assert.deepEqual([first.quota?.starts, first.quota?.running], [0, 4]);
      const refused = await ask('p', 'other');
      assert.equal(refused.outcome === 'limited' && refused.limit, 'starts');
      const status = await strict.status(keyedTaskId(owner, 'other'), asOwner(owner));
      assert.equal(status.outcome, 'not_found', 'nothing was started');
      assert.equal((await ask('p', 'k')).outcome, 'existing');
      assert.equal((await ask('q', 'k')).outcome, 'key_reused');
      await rig.work(fakeActivities());
      await shows(first.taskId, owner, 100);
    });

    it('do not count a start that failed', async () => {
      const owner = randomUUID();
      const limits = { startsPerMinute: 1, runningTasks: 1 };
      const failing = process({ start: () => Promise.reject(new ServiceError('Temporal is away')) }, limits);
      const request = { owner, manualPrompt: 'p', idempotencyKey: 'k', requestId: 'r' };
      assert.equal((await failing.start(request)).outcome, 'unavailable');
      const result = await process({}, limits).start({ ...request, idempotencyKey: 'another' });
      assert.ok(result.outcome === 'started', result.outcome);
      rig.replay(result.taskId);
      assert.equal((await failing.start(request)).outcome, 'limited', 'that one took the place');
      await rig.work(fakeActivities());
      await shows(result.taskId, owner, 100);
    });
  });

  describe('reading a status', () => {
    it('asks the running workflow, once for all who ask at the same time', async () => {
      const activities = held();
      await rig.work(activities);
      const taskId = await started('ann');
      await shows(taskId, 'ann', 50);
      queries = 0;
      reads = [];
      const results = await Promise.all(Array.from({ length: 10 }, () => found(taskId, 'ann')));
      for (const { snapshot, staleAsOf } of results) assert.deepEqual([snapshot.progress, staleAsOf], [50, undefined]);
      assert.equal(queries, 1);
      assert.deepEqual(reads.sort(), ['query', ...Array<ReadSource>(9).fill('shared')]);
      activities.open();
      await shows(taskId, 'ann', 100);
    });

    it('asks for so many tasks at once; beyond that it tells what it knows, so that a slow Temporal is not buried in polls', async () => {
      const answers = gate();
      let asked = 0;
      const slow = process({
        query: async (input, next) => {
          asked += 1;
          await answers.opened;
          return next(input);
        },
      });
      const tasks = await Promise.all(
        Array.from({ length: READS_AT_ONCE + 1 }, (_, n) => started('ann', `p ${n}`, slow)),
      );
      const polls = tasks.map((taskId) => slow.status(taskId, asOwner('ann')));
      const last = await polls.at(-1);
      assert.ok(last?.outcome === 'found' && last.snapshot.status === 'queued', 'as it was started');
      await eventually(() => {
        assert.equal(asked, READS_AT_ONCE);
      });
      answers.open();
      await Promise.all(polls);
    });

    it('asks for every task where what it knows may be older than what others told, as the ledger was away', async () => {
      const answers = gate();
      let asked = 0;
      let isAway = true;
      const ledger: typeof on.ledger = {
        ...on.ledger,
        shareTold: (told) => (isAway ? Promise.reject(new Error('away')) : on.ledger.shareTold(told)),
      };
      const at = new Date().toISOString();
      const query: WorkflowClientInterceptor['query'] = async ({ workflowExecution: { workflowId } }) => {
        asked += 1;
        if (!isAway) await answers.opened;
        return atStep(queuedSnapshot({ taskId: workflowId, owner: 'ann', createdAt: at }), 'initializing', at);
      };
      const slow = process({ query }, UNLIMITED, ledger);
      const tasks = await Promise.all(
        Array.from({ length: READS_AT_ONCE + 1 }, (_, n) => started('ann', `p ${n}`, slow)),
      );
      await slow.status(tasks[0]!, asOwner('ann'));
      isAway = false;
      asked = 0;
      const polls = tasks.map((taskId) => slow.status(taskId, asOwner('ann')));
      await eventually(() => {
        assert.equal(asked, READS_AT_ONCE + 1);
      });
      answers.open();
      await Promise.all(polls);
    });

    it('takes nothing back that was delivered where a run began anew, however much is asked', async () => {
      const answers = gate();
      let asked = 0;
      const at = new Date().toISOString();
      const again = await started('ann');
      const query: WorkflowClientInterceptor['query'] = async ({ workflowExecution: { workflowId } }) => {
        const queued = queuedSnapshot({ taskId: workflowId, owner: 'ann', createdAt: at });
        if (workflowId === again) return { ...atStep(queued, 'initializing', at), repeated: true };
        asked += 1;
        await answers.opened;
        return queued;
      };
      const busy = process({ query });
      const others = await Promise.all(Array.from({ length: READS_AT_ONCE }, (_, n) => started('ann', `p ${n}`, busy)));
      const progress = async () => {
        const result = await busy.status(again, asOwner('ann'));
        return result.outcome === 'found' ? result.snapshot.progress : result.outcome;
      };
      assert.equal(await progress(), 10);
      await on.ledger.endGeneration({ taskId: again, owner: 'ann', end: fallbackEnd('Be kind.', 'p') });
      const polls = others.map((taskId) => busy.status(taskId, asOwner('ann')));
      await eventually(() => {
        assert.equal(asked, READS_AT_ONCE);
      });
      assert.equal(await progress(), 100);
      const getGeneration = () => Promise.reject(new Error('away'));
      const blind = process({ query }, UNLIMITED, { ...on.ledger, getGeneration });
      const unsure = await blind.status(again, asOwner('ann'));
      assert.deepEqual(unsure, { outcome: 'unavailable' }, 'a prompt may have been delivered');
      answers.open();
      await Promise.all(polls);
    });

    it('reads the result of a finished one without any worker, then from memory', async () => {
      const stop = await rig.work(fakeActivities());
      const taskId = await started('ann');
      await shows(taskId, 'ann', 100);
      await stop();
      const other = process();
      reads = [];
      const { snapshot, staleAsOf } = await found(taskId, 'ann', other);
      assert.equal(snapshot.status === 'completed' && snapshot.prompt, 'You are the assistant of a shoe store.');
      assert.equal(staleAsOf, undefined);
      queries = 0;
      assert.deepEqual((await found(taskId, 'ann', other)).snapshot, snapshot);
      assert.equal(queries, 0);
      assert.deepEqual(reads, ['result', 'memory']);
    });

    it('tells the last step that was written down where no worker answers, and never an older one', async () => {
      const taskId = await started('ann');
      const queued = await found(taskId, 'ann');
      assert.deepEqual([queued.snapshot.progress, queued.snapshot.status], [0, 'queued']);
      assert.ok(queued.staleAsOf);
      assert.deepEqual(reads, ['memo']);
      const stop = await rig.work({
        ...fakeActivities(),
        initialize: () => Promise.reject(new Error('The database is away')),
      });
      await shows(taskId, 'ann', 10);
      await stop();
      const other = process();
      await eventually(async () => {
        const { snapshot, staleAsOf } = await found(taskId, 'ann', other);
        assert.deepEqual([snapshot.progress, snapshot.message], [10, 'Initializing AI generation...']);
        assert.equal(staleAsOf, snapshot.updated_at);
        const detail = 'detail' in snapshot ? snapshot.detail : undefined;
        assert.equal(detail?.waiting_for, 'worker');
        assert.ok(detail.attempt !== undefined && detail.attempt > 1, 'it tells how often Temporal has tried');
      });
      await rig.work(fakeActivities());
      await shows(taskId, 'ann', 100);
    });

    it('ends no task that goes on where this process alone can not read it any more', async () => {
      const taskId = await started('ann');
      await on.ledger.beginGeneration({ taskId, owner: 'ann', manualPrompt: 'p', createdAt: new Date() });
      const behind = process({ query: () => Promise.reject(new PayloadErased('its key was destroyed')) });
      const { snapshot, staleAsOf } = await found(taskId, 'ann', behind);
      assert.deepEqual([snapshot.status, snapshot.progress, staleAsOf !== undefined], ['processing', 10, true]);
      assert.equal((await on.ledger.getGeneration(taskId))?.ended, null);
    });

    it('shows nobody the task of another owner', async () => {
      const taskId = await started('ann');
      for (const id of [taskId, randomUUID(), 'nonsense', '']) {
        assert.deepEqual(await generations.status(id, asOwner('bob')), { outcome: 'not_found' });
      }
      assert.deepEqual(reads, ['memo', 'none'], 'what has not the form of an id is not looked for');
      const cookie = { kind: 'task', taskId, owner: 'ann', startedAt: new Date().toISOString() } as const;
      assert.equal((await generations.status(taskId, cookie)).outcome, 'found');
    });

    for (const [name, how, code] of [
      ['an operator terminated', 'terminate', 'cancelled'],
      ['Temporal timed out', 'timeout', 'timed_out'],
    ] as const) {
      it(`ends a task that ${name}: its tokens are free, and the answer stays the same`, async () => {
        const owner = await richOwner(on.ledger);
        const stop = await rig.work(realActivities(forever));
        const handle = await rig.start({ owner }, how === 'timeout' ? 3_000 : undefined);
        await shows(handle.workflowId, owner, 50);
        assert.ok((await on.ledger.getAccount(owner))!.tokens.held > 0);
        if (how === 'terminate') await handle.terminate('the test');
        await assert.rejects(handle.result());
        const isAway = () => Promise.reject(new Error('ECONNREFUSED'));
        const blind = process({}, UNLIMITED, { ...on.ledger, getGeneration: isAway, newsOf: isAway });
        const unsure = await blind.status(handle.workflowId, asOwner(owner));
        assert.equal(unsure.outcome, 'unavailable', 'the run may have stored another end before');
        const { snapshot } = await shows(handle.workflowId, owner, 100);
        await stop();
        assert.equal(snapshot.status === 'failed' && snapshot.error_code, code);
        assert.equal((await on.ledger.getAccount(owner))?.tokens.held, 0);
        assert.deepEqual((await found(handle.workflowId, owner, process())).snapshot, snapshot);
      });
    }

    it('reads the ledger where Temporal has forgotten the task', async () => {
      const owner = await richOwner(on.ledger);
      const [running, ended] = [randomUUID(), randomUUID()];
      for (const taskId of [running, ended]) {
        await on.ledger.beginGeneration({ taskId, owner, manualPrompt: 'p', createdAt: new Date() });
      }
      await on.ledger.endGeneration({
        taskId: ended,
        owner,
        end: { status: 'failed', failure: { code: 'cancelled' } },
      });
      const codeOf = async (taskId: string) => {
        const { snapshot } = await found(taskId, owner);
        return snapshot.status === 'failed' && snapshot.error_code;
      };
      assert.equal(await codeOf(ended), 'cancelled');
      assert.equal(await codeOf(running), 'timed_out', 'nothing runs any more, so it has ended');
      assert.deepEqual(reads, ['row', 'row']);
    });
  });

  describe('listing', () => {
    const list = async (owner: string, query: Partial<GenerationQuery> = {}, by = generations) => {
      const result = await by.list(owner, { limit: 20, ...query });
      assert.equal(result.outcome, 'listed');
      return result.generations;
    };
    const stateOf = ({ status: { snapshot, staleAsOf } }: ListedGeneration) => ({
      id: snapshot.task_id,
      progress: snapshot.progress,
      stale: staleAsOf !== undefined,
    });

    it('tells each as its status does: a running one live, a completed one with its prompt, a terminated one ended', async () => {
      const owner = await richOwner(on.ledger);
      await rig.work(
        realActivities((request, options) =>
          request.user === 'Answer at once.' ? Promise.resolve(WRITTEN) : forever(request, options),
        ),
      );
      const startUntil = async (progress: number, text?: string) => {
        const taskId = await started(owner, text);
        await shows(taskId, owner, progress);
        return taskId;
      };
      const completed = await startUntil(100, 'Answer at once.');
      const terminated = await startUntil(50);
      const running = await startUntil(50);
      await rig.client.workflow.getHandle(terminated).terminate('the test');
      assert.equal((await on.ledger.getGeneration(terminated))?.ended, null, 'the ledger does not know of it');

      assert.deepEqual(
        (await list(owner, { status: 'processing' }, process())).map(stateOf),
        [{ id: running, progress: 50, stale: false }],
        'what has ended is left out',
      );
      const all = await list(owner, {}, process());
      assert.deepEqual(all.map(stateOf), [
        { id: running, progress: 50, stale: false },
        { id: terminated, progress: 100, stale: false },
        { id: completed, progress: 100, stale: false },
      ]);
      assert.deepEqual(
        all.map(({ manualPrompt }) => manualPrompt),
        ['We sell shoes.', 'We sell shoes.', 'Answer at once.'],
      );
      for (const { status } of all.slice(1)) {
        assert.deepEqual(status.snapshot, (await found(status.snapshot.task_id, owner)).snapshot);
      }
      const [end, prompt] = [all[1]!.status.snapshot, all[2]!.status.snapshot];
      assert.equal(end.status === 'failed' && end.error_code, 'cancelled');
      assert.equal(prompt.status === 'completed' && prompt.prompt, WRITTEN.text);
      assert.equal((await on.ledger.getGeneration(terminated))?.ended?.status, 'failed', 'now it does');
      await generations.cancel(running, asOwner(owner));
      await shows(running, owner, 100);
    });
  });

  describe('cancelling', () => {
    it('aborts the call of the model, frees the tokens and reads as cancelled', async () => {
      const owner = await richOwner(on.ledger);
      const aborted = gate();
      await rig.work(
        realActivities((request, options) =>
          forever(request, options).catch((error: unknown) => {
            aborted.open();
            throw error;
          }),
        ),
      );
      const taskId = await started(owner);
      await shows(taskId, owner, 50);
      assert.deepEqual(await generations.cancel(taskId, asOwner('bob')), { outcome: 'not_found' });
      const result = await generations.cancel(taskId, asOwner(owner));
      assert.equal(result.outcome, 'requested');
      await aborted.opened;
      const { snapshot } = await shows(taskId, owner, 100);
      assert.equal(snapshot.status === 'failed' && snapshot.error_code, 'cancelled');
      const again = await generations.cancel(taskId, asOwner(owner));
      assert.deepEqual(again, { outcome: 'nothing_to_do', status: { outcome: 'found', snapshot } });
      assert.deepEqual((await on.ledger.getAccount(owner))?.tokens, { balance: 100_000, held: 0, available: 100_000 });
    });

    it('reads as cancelled also where no worker was there to do it in time', async () => {
      const handle = await rig.start({ owner: 'ann' }, 2_000);
      await handle.cancel();
      await assert.rejects(handle.result());
      const { snapshot } = await found(handle.workflowId, 'ann');
      assert.equal(snapshot.status === 'failed' && snapshot.error_code, 'cancelled');
    });

    it('twice says that there was nothing to do', async () => {
      const taskId = await started('ann');
      assert.equal((await generations.cancel(taskId, asOwner('ann'))).outcome, 'requested');
      assert.equal((await generations.cancel(taskId, asOwner('ann'))).outcome, 'nothing_to_do');
      await rig.work(fakeActivities());
      const { snapshot } = await shows(taskId, 'ann', 100);
      assert.equal(snapshot.status === 'failed' && snapshot.error_code, 'cancelled');
    });
  });

  describe('waiting for the end', () => {
    it('ends with the task, or when the time is over', async () => {
      const activities = held();
      await rig.work(activities);
      const taskId = await started('ann');
      await shows(taskId, 'ann', 50);
      assert.deepEqual(await generations.waitForEnd(taskId, asOwner('ann'), 200), { outcome: 'still_running' });
      const waiting = generations.waitForEnd(taskId, asOwner('ann'), 20_000);
      activities.open();
      const result = await waiting;
      assert.ok(result.outcome === 'ended' && isEnded(result.snapshot));
    });

    it('ends for who has gone', async () => {
      const taskId = await started('ann');
      const gone = new AbortController();
      const waiting = generations.waitForEnd(taskId, asOwner('ann'), 600_000, gone.signal);
      gone.abort();
      assert.deepEqual(await waiting, { outcome: 'still_running' });
    });
  });

  it('finds the worker missing on a queue where none polls', async () => {
    assert.deepEqual(await generations.health(), ['worker']);
    await rig.work(fakeActivities());
    await eventually(async () => {
      assert.deepEqual(await generations.health(), []);
    });
  });
});

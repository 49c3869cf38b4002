import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { renderDocs } from '../../src/api/service/docs.js';
import type { Activities } from '../../src/activities/index.js';
import { SEARCH_ATTRIBUTES } from '../../src/contract/search-attributes.js';
import { commandFor } from '../../src/generations/search-attributes.js';
import { eventually } from '../support/eventually.js';
import { fakeActivities } from '../support/fake-activities.js';
import { useRig } from '../support/rig.js';
import { checkTemporalCommands } from './temporal-commands.js';

const text = readFileSync('docs/operate.md', 'utf8');
/** The rows of the table of saved views: name and query. */
const VIEWS = new Map(
  [...text.matchAll(/^\| ([^|`]+?) +\| `(WorkflowType='generatePrompt' [^`]+)` +\|$/gm)].map(
    ([, name = '', query = '']) => [name, query],
  ),
);

/** What each view is to find of the runs below. */
const FINDS: Record<string, string[]> = {
  'Failed today': [
    'no tokens',
    'too few tokens',
    'no subscription',
    'internal',
    'cancelled',
    'terminated',
    'timed out',
  ],
  'Failed by a fault today': ['internal', 'terminated', 'timed out'],
  'Of one owner': ['at the model', 'queued'],
  Fallbacks: ['fallback'],
  'Waiting for the model': ['at the model'],
  'Waiting for a worker': ['queued'],
  'Waiting for the database': ['at the database'],
  'Out of tokens': ['no tokens', 'too few tokens'],
  'Without a subscription': ['no subscription'],
  'Of one model': ['completed'],
  'Of one business type': ['completed'],
  'Over 1,000 tokens': ['expensive'],
};

describe('docs/operate.md', () => {
  it('links only to what there is, and shows only pictures that there are', () => {
    const page = renderDocs(text, { template: '{{content}}', title: '' });
    const targets = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target);
    assert.ok(targets.length >= 9, `only ${targets.length} links`);
    for (const target of targets) {
      const [file = '', anchor] = target.split('#');
      if (file !== '') assert.ok(existsSync(`docs/${file}`), target);
      else assert.ok(page.includes(`id="${anchor}"`), target);
    }
  });

  it('names every search attribute, and the command that registers them', () => {
    for (const { name } of Object.values(SEARCH_ATTRIBUTES)) assert.ok(text.includes(`\`${name}\``), name);
    assert.ok(text.includes(commandFor('default')));
  });

  it('gives the CLI of Temporal flags that it knows', async function () {
    this.timeout(600_000);
    assert.ok((await checkTemporalCommands(text)) >= 4);
  });

  describe('has saved views that', () => {
    const rig = useRig();

    it('find the runs that they name, and no other', async () => {
      assert.deepEqual([...VIEWS.keys()].sort(), Object.keys(FINDS).sort());
      const runs = await makeRuns();
      // Whoever reads the page puts in a day, an owner, a model and a business type.
      const today = new Date().toISOString().slice(0, 10);
      const values = { '2026-11-25': today, acme: OWNER.ours, 'gpt-4o': MODEL, 'Shoe shop': TYPE };
      for (const [view, query] of VIEWS) {
        const asked = Object.entries(values).reduce((all, [example, value]) => all.replaceAll(example, value), query);
        const among = `(${asked}) AND TaskQueue = '${rig.taskQueue}'`;
        await eventually(async () => {
          const found: string[] = [];
          for await (const { workflowId } of rig.client.workflow.list({ query: among }))
            found.push(runs.get(workflowId)!);
          assert.deepEqual(found.sort(), [...FINDS[view]!].sort(), view);
        });
      }
    });

    const OWNER = { ours: randomUUID(), other: randomUUID() };
    const [MODEL, TYPE] = [randomUUID(), randomUUID()];

    /** A run in each state that a view knows; their names by their ids. */
    async function makeRuns(): Promise<Map<string, string>> {
      const runs = new Map<string, string>();
      const acting = new Map<string, Activities>();
      const of = (): Promise<Activities> => {
        const { workflowId } = Context.current().info.workflowExecution!;
        return eventually(() => acting.get(workflowId) ?? assert.fail('its start has not returned yet'));
      };
      const stop = await rig.work({
        initialize: async (input) => (await of()).initialize(input),
        checkTokens: async (input) => (await of()).checkTokens(input),
        generateWithAI: async (input) => (await of()).generateWithAI(input),
        finalize: async (input) => (await of()).finalize(input),
      });
      const stuck = () => Context.current().cancelled;
      const refuses = (code: 'no_tokens_remaining' | 'insufficient_tokens' | 'no_subscription') => () =>
        Promise.resolve({ outcome: 'refused' as const, refusal: { code, required: 700, available: 0 } });
      const breaks = () => {
        throw ApplicationFailure.create({ message: 'broken', nonRetryable: true });
      };
      const start = async (name: string, own: Partial<Activities> = {}, owner = OWNER.other, timeoutMs?: number) => {
        const handle = await rig.start({ owner }, timeoutMs);
        runs.set(handle.workflowId, name);
        acting.set(handle.workflowId, fakeActivities(own));
        return handle;
      };
      const ended = [
        await start('completed', {
          initialize: () =>
            Promise.resolve({ businessType: TYPE, templateVersion: 1, instruction: '', inputTokens: 1, ended: null }),
          generateWithAI: () => Promise.resolve({ prompt: 'p', model: MODEL, usage: usageOf(10) }),
        }),
        await start('expensive', {
          generateWithAI: () => Promise.resolve({ prompt: 'p', model: 'm', usage: usageOf(1_001) }),
        }),
        await start('fallback', { generateWithAI: breaks }),
        await start('no tokens', { checkTokens: refuses('no_tokens_remaining') }),
        await start('too few tokens', { checkTokens: refuses('insufficient_tokens') }),
        await start('no subscription', { checkTokens: refuses('no_subscription') }),
        await start('internal', { checkTokens: breaks }),
      ];
      const cancelled = await start('cancelled', { generateWithAI: stuck });
      const terminated = await start('terminated', { generateWithAI: stuck });
      const timedOut = await start('timed out', { generateWithAI: stuck }, OWNER.other, 1_000);
      const running = [
        await start('at the model', { generateWithAI: stuck }, OWNER.ours),
        await start('at the database', { checkTokens: stuck }),
      ];
      await eventually(async () => {
        for (const { workflowId } of [cancelled, terminated, running[0]!])
          assert.equal((await rig.progress(workflowId)).progress, 50);
        assert.equal((await rig.progress(running[1]!.workflowId)).progress, 30);
      });
      await cancelled.cancel();
      await terminated.terminate();
      await Promise.allSettled([...ended, cancelled, terminated, timedOut].map((handle) => handle.result()));
      await stop();
      await start('queued', {}, OWNER.ours);
      return runs;
    }
  });
});

const usageOf = (total_tokens: number) => ({ prompt_tokens: 1, completion_tokens: total_tokens - 1, total_tokens });

import assert from 'node:assert/strict';
import type { QueueFacts, TemporalFacts } from '../../src/generations/examine-temporal.js';
import { createDoctor } from '../../src/helpdesk/doctor.js';
import type { DatabaseFacts } from '../../src/ledger/support-types.js';
import { quiet } from '../generations/support.js';

const database = (): DatabaseFacts => ({
  version: '17.2',
  now: new Date(),
  migrations: { applied: 10, known: 10, missing: [] },
  stuckTasks: 0,
  leftHolds: 0,
  recent: { completed: 7, fallback: 1, failed: 0, reason: 'generateWithAI: The model answered 503' },
});

const LONG_AGO = new Date(Date.now() - 200_000);

const queue = (of: Partial<QueueFacts> = {}): QueueFacts => ({
  workers: ['1@host'],
  waiting: 0,
  oldestMs: 0,
  limit: null,
  ...of,
});

const temporal = (): TemporalFacts => ({
  version: '1.29.1',
  namespace: 'default',
  taskQueue: 'prompts',
  workflows: queue(),
  activities: queue({ waiting: 2, oldestMs: 900 }),
  llmCalls: queue({ waiting: 30, oldestMs: 39_000, limit: { perSecond: 2.5, by: 'the workers' } }),
  searchAttributes: true,
  reconciler: { scheduledAt: new Date(), ranAt: null },
});

const AWAY = (): Promise<never> => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7'));

describe('The doctor', () => {
  const examine = (of: Partial<DatabaseFacts>, ofTemporal: Partial<TemporalFacts> = {}) =>
    createDoctor({
      records: { examine: () => Promise.resolve({ ...database(), ...of }) },
      examineTemporal: () => Promise.resolve({ ...temporal(), ...ofTemporal }),
      log: quiet,
    })();
  const partsNotWell = async (...facts: Parameters<typeof examine>) =>
    (await examine(...facts)).filter(({ ok }) => !ok).map(({ part }) => part);

  it('finds everything well where it is, and says what it saw', async () => {
    const findings = await examine({});
    assert.deepEqual(
      findings.filter(({ ok }) => !ok),
      [],
    );
    const said = new Map(findings.map(({ part, detail }) => [part, detail]));
    assert.equal(said.get('database'), 'PostgreSQL 17.2');
    assert.equal(said.get('temporal'), 'server 1.29.1, namespace default');
    assert.equal(said.get('workflow workers'), '1: 1@host');
    assert.equal(said.get('backlog'), '2 wait, the oldest for 1 s');
    assert.equal(said.get('model backlog'), '30 wait, the oldest for 39 s; at most 2.5 a second, by the workers');
    assert.match(said.get('generations') ?? '', /7 completed, 1 fallbacks, .*The model answered 503$/);
  });

  for (const [what, part, facts, ofTemporal] of [
    ['a clock that is 6 s behind', 'database clock', { now: new Date(Date.now() - 6_000) }],
    ['a migration that is missing', 'migrations', { migrations: { applied: 9, known: 10, missing: ['retries'] } }],
    ['a database of newer code', 'migrations', { migrations: { applied: 11, known: 10, missing: [] } }],
    ['a task that nobody ends', 'leftovers', { stuckTasks: 1 }],
    ['a hold that nobody releases', 'leftovers', { leftHolds: 1 }],
    ['fallbacks alone', 'generations', { recent: { completed: 0, fallback: 1, failed: 0, reason: 'x' } }],
    ['no worker of workflows', 'workflow workers', {}, { workflows: queue({ workers: [] }) }],
    ['no worker of activities', 'activity workers', {}, { activities: queue({ workers: [] }) }],
    ['no worker of calls of the model', 'model workers', {}, { llmCalls: queue({ workers: [] }) }],
    ['a backlog', 'backlog', {}, { activities: queue({ waiting: 9, oldestMs: 6_000 }) }],
    [
      'calls of the model that wait too long',
      'model backlog',
      {},
      { llmCalls: queue({ waiting: 9, oldestMs: 41_000 }) },
    ],
    ['search attributes that are not registered', 'search attributes', {}, { searchAttributes: false }],
    ['a reconciler that nobody scheduled', 'reconciler', {}, { reconciler: null }],
    ['a reconciler that never ran', 'reconciler', {}, { reconciler: { scheduledAt: LONG_AGO, ranAt: null } }],
    ['a reconciler that stopped', 'reconciler', {}, { reconciler: { scheduledAt: LONG_AGO, ranAt: LONG_AGO } }],
  ] as [string, string, Partial<DatabaseFacts>, Partial<TemporalFacts>?][]) {
    it(`finds ${what}, and nothing else`, async () => {
      assert.deepEqual(await partsNotWell(facts, ofTemporal), [part]);
    });
  }

  it('says of what does not answer that alone, without a word of the inside, and examines the rest', async () => {
    const withoutBoth = await createDoctor({ records: { examine: AWAY }, examineTemporal: AWAY, log: quiet })();
    assert.deepEqual(
      withoutBoth.map(({ part, ok }) => [part, ok]),
      [
        ['database', false],
        ['temporal', false],
      ],
    );
    assert.doesNotMatch(JSON.stringify(withoutBoth), /10\.0\.0\.7|ECONNREFUSED/);
    const withoutTemporal = await createDoctor({
      records: { examine: () => Promise.resolve(database()) },
      examineTemporal: AWAY,
      log: quiet,
    })();
    assert.deepEqual(
      withoutTemporal.filter(({ ok }) => !ok).map(({ part }) => part),
      ['temporal'],
    );
  });
});

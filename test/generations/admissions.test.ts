import assert from 'node:assert/strict';
import { pino } from 'pino';
import { createAdmissions } from '../../src/generations/admissions.js';
import type { Admission, Ledger } from '../../src/ledger/types.js';
import { eventually } from '../support/eventually.js';
import { gate } from '../support/gate.js';

const LIMITS = { startsPerMinute: 2, runningTasks: 2 };
const ADMITTED: Admission = {
  outcome: 'admitted',
  isNew: true,
  quota: { starts: 1, startsResetMs: 60_000, running: 1 },
};

describe('The admission of starts', () => {
  let lines: string[];

  beforeEach(() => {
    lines = [];
  });

  const admissions = (ledger: Partial<Pick<Ledger, 'admit' | 'withdraw'>>) => {
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    const away = () => Promise.reject(new Error('ECONNREFUSED'));
    return createAdmissions({ ledger: { admit: away, admitBatch: away, withdraw: away, ...ledger }, log });
  };

  it('asks the ledger, with the limits', async () => {
    const asked: unknown[] = [];
    const { admit } = admissions({
      admit: (start) => {
        asked.push(start);
        return Promise.resolve(ADMITTED);
      },
    });
    assert.deepEqual(await admit('ann', 't', LIMITS), ADMITTED);
    assert.deepEqual(asked, [{ owner: 'ann', taskId: 't', limits: LIMITS }]);
  });

  it('applies no limit while the ledger is away or silent, and the log says so', async () => {
    const silent = () => new Promise<never>(() => undefined);
    for (const ledger of [{}, { admit: silent, withdraw: silent }]) {
      lines = [];
      const { admit, withdraw } = admissions(ledger);
      assert.equal(await admit('ann', 't', LIMITS), null);
      await withdraw('t');
      assert.equal(lines.length, 2);
      assert.match(lines[0]!, /limits of an owner could not be applied/);
      assert.match(lines[1]!, /could not be taken back/);
    }
  });

  it('lets a hundred of one owner wait for the ledger, two of them there, refuses more, and keeps no other owner waiting', async () => {
    const answers = gate();
    const asked: string[] = [];
    const { admit } = admissions({
      admit: async ({ owner }) => {
        asked.push(owner);
        await answers.opened;
        return ADMITTED;
      },
    });
    const flood = Array.from({ length: 150 }, () => admit('ann', 't', LIMITS));
    const other = admit('bob', 't', LIMITS);
    await eventually(() => {
      assert.ok(asked.includes('bob'));
    });
    assert.deepEqual(asked.sort(), ['ann', 'ann', 'bob'], 'the others take no connection');
    answers.open();
    const outcomes = (await Promise.all(flood)).map((one) => one?.outcome);
    assert.equal(outcomes.filter((outcome) => outcome === 'limited').length, 50);
    assert.equal(outcomes.filter((outcome) => outcome === 'admitted').length, 100);
    assert.equal((await other)?.outcome, 'admitted');
    assert.equal((await admit('ann', 't', LIMITS))?.outcome, 'admitted', 'when they are answered, there is room again');
  });

  it('begins nothing for a start that has given up before its turn', async () => {
    const answers = gate();
    let asked = 0;
    const { admit } = admissions({
      admit: async () => {
        asked += 1;
        await answers.opened;
        return ADMITTED;
      },
    });
    const waited = await Promise.all(Array.from({ length: 5 }, () => admit('ann', 't', LIMITS)));
    assert.deepEqual(waited, Array(5).fill(null));
    answers.open();
    assert.equal((await admit('ann', 't', LIMITS))?.outcome, 'admitted');
    assert.equal(asked, 3, 'two that were begun, and this one');
  });
});

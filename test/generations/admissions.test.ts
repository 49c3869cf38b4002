import assert from 'node:assert/strict';
import { pino } from 'pino';
import { createAdmissions } from '../../src/generations/admissions.js';
import type { Admission, Ledger } from '../../src/ledger/types.js';

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

  it('lets a hundred of one owner wait for the ledger, refuses more of them, and no other owner', async () => {
    let asked = 0;
    const answers: ((admission: Admission) => void)[] = [];
    const { admit } = admissions({
      admit: () => {
        asked += 1;
        return new Promise((resolve) => answers.push(resolve));
      },
    });
    const flood = Array.from({ length: 150 }, () => admit('ann', 't', LIMITS));
    const other = admit('bob', 't', LIMITS);
    assert.equal(asked, 101);
    for (const answer of answers) answer(ADMITTED);
    const outcomes = (await Promise.all(flood)).map((one) => one?.outcome);
    assert.equal(outcomes.filter((outcome) => outcome === 'limited').length, 50);
    assert.equal((await other)?.outcome, 'admitted');
    void admit('ann', 't', LIMITS);
    assert.equal(asked, 102, 'when they are answered, there is room again');
  });
});

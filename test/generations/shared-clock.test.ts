import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { NO_ENCRYPTION } from '../../src/encryption/open-encryption.js';
import { createLocalFeed } from '../../src/feed/local-feed.js';
import { createGenerations } from '../../src/generations/create-generations.js';
import { createSharedClock } from '../../src/generations/shared-clock.js';
import { eventually } from '../support/eventually.js';
import { gate } from '../support/gate.js';
import { asOwner, quiet, UNLIMITED, useLedger } from './support.js';

const MINUTE_MS = 60_000;
const away = () => Promise.reject(new Error('It is away'));

describe('The clock that processes share', () => {
  const on = useLedger();
  /** A host whose own clock is so far from the database's. */
  const ledgerAhead = (minutes: number) => ({
    ...on.ledger,
    now: async () => new Date((await on.ledger.now()).getTime() + minutes * MINUTE_MS),
  });

  for (const minutes of [10, -10]) {
    it(`is the database's, ${minutes} min from the host's, and never ahead of it`, async () => {
      const ledger = ledgerAhead(minutes);
      const clock = createSharedClock({ ledger, log: quiet });
      const before = await ledger.now();
      await clock.ask();
      // The database's time is told without parts of a millisecond.
      const now = Math.floor(clock.now());
      const after = await ledger.now();
      assert.ok(before.getTime() <= now && now <= after.getTime(), `${before.getTime()}, ${now}, ${after.getTime()}`);
    });

    it(`goes on while the database is away, ${minutes} min from the host's`, async () => {
      const ledger = ledgerAhead(minutes);
      const clock = createSharedClock({ ledger, log: quiet });
      await clock.ask();
      const before = clock.now();
      ledger.now = away;
      await clock.ask();
      const after = clock.now();
      assert.ok(before <= after && after < before + MINUTE_MS, `${before}, ${after}`);
    });
  }

  it('is not put back by an answer that comes late', async () => {
    const ledger = ledgerAhead(10);
    const clock = createSharedClock({ ledger, log: quiet });
    await clock.ask();
    const before = clock.now();
    const late = gate();
    const answered = await on.ledger.now();
    ledger.now = async () => {
      await late.opened;
      return new Date(answered.getTime() + 10 * MINUTE_MS);
    };
    const asking = clock.ask();
    await eventually(async () => {
      assert.ok((await on.ledger.now()).getTime() > answered.getTime() + 50);
    });
    late.open();
    await asking;
    assert.ok(clock.now() >= before);
  });

  it('goes back with the database’s', async () => {
    const ledger = ledgerAhead(10);
    const clock = createSharedClock({ ledger, log: quiet });
    await clock.ask();
    ledger.now = () => on.ledger.now();
    await clock.ask();
    const now = Math.floor(clock.now());
    assert.ok(now <= (await on.ledger.now()).getTime());
  });

  it('is that of the host until the database was asked', () => {
    const clock = createSharedClock({ ledger: { now: away }, log: quiet });
    const before = Date.now();
    const now = clock.now();
    assert.ok(before <= now && now <= Date.now());
  });

  for (const [minutes, minutesAgo, status] of [
    // A host whose clock is ahead takes nothing for over that goes on...
    [-10, 10, 'processing'],
    // ...and one whose clock is behind tells that it is over in time.
    [10, 0, 'failed'],
  ] as const) {
    it(`tells whether a task that nobody can ask for is over, on a host ${-minutes} min ahead`, async () => {
      const [owner, taskId] = [randomUUID(), randomUUID()];
      const createdAt = new Date(Date.now() - minutesAgo * MINUTE_MS);
      await on.ledger.beginGeneration({ taskId, owner, manualPrompt: 'p', createdAt });
      const client = {
        workflow: { getHandle: () => ({ query: away, describe: away }) },
        workflowService: { describeTaskQueue: away },
        options: { namespace: 'none' },
        withDeadline: <T>(_: number, call: () => Promise<T>) => call(),
      } as unknown as Client;
      const { assign: assignKey } = NO_ENCRYPTION;
      const deps = { client, log: quiet, limits: UNLIMITED, taskQueue: 'none', assignKey };
      const generations = createGenerations({ ...deps, ledger: ledgerAhead(minutes) });
      const unfollow = await generations.follow(createLocalFeed(on.db));
      const read = await generations.status(taskId, asOwner(owner));
      const list = await generations.list(owner, { limit: 1 });
      await unfollow();
      assert.equal(read.outcome === 'found' && read.snapshot.status, status);
      assert.equal(list.outcome === 'listed' && list.generations[0]?.status.snapshot.status, status);
    });
  }
});

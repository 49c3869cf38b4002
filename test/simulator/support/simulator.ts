import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readConfig } from '../../../src/config.js';
import { isEnded, type EndedSnapshot } from '../../../src/contract/snapshot.js';
import { openEmbeddedDatabase } from '../../../src/dev/embedded-database.js';
import type { Caller, FoundStatus, StatusResult } from '../../../src/generations/types.js';
import type { Database } from '../../../src/ledger/database.js';
import { createLedger } from '../../../src/ledger/ledger.js';
import { migrate } from '../../../src/ledger/migrate.js';
import type { Ledger, StartLimits, TokenBalance } from '../../../src/ledger/types.js';
import type { CurrentRequest } from '../../../src/simulator/current-request.js';
import { createSimulatedGenerations, type SimulatedGenerations } from '../../../src/simulator/simulated-generations.js';
import { asOwner, quiet, richOwner, UNLIMITED } from '../../generations/support.js';
import { eventually } from '../../support/eventually.js';
import { SteppedTime } from './stepped-time.js';

/** A real ledger, shared by the tests of a suite, and for each test a simulator whose time passes as the test says. */
export class TestSimulator {
  db!: Database;
  ledger!: Ledger;
  time!: SteppedTime;
  generations!: SimulatedGenerations;
  /** The header of the requests that follow. */
  scenario: string | undefined;
  /** Each request's connection notes here that it was cut. */
  cuts = 0;
  /** This helper itself is no request. */
  #helping = false;

  async open(): Promise<void> {
    this.db = await openEmbeddedDatabase();
    await migrate(this.db);
    this.ledger = createLedger(this.db);
  }

  renew(request: CurrentRequest = this.#request(), limits: StartLimits = UNLIMITED): void {
    this.time = new SteppedTime();
    const { minimumTokens, maxOutputTokens } = readConfig({});
    const { ledger, time } = this;
    const { rest } = time;
    this.generations = createSimulatedGenerations({
      ledger,
      request,
      log: quiet,
      limits,
      minimumTokens,
      maxOutputTokens,
      rest,
    });
    this.scenario = undefined;
    this.cuts = 0;
  }

  owner(tokens = 10_000): Promise<string> {
    return richOwner(this.ledger, tokens);
  }

  /** A task of a new owner, unless one is given. */
  async start(scenario: string | undefined, { owner = '', text = 'We sell shoes.' } = {}): Promise<Started> {
    const by = owner === '' ? await this.owner() : owner;
    this.scenario = scenario;
    const result = await this.generations.start({ owner: by, manualPrompt: text, requestId: randomUUID() });
    assert.ok(result.outcome === 'started');
    return { taskId: result.taskId, owner: by, caller: asOwner(by) };
  }

  status({ taskId, caller }: Started): Promise<StatusResult> {
    return this.generations.status(taskId, caller);
  }

  /** Lets the time pass to the task's next change, or to its end. */
  async next(task: Started): Promise<void> {
    assert.equal(this.time.resting, 1, 'one task runs');
    this.time.pass();
    await this.#settled(task);
  }

  /** Every answer that a client can get on the way, the last one included. */
  async watch(task: Started): Promise<StatusResult[]> {
    const seen: StatusResult[] = [];
    for (;;) {
      const state = await this.#settled(task);
      seen.push(await this.status(task));
      if (state === 'over') return seen;
      this.time.pass();
    }
  }

  /** The end of a task, to which the time passes. */
  async endOf(task: Started): Promise<EndedSnapshot> {
    const { snapshot } = found((await this.watch(task)).at(-1));
    assert.ok(isEnded(snapshot));
    return snapshot;
  }

  async moneyOf(owner: string): Promise<TokenBalance & { charges: number[] }> {
    const account = await this.ledger.getAccount(owner);
    const { entries } = (await this.ledger.listEntries(owner, { limit: 10 }))!;
    return { ...account!.tokens, charges: entries.flatMap(({ type, tokens }) => (type === 'charge' ? [tokens] : [])) };
  }

  /** Until the task waits for time, or is over. */
  async #settled(task: Started): Promise<'resting' | 'over'> {
    let over = false;
    this.#helping = true;
    void this.generations.waitForEnd(task.taskId, task.caller, 60_000).then(() => (over = true));
    this.#helping = false;
    return eventually(
      () => {
        assert.ok(over || this.time.resting === 1);
        return over ? 'over' : 'resting';
      },
      { everyMs: 1 },
    );
  }

  #request(): CurrentRequest {
    return {
      scenarioHeader: () => this.scenario,
      connection: () => (this.#helping ? undefined : { destroy: () => (this.cuts += 1) }),
    };
  }
}

/** The answer of a task that is known. */
export function found(result: StatusResult | undefined): FoundStatus {
  assert.ok(result?.outcome === 'found', result?.outcome);
  return result;
}

export interface Started {
  taskId: string;
  owner: string;
  caller: Caller;
}

/** One for a suite. */
export function useSimulator(): TestSimulator {
  const on = new TestSimulator();
  before('open a database', async function () {
    this.timeout(60_000);
    await on.open();
  });
  beforeEach(() => {
    on.renew();
  });
  afterEach(() => on.generations.stop());
  after(() => on.db.close());
  return on;
}

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { GenerationEnd } from '../../src/contract/snapshot.js';
import { createSupportLedger } from '../../src/ledger/support-ledger.js';
import type { RetryCharge } from '../../src/ledger/support-types.js';
import { assertInvariants } from './invariants.js';
import { onEachDatabase, type Ledgers } from './databases.js';
import { BY } from '../support/by.js';

const RUNS = 150;
const TASKS = 4;

type Worth = 'failed' | 'fallback' | 'ai';

interface ModelTask {
  /** The tokens of its open hold, and whether they count. */
  open: { tokens: number; expired: boolean } | null;
  lastHeld: number;
  end: Worth | null;
  charged: number;
  /** Of retries that began, oldest first: who pays from there on, and whether a run of it is still awaited. */
  retries: { charge: RetryCharge; open: boolean }[];
}

/** What an account and its tasks should be, in the simplest terms. */
interface Model {
  balance: number;
  subscribed: boolean;
  tasks: ModelTask[];
}

interface Real {
  on: Ledgers;
  owner: string;
  taskIds: string[];
  /** Runs begun so far: each hold is of a run of its own. */
  runs: number;
  grants: number;
}

const WORTH: Record<Worth, number> = { failed: 0, fallback: 1, ai: 2 };

const isFree = ({ retries }: ModelTask): boolean => retries.at(-1)?.charge === 'none';

const availableOf = ({ balance, tasks }: Model): number =>
  balance - tasks.reduce((sum, { open }) => sum + (open && !open.expired ? open.tokens : 0), 0);

const taskIndex = fc.nat({ max: TASKS - 1 });
const amount = fc.integer({ min: 1, max: 3_000 });

class Grant implements fc.AsyncCommand<Model, Real> {
  constructor(readonly tokens: number) {}
  check = () => true;
  toString = () => `grant ${this.tokens}`;
  async run(model: Model, real: Real) {
    const { on, owner } = real;
    real.grants += 1;
    const key = String(real.grants);
    const result = await on.ledger.grant({ owner, tokens: this.tokens, reason: 'r', key, by: BY });
    model.balance += this.tokens;
    assert.equal(result.outcome === 'granted' && result.entry.balanceAfter, model.balance);
  }
}

class Subscribe implements fc.AsyncCommand<Model, Real> {
  constructor(readonly active: boolean) {}
  check = () => true;
  toString = () => `subscription ${this.active ? 'on' : 'off'}`;
  async run(model: Model, { on, owner }: Real) {
    await on.ledger.putAccount(owner, { subscription: { status: this.active ? 'active' : 'deactivated' } }, BY);
    model.subscribed = this.active;
  }
}

class Hold implements fc.AsyncCommand<Model, Real> {
  constructor(
    readonly task: number,
    readonly minimum: number,
    readonly more: number,
    readonly expired: boolean,
  ) {}
  check = () => true;
  toString = () => `hold ${this.minimum}+${this.more} for ${this.task}${this.expired ? ', expired' : ''}`;
  async run(model: Model, real: Real) {
    const { minimum } = this;
    real.runs += 1;
    const result = await real.on.ledger.hold({
      holdId: `${real.taskIds[this.task]!}/${real.runs}`,
      taskId: real.taskIds[this.task]!,
      owner: real.owner,
      minimum,
      wanted: minimum + this.more,
      ttlMs: this.expired ? -1 : 3_600_000,
    });
    if (!model.subscribed) {
      assert.deepEqual(result, { outcome: 'refused', refusal: { code: 'subscription_deactivated' } });
      return;
    }
    const task = model.tasks[this.task]!;
    task.open = null;
    if (isFree(task)) {
      assert.deepEqual(result, { outcome: 'held', tokens: minimum + this.more });
      return;
    }
    // Whoever asks for tokens clears away what expired, of every task.
    for (const other of model.tasks) if (other.open?.expired) other.open = null;
    const available = availableOf(model);
    if (available < minimum) {
      assert.equal(
        result.outcome === 'refused' && 'available' in result.refusal && result.refusal.available,
        available,
      );
      return;
    }
    const tokens = Math.min(available, minimum + this.more);
    assert.deepEqual(result, { outcome: 'held', tokens });
    task.open = { tokens, expired: this.expired };
    task.lastHeld = tokens;
  }
}

class End implements fc.AsyncCommand<Model, Real> {
  constructor(
    readonly task: number,
    readonly worth: Worth,
    readonly used: number,
  ) {}
  check = () => true;
  toString = () => `end ${this.task} as ${this.worth}, used ${this.used}`;
  async run(model: Model, { on, owner, taskIds }: Real) {
    const task = model.tasks[this.task]!;
    const stored = await on.ledger.endGeneration({ taskId: taskIds[this.task]!, owner, end: this.#end() });
    const stays = task.end !== null && (WORTH[task.end] > WORTH[this.worth] || task.end === 'ai');
    for (const retry of task.retries) retry.open = false;
    if (!stays) {
      if (this.worth === 'ai' && !isFree(task)) {
        if (!task.open) for (const other of model.tasks) if (other.open?.expired) other.open = null;
        const limit = task.open ? task.open.tokens : Math.min(task.lastHeld, availableOf(model));
        task.charged = Math.min(this.used, limit);
        model.balance -= task.charged;
      }
      task.end = this.worth;
    }
    task.open = null;
    assert.equal(stored.tokensCharged, task.charged);
    assert.equal(stored.status === 'failed' ? 'failed' : stored.generatedByAi ? 'ai' : 'fallback', task.end);
  }
  #end(): GenerationEnd {
    if (this.worth === 'failed') return { status: 'failed', failure: { code: 'cancelled' } };
    const usage = { prompt_tokens: 0, completion_tokens: this.used, total_tokens: this.used };
    return { status: 'completed', prompt: 'p', generatedByAi: this.worth === 'ai', model: 'm', usage };
  }
}

class Retry implements fc.AsyncCommand<Model, Real> {
  constructor(
    readonly task: number,
    readonly charge: RetryCharge,
  ) {}
  check = () => true;
  toString = () => `retry ${this.task} at the charge of ${this.charge}`;
  async run(model: Model, { on, owner, taskIds }: Real) {
    const { end, retries } = model.tasks[this.task]!;
    const taskId = taskIds[this.task]!;
    const { charge } = this;
    const noted = await createSupportLedger(on.db).noteRetry({
      taskId,
      runsAs: taskId,
      owner,
      charge,
      by: BY,
      details: {},
    });
    const mayRun = end !== null && end !== 'ai' && !retries.some(({ open }) => open);
    assert.equal(noted, end === null ? 'unknown' : end === 'ai' ? 'completed' : mayRun ? 'noted' : 'retrying');
    if (mayRun) retries.push({ charge, open: true });
  }
}

class Withdraw implements fc.AsyncCommand<Model, Real> {
  constructor(readonly task: number) {}
  check = () => true;
  toString = () => `withdraw the retry of ${this.task}`;
  async run(model: Model, { on, taskIds }: Real) {
    const task = model.tasks[this.task]!;
    await createSupportLedger(on.db).withdrawRetry(taskIds[this.task]!);
    task.retries = task.retries.filter(({ open }) => !open);
  }
}

class Look implements fc.AsyncCommand<Model, Real> {
  check = () => true;
  toString = () => 'look';
  async run(model: Model, { on, owner }: Real) {
    const account = await on.ledger.getAccount(owner);
    const available = availableOf(model);
    assert.deepEqual(account?.tokens, { balance: model.balance, held: model.balance - available, available });
    await assertInvariants(on.db, owner);
  }
}

const commands = fc.commands(
  [
    amount.map((tokens) => new Grant(tokens)),
    fc.boolean().map((active) => new Subscribe(active)),
    fc.tuple(taskIndex, amount, amount, fc.boolean()).map((parts) => new Hold(...parts)),
    fc.tuple(taskIndex, fc.constantFrom<Worth>('failed', 'fallback', 'ai'), amount).map((parts) => new End(...parts)),
    fc.tuple(taskIndex, fc.constantFrom<RetryCharge>('customer', 'none')).map((parts) => new Retry(...parts)),
    taskIndex.map((task) => new Withdraw(task)),
    fc.constant(new Look()),
  ],
  { maxCommands: 40, size: '+1' },
);

onEachDatabase('Random operations', (on) => {
  it('leave what a simple model says', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(commands, async (sequence) => {
        const owner = randomUUID();
        await on.ledger.putAccount(owner, { subscription: { status: 'active' } }, BY);
        await fc.asyncModelRun(
          () => ({
            model: {
              balance: 0,
              subscribed: true,
              tasks: Array.from({ length: TASKS }, () => ({
                open: null,
                lastHeld: 0,
                end: null,
                charged: 0,
                retries: [],
              })),
            },
            real: { on, owner, taskIds: Array.from({ length: TASKS }, () => randomUUID()), runs: 0, grants: 0 },
          }),
          sequence,
        );
        await assertInvariants(on.db, owner);
      }),
      { numRuns: RUNS },
    );
  });
});

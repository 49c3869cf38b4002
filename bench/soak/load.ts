import { setTimeout as rest } from 'node:timers/promises';
import { CLIENT_LIMIT_MS } from '../../src/contract/limits.js';
import { GENERATE_ASYNC_PATH } from '../../src/contract/names.js';
import { note, type Task } from '../../test/faults/support/judge.js';
import type { Status } from '../../test/support/api-client.js';
import { tokenFor } from '../../test/support/program.js';
import type { Http } from './http.js';
import type { Kind, Tally } from './tally.js';
import type { Timeline } from './timeline.js';

export const STARTS_PER_SECOND = 20;
const POLLS_PER_SECOND = 300;
/** How often a client asks for its task, in ms. */
const POLL_EVERY_MS = 1_000;
/** How long a client rests before it asks again for a start that was not answered, or by an answer that does not say. */
const RETRY_MS = 1_000;
/** Of ended tasks, the newest ones are looked at again. */
const LOOKED_AT_AGAIN = 2_000;
const TOKEN_MS = 30 * 60_000;

/** Every kind of answer of the model now and then; most are good ones. */
const SELDOM = ['reset', 'storm', 'garbage', 'empty'];
const textOf = (n: number): string => (n % 20 === 7 ? `[${SELDOM[Math.floor(n / 20) % SELDOM.length]}] ` : '');

/** What tells answers of one status apart. */
const MARKS = [
  ['"stale":true', 'stale'],
  ['"code":"overloaded"', 'overloaded'],
] as const;

type Polled = Task & { polledAt: number; polling: boolean };

/** Many clients at once, on a schedule that does not wait for answers. */
export class Load {
  readonly tasks: Polled[] = [];
  /** Starts that were never answered with 202 until their client gave up. */
  givenUp = 0;
  #running: Polled[] = [];
  #ended: Polled[] = [];
  #underWay = new Set<Promise<void>>();
  #tokens = new Map<string, { token: Promise<string>; since: number }>();
  #started = 0;
  #lastStartAt = 0;
  /** Starts without a task yet, and tasks whose end was not seen. */
  #unended = 0;

  constructor(
    readonly http: Http,
    readonly owners: string[],
    readonly tally: Tally,
    readonly timeline: Timeline,
  ) {}

  /** Starts and polls for so long; then polls only, until each task has ended or had to. */
  async run(ms: number): Promise<void> {
    const until = Date.now() + ms;
    const state = { over: false };
    const starting = paced(
      STARTS_PER_SECOND,
      () => Date.now() < until,
      (dueAt) => {
        this.#follow(this.#start(dueAt));
      },
    );
    const polling = paced(
      POLLS_PER_SECOND,
      () => !state.over,
      (dueAt) => {
        const task = this.#next();
        if (task) this.#follow(this.#poll(task, dueAt));
      },
    );
    await starting;
    // Refused starts are tried again for so long; what they started late has its full time, too.
    const lastStartBy = Date.now() + CLIENT_LIMIT_MS;
    const isOver = (): boolean => Date.now() > Math.max(this.#lastStartAt, lastStartBy) + CLIENT_LIMIT_MS;
    while (this.#unended > 0 && !isOver()) await rest(100);
    state.over = true;
    await polling;
    await Promise.all(this.#underWay);
  }

  #follow(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  async #start(dueAt: number): Promise<void> {
    const n = this.#started++;
    this.#unended += 1;
    const owner = this.owners[n % this.owners.length] ?? '';
    const text = `${textOf(n)}soak ${n}`;
    const headers = { ...(await this.#bearerOf(owner)), 'Idempotency-Key': text };
    const giveUpAt = Date.now() + CLIENT_LIMIT_MS;
    // The same key again: however many get through, there is one task.
    for (let due = dueAt; Date.now() < giveUpAt; due = Date.now()) {
      const answer = await this.#send('start', due, 'POST', GENERATE_ASYNC_PATH, headers, { manual_prompt: text });
      if (answer?.status === 202) {
        const { task_id: id, status_url: statusUrl } = JSON.parse(answer.text) as {
          task_id: string;
          status_url: string;
        };
        const seen = { wrong: [], unanswered: 0, polledAt: Date.now(), polling: false };
        const task = { owner, text, id, statusUrl, startedAt: Date.now(), ...seen };
        this.tasks.push(task);
        this.#lastStartAt = Date.now();
        this.#running.push(task);
        return;
      }
      await rest(answer?.retryAfterMs ?? RETRY_MS);
    }
    this.givenUp += 1;
    this.#unended -= 1;
  }

  /** The running task that waits longest, if its second is over; else one of those that have ended. */
  #next(): Polled | undefined {
    const first = this.#running[0];
    if (first && first.polledAt + POLL_EVERY_MS <= Date.now()) return this.#running.shift();
    const ended = this.#ended[Math.floor(Math.random() * this.#ended.length)];
    return ended?.polling ? undefined : ended;
  }

  async #poll(task: Polled, dueAt: number): Promise<void> {
    const wasRunning = task.endedAt === undefined;
    task.polledAt = Date.now();
    task.polling = true;
    const answer = await this.#send('poll', dueAt, 'GET', task.statusUrl, await this.#bearerOf(task.owner));
    task.polling = false;
    if (answer && answer.status < 500) note(task, answer.status, JSON.parse(answer.text) as Status);
    else task.unanswered += 1;
    if (!wasRunning) return;
    if (task.endedAt === undefined) {
      this.#running.push(task);
      return;
    }
    this.#unended -= 1;
    if (this.#ended.push(task) > LOOKED_AT_AGAIN) this.#ended.shift();
  }

  async #send(kind: Kind, dueAt: number, ...[method, path, headers, body]: Parameters<Http['send']>) {
    const from = Date.now();
    let said = '';
    try {
      const answer = await this.http.send(method, path, headers, body);
      said = [answer.status, ...MARKS.filter((mark) => answer.text.includes(mark[0])).map(([, name]) => name)].join(
        ' ',
      );
      return answer;
    } catch (error) {
      said = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      return undefined;
    } finally {
      this.tally.add(kind, this.timeline.phaseSince(from), said, Date.now() - dueAt);
    }
  }

  async #bearerOf(owner: string): Promise<{ Authorization: string }> {
    let known = this.#tokens.get(owner);
    if (!known || known.since + TOKEN_MS < Date.now()) {
      known = { token: tokenFor(owner), since: Date.now() };
      this.#tokens.set(owner, known);
    }
    return { Authorization: `Bearer ${await known.token}` };
  }
}

/** Calls so often a second, whatever becomes of the calls, while `goesOn`. */
async function paced(perSecond: number, goesOn: () => boolean, call: (dueAt: number) => void): Promise<void> {
  const began = Date.now();
  for (let n = 0; goesOn(); n += 1) {
    const dueAt = began + (n * 1_000) / perSecond;
    const dueIn = dueAt - Date.now();
    if (dueIn > 0) await rest(dueIn);
    call(dueAt);
  }
}

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Agent, get } from 'node:http';
import { GENERATE_PATH } from '../../src/contract/names.js';
import { masterKeySetting } from '../encryption/support.js';
import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { gate, type Gate } from '../support/gate.js';
import { says, startTestLlm, userText, type TestLlm } from '../support/llm-server.js';
import { ownPort } from '../support/place.js';
import { freshPostgres } from '../support/postgres.js';
import { runProgram, SECRET, tokenFor, untilReady, type Program } from '../support/program.js';
import { temporal } from '../support/temporal.js';

const DELAY_SECONDS = 1;
const CLIENTS = 8;

describe('An API that is stopped behind a load balancer', function () {
  this.timeout(60_000);
  let llm: TestLlm;
  let slow: Gate;
  let settings: Record<string, string>;
  let worker: Program;
  let program: Program;
  let url: string;
  const api = new ApiClient(() => url);

  before(async function () {
    this.timeout(600_000);
    slow = gate();
    llm = await startTestLlm(async (_, request) => {
      if (userText(request).startsWith('slow')) await slow.opened;
      return says('You are the assistant of a shoe store.');
    });
    settings = {
      TEMPORAL_ADDRESS: (await temporal()).address,
      TEMPORAL_TASK_QUEUE: `stop ${randomUUID()}`,
      DATABASE_URL: await freshPostgres(),
      OPENAI_BASE_URL: llm.config.baseUrl,
      AUTH_JWT_SECRET: SECRET,
      PAYLOAD_ENCRYPTION_KEYS: masterKeySetting(),
      SHUTDOWN_DELAY_SECONDS: String(DELAY_SECONDS),
    };
    worker = runProgram('dist/worker.js', settings);
  });
  after(async () => {
    slow.open();
    await worker.stop();
    await llm.stop();
  });

  beforeEach(async () => {
    const PORT = await ownPort();
    url = `http://127.0.0.1:${PORT}`;
    program = runProgram('dist/api/server.js', { ...settings, PORT, METRICS_PORT: await ownPort() });
    await untilReady(url, program);
    await api.open('ann', { tokens: 100_000 });
  });
  afterEach(() => program.kill());

  const untilNotReady = () =>
    eventually(
      async () => {
        const { status, body } = await ask('/readyz');
        assert.deepEqual([status, JSON.parse(body)], [503, { ...JSON.parse(body), code: 'not_ready', away: [] }]);
      },
      { everyMs: 10 },
    );
  const ask = async (path: string, agent = new Agent()) => send(url + path, agent, await tokenFor('ann'));

  it('is not ready at once, answers all else, then what is under way, and ends', async () => {
    const task = await api.start('ann', 'slow');
    await api.untilProgress('ann', task, 50);
    const waiting = api.call('POST', GENERATE_PATH, { as: 'ann', body: { manual_prompt: 'slow, and waited for' } });
    await eventually(() => {
      assert.equal(llm.requests().length, 2);
    });
    const stopped = program.stop();
    await untilNotReady();
    const { status, connection } = await ask(task.status_url);
    assert.deepEqual([status, connection], [200, 'close']);
    const started = await api.start('ann');
    assert.match(started.status_url, /status/);

    await eventually(() => assert.rejects(ask('/livez'), { code: 'ECONNREFUSED' }));
    slow.open();
    const answer = await waiting;
    assert.deepEqual([answer.status, answer.headers.get('connection')], [200, 'close']);
    assert.equal(((await answer.json()) as { generated_by_ai: boolean }).generated_by_ai, true);
    assert.equal(await stopped, 0);
  });

  it('fails no request of clients that keep their connections and go on asking, until there is nobody to connect to', async () => {
    const { status_url } = await api.start('ann');
    const bearer = await tokenFor('ann');
    let answered = 0;
    const clients = Array.from({ length: CLIENTS }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (;;) {
        try {
          assert.equal((await send(url + status_url, agent, bearer)).status, 200);
          answered += 1;
        } catch (error) {
          return { error: error as Failure, at: Date.now() };
        }
      }
    });
    await eventually(() => {
      assert.ok(answered > CLIENTS * 20, `only ${answered} requests were answered`);
    });
    const signalledAt = Date.now();
    process.kill(program.pid, 'SIGTERM');
    for (const { error, at } of await Promise.all(clients)) {
      // What the kernel took while the listener was being closed it resets; nobody has read a byte of that.
      assert.match(error.code ?? error.message, /^ECONN(REFUSED|RESET)$/);
      assert.equal(error.reused, false, 'a connection kept alive is never broken off');
      assert.ok(at >= signalledAt + DELAY_SECONDS * 1_000, `refused ${at - signalledAt} ms after the signal`);
    }
    assert.equal(await program.exited, 0);
    await assert.rejects(ask('/livez'), { code: 'ECONNREFUSED' });
  });
});

/** Why a request was not answered, and whether its connection had carried another one before. */
type Failure = Error & { code?: string; reused: boolean };

const send = (url: string, agent: Agent, bearer: string) =>
  new Promise<{ status: number; connection: string | undefined; body: string }>((resolve, reject) => {
    const request = get(url, { agent, headers: { Authorization: `Bearer ${bearer}` } }, (response) => {
      const { statusCode: status = 0, headers } = response;
      response.toArray().then((parts: Buffer[]) => {
        resolve({ status, connection: headers.connection, body: Buffer.concat(parts).toString() });
      }, reject);
    });
    request.on('error', (error) => {
      reject(Object.assign(error, { reused: request.reusedSocket }));
    });
  });

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasEnded } from '../../src/dev/processes.js';
import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { ownPlace } from '../support/place.js';
import { runProgram, SECRET, untilReady, type Program } from '../support/program.js';
import { startBatch, testBatches, untilBatchEnded } from './batches.js';
import { testGenerations } from './generations.js';
import { ScriptedModel } from './scripted-model.js';

const NPM_START = 'dist/dev/main.js';

describe('The service', function () {
  this.timeout(700_000);
  let folder: string;
  let place: Awaited<ReturnType<typeof ownPlace>>;
  let program: Program;
  let model: ScriptedModel;
  const api = new ApiClient(() => `http://127.0.0.1:${place.PORT}`);

  const startService = async () => {
    program = runProgram(NPM_START, { ...place, ...model.settings, AUTH_JWT_SECRET: SECRET });
    await untilReady(api.url(), program);
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'test-service-'));
    place = await ownPlace(folder);
    model = await ScriptedModel.start();
    await startService();
  });
  after(async () => {
    model.open();
    await program.stop();
    await model.stop();
    await rm(folder, { recursive: true, force: true });
  });

  testGenerations(api, () => model);
  testBatches(api, () => model);

  it('takes the largest batch there may be: a hundred of the longest texts, in letters of two bytes', async () => {
    const name = await api.newOwner({ tokens: 1_000_000 });
    const long = 'سلام '.repeat(2_000).slice(0, 9_990);
    const texts = Array.from({ length: 100 }, (_, n) => `${long} ${n}`);
    const end = await untilBatchEnded(api, name, await startBatch(api, name, texts));
    assert.deepEqual(end.counts, { total: 100, queued: 0, processing: 0, completed: 100, failed: 0 });
    const { charges, sum } = await api.ledger(name);
    assert.deepEqual([charges.length, sum], [100, 1_000_000 - 100 * 150]);
  });

  it('completes 20 generations that were in the call of the model when everything was killed, each charged once', async () => {
    const name = await api.newOwner({ tokens: 100_000 });
    const texts = Array.from({ length: 20 }, (_, n) => `slow ${n} ${randomUUID()}`);
    const tasks = await Promise.all(texts.map((text) => api.start(name, text)));
    await eventually(() => {
      assert.deepEqual(
        texts.map((text) => model.callsFor(text)),
        texts.map(() => 1),
      );
    });
    const temporalPid = Number(await readFile(join(folder, 'temporal.pid'), 'utf8'));
    process.kill(temporalPid, 'SIGKILL');
    await program.kill();
    model.open();
    await startService();
    const ends = await Promise.all(tasks.map((task) => api.untilEnded(name, task)));
    model.close();
    assert.deepEqual(
      ends.map(({ status, generated_by_ai }) => [status, generated_by_ai]),
      ends.map(() => ['completed', true]),
    );
    const { charges, sum } = await api.ledger(name);
    assert.deepEqual(charges.map(({ task_id }) => task_id).sort(), tasks.map(({ task_id }) => task_id).sort());
    assert.deepEqual((await api.account(name)).tokens, { balance: sum, held: 0, available: 100_000 - 20 * 150 });
  });

  it('completes a batch whose items were just being started when everything was killed, each charged once', async () => {
    const name = await api.newOwner({ tokens: 1_000_000 });
    const texts = Array.from({ length: 50 }, (_, n) => `batch ${n} ${randomUUID()}`);
    const batch = await startBatch(api, name, texts);
    const temporalPid = Number(await readFile(join(folder, 'temporal.pid'), 'utf8'));
    process.kill(temporalPid, 'SIGKILL');
    await program.kill();
    await startService();
    const end = await untilBatchEnded(api, name, batch);
    assert.deepEqual(end.counts, { total: 50, queued: 0, processing: 0, completed: 50, failed: 0 });
    const { charges, sum } = await api.ledger(name);
    assert.deepEqual(
      charges.map(({ task_id }) => task_id).sort(),
      batch.items.map(({ task_id }) => task_id),
    );
    assert.deepEqual((await api.account(name)).tokens, { balance: sum, held: 0, available: sum });
  });

  it('ends what a killed one had left behind, and goes on', async () => {
    const temporalPid = Number(await readFile(join(folder, 'temporal.pid'), 'utf8'));
    // Else it may end by itself, as nobody reads its log any more.
    process.kill(temporalPid, 'SIGSTOP');
    await program.kill();
    assert.ok(!(await hasEnded(temporalPid)), 'the Temporal server is an orphan now');
    await startService();
    assert.ok(await hasEnded(temporalPid));
    assert.match(program.output(), new RegExp(`killed service had left behind \\(process ${temporalPid}\\)`));
    const name = await api.newOwner({ tokens: 10_000 });
    assert.equal((await api.untilEnded(name, await api.start(name))).status, 'completed');
  });
});

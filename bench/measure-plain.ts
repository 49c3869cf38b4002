import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { processorMs } from './processes.js';
import { percentile, report } from './report.js';
import type { Subject } from './subject.js';

const TASK_QUEUE = 'plain';
const WARM_UP = 100;
const RUNS = 200;
const CLIENTS = 64;
const BUSY_MS = 20_000;

/**
 * What Temporal and its SDK cost by themselves on this machine: the start of a workflow, and one of four activities that do
 * nothing, with no API, ledger, encryption or model. The service can't be faster.
 */
export async function measurePlain({ temporal: { address, pid } }: Subject): Promise<void> {
  Runtime.install({ telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } } });
  const native = await NativeConnection.connect({ address });
  const client = new Client({ connection: await Connection.connect({ address }) });
  const worker = await Worker.create({
    connection: native,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(new URL('./plain-workflow.ts', import.meta.url)),
    activities: { step: () => Promise.resolve() },
  });
  const working = worker.run();

  const starts: number[] = [];
  const run = async (): Promise<number> => {
    const began = performance.now();
    const handle = await client.workflow.start('fourSteps', { taskQueue: TASK_QUEUE, workflowId: randomUUID() });
    starts.push(performance.now() - began);
    await handle.result();
    return performance.now() - began;
  };
  for (let n = 0; n < WARM_UP; n += 1) await run();
  starts.length = 0;
  const ends: number[] = [];
  for (let n = 0; n < RUNS; n += 1) ends.push(await run());
  report('plain_start_p50', percentile(starts, 50), 'ms');
  report('plain_four_steps_p50', percentile(ends, 50), 'ms');

  let done = 0;
  const [began, server, own] = [performance.now(), await processorMs(pid), await processorMs(process.pid)];
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (; performance.now() < began + BUSY_MS; done += 1) await run();
    }),
  );
  report(`plain_four_steps_of_${CLIENTS}_clients`, (done * 1_000) / (performance.now() - began), 'a second');
  report('processor_of_plain_four_steps_sdk', ((await processorMs(process.pid)) - own) / done, 'ms');
  report('processor_of_plain_four_steps_temporal', ((await processorMs(pid)) - server) / done, 'ms');

  worker.shutdown();
  await working;
  await client.connection.close();
  await native.close();
}

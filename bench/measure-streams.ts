import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { setTimeout as rest } from 'node:timers/promises';
import { residentMb } from './processes.js';
import { report, reportTimes } from './report.js';
import type { StartedTask, Subject } from './subject.js';

const STREAMS = 5_000;
const TASKS = 50;
/** Opened at a time. */
const OPENING = 50;

/** So many open event streams, a hundred of each task: how long after a step its event is read. */
export async function measureStreams(subject: Subject): Promise<void> {
  const tasks = await subject.hold(TASKS);
  const late: number[] = [];
  const ended: Promise<void>[] = [];
  const agent = new Agent({ keepAlive: false, maxSockets: Infinity });
  for (let n = 0; n < STREAMS; n += OPENING) {
    const some = Array.from({ length: OPENING }, (_, m) =>
      openStream(subject, agent, tasks[(n + m) % TASKS] ?? assert.fail(), (status) =>
        late.push(Date.now() - Date.parse(status.updated_at)),
      ),
    );
    for (const stream of await Promise.all(some)) ended.push(stream.ended);
  }
  report('open_streams', ended.length, 'streams', { atLeast: STREAMS });
  report(`resident_memory_with_${STREAMS}_streams`, (await residentMb(subject.service.pid)) ?? NaN, 'MB');
  // What came until here is how things were when the stream was opened.
  late.length = 0;
  // One task after the other: its 100 readers are told of the last step, and of the end.
  let over = 0;
  for (const stream of ended) void stream.then(() => (over += 1));
  for (let n = 1; n <= TASKS; n += 1) {
    subject.letOneGo();
    while (over < (n * STREAMS) / TASKS) await rest(10);
  }
  await Promise.all(ended);
  reportTimes('step_to_reader', late, { p99: 50 });
  agent.destroy();
}

/** Resolves with the first event; `ended` when the task's end was read. */
function openStream(
  { service }: Subject,
  agent: Agent,
  { url, bearer }: StartedTask,
  onStatus: (status: { updated_at: string; progress: number }) => void,
): Promise<{ ended: Promise<void> }> {
  return new Promise((opened, failed) => {
    const ended = new Promise<void>((resolve, reject) => {
      const headers = { ...bearer, Accept: 'text/event-stream' };
      const sent = request(`${service.url}${url}`, { agent, headers }, (response) => {
        let unread = '';
        response.setEncoding('utf8').on('data', (piece: string) => {
          const blocks = (unread + piece).split('\n\n');
          unread = blocks.pop() ?? '';
          for (const block of blocks) {
            const data = /^data: ([^\n]*)$/m.exec(block)?.[1];
            if (data === undefined) continue;
            onStatus(JSON.parse(data) as { updated_at: string; progress: number });
            opened({ ended });
          }
        });
        response.on('end', resolve);
        response.on('error', reject);
      });
      sent.on('error', (error) => {
        failed(error);
        reject(error);
      });
      sent.end();
    });
  });
}

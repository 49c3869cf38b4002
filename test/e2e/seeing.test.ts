import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { sdkMetrics } from '../ops/metric-names.js';
import { masterKeySetting } from '../encryption/support.js';
import { eventually } from '../support/eventually.js';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.js';
import { GENERATED, TestService } from '../support/service.js';
import { installTestRuntime, tracedWorkflowBundle, workflowBundle } from '../support/temporal.js';
import { SILENT_FEED } from '../support/silent-feed.js';

const CALLER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const TRACEPARENT = `00-${CALLER.traceId}-${CALLER.spanId}-01`;
/** Where spans of a replay go. */
const NOWHERE = { exporter: { export: { fn: () => undefined, callDuringReplay: false } } };

/** In what the owner writes and the model quotes, also in its errors. */
const WORD = 'zanzibar';

/** What a trace looks like: each span's name and that of its parent, in order of names. */
const shapeOf = (spans: ReceivedSpan[]): string[] => {
  const nameOf = (id: string) =>
    spans.find(({ spanId }) => spanId === id)?.name ?? (id === CALLER.spanId ? 'caller' : id);
  return spans.map(({ name, parentSpanId }) => `${nameOf(parentSpanId)} > ${name}`).sort();
};

const POST = 'POST /api/v1/web-knowledge/generate-prompt-async/';
const RUN = 'RunWorkflow:generatePrompt';
const WHOLE = [
  `${POST} > StartWorkflow:generatePrompt`,
  `StartWorkflow:generatePrompt > ${RUN}`,
  ...['initialize', 'checkTokens', 'generateWithAI', 'finalize'].flatMap((step) => [
    `${RUN} > StartActivity:${step}`,
    `StartActivity:${step} > RunActivity:${step}`,
  ]),
  'RunActivity:generateWithAI > chat test-model',
];

/** Passes requests on, and keeps their headers. */
async function startListener(
  target: string,
): Promise<{ url: string; headers: IncomingHttpHeaders[]; stop: () => Promise<void> }> {
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    headers.push(request.headers);
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { pathname } = new URL(request.url ?? '', 'http://x');
      void fetch(`${target}${pathname.replace('/v1', '')}`, { method: 'POST', body: Buffer.concat(parts) }).then(
        async (answer) => {
          response.writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type') ?? '' });
          response.end(Buffer.from(await answer.arrayBuffer()));
        },
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    headers,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

for (const [how, settings] of [
  ['in clear', {}],
  ['encrypted', { PAYLOAD_ENCRYPTION_KEYS: masterKeySetting() }],
] as const) {
  describe(`One trace of one generation, payloads ${how},`, function () {
    this.timeout(120_000);
    let receiver: OtlpReceiver;
    let service: TestService;
    let owner: string;

    before(async function () {
      this.timeout(600_000);
      receiver = await startOtlpReceiver();
      service = await TestService.start({
        ...settings,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20collector',
      });
      owner = await service.owner(100_000);
    });
    after(async () => {
      await service.stop();
      await receiver.stop();
    });

    /** Runs a generation to its end; returns its spans once all are there: the last to come is the workflow's. */
    const trace = async (text: string, headers: Record<string, string> = {}) => {
      const body = { manual_prompt: text };
      const path = POST.replace('POST ', '');
      const task = await service.api.json<{ task_id: string; status_url: string }>('POST', path, {
        as: owner,
        body,
        headers,
      });
      await service.api.untilEnded(owner, task);
      const spans = await eventually(
        () => {
          const root = receiver.spans().find(({ attributes }) => attributes.task_id === task.task_id);
          assert.ok(root, 'the request is not there yet');
          const all = receiver.spans().filter(({ traceId }) => traceId === root.traceId);
          assert.ok(
            all.some(({ name }) => name === RUN),
            'the workflow is not there yet',
          );
          return all;
        },
        { timeoutMs: 30_000 },
      );
      return { task, spans };
    };

    it('spans the request, the workflow, its four activities and the request to the model', async () => {
      const { spans } = await trace(`We sell shoes of ${WORD}!`);
      assert.deepEqual(shapeOf(spans), [` > ${POST}`, ...WHOLE].sort());
      const [chat] = spans.filter(({ name }) => name.startsWith('chat'));
      assert.deepEqual(
        [chat!.attributes['gen_ai.usage.input_tokens'], chat!.attributes['gen_ai.usage.output_tokens']],
        [90, 60],
      );
      assert.equal(receiver.headers().authorization, 'Bearer collector');
    });

    it("goes on in the caller's trace, with each attempt and why it failed", async () => {
      const { spans } = await trace(`flaky ${WORD}`, { traceparent: TRACEPARENT });
      assert.deepEqual(new Set(spans.map(({ traceId }) => traceId)), new Set([CALLER.traceId]));
      const again = [
        'StartActivity:generateWithAI > RunActivity:generateWithAI',
        'RunActivity:generateWithAI > chat test-model',
      ];
      assert.deepEqual(shapeOf(spans), [`caller > ${POST}`, ...WHOLE, ...again].sort());
      const failed = spans
        .filter(({ status }) => status.code === 2)
        .map(({ name, attributes }) => [name, attributes['error.type']]);
      assert.deepEqual(failed, [
        ['RunActivity:generateWithAI', undefined],
        ['chat test-model', '500'],
      ]);
    });

    it('is named by what the log says of it', async () => {
      const { task, spans } = await trace(`refused ${WORD}!`);
      const { traceId } = spans[0]!;
      const log = service.program.output();
      const lineOf = (message: string) => {
        const part = log
          .split(/^\[\d\d:\d\d:\d\d\] /m)
          .find((one) => one.includes(message) && one.includes(task.task_id));
        assert.ok(part, `no line "${message}" of ${task.task_id} in\n${log}`);
        return part;
      };
      for (const message of ['INFO: request', 'an attempt to ask the model failed', 'the AI could not be used'])
        assert.match(lineOf(message), new RegExp(`trace_id: "${traceId}"`), message);
    });

    it('has no word of the owner or the model, and not the owner', () => {
      const sent = receiver.sent().toString('latin1');
      assert.ok(sent.includes('RunActivity:finalize'), 'what was sent is found');
      for (const word of [WORD, GENERATED.slice(0, 20), owner, 'internal.host', 'secret', '.ts:', '.js:'])
        assert.equal(sent.includes(word), false, word);
    });

    it('is not begun by polls and probes', () => {
      const roots = receiver.spans().filter(({ parentSpanId }) => parentSpanId === '');
      assert.deepEqual([...new Set(roots.map(({ name }) => name.split(' ')[0]))].sort(), ['POST', 'PUT']);
    });

    // What it leaves in the history is the same either way; an encrypted one could not be read here.
    if (how === 'in clear') {
      it('leaves a history that replays with tracing and without', async () => {
        installTestRuntime();
        const { task } = await trace(`flaky replayed ${WORD}`);
        const connection = await Connection.connect({ address: `127.0.0.1:${service.settings.TEMPORAL_DEV_PORT!}` });
        try {
          const history = await new Client({ connection }).workflow.getHandle(task.task_id).fetchHistory();
          assert.match(JSON.stringify(history), /_tracer-data/);
          for (const bundle of [tracedWorkflowBundle, workflowBundle])
            await Worker.runReplayHistory(
              { workflowBundle: await bundle(), sinks: { ...SILENT_FEED, ...NOWHERE } },
              history,
              task.task_id,
            );
        } finally {
          await connection.close();
        }
      });
    }
  });
}

describe('A service that is looked at', function () {
  this.timeout(120_000);
  let service: TestService;
  let owner: string;
  before(async function () {
    this.timeout(600_000);
    service = await TestService.start();
    owner = await service.owner(100_000);
  });
  after(() => service.stop());

  const scrape = async () => (await fetch(`http://127.0.0.1:${service.settings.METRICS_PORT!}/metrics`)).text();

  it("tells of API, worker, ledger and Temporal's SDK in one scrape", async () => {
    const refused = await service.api.start(owner, 'refused shoes');
    await service.api.untilEnded(owner, refused);
    await service.api.untilEnded(owner, await service.api.start(owner, 'We sell shoes.'));
    await eventually(async () => {
      const text = await scrape();
      for (const line of [
        'generation_starts_total{outcome="started"} 2',
        'generation_ends_total{state="completed",error_code=""} 1',
        'generation_ends_total{state="fallback",error_code=""} 1',
        'generation_queue_wait_seconds_count 2',
        'activity_attempt_duration_seconds_count{activity="finalize",outcome="ok"} 2',
        'llm_request_failures_total{outcome="refused",status="401"} 1',
        'llm_tokens_total{kind="completion"} 60',
        'ledger_mismatched_accounts 0',
      ])
        assert.ok(text.split('\n').includes(line), `${line} is not in\n${text}`);
      const reads = [...text.matchAll(/^generation_status_reads_total\{source="(?:query|result|memory)"\} (\d+)$/gm)];
      assert.ok(reads.reduce((sum, [, count]) => sum + Number(count), 0) >= 2, 'the polls are counted');
      const missing = sdkMetrics().filter((name) => !new RegExp(`^${name}(_bucket)?\\{`, 'm').test(text));
      assert.deepEqual(missing, [], 'what docs/metrics.md says of the SDK');
    });
  });

  it('says why the model failed, and nothing that the owner wrote', () => {
    const log = service.program.output();
    const [line = ''] = log
      .split(/^\[\d\d:\d\d:\d\d\] /m)
      .filter((one) => one.includes('an attempt to ask the model failed'));
    assert.match(line, /type: "LlmRefused"/);
    assert.match(line, /status: 401/);
    assert.match(line, /reason: "The model answered 401/);
    assert.doesNotMatch(log, /shoes/);
  });

  it('tells the server of the model nothing of its traces', async () => {
    const receiver = await startOtlpReceiver();
    const listener = await startListener(service.llm.config.baseUrl);
    const traced = await TestService.start({
      OPENAI_BASE_URL: listener.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    });
    try {
      const ann = await traced.owner(100_000);
      await traced.api.untilEnded(ann, await traced.api.start(ann, 'We sell shoes.'));
      const [headers] = listener.headers;
      assert.ok(headers, 'the model was asked');
      assert.deepEqual(
        Object.keys(headers).filter((name) => /^(traceparent|tracestate|baggage)$/.test(name)),
        [],
      );
    } finally {
      await traced.stop();
      await listener.stop();
      await receiver.stop();
    }
  });

  it('says once what it died of', async () => {
    const pid = Number(await readFile(join(service.folder, 'temporal.pid'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    assert.equal(await service.program.exited, 1);
    const grave = service.program
      .output()
      .split('\n')
      .filter((line) => /(ERROR|FATAL):/.test(line));
    assert.equal(grave.length, 1, grave.join('\n'));
    assert.match(grave[0]!, /FATAL: ended by itself/);
  });
});

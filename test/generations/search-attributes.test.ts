import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { pino, type Logger } from 'pino';
import { findTemporalCli } from '../../src/dev/temporal-cli.js';
import { commandFor, registerSearchAttributes } from '../../src/generations/search-attributes.js';
import { createStartRun } from '../../src/generations/start-run.js';
import { eventually } from '../support/eventually.js';
import { temporal } from '../support/temporal.js';

const KEYWORD = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;

/** What a caller without the right to register is told, as by Temporal Cloud. */
const denied = () => Promise.reject(Object.assign(new Error('Request unauthorized.'), { code: 7 }));

interface LogLine {
  level: number;
  msg: string;
  command?: string;
  err?: { stack: string };
}

describe('The search attributes of a namespace', function () {
  this.timeout(60_000);
  let client: Client;
  let lines: LogLine[];
  let log: Logger;

  beforeEach('make a namespace', async function () {
    this.timeout(600_000);
    const { connection } = await temporal();
    const namespace = randomUUID();
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
    client = new Client({ connection, namespace });
    await eventually(() => client.workflow.count());
    lines = [];
    log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) });
  });

  const registered = async (): Promise<Record<string, number>> => {
    const { namespace } = client.options;
    const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
    const ours = Object.entries(customAttributes).filter(([name]) => name.startsWith('Prompt'));
    return Object.fromEntries(ours);
  };
  /** The same client, with another way to register. */
  const withRight = (addSearchAttributes: () => Promise<never>): Client => {
    const { connection } = client;
    const operatorService = Object.assign(Object.create(connection.operatorService) as object, { addSearchAttributes });
    const limited = Object.assign(Object.create(connection) as object, { operatorService });
    return new Client({ connection: limited as unknown as typeof connection, namespace: client.options.namespace });
  };
  const start = async (startRun = createStartRun({ client, log, taskQueue: 'none' })) => {
    const taskId = randomUUID();
    const memo = { owner: 'ann', request_hash: 'h', request_id: 'r' };
    await startRun({ taskId, memo, input: { owner: 'ann', manualPrompt: 'We sell shoes.' }, keyed: false });
    const { typedSearchAttributes } = await client.workflow.getHandle(taskId).describe();
    return Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
  };

  it('are registered with their types, and again where they are there already: nothing happens', async () => {
    await registerSearchAttributes(client, log);
    const all = await registered();
    assert.equal(Object.keys(all).length, 8);
    assert.deepEqual([all.PromptOwner, all.PromptGeneratedByAi, all.PromptTokensCharged], [2, 5, 3]);
    await registerSearchAttributes(client, log);
    assert.deepEqual(await registered(), all);
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['the search attributes are registered'],
    );
  });

  it('that are there need no right to register: nobody asks for it', async () => {
    await registerSearchAttributes(client, log);
    lines = [];
    await registerSearchAttributes(withRight(denied), log);
    assert.deepEqual(lines, []);
  });

  it('that nobody may register are asked for in one message, with the command that does it', async () => {
    await registerSearchAttributes(withRight(denied), log);
    assert.equal(lines.length, 1);
    const [{ level, command = '' }] = lines as [LogLine];
    assert.deepEqual([level, command], [40, commandFor(client.options.namespace)]);
    const [program, ...words] = command.split(' ');
    assert.equal(program, 'temporal');
    const { address } = await temporal();
    await promisify(execFile)(await findTemporalCli(() => undefined), [...words, '--address', address]);
    assert.equal(Object.keys(await registered()).length, 8);
  });

  it('say of a start whose it is', async () => {
    await registerSearchAttributes(client, log);
    assert.deepEqual(await start(), {
      PromptOwner: 'ann',
      PromptBusinessType: '',
      PromptState: 'queued',
      PromptStep: 'queued',
      PromptErrorCode: '',
      PromptGeneratedByAi: false,
      PromptTokensCharged: 0,
      PromptModel: '',
    });
  });

  it('that are missing, all or one of them, stop nobody from starting', async () => {
    assert.deepEqual(await start(), {});
    await client.connection.operatorService.addSearchAttributes({
      namespace: client.options.namespace,
      searchAttributes: { PromptOwner: KEYWORD, PromptState: KEYWORD, PromptStep: KEYWORD },
    });
    assert.deepEqual(await start(), {}, 'it would want to write the others later');
  });

  it('of another type than ours are not used', async () => {
    await client.connection.operatorService.addSearchAttributes({
      namespace: client.options.namespace,
      searchAttributes: { PromptTokensCharged: KEYWORD },
    });
    await registerSearchAttributes(client, log);
    assert.deepEqual(await start(), {});
    assert.match(lines.at(-1)?.err?.stack ?? '', /PromptTokensCharged/, 'it says which one');
  });

  it('that somebody removes while the service runs stop nobody from starting either, and it says so', async () => {
    await registerSearchAttributes(client, log);
    const startRun = createStartRun({ client, log, taskQueue: 'none' });
    assert.equal((await start(startRun)).PromptOwner, 'ann');
    await client.connection.operatorService.removeSearchAttributes({
      namespace: client.options.namespace,
      searchAttributes: ['PromptOwner'],
    });
    assert.deepEqual(await start(startRun), {});
    assert.equal(lines.at(-1)?.msg, 'a start with search attributes was refused: it starts without');
    assert.deepEqual(await start(startRun), {}, 'without asking each time');
    assert.equal(lines.filter(({ level }) => level === 40).length, 1);
  });
});

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createCodecServer } from '../../src/encryption/codec-server.js';
import { fromWire, toWire } from '../../src/api/codec/payloads.js';
import type { JsonPayload } from '../../src/replay/history-payloads.js';
import { replayBy, type ReplayHistory } from '../../src/replay/replay-history.js';
import { openEmbeddedDatabase } from '../../src/dev/embedded-database.js';
import { migrate } from '../../src/ledger/migrate.js';
import type { Database } from '../../src/ledger/database.js';
import { destroyKeysOf, masterKey, startProcess, type Process } from '../encryption/support.js';
import { installTestRuntime, workflowBundle } from '../support/temporal.js';

const FILE =
  'test/histories/0.1.0/shows-10-30-50-70-and-90-on-the-way-each-while-its-step-runs-and-ends-with-the-prompt.json';

describe('Replaying a history', function () {
  this.timeout(60_000);
  let db: Database;
  let service: Process;
  let text: string;
  let replay: ReplayHistory;
  let asked: number;

  before('open a database, bundle the workflows', async () => {
    installTestRuntime();
    db = await openEmbeddedDatabase();
    await migrate(db);
    service = await startProcess(db, [masterKey('m')]);
    text = await readFile(FILE, 'utf8');
  });
  after(async () => {
    await service.keys.close();
    await db.close();
  });
  beforeEach(async () => {
    asked = 0;
    const server = createCodecServer(service.codec);
    replay = replayBy(await workflowBundle(), async (payloads) => {
      asked += 1;
      return (await server.decode(payloads.map(fromWire))).map(toWire) as JsonPayload[];
    });
  });

  /** The history with each payload as a service with keys stores it. */
  const encrypted = async (owner: string): Promise<unknown> => {
    const encryptAll = async (value: unknown): Promise<void> => {
      if (typeof value !== 'object' || value === null) return;
      if ('metadata' in value && 'data' in value) {
        const [sealed] = await service.codec.encodeFor(owner, [fromWire(value as never)]);
        Object.assign(value, toWire(sealed!));
        return;
      }
      for (const inner of Object.values(value)) await encryptAll(inner);
    };
    const history = JSON.parse(text) as object;
    await encryptAll(history);
    return history;
  };

  it('finds it compatible with the code that made it, and asks nobody for what is in clear', async () => {
    assert.deepEqual(await replay(JSON.parse(text), 'task'), { outcome: 'compatible' });
    assert.equal(asked, 0);
  });

  it('finds one compatible whose run no worker has taken up, and one that goes on', async () => {
    for (const length of [1, 2, 3, 14]) {
      const history = JSON.parse(text) as { events: unknown[] };
      history.events.length = length;
      assert.deepEqual(await replay(history, 'task'), { outcome: 'compatible' }, String(length));
    }
  });

  it('says where the code departs from it', async () => {
    const changed = JSON.parse(text.replaceAll('"checkTokens"', '"checkCredits"')) as unknown;
    const result = await replay(changed, 'task');
    assert.ok(result.outcome === 'departs');
    assert.match(result.why, /checkCredits|checkTokens/);
  });

  it('decrypts one that is encrypted, by one question', async () => {
    assert.deepEqual(await replay(await encrypted(randomUUID()), 'task'), { outcome: 'compatible' });
    assert.equal(asked, 1);
  });

  it('says nothing about the code where its owner was erased', async () => {
    const owner = randomUUID();
    const history = await encrypted(owner);
    await destroyKeysOf(db, owner, service);
    const result = await replay(history, 'task');
    assert.ok(result.outcome === 'unreadable');
    assert.match(result.why, /its owner was erased/);
  });

  const unnamed = { workflowExecutionStartedEventAttributes: {} };
  for (const nonsense of [{}, { events: [] }, { events: [{}] }, { events: [unnamed] }, [], 'x', null]) {
    it(`does not take ${JSON.stringify(nonsense)} for one`, async () => {
      assert.equal((await replay(nonsense, 'task')).outcome, 'no_history');
    });
  }
});

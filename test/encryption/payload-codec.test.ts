import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Payload } from '@temporalio/common';
import { openEmbeddedDatabase } from '../../src/dev/embedded-database.js';
import { createCodecServer } from '../../src/encryption/codec-server.js';
import { SERVICE_OWNER } from '../../src/encryption/data-keys.js';
import { encryptedBy } from '../../src/encryption/payload-codec.js';
import type { Database } from '../../src/ledger/database.js';
import { migrate } from '../../src/ledger/migrate.js';
import { destroyKeysOf, masterKey, ofRun, payloadOf, startProcess, valueOf, type Process } from './support.js';

describe('The payload codec', () => {
  const master = masterKey('m');
  let db: Database;
  let api: Process;
  let worker: Process;

  before('open a database', async function () {
    this.timeout(60_000);
    db = await openEmbeddedDatabase();
    await migrate(db);
    api = await startProcess(db, [master]);
    worker = await startProcess(db, [master]);
  });
  after(async () => {
    await api.keys.close();
    await worker.keys.close();
    await db.close();
  });

  const encryptFor = async (owner: string, value: unknown): Promise<Payload> =>
    (await api.codec.encodeFor(owner, [payloadOf(value)]))[0]!;
  const ownerOf = async (payload: Payload | undefined): Promise<string> => {
    const key = await api.keys.keyById(encryptedBy(payload!)!);
    return key === null || key === 'destroyed' ? assert.fail('no key') : key.owner;
  };

  it('gives back what it was given: metadata and bytes, empty ones too', async () => {
    const payloads = [
      payloadOf({ text: 'فروشگاه کفش' }),
      { metadata: { encoding: Buffer.from('binary/null') }, data: new Uint8Array() },
      { metadata: { encoding: Buffer.from('binary/plain'), x: Buffer.of(0, 255) }, data: Buffer.alloc(100_000, 7) },
    ];
    const decoded = await worker.codec.decode(await api.codec.encode(payloads));
    const bytesOf = ({ metadata, data }: Payload) => [
      Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
      Buffer.from(data ?? []).toString('hex'),
    ];
    assert.deepEqual(decoded.map(bytesOf), payloads.map(bytesOf));
  });

  it('hides everything but that it is encrypted and by which key, never twice in the same bytes', async () => {
    const owner = randomUUID();
    const [one, two] = [await encryptFor(owner, 'a marker'), await encryptFor(owner, 'a marker')];
    assert.deepEqual(Object.keys(one.metadata!).sort(), ['encoding', 'encryption-key-id']);
    assert.equal(Buffer.from(one.metadata!.encoding!).toString(), 'binary/encrypted');
    assert.equal(Buffer.from(one.data!).includes('marker'), false);
    assert.equal(Buffer.from(one.data!).includes('json/plain'), false);
    assert.notDeepEqual(one.data!.subarray(1, 13), two.data!.subarray(1, 13), 'the nonces differ');
  });

  it('refuses what was changed anywhere', async () => {
    const owner = randomUUID();
    const good = await encryptFor(owner, 'secret');
    for (let at = 0; at < good.data!.length; at += 1) {
      const data = Buffer.from(good.data!);
      data[at]! ^= 1;
      await assert.rejects(api.codec.decode([{ ...good, data }]), { name: 'SealBroken' }, `byte ${at}`);
    }
    for (const length of [0, 1, 28, good.data!.length - 1]) {
      const data = good.data!.subarray(0, length);
      await assert.rejects(api.codec.decode([{ ...good, data }]), { name: 'SealBroken' }, `${length} bytes`);
    }
  });

  it("refuses another owner's key, and one that there never was", async () => {
    const [ofAnn, ofBob] = [await encryptFor(randomUUID(), 'secret'), await encryptFor(randomUUID(), 'other')];
    await assert.rejects(api.codec.decode([{ ...ofAnn, metadata: ofBob.metadata! }]), { name: 'SealBroken' });
    const metadata = { ...ofAnn.metadata, 'encryption-key-id': Buffer.from(randomUUID()) };
    await assert.rejects(api.codec.decode([{ ...ofAnn, metadata }]), { name: 'PayloadKeyUnknown' });
  });

  it('leaves alone what is not encrypted: histories of before', async () => {
    const plain = [payloadOf('plain'), {}];
    assert.deepEqual(await worker.codec.decode(plain, ofRun('r')), plain);
  });

  it("takes the owner's key where the run was assigned or its input decoded, else the service's own", async () => {
    const [owner, run] = [randomUUID(), randomUUID()];
    const activity = { type: 'activity', namespace: 'default', workflowId: run, isLocal: false } as const;
    assert.equal(await ownerOf((await worker.codec.encode([payloadOf(1)], activity))[0]), SERVICE_OWNER);
    await api.codec.assign(run, owner);
    const input = await api.codec.encode([payloadOf('input')], ofRun(run));
    assert.equal(await ownerOf(input[0]), owner);
    await worker.codec.decode(input, ofRun(run));
    assert.equal(await ownerOf((await worker.codec.encode([payloadOf('result')], activity))[0]), owner);
    assert.equal(
      await ownerOf((await worker.codec.encode([payloadOf('other')], ofRun(randomUUID())))[0]),
      SERVICE_OWNER,
    );
    assert.equal(await ownerOf((await worker.codec.encode([payloadOf('none')]))[0]), SERVICE_OWNER);
  });

  it('writes no more readable word for an owner who was erased while a run goes on', async () => {
    const [owner, run] = [randomUUID(), randomUUID()];
    await worker.codec.assign(run, owner);
    await destroyKeysOf(db, owner, worker);
    const encoded = await worker.codec.encode([payloadOf('last words')], ofRun(run));
    await assert.rejects(worker.codec.decode(encoded), { name: 'PayloadErased' });
  });

  describe('behind the codec server', () => {
    const server = () => createCodecServer(api.codec);

    it('says in a text what cannot be read, beside what can', async () => {
      const owner = randomUUID();
      const erased = await encryptFor(owner, 'x');
      await destroyKeysOf(db, owner, api);
      const broken = await encryptFor(randomUUID(), 'x');
      broken.data!.fill(0, 20);
      const unknown = await encryptFor(randomUUID(), 'x');
      unknown.metadata!['encryption-key-id'] = Buffer.from('x');
      const good = await encryptFor(randomUUID(), 'good');
      const texts = (await server().decode([erased, broken, unknown, good, payloadOf('plain')])).map(
        valueOf,
      ) as string[];
      assert.match(texts[0]!, /^\[erased: /);
      assert.match(texts[1]!, /^\[unreadable: .*changed/);
      assert.match(texts[2]!, /^\[unreadable: .*not of this service/);
      assert.deepEqual(texts.slice(3), ['good', 'plain']);
    });

    it('encrypts an input for the owner it names, anything else by the key of the service', async () => {
      const owner = randomUUID();
      const [input, ...others] = await server().encode([
        payloadOf({ owner, manualPrompt: 'x' }),
        payloadOf('x'),
        payloadOf({ owner: '' }),
        { data: Buffer.from('{') },
      ]);
      assert.equal(await ownerOf(input), owner);
      for (const other of others) assert.equal(await ownerOf(other), SERVICE_OWNER);
    });
  });
});

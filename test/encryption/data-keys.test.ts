import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rotateMasterKey } from '../../src/encryption/data-keys.js';
import { createMasterKeys } from '../../src/encryption/master-keys.js';
import type { Database } from '../../src/ledger/database.js';
import { destroyKeys } from '../../src/ledger/destroy-keys.js';
import { onEachDatabase } from '../ledger/databases.js';
import { eventually } from '../support/eventually.js';
import { destroyKeysOf, masterKey, ofRun, payloadOf, startProcess, valueOf, type Process } from './support.js';

const OLD = masterKey('2025');
const NEW = masterKey('2026');

onEachDatabase('The keys of owners', (on) => {
  const started: Process[] = [];
  const process = async (...[keys, options, db = on.db]: [Parameters<typeof startProcess>[1]?, object?, Database?]) => {
    const one = await startProcess(db, keys ?? [OLD], options);
    started.push(one);
    return one;
  };
  const rowsOf = (owner: string) =>
    on.db.query<{ key_id: string; wrapped_key: string | null; master_key_id: string | null }>(
      'SELECT key_id, wrapped_key, master_key_id FROM data_keys WHERE owner = $1',
      [owner],
    );
  afterEach(async () => {
    await Promise.all(started.splice(0).map(({ keys }) => keys.close()));
  });

  it('are made at their first use, one for each owner however many processes ask at once', async () => {
    const owner = randomUUID();
    const processes = await Promise.all(Array.from({ length: 4 }, () => process()));
    const asked = await Promise.all([...processes, ...processes].map(({ keys }) => keys.keyOf(owner)));
    assert.equal(new Set(asked.map(({ id }) => id)).size, 1);
    const [first] = asked;
    for (const { key } of asked) assert.ok(key.equals(first!.key), 'the same key');
    assert.equal((await rowsOf(owner)).length, 1);
    assert.notEqual((await processes[0]!.keys.keyOf(randomUUID())).id, first!.id);
  });

  it('are stored wrapped, and open neither for another owner nor under another master key', async () => {
    const { keys } = await process();
    const [ann, bob] = [randomUUID(), randomUUID()];
    const annsKey = await keys.keyOf(ann);
    const { id } = await keys.keyOf(bob);
    const [row] = await rowsOf(ann);
    const stored = Buffer.from(row!.wrapped_key!, 'base64');
    assert.equal(stored.includes(annsKey.key.export()), false, 'the key itself is not in the database');
    await on.db.query('UPDATE data_keys SET wrapped_key = $2 WHERE key_id = $1', [id, row!.wrapped_key]);
    await assert.rejects((await process()).keys.keyById(id), /2025 .*does not unwrap/);
    await on.db.query('DELETE FROM data_keys WHERE key_id = $1', [id]);

    const impostor = await process([{ ...masterKey('x'), id: 'y' }, OLD]);
    assert.ok((await impostor.keys.keyOf(ann)).key.equals(annsKey.key), 'an old master key goes on unwrapping');
    const other = createMasterKeys([masterKey('2025')]);
    const wrapped = { keyId: annsKey.id, owner: ann, wrappedKey: row!.wrapped_key!, masterKeyId: '2025' };
    assert.throws(() => other.unwrap(wrapped), /The key 2025 .* does not unwrap/);
    assert.throws(() => createMasterKeys([NEW]).unwrap(wrapped), /lacks the key 2025/);
  });

  it('stay readable through a rotation, after which the old master key can go', async () => {
    const before = await process([OLD]);
    const owners = Array.from({ length: 20 }, () => randomUUID());
    const texts = await Promise.all(owners.map((owner) => before.codec.encodeFor(owner, [payloadOf(owner)])));
    await destroyKeysOf(on.db, owners[0]!, before);

    // While a process of before goes on making keys.
    const both = createMasterKeys([NEW, OLD]);
    const [count] = await Promise.all([rotateMasterKey(on.db, both), before.keys.keyOf(randomUUID())]);
    assert.ok(count >= 20, `${count} keys were rotated`);
    await rotateMasterKey(on.db, both);
    assert.equal(await rotateMasterKey(on.db, both), 0, 'nothing is left to do');

    const after = await process([NEW]);
    const read = await Promise.all(texts.slice(1).map((text) => after.codec.decode(text)));
    assert.deepEqual(read.flat().map(valueOf), owners.slice(1));
    assert.deepEqual(
      (await rowsOf(owners[0]!)).map(({ master_key_id }) => master_key_id),
      [null],
    );
    // For the tests that follow.
    await rotateMasterKey(on.db, createMasterKeys([OLD, NEW]));
  });

  it('once destroyed are gone: here at once, in other processes when they look; the next key is another', async () => {
    const owner = randomUUID();
    const [here, there] = [await process(), await process()];
    const [secret] = await here.codec.encodeFor(owner, [payloadOf('secret')]);
    assert.equal(valueOf((await there.codec.decode([secret!]))[0]!), 'secret');
    await destroyKeysOf(on.db, owner, here);
    await assert.rejects(here.codec.decode([secret!]), { name: 'PayloadErased' });
    const [row] = await rowsOf(owner);
    assert.deepEqual([row!.wrapped_key, row!.master_key_id], [null, null]);

    await there.keys.refresh();
    await assert.rejects(there.codec.decode([secret!]), { name: 'PayloadErased' });
    const [again] = await there.codec.encodeFor(owner, [payloadOf('later')]);
    assert.equal(valueOf((await here.codec.decode([again!]))[0]!), 'later');
    assert.equal((await rowsOf(owner)).length, 2);
  });

  it('are compared with the database by themselves', async () => {
    const owner = randomUUID();
    const [here, there] = [await process(), await process([OLD], { refreshMs: 20 })];
    const { id } = await there.keys.keyOf(owner);
    await destroyKeysOf(on.db, owner, here);
    await eventually(async () => {
      assert.equal(await there.keys.keyById(id), 'destroyed');
    });
  });

  it('are destroyed with the transaction that destroys them, or not at all', async () => {
    const owner = randomUUID();
    const { codec } = await process();
    const [secret] = await codec.encodeFor(owner, [payloadOf('secret')]);
    const failing = on.db.transaction(async (tx) => {
      await destroyKeys(tx, owner);
      throw new Error('the rest went wrong');
    });
    await assert.rejects(failing, /the rest went wrong/);
    const { codec: other } = await process();
    assert.equal(valueOf((await other.decode([secret!]))[0]!), 'secret');
  });

  it('are kept in bounds, and those that were dropped are found again', async () => {
    const { keys, codec } = await process([OLD], { kept: 5 });
    const owners = Array.from({ length: 12 }, () => randomUUID());
    const texts = [];
    for (const owner of owners) texts.push(...(await codec.encodeFor(owner, [payloadOf(owner)])));
    assert.ok(keys.size() <= 5, `${keys.size()} keys are kept`);
    assert.deepEqual((await codec.decode(texts)).map(valueOf), owners);
  });

  it('that are known go on while the database is away; others cannot be had', async () => {
    let away = false;
    const db: Database = {
      ...on.db,
      query: (...args) => (away ? Promise.reject(new Error('the database is away')) : on.db.query(...args)),
    };
    const { keys, codec } = await process([OLD], {}, db);
    const [ann, bob] = [randomUUID(), randomUUID()];
    const ofBob = await (await process()).codec.encodeFor(bob, [payloadOf('b')]);
    const ofAnn = await codec.encodeFor(ann, [payloadOf('a')]);
    away = true;
    await codec.assign('run', ann);
    assert.deepEqual(
      (await codec.decode([...ofAnn, ...(await codec.encode([payloadOf(1)], ofRun('run')))])).map(valueOf),
      ['a', 1],
    );
    await assert.rejects(codec.assign('other', bob), /away/);
    await assert.rejects(codec.decode(ofBob), /away/);
    await assert.rejects(keys.refresh(), /away/);
    assert.equal(valueOf((await codec.decode(ofAnn))[0]!), 'a', 'a failed refresh forgets nothing');
    away = false;
    assert.equal(valueOf((await codec.decode(ofBob))[0]!), 'b');
  });
});

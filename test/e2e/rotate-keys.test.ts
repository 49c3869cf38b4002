import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readConfig } from '../../src/config.js';
import { openEncryption } from '../../src/encryption/open-encryption.js';
import { migrate } from '../../src/ledger/migrate.js';
import { openPostgres } from '../../src/ledger/postgres.js';
import { masterKeySetting, ofRun, payloadOf, valueOf } from '../encryption/support.js';
import { quiet } from '../generations/support.js';
import { freshPostgres } from '../support/postgres.js';
import { runProgram } from '../support/program.js';

const ROTATE = 'dist/rotate-keys.js';

describe('npm run rotate-keys', function () {
  this.timeout(60_000);

  it('wraps every key with the first master key, while the service runs; then the old one can go', async () => {
    const url = await freshPostgres();
    const database = openPostgres(url, quiet);
    await migrate(database);
    const [old, next] = [masterKeySetting('2025'), masterKeySetting('2026')];
    const open = (PAYLOAD_ENCRYPTION_KEYS: string) =>
      openEncryption(database, readConfig({ PAYLOAD_ENCRYPTION_KEYS }).encryption, quiet);
    const running = await open(old);
    const [run, codec] = [randomUUID(), running.dataConverter.payloadCodecs![0]!];
    await running.assign(run, 'ann');
    const text = await codec.encode([payloadOf('secret')], ofRun(run));
    await assert.rejects(open(next), /still in use: 2025/, 'too early');

    const rotation = runProgram(ROTATE, { DATABASE_URL: url, PAYLOAD_ENCRYPTION_KEYS: `${next},${old}` });
    assert.equal(await rotation.exited, 0, rotation.output());
    assert.match(rotation.output(), /"keys":2,"master_key":"2026"/);

    const later = await open(next);
    const decoded = await later.dataConverter.payloadCodecs![0]!.decode(text);
    assert.deepEqual(decoded.map(valueOf), ['secret']);
    assert.deepEqual((await codec.decode(text)).map(valueOf), ['secret'], 'what runs did not notice');
    await Promise.all([running.close(), later.close()]);
    await database.close();
  });

  it('says what it lacks', async () => {
    const without = runProgram(ROTATE);
    assert.equal(await without.exited, 1);
    assert.match(without.output(), /PAYLOAD_ENCRYPTION_KEYS/);
    const off = runProgram(ROTATE, { PAYLOAD_ENCRYPTION: 'off' });
    assert.equal(await off.exited, 1);
    assert.match(off.output(), /PAYLOAD_ENCRYPTION_KEYS has no key/);
  });
});

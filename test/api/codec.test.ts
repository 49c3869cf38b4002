import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { openEmbeddedDatabase } from '../../src/dev/embedded-database.js';
import { createCodecServer, type CodecServer } from '../../src/encryption/codec-server.js';
import { migrate } from '../../src/ledger/migrate.js';
import { masterKey, payloadOf, startProcess, type Process } from '../encryption/support.js';
import { useTestApi } from './support/test-api.js';
import { adminToken, tokenOf } from './support/tokens.js';

const DECODE = '/codec/decode';
const ENCODE = '/codec/encode';
const UI = 'https://temporal.example';
const supportToken = () => tokenOf('support-1', { scope: 'support' });

const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64');
const wire = (value: unknown) => ({
  metadata: { encoding: base64('json/plain') },
  data: base64(JSON.stringify(value)),
});

describe('The codec server', () => {
  let process: Process;
  let server: CodecServer;
  let close: () => Promise<void>;
  let away: Error | undefined;
  const api = useTestApi({
    codec: {
      uiUrl: `${UI}/`,
      server: {
        decode: (payloads) => (away ? Promise.reject(away) : server.decode(payloads)),
        encode: (payloads) => server.encode(payloads),
        ownersOf: (payloads) => server.ownersOf(payloads),
      },
    },
  });

  before('open a database', async function () {
    this.timeout(60_000);
    const db = await openEmbeddedDatabase();
    await migrate(db);
    process = await startProcess(db, [masterKey('m')]);
    server = createCodecServer(process.codec);
    close = async () => {
      await process.keys.close();
      await db.close();
    };
  });
  after(() => close());
  beforeEach(() => (away = undefined));

  const call = async (
    path: string,
    body: unknown,
    options: { token?: string; headers?: Record<string, string> } = {},
  ) => api().call('POST', path, { body, token: await supportToken(), ...options });
  const encrypted = async (value: unknown, owner: string = randomUUID()) => {
    const [payload] = await process.codec.encodeFor(owner, [payloadOf(value)]);
    const metadata = Object.entries(payload!.metadata!).map(([name, bytes]) => [name, base64(bytes)] as const);
    return { metadata: Object.fromEntries(metadata), data: base64(payload!.data!) };
  };

  it('decrypts for the scope support, and for admin, and says in the log who asked', async () => {
    const payloads = [await encrypted({ text: 'We sell shoes.' }), wire('plain'), await encrypted(7)];
    for (const token of [await supportToken(), await adminToken()]) {
      const { status, body } = await call(DECODE, { payloads }, { token, headers: { 'X-Namespace': 'prompts' } });
      assert.equal(status, 200);
      assert.deepEqual(body, { payloads: [wire({ text: 'We sell shoes.' }), wire('plain'), wire(7)] });
    }
    const line = api().logLines.find(({ msg }) => msg === 'payloads were converted for support');
    assert.deepEqual([line?.by, line?.verb, line?.payloads, line?.namespace], ['support-1', 'decode', 3, 'prompts']);
    assert.doesNotMatch(JSON.stringify(api().logLines), /shoes/);
  });

  it('leaves a line of each decoding for good, with who asked for how many, and whose, and none of what nobody read', async () => {
    const actions = async () => (await api().ledger.listActions({ cursor: undefined, limit: 9 }))!.actions;
    const shoes = await encrypted({ text: 'We sell shoes.' }, 'bob');
    const payloads = [wire('plain'), shoes, await encrypted('x', 'ann'), await encrypted('y', 'ann')];
    await call(DECODE, { payloads }, { headers: { 'X-Namespace': 'prompts', 'X-Request-Id': 'r-1' } });
    await call(DECODE, { payloads: [wire('plain')] });
    await call(ENCODE, { payloads });
    await call(DECODE, { payloads }, { token: await tokenOf('ann') });
    await call(DECODE, { payloads: 'x' });
    away = new Error('the database is away');
    await call(DECODE, { payloads });
    const lines = (await actions()).map(({ id, at, requestId, ...line }) => line);
    const line = { actor: 'support-1', action: 'decode_payloads', target: 'temporal' };
    assert.deepEqual(lines, [
      { ...line, details: { payloads: 1, namespace: null, owners: [] } },
      { ...line, details: { payloads: 4, namespace: 'prompts', owners: ['ann', 'bob'] } },
    ]);
    assert.equal((await actions())[1]?.requestId, 'r-1');
  });

  it('shows nothing where that line can not be written', async () => {
    api().ledger.outage = new Error('the database is away');
    const { status, body, text } = await call(DECODE, { payloads: [await encrypted('shoes'), wire('plain')] });
    assert.deepEqual([status, body.code], [503, 'unavailable']);
    assert.doesNotMatch(text, /payloads/);
  });

  it('refuses a namespace that Temporal can not have', async () => {
    const { status, body } = await call(DECODE, { payloads: [] }, { headers: { 'X-Namespace': 'x'.repeat(256) } });
    assert.deepEqual([status, body.code], [400, 'invalid_request']);
  });

  it('encrypts what the Web UI starts, and nothing that is not readable afterwards', async () => {
    const payloads = [wire({ owner: 'ann', manualPrompt: 'We sell shoes.' }), wire('x')];
    const { body } = await call(ENCODE, { payloads });
    assert.doesNotMatch(Buffer.from(JSON.stringify(body)).toString(), new RegExp(payloads[0]!.data));
    assert.deepEqual((await call(DECODE, body)).body, { payloads });
  });

  it('answers 403 to an owner, 401 to nobody', async () => {
    for (const path of [DECODE, ENCODE]) {
      const owner = await call(path, { payloads: [] }, { token: await tokenOf('ann') });
      assert.deepEqual([owner.status, owner.body.code], [403, 'insufficient_scope']);
      assert.equal(owner.headers.get('www-authenticate'), 'Bearer error="insufficient_scope", scope="support"');
      assert.match(owner.body.detail as string, /scope support/);
      assert.equal((await api().call('POST', path, { body: { payloads: [] } })).status, 401);
    }
  });

  it('refuses what is no list of payloads, in 400', async () => {
    const bad = [
      { payloads: 'x' },
      { payloads: [7] },
      { payloads: [{ data: '%%' }] },
      { payloads: [{ metadata: { a: 1 } }] },
      { payloads: [{ metadata: [] }] },
    ];
    for (const body of bad) {
      const answer = await call(DECODE, body);
      assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request'], JSON.stringify(body));
    }
    assert.equal((await call(DECODE, '{')).body.code, 'invalid_json');
    assert.equal((await call(DECODE, '[]')).body.code, 'invalid_json');
  });

  it('takes an empty list that is left out, as the CLI sends it for a schedule without arguments', async () => {
    const { status, body } = await call(DECODE, {});
    assert.deepEqual([status, body], [200, { payloads: [] }]);
  });

  it('says in a text what nobody can read, and 503 where the keys cannot be had', async () => {
    const garbage = { metadata: { encoding: base64('binary/encrypted'), 'encryption-key-id': base64('x') } };
    const { body } = await call(DECODE, { payloads: [garbage] });
    const [payload] = (body as { payloads: { data: string }[] }).payloads;
    assert.match(Buffer.from(payload!.data, 'base64').toString(), /^"\[unreadable: /);
    away = new Error('the database is away');
    const { status, headers } = await call(DECODE, { payloads: [garbage] });
    assert.equal(status, 503);
    assert.ok(Number(headers.get('retry-after')) > 0, 'it says when to try again');
  });

  it('takes the payloads of a page of history, up to 4 MiB', async () => {
    const large = { payloads: [{ data: base64(Buffer.alloc(2 * 1024 * 1024)) }] };
    assert.equal((await call(DECODE, large)).status, 200);
    const tooLarge = await call(DECODE, { payloads: [...large.payloads, ...large.payloads] });
    assert.deepEqual([tooLarge.status, tooLarge.body.code], [413, 'payload_too_large']);
    assert.match(tooLarge.body.detail as string, /4096 KiB/);
    const elsewhere = await call('/api/v1/web-knowledge/generate-prompt-async/', { manual_prompt: 'x'.repeat(65_536) });
    assert.match(elsewhere.body.detail as string, /64 KiB/);
  });

  const preflight = (origin: string, path = DECODE) =>
    fetch(api().url + path, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization,authorization-extras,content-type,x-namespace',
      },
    });

  it('may be called by pages of the Temporal Web UI', async () => {
    const { status, headers } = await preflight(UI);
    assert.equal(status, 204);
    assert.equal(headers.get('access-control-allow-origin'), UI);
    assert.equal(headers.get('access-control-allow-methods'), 'POST');
    const allowed = headers.get('access-control-allow-headers')?.toLowerCase().split(', ');
    assert.deepEqual(allowed, ['authorization', 'authorization-extras', 'content-type', 'x-namespace']);
    assert.equal(headers.get('vary'), 'Origin');
    for (const token of [await supportToken(), 'bad']) {
      const answer = await call(DECODE, { payloads: [] }, { token, headers: { Origin: UI } });
      assert.equal(answer.headers.get('access-control-allow-origin'), UI, `also with status ${answer.status}`);
      assert.equal(answer.headers.get('access-control-allow-credentials'), null);
    }
  });

  it('may be called by pages of nobody else, and nothing else by the Web UI', async () => {
    for (const origin of [
      'https://evil.example',
      'http://temporal.example',
      `${UI}:8443`,
      `${UI}.evil.example`,
      'null',
    ]) {
      const { status, headers } = await preflight(origin);
      assert.equal(status, 405, origin);
      assert.equal(headers.get('access-control-allow-origin'), null);
      const answer = await call(DECODE, { payloads: [] }, { headers: { Origin: origin } });
      assert.equal(answer.headers.get('access-control-allow-origin'), null, origin);
      assert.equal(answer.headers.get('vary'), 'Origin');
    }
    const { headers } = await preflight(UI, '/api/v1/account/');
    assert.equal(headers.get('access-control-allow-origin'), null);
  });
});

describe('The codec server of an API that knows no Web UI', () => {
  const api = useTestApi();

  it('may be called by no page, and gives back what is not encrypted', async () => {
    const answer = await api().call('POST', DECODE, {
      token: await supportToken(),
      headers: { Origin: UI },
      body: { payloads: [wire('plain')] },
    });
    assert.deepEqual(answer.body, { payloads: [wire('plain')] });
    assert.equal(answer.headers.get('access-control-allow-origin'), null);
  });
});

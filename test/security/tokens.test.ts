import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  SignJWT,
  type CryptoKey,
  type JWTHeaderParameters,
  type JWTPayload,
} from 'jose';
import { TestApi, useTestApi } from '../api/support/test-api.js';
import { SECRET, tokenOf, unsignedToken } from '../api/support/tokens.js';
import { startCanary, type Canary } from './support/canary.js';
import { sendRaw, statusOf } from './support/raw.js';

const OWN_ACCOUNT = '/api/v1/account/';
const inFiveMinutes = () => Math.floor(Date.now() / 1000) + 300;

/** Any header and claims, under a good HMAC of the given secret. */
function hmacToken(header: object, claims: JWTPayload, secret: string | Uint8Array = SECRET): string {
  const [head, body] = unsignedToken(header, claims).split('.');
  const signature = createHmac('sha256', secret).update(`${head!}.${body!}`).digest('base64url');
  return `${head!}.${body!}.${signature}`;
}

/** What a token may name as the place of its key. */
const KEY_NAMES = [
  '../../../../dev/null',
  '/etc/passwd',
  "' UNION SELECT 'secret' --",
  'http://127.0.0.1:1/key',
  '__proto__',
  'x'.repeat(1000),
  '\0',
];

describe('a token under a shared secret', () => {
  const api = useTestApi();
  const read = async (token: string) => {
    const { status, body } = await api().call('GET', OWN_ACCOUNT, { token });
    return status === 200 ? body.owner : body.code;
  };

  it('is not taken unsigned, however "none" is spelled', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', 'none ', ' none', '', null, undefined, ['none'], 0, true]) {
      const claims = { sub: 'acct-1', exp: inFiveMinutes() };
      assert.equal(await read(unsignedToken({ alg }, claims)), 'invalid_token', String(alg));
      assert.equal(await read(unsignedToken({ alg }, claims, 'AAAA')), 'invalid_token', String(alg));
      assert.equal(await read(hmacToken({ alg }, claims)), 'invalid_token', `${String(alg)}, with a good HMAC`);
    }
  });

  it('is verified with that secret, whatever key its kid names', async () => {
    const claims = { sub: 'acct-1', exp: inFiveMinutes() };
    for (const kid of KEY_NAMES) {
      const header = { alg: 'HS256', kid };
      for (const secret of ['', '\0', kid]) {
        assert.equal(await read(hmacToken(header, claims, secret)), 'invalid_token', `${kid} with "${secret}"`);
      }
      assert.equal(await read(hmacToken(header, claims)), 'acct-1', kid);
    }
  });

  it('is refused where it asks for what the service does not know, though well signed', async () => {
    const claims = { sub: 'acct-1', exp: inFiveMinutes() };
    for (const more of [
      { crit: ['exp'] },
      { crit: ['http://example.com/x'], 'http://example.com/x': 1 },
      { crit: [] },
      { crit: 'b64' },
      { b64: false, crit: ['b64'] },
    ]) {
      assert.equal(await read(hmacToken({ alg: 'HS256', ...more }, claims)), 'invalid_token', JSON.stringify(more));
    }
  });

  it('is refused where its times are no numbers or long past', async () => {
    for (const times of [{ exp: '9999999999' }, { exp: null }, { exp: 1 }, { exp: inFiveMinutes(), nbf: '0' }]) {
      assert.equal(await read(await tokenOf('acct-1', times)), 'invalid_token', JSON.stringify(times));
    }
  });

  it('is refused where its sub is none of the strings that are stored as they are', async () => {
    for (const sub of ['', null, 7, true, {}, { toString: 'acct-1' }, ['acct-1'], 'a\0b', '\ud800', 'x'.repeat(256)]) {
      assert.equal(await read(await tokenOf('', { sub })), 'invalid_token', JSON.stringify(sub));
    }
  });

  it('names its owner to the letter: no two of them are one account', async () => {
    for (const owner of [
      'acct-1',
      'ACCT-1',
      ' acct-1',
      'acct-1 ',
      'acct-1\n',
      'acct–1',
      'a/../b',
      '%61',
      '__proto__',
    ]) {
      assert.equal(await read(await tokenOf(owner)), owner);
    }
  });

  it('is refused where it is huge, before anything is made of it', async () => {
    const huge = hmacToken({ alg: 'HS256' }, { sub: 'acct-1', exp: inFiveMinutes(), padding: 'x'.repeat(9_000) });
    assert.equal(await read(huge), 'invalid_token');
    const header = `Authorization: Bearer ${'x'.repeat(1_000_000)}`;
    const answer = await sendRaw(api().url, `GET ${OWN_ACCOUNT} HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`);
    assert.ok([0, 431].includes(statusOf(answer)), answer.slice(0, 100));
  });

  it('is refused where two are sent, whichever is good', async () => {
    const good = `Authorization: Bearer ${await tokenOf('acct-1')}\r\n`;
    const other = `Authorization: Bearer ${await tokenOf('acct-2')}\r\n`;
    for (const headers of [good + other, other + good, good + good, `${good}Authorization: Basic eDp5\r\n`]) {
      const request = `GET ${OWN_ACCOUNT} HTTP/1.1\r\nHost: x\r\n${headers}Connection: close\r\n\r\n`;
      const answer = await sendRaw(api().url, request);
      assert.equal(statusOf(answer), 401);
      assert.match(answer, /"code":"invalid_token"/);
    }
  });

  it('is no admin by anything but the word admin in its scope', async () => {
    const path = '/api/v1/admin/accounts/acct-1/';
    for (const claims of [
      ...[
        'admin,',
        'ADMIN',
        'Admin',
        'admin\0',
        'admin\t',
        'admin\nadmin',
        'xadmin',
        'admins',
        'admin:read',
        '*',
        '"admin"',
      ].map((scope) => ({ scope })),
      { scope: ['admin'] },
      { scope: { admin: true } },
      { scope: true },
      { scp: 'admin' },
      { scopes: ['admin'], roles: ['admin'], role: 'admin', admin: true },
    ]) {
      const { status, body } = await api().call('GET', path, { token: await tokenOf('acct-1', claims) });
      assert.deepEqual([status, body.code], [403, 'insufficient_scope'], JSON.stringify(claims));
    }
  });
});

describe('a token under a JWKS', () => {
  let issuer: Server;
  let asked = 0;
  let api: TestApi;
  let canary: Canary;
  let keys: { privateKey: CryptoKey; publicKey: CryptoKey };
  let stranger: { privateKey: CryptoKey; publicKey: CryptoKey };
  /** Set: the issuer redirects there. */
  let redirectTo: string | undefined;

  beforeEach(async () => {
    asked = 0;
    redirectTo = undefined;
    canary = await startCanary();
    [keys, stranger] = await Promise.all([
      generateKeyPair('RS256', { extractable: true }),
      generateKeyPair('RS256', { extractable: true }),
    ]);
    const jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] };
    issuer = createServer((_, response) => {
      asked += 1;
      if (redirectTo === undefined) response.end(JSON.stringify(jwks));
      else response.writeHead(302, { Location: redirectTo }).end();
    });
    issuer.listen(0, '127.0.0.1');
    await once(issuer, 'listening');
    const { port } = issuer.address() as AddressInfo;
    api = new TestApi({ auth: { kind: 'jwks', url: `http://127.0.0.1:${port}/jwks.json` } });
    await api.listen();
  });

  afterEach(async () => {
    await api.close();
    issuer.closeAllConnections();
    issuer.close();
    await canary.stop();
  });

  const sign = (header: Partial<JWTHeaderParameters>, key: CryptoKey) =>
    new SignJWT({ sub: 'acct-1', exp: inFiveMinutes() }).setProtectedHeader({ alg: 'RS256', ...header }).sign(key);
  const read = async (token: string) => {
    const { status, body } = await api.call('GET', OWN_ACCOUNT, { token });
    return status === 200 ? body.owner : body.code;
  };

  it('is not taken where its signature is an HMAC under the public key, however that is written', async () => {
    const spki = await exportSPKI(keys.publicKey);
    const der = Buffer.from(spki.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    const jwk = await exportJWK(keys.publicKey);
    const secrets = [spki, `${spki}\n`, spki.trim(), der, JSON.stringify(jwk), Buffer.from(jwk.n!, 'base64url'), ''];
    for (const secret of secrets) {
      const token = hmacToken({ alg: 'HS256', kid: 'k1' }, { sub: 'acct-1', exp: inFiveMinutes() }, secret);
      assert.equal(await read(token), 'invalid_token');
    }
  });

  it('brings no key of its own and names no place to get one: nobody but the issuer is asked', async () => {
    const jwk = await exportJWK(stranger.publicKey);
    const headers: Partial<JWTHeaderParameters>[] = [
      { jwk },
      { jku: `${canary.url}/jwks.json` },
      { x5u: `${canary.url}/cert.pem` },
      { x5c: ['MIIB'] },
      { jwk, jku: `${canary.url}/jwks.json`, x5u: `${canary.url}/cert.pem`, kid: 'k1' },
      { kid: `${canary.url}/key` },
    ];
    for (const header of headers) {
      assert.equal(await read(await sign(header, stranger.privateKey)), 'invalid_token', JSON.stringify(header));
    }
    assert.equal(await read(await sign({ jku: `${canary.url}/x`, kid: 'k1' }, keys.privateKey)), 'acct-1');
    assert.deepEqual(canary.requests, []);
  });

  it('makes the issuer be asked once, not for each unknown kid', async () => {
    for (const kid of KEY_NAMES) assert.equal(await read(await sign({ kid }, stranger.privateKey)), 'invalid_token');
    assert.equal(asked, 1);
  });

  it('is not verified by keys that a redirect leads to: that is 503', async () => {
    redirectTo = `${canary.url}/jwks.json`;
    assert.equal(await read(await sign({ kid: 'k1' }, keys.privateKey)), 'unavailable');
    assert.deepEqual(canary.requests, []);
  });

  it('is not taken where its signature is empty, all zeros or of another algorithm', async () => {
    const claims = { sub: 'acct-1', exp: inFiveMinutes() };
    const zeros = (bytes: number) => Buffer.alloc(bytes).toString('base64url');
    for (const [alg, signature] of [
      ['RS256', ''],
      ['RS256', zeros(256)],
      ['ES256', zeros(64)],
      ['EdDSA', zeros(64)],
      ['PS256', zeros(256)],
      ['none', ''],
    ] as const) {
      assert.equal(await read(unsignedToken({ alg, kid: 'k1' }, claims, signature)), 'invalid_token', alg);
    }
  });
});

import assert from 'node:assert/strict';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { eventually } from '../support/eventually.js';
import { TestApi, useTestApi } from './support/test-api.js';
import { adminToken, SECRET, tokenOf, unsignedToken } from './support/tokens.js';

const OWN_ACCOUNT = '/api/v1/account/';
const now = () => Math.floor(Date.now() / 1000);

describe('authentication by a shared secret', () => {
  const api = useTestApi();
  const readAccount = (token: string) => api().call('GET', OWN_ACCOUNT, { token });

  it('takes the owner from sub', async () => {
    assert.equal((await readAccount(await tokenOf('acct-1'))).body.owner, 'acct-1');
  });

  it('says 401 where no token is sent, on every route that is not public', async () => {
    const guarded = api().routes.filter((route) => route.access !== 'public');
    assert.equal(guarded.length, 28);
    for (const { method, path } of guarded) {
      const answer = await api().call(method.toUpperCase(), path.replace(/\{\w+\}/, 'x'));
      assert.equal(answer.status, 401, `${method} ${path}`);
      assert.equal(answer.body.code, 'unauthorized');
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
    }
  });

  it('says 403 where the scope is missing, on every route for admins', async () => {
    const forAdmins = api().routes.filter((route) => route.access === 'admin');
    assert.equal(forAdmins.length, 8);
    for (const scope of [undefined, '', 'support', 'administrator', 'x admin-y', ['admin']]) {
      const token = await tokenOf('acct-1', { scope });
      for (const { method, path } of forAdmins) {
        const answer = await api().call(method.toUpperCase(), path.replace(/\{\w+\}/, 'x'), { token });
        assert.equal(answer.status, 403, `${method} ${path}`);
        assert.equal(answer.body.code, 'insufficient_scope');
        assert.equal(answer.headers.get('www-authenticate'), 'Bearer error="insufficient_scope", scope="admin"');
      }
    }
  });

  it('takes a token that expired or begins within the clock tolerance', async () => {
    assert.equal((await readAccount(await tokenOf('acct-1', { exp: now() - 2, nbf: now() + 2 }))).status, 200);
  });

  it('takes a token that it knows no longer than any other', async () => {
    const token = await tokenOf('acct-1', { exp: now() + 1 });
    assert.equal((await readAccount(token)).status, 200);
    assert.equal((await readAccount(token)).status, 200, 'by memory');
    await eventually(async () => {
      assert.equal((await readAccount(token)).status, 401);
    });
  });

  it('leaves other schemes than Bearer alone: no token was sent', async () => {
    const { status, body } = await api().call('GET', OWN_ACCOUNT, { headers: { Authorization: 'Basic eDp5' } });
    assert.deepEqual([status, body.code], [401, 'unauthorized']);
  });

  const bad: Record<string, () => string | Promise<string>> = {
    'is empty': () => '',
    'is no JWT': () => 'abc',
    'is three dots': () => '...',
    'has a header that is no JSON': () => 'YQ.YQ.YQ',
    'is expired': () => tokenOf('acct-1', { exp: now() - 60 }),
    'is not valid yet': () => tokenOf('acct-1', { nbf: now() + 60 }),
    'is signed with another secret': () => tokenOf('acct-1', {}, `another ${SECRET}`),
    'is unsigned': () => unsignedToken({ alg: 'none' }, { sub: 'acct-1' }),
    'is unsigned, spelled otherwise': () => unsignedToken({ alg: 'NONE' }, { sub: 'acct-1' }),
    'has no signature': async () => (await tokenOf('acct-1')).replace(/\.[^.]+$/, '.'),
    'has other claims than were signed': async () => {
      const [header, , signature] = (await tokenOf('acct-1')).split('.');
      return `${header!}.${Buffer.from('{"sub":"acct-2"}').toString('base64url')}.${signature!}`;
    },
    'is signed by another HMAC': async () =>
      new SignJWT({ sub: 'acct-1' }).setProtectedHeader({ alg: 'HS512' }).sign(new TextEncoder().encode(SECRET)),
    'has no sub': () => tokenOf('', { sub: undefined }),
    'has an empty sub': () => tokenOf(''),
    'has a sub that is no string': () => tokenOf('', { sub: 7 }),
    'has a sub of 256 characters': () => tokenOf('x'.repeat(256)),
    'has a sub no database stores': () => tokenOf('a\0b'),
    'is larger than 8 KB': () => tokenOf('acct-1', { padding: 'x'.repeat(8 * 1024) }),
    'asks for an extension': () => unsignedToken({ alg: 'HS256', crit: ['exp'] }, { sub: 'acct-1' }, 'YQ'),
  };
  for (const [what, make] of Object.entries(bad)) {
    it(`refuses a token that ${what}`, async () => {
      const answer = await readAccount(await make());
      assert.equal(answer.status, 401);
      assert.equal(answer.body.code, 'invalid_token');
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer error="invalid_token"');
    });
  }

  it('never logs a token', async () => {
    const token = await adminToken();
    await readAccount(token);
    await readAccount(`${token}x`);
    assert.ok(api().logLines.length >= 2);
    assert.ok(!JSON.stringify(api().logLines).includes(token.slice(0, 30)));
  });
});

describe('authentication with an issuer and an audience', () => {
  const auth = { kind: 'secret', secret: SECRET, issuer: 'https://id.example', audience: 'prompts' } as const;
  const api = useTestApi({ auth });

  it('asks for both', async () => {
    const statusOf = async (claims: JWTPayload) =>
      (await api().call('GET', OWN_ACCOUNT, { token: await tokenOf('acct-1', claims) })).status;
    assert.equal(await statusOf({ iss: 'https://id.example', aud: ['other', 'prompts'] }), 200);
    assert.equal(await statusOf({ iss: 'https://id.example' }), 401);
    assert.equal(await statusOf({ aud: 'prompts' }), 401);
    assert.equal(await statusOf({ iss: 'https://evil.example', aud: 'prompts' }), 401);
  });
});

describe('authentication by a JWKS', () => {
  let issuer: Server;
  let jwks: object | undefined;
  let api: TestApi;
  let keys: { privateKey: CryptoKey; publicKey: CryptoKey };

  beforeEach(async () => {
    keys = await generateKeyPair('RS256', { extractable: true });
    jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] };
    issuer = createServer((_, response) => {
      if (jwks) response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(jwks));
      else response.writeHead(500).end();
    });
    issuer.listen(0, '127.0.0.1');
    await once(issuer, 'listening');
    const { port } = issuer.address() as AddressInfo;
    api = new TestApi({ auth: { kind: 'jwks', url: `http://127.0.0.1:${port}/jwks.json` } });
    await api.listen();
  });

  afterEach(async () => {
    await api.close();
    issuer.close();
    issuer.closeAllConnections();
  });

  const sign = (kid = 'k1', key = keys.privateKey) =>
    new SignJWT({ sub: 'acct-1', exp: now() + 300 }).setProtectedHeader({ alg: 'RS256', kid }).sign(key);
  const readAccount = (token: string) => api.call('GET', OWN_ACCOUNT, { token });

  it('takes a token signed with one of its keys', async () => {
    const { status, body } = await readAccount(await sign());
    assert.deepEqual([status, body.owner], [200, 'acct-1']);
  });

  it('refuses an unknown key, another key under a known name, and no signature', async () => {
    const other = await generateKeyPair('RS256');
    assert.equal((await readAccount(await sign('k2'))).status, 401);
    assert.equal((await readAccount(await sign('k1', other.privateKey))).status, 401);
    assert.equal((await readAccount(unsignedToken({ alg: 'none', kid: 'k1' }, { sub: 'acct-1' }))).status, 401);
  });

  it('refuses a token that takes the public key for a secret', async () => {
    const publicKey = await exportSPKI(keys.publicKey);
    const confused = await new SignJWT({ sub: 'acct-1' })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(new TextEncoder().encode(publicKey));
    assert.equal((await readAccount(confused)).body.code, 'invalid_token');
  });

  it('says 503, not 401, where the keys cannot be had: the token may be good', async () => {
    for (const broken of [undefined, { keys: 'none' }]) {
      jwks = broken;
      const answer = await readAccount(await sign());
      assert.equal(answer.status, 503);
      assert.equal(answer.body.code, 'unavailable');
      assert.ok(Number(answer.headers.get('retry-after')) > 0);
    }
    issuer.close();
    issuer.closeAllConnections();
    assert.equal((await readAccount(await sign())).status, 503);
  });
});

describe('a shared secret and a public key', () => {
  const api = useTestApi();

  it('are never mixed up: RS256 is refused where a secret is set', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const token = await new SignJWT({ sub: 'acct-1' }).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
    assert.equal((await api().call('GET', OWN_ACCOUNT, { token })).body.code, 'invalid_token');
  });
});

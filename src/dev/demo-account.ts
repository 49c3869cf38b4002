import { randomBytes } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import type { AuthConfig } from '../config.js';
import type { Ledger } from '../ledger/types.js';

/** Whom the page and the curl line of `npm start` call as. */
export const DEMO_OWNER = 'demo';
const DEMO_TOKENS = 100_000;
/** No admin: the program itself, at its start. */
const BY = { actor: 'the start of the program', requestId: null };
const TOKEN_LIFETIME = '30d';

/** The secret of this data folder, made at its first start: whoever reads it can sign any token. */
export async function embeddedAuth(dataDir: string): Promise<Extract<AuthConfig, { kind: 'secret' }>> {
  const path = join(dataDir, 'auth-secret');
  try {
    await writeFile(path, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    await chmod(path, 0o600);
  }
  return { kind: 'secret', secret: (await readFile(path, 'utf8')).trim() };
}

/** A token that the service takes, valid for 30 days. `scope` is space-separated. */
export function signToken(
  { secret, issuer, audience }: Extract<AuthConfig, { kind: 'secret' }>,
  owner: string,
  scope?: string,
): Promise<string> {
  const token = new SignJWT(scope === undefined ? {} : { scope })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(owner)
    .setIssuedAt()
    .setExpirationTime(TOKEN_LIFETIME);
  if (issuer !== undefined) token.setIssuer(issuer);
  if (audience !== undefined) token.setAudience(audience);
  return token.sign(new TextEncoder().encode(secret));
}

/** The embedded way to sign in: a secret of this data folder, and a demo account with a token for the page and curl. */
export async function openDemo(ledger: Ledger, dataDir: string): Promise<{ auth: AuthConfig; demoToken: string }> {
  const auth = await embeddedAuth(dataDir);
  await openDemoAccount(ledger);
  return { auth, demoToken: await signToken(auth, DEMO_OWNER) };
}

/** Opens the demo account with a subscription and tokens, once: what was spent or changed since stays so. */
export async function openDemoAccount(ledger: Ledger, tokens = DEMO_TOKENS): Promise<void> {
  if (!(await ledger.getAccount(DEMO_OWNER))) {
    await ledger.putAccount(DEMO_OWNER, { businessType: 'Online shop', subscription: { status: 'active' } }, BY);
  }
  await ledger.grant({ owner: DEMO_OWNER, tokens, reason: 'Welcome to the demo', key: 'welcome', by: BY });
}

import { SignJWT } from 'jose';
import type { AuthConfig } from '../config.js';
import { DEMO_OWNER, openDemoAccount } from '../dev/demo-account.js';
import type { Ledger } from '../ledger/types.js';

/**
 * Signs the simulator's tokens where AUTH_* names nothing else. Everybody knows it and it guards nothing: so a token
 * stays good from start to start, and a team can keep one in its .env. The service never takes it by itself.
 */
const PUBLIC_SECRET = 'the public secret of the simulator: it guards nothing';

/** Enough for thousands of generations between two starts. */
const TOKENS = 1_000_000;

/** How callers are verified, and the token that page and curl line use: none where callers bring tokens of their own. */
export async function openSignIn(
  ledger: Ledger,
  given: AuthConfig | undefined,
): Promise<{ auth: AuthConfig; token: string | null }> {
  if (given) return { auth: given, token: null };
  await openDemoAccount(ledger, TOKENS);
  // Without a time in it, so that it is the same at each start and never expires.
  const token = await new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(DEMO_OWNER)
    .sign(new TextEncoder().encode(PUBLIC_SECRET));
  return { auth: { kind: 'secret', secret: PUBLIC_SECRET }, token };
}

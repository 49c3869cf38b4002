import { SignJWT, type JWTPayload } from 'jose';

export const SECRET = 'a secret of the tests, 32 characters or more';

/** A token of an owner, valid for five minutes unless its claims say otherwise. */
export function tokenOf(owner: string, claims: Record<string, unknown> = {}, secret = SECRET): Promise<string> {
  const inFiveMinutes = Math.floor(Date.now() / 1000) + 300;
  return new SignJWT({ sub: owner, exp: inFiveMinutes, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret));
}

/** A token of somebody who may administer accounts. */
export const adminToken = (): Promise<string> => tokenOf('support-1', { scope: 'support admin' });

/** A token put together by hand: a header, claims, and whatever stands in for a signature. */
export function unsignedToken(header: object, claims: JWTPayload, signature = ''): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode(header)}.${encode(claims)}.${signature}`;
}

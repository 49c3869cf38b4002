import { createSecretKey } from 'node:crypto';
import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey, type JWTVerifyOptions } from 'jose';
import { LRUCache } from 'lru-cache';
import type { AuthConfig } from '../config.js';
import { ApiError } from './api-error.js';
import { Owner } from './owner.js';

const MAX_TOKEN_CHARS = 8 * 1024;
/**
 * Tokens whose signature need not be looked at again at each poll, and for how long: a key that is withdrawn from the JWKS
 * counts that much longer.
 */
const VERIFIED_KEPT = 10_000;
const VERIFIED_TTL_MS = 60_000;
const CLOCK_TOLERANCE_SECONDS = 5;

/** A JWKS may hold keys of these only: a public key taken for an HMAC secret would let anyone sign. */
const ASYMMETRIC_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** Who a token was made for. */
export interface Bearer {
  owner: string;
  scopes: ReadonlySet<string>;
}

/** Throws an ApiError: `invalid_token` where the token is no good, `unavailable` where that can't be found out. */
export type VerifyToken = (token: string) => Promise<Bearer>;

/** Verifies tokens as the settings say: by a shared secret (HS256 only) or by the keys of a JWKS. */
export function createTokenVerifier(auth: AuthConfig): VerifyToken {
  const options: JWTVerifyOptions = {
    algorithms: auth.kind === 'secret' ? ['HS256'] : ASYMMETRIC_ALGORITHMS,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    ...(auth.issuer === undefined ? {} : { issuer: auth.issuer }),
    ...(auth.audience === undefined ? {} : { audience: auth.audience }),
  };
  const key = auth.kind === 'secret' ? createSecretKey(auth.secret, 'utf8') : remoteKeys(auth.url);

  const verified = new LRUCache<string, Bearer>({ max: VERIFIED_KEPT });

  return async function verifyToken(token) {
    const known = verified.get(token);
    if (known) return known;
    if (token.length > MAX_TOKEN_CHARS) throw new ApiError('invalid_token');
    const { payload } = await jwtVerify(token, key, options).catch((error: unknown) => {
      throw error instanceof errors.JOSEError ? new ApiError('invalid_token') : error;
    });
    const owner = Owner.safeParse(payload.sub);
    if (!owner.success) throw new ApiError('invalid_token');
    const { scope, exp } = payload;
    const bearer = { owner: owner.data, scopes: new Set(typeof scope === 'string' ? scope.split(' ') : []) };
    const leftMs = exp === undefined ? VERIFIED_TTL_MS : exp * 1_000 - Date.now();
    // Its last seconds, within the tolerance, are judged anew each time.
    if (leftMs > 0) verified.set(token, bearer, { ttl: Math.min(leftMs, VERIFIED_TTL_MS) });
    return bearer;
  };
}

/** Keys of a JWKS. One that can't be fetched says nothing about the token: that is 503, not 401. */
function remoteKeys(url: string): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(url));
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (isAboutTheToken(error)) throw error;
      throw new ApiError('unavailable', { cause: error });
    }
  };
}

const isAboutTheToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported;

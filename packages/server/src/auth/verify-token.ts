import { createSecretKey } from 'node:crypto';
import { ID_MAX_LENGTH, isWellFormed, RollcallError, TOKEN_MAX_LENGTH } from '@rollcall/protocol';
import { createRemoteJWKSet, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { claimsOfOrdinary } from './hs256.js';

/** What a good token says. Rights follow from the database, never from these claims. */
export interface Identity {
  readonly uid: string;
  /** Milliseconds since the epoch; null for a token that doesn't expire. */
  readonly expires_at: number | null;
  readonly claims: { readonly name: string | null; readonly email: string | null; readonly role: string | null };
}

export type VerifyToken = (token: string) => Promise<Identity>;

export interface VerifyOptions {
  /** Key of HS256 tokens; null where only the identity provider's count. */
  readonly secret: string | null;
  readonly jwks: { readonly url: string; readonly issuer: string | null; readonly audience: string | null } | null;
}

/** The algorithm says which key may be used, never the other way round: so a public key can't pass for a secret. */
const SECRET_ALGORITHMS = ['HS256'];
const JWKS_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** The last moment that ISO 8601 writes with four digits of year; an expiry may be any number. */
const DATE_MAX_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The keys can't be had right now; the token may be good. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

const invalid = (cause?: unknown): RollcallError =>
  new RollcallError('UNAUTHENTICATED', { message: 'Invalid token', cause });

/**
 * Makes the verifier of access tokens. It rejects with RollcallError UNAUTHENTICATED `Invalid token` for any token
 * that isn't good, and with KeysUnavailable when the identity provider's keys can't be fetched.
 */
export function tokenVerifier({ secret, jwks }: VerifyOptions): VerifyToken {
  // A KeyObject: importing a string secret anew for each token costs some twenty times the verification.
  const secretKey = secret === null ? undefined : createSecretKey(Buffer.from(secret, 'utf8'));
  const keys = jwks === null ? undefined : createRemoteJWKSet(new URL(jwks.url));
  const expected = {
    ...(jwks?.issuer ? { issuer: jwks.issuer } : {}),
    ...(jwks?.audience ? { audience: jwks.audience } : {}),
  };

  async function claimsOf(token: string): Promise<JWTPayload> {
    const ordinary = secretKey && claimsOfOrdinary(token, secretKey);
    if (ordinary) return ordinary;
    const { alg = '' } = decodeProtectedHeader(token);
    if (secretKey && SECRET_ALGORITHMS.includes(alg)) {
      return (await jwtVerify(token, secretKey, { algorithms: SECRET_ALGORITHMS })).payload;
    }
    if (keys && JWKS_ALGORITHMS.includes(alg)) {
      return (await jwtVerify(token, keys, { algorithms: JWKS_ALGORITHMS, ...expected })).payload;
    }
    throw invalid();
  }

  return async (token) => {
    if (token.length > TOKEN_MAX_LENGTH) throw invalid();
    let claims: JWTPayload;
    try {
      claims = await claimsOf(token);
    } catch (error) {
      if (keysFailed(error)) throw new KeysUnavailable('The keys at JWKS_URL could not be read', { cause: error });
      throw error instanceof RollcallError ? error : invalid(error);
    }
    const uid = claims['uid'] ?? claims.sub;
    if (typeof uid !== 'string' || uid.length < 1 || uid.length > ID_MAX_LENGTH || !isWellFormed(uid)) throw invalid();
    return {
      uid,
      expires_at: claims.exp === undefined ? null : Math.min(claims.exp * 1000, DATE_MAX_MS),
      claims: { name: text(claims['name']), email: text(claims['email']), role: text(claims['role']) },
    };
  };
}

/** Cut to what a name may be long; half a character, cut off or sent so, can't be stored. */
const text = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value.slice(0, 256).replace(/\p{Surrogate}/gu, '\ufffd') : null;

/** jose reports a token's faults by classes of its own; a key set that can't be had is something else. */
function keysFailed(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  if (error instanceof errors.JOSEError) return error.code === 'ERR_JOSE_GENERIC';
  return error instanceof TypeError && error.message.includes('fetch failed');
}

import { createSecretKey, type KeyObject } from 'node:crypto';
import { ID_MAX_LENGTH, isWellFormed, RollcallError, TOKEN_MAX_LENGTH } from '@rollcall/protocol';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { OWN_ISSUER } from './access-token.js';
import { claimsOfOrdinary, LEEWAY_SECONDS } from './hs256.js';
import { type KeysWatcher, ProviderKeys } from './provider-keys.js';

/** What a good token says. Rights follow from the database, never from these claims. */
export interface Identity {
  /** Names the user: their uid, or what TOKEN_UID_CLAIM holds. */
  readonly uid: string;
  /** Milliseconds since the epoch; null for a token that doesn't expire. */
  readonly expires_at: number | null;
  /** The web session that the token is of; null for a token that Rollcall's own sign-in hasn't made. */
  readonly sid: string | null;
  readonly claims: { readonly name: string | null; readonly email: string | null; readonly role: string | null };
}

export type VerifyToken = (token: string) => Promise<Identity>;

export interface VerifyOptions {
  /** Key of HS256 tokens; null where only the identity provider's count. */
  readonly secret: string | null;
  /** Was the key before: its tokens still count. */
  readonly oldSecret: string | null;
  /** Where there is no `secret`, the key of the access tokens of web sessions; no other token counts by it. */
  readonly accessKey?: string | null;
  /** True for a web session that was closed: its access tokens are refused. */
  readonly isClosed?: (sid: string) => boolean;
  /** The claim of HS256 tokens that names the user; null: `uid`, else `sub`. */
  readonly uidClaim: string | null;
  readonly jwks: { readonly url: string; readonly issuer: string | null; readonly audience: string | null } | null;
}

/** The algorithm says which key may be used, never the other way round: so a public key can't pass for a secret. */
const SECRET_ALGORITHMS = ['HS256'];
export const JWKS_ALGORITHMS = [
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

const invalid = (cause?: unknown): RollcallError =>
  new RollcallError('UNAUTHENTICATED', { message: 'Invalid token', cause });

/**
 * Makes the verifier of access tokens. It rejects with RollcallError UNAUTHENTICATED `Invalid token` for any token
 * that isn't good, and KEYS_UNAVAILABLE when the identity provider's keys can't be had. The times of a token are
 * judged with 5 s of leeway, since the clocks of who made it and of this machine differ.
 * @param now the clock that judges them, ms since the epoch: that by which everything else is judged
 */
export function tokenVerifier(options: VerifyOptions, watcher: KeysWatcher, now: () => number = Date.now): VerifyToken {
  const { secret, oldSecret, uidClaim, jwks, accessKey = null, isClosed = () => false } = options;
  // KeyObjects: importing a string secret anew for each token costs some twenty times the verification.
  const secretKeys = [secret ?? accessKey, oldSecret]
    .filter((text) => text !== null)
    .map((text) => createSecretKey(Buffer.from(text, 'utf8')));
  const keys = jwks === null ? undefined : new ProviderKeys(jwks.url, watcher);
  const expected = {
    ...(jwks?.issuer ? { issuer: jwks.issuer } : {}),
    ...(jwks?.audience ? { audience: jwks.audience } : {}),
  };

  /** The claims, and what names the user among them. */
  async function claimsOf(token: string): Promise<Claims> {
    const ordinary = claimsOfAny(token, secretKeys, now());
    if (ordinary) return ofOwn(ordinary);
    const { alg = '' } = decodeProtectedHeader(token);
    if (secretKeys.length > 0 && SECRET_ALGORITHMS.includes(alg))
      return ofOwn(await verifyByAny(token, secretKeys, now()));
    if (keys && JWKS_ALGORITHMS.includes(alg)) {
      const how = { algorithms: JWKS_ALGORITHMS, ...judgedAt(now()), ...expected };
      const { payload } = await jwtVerify(token, keys.keyOf, how);
      return { claims: payload, uid: payload['uid'] ?? payload.sub, sid: null };
    }
    throw invalid();
  }

  function ofOwn(claims: JWTPayload): Claims {
    const { iss, sid } = claims;
    if (iss === OWN_ISSUER && typeof sid === 'string') return { claims, uid: claims['uid'], sid };
    // By the installation's key the tokens of web sessions alone are good.
    if (secret === null && oldSecret === null) throw invalid();
    if (uidClaim === null) return { claims, uid: claims['uid'] ?? claims.sub, sid: null };
    const named = Object.hasOwn(claims, uidClaim) ? claims[uidClaim] : undefined;
    // An app whose database counts its users has numbers for ids.
    return { claims, uid: Number.isSafeInteger(named) ? String(named) : named, sid: null };
  }

  return async (token) => {
    if (token.length > TOKEN_MAX_LENGTH) throw invalid();
    const { claims, uid, sid } = await claimsOf(token).catch((error: unknown) => {
      throw error instanceof RollcallError ? error : invalid(error);
    });
    if (!isUid(uid)) throw invalid();
    if (sid !== null && isClosed(sid)) throw invalid();
    return {
      uid,
      sid,
      expires_at: claims.exp === undefined ? null : endOf(claims.exp * 1000, now()),
      claims: { name: text(claims['name']), email: text(claims['email']), role: text(claims['role']) },
    };
  };
}

interface Claims {
  readonly claims: JWTPayload;
  /** What names the user. */
  readonly uid: unknown;
  /** The web session, of one of Rollcall's own. */
  readonly sid: string | null;
}

/** True for what can name a user. */
export const isUid = (uid: unknown): uid is string =>
  typeof uid === 'string' && uid.length >= 1 && uid.length <= ID_MAX_LENGTH && isWellFormed(uid);

/** Who comes with a token of the last seconds has what is left of the leeway. */
function endOf(expiry: number, now: number): number {
  return Math.min(expiry > now ? expiry : expiry + LEEWAY_SECONDS * 1000, DATE_MAX_MS);
}

const judgedAt = (now: number) => ({ clockTolerance: LEEWAY_SECONDS, currentDate: new Date(now) });

function claimsOfAny(token: string, keys: readonly KeyObject[], now: number): JWTPayload | undefined {
  for (const key of keys) {
    const claims = claimsOfOrdinary(token, key, now);
    if (claims) return claims;
  }
  return undefined;
}

async function verifyByAny(token: string, keys: readonly KeyObject[], now: number): Promise<JWTPayload> {
  let refusal: unknown;
  for (const key of keys) {
    try {
      const how = { algorithms: SECRET_ALGORITHMS, ...judgedAt(now) };
      return (await jwtVerify(token, key, how)).payload;
    } catch (error) {
      refusal = error;
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
    }
  }
  throw refusal;
}

/** Cut to what a name may be long; half a character, cut off or sent so, can't be stored. */
const text = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value.slice(0, 256).replace(/\p{Surrogate}/gu, '\ufffd') : null;

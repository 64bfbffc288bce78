import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { JWTPayload } from 'jose';

/** By how many seconds a token may be too early or too late: the clocks of two machines are never quite the same. */
export const LEEWAY_SECONDS = 5;

/** The headers that libraries write for HS256. None has `crit`, and none names another algorithm. */
const HEADERS: ReadonlySet<string> = new Set(
  ['{"alg":"HS256"}', '{"alg":"HS256","typ":"JWT"}', '{"typ":"JWT","alg":"HS256"}'].map((header) =>
    Buffer.from(header).toString('base64url'),
  ),
);
/** Header, claims and the 32 bytes of the signature, in base64url without padding. */
const ORDINARY = /^([\w-]+)\.([\w-]+)\.([\w-]{43})$/;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The claims of an ordinary and good HS256 token, without the job on another thread that WebCrypto makes of each
 * signature. It refuses nothing: whatever is out of the ordinary is for jose to judge, which accepts all that is
 * accepted here.
 * @param now ms since the epoch, by the clock that judges the token's times
 * @returns undefined where jose has to be asked
 */
export function claimsOfOrdinary(token: string, key: KeyObject, now = Date.now()): JWTPayload | undefined {
  const [, header = '', claims = '', signature = ''] = ORDINARY.exec(token) ?? [];
  // One character over is no byte: what is left of it jose refuses.
  if (!HEADERS.has(header) || claims.length % 4 === 1) return undefined;
  const expected = createHmac('sha256', key).update(`${header}.${claims}`).digest();
  if (!timingSafeEqual(expected, Buffer.from(signature, 'base64url'))) return undefined;
  const payload = jsonOf(claims);
  return isInForce(payload, now) ? payload : undefined;
}

function jsonOf(encoded: string): unknown {
  try {
    return JSON.parse(utf8.decode(Buffer.from(encoded, 'base64url')));
  } catch {
    return undefined;
  }
}

/** The times are compared in whole seconds, as jose has them. */
function isInForce(payload: unknown, at: number): payload is JWTPayload {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return false;
  const { exp, nbf, iat } = payload as Record<string, unknown>;
  if (![exp, nbf, iat].every((time) => time === undefined || typeof time === 'number')) return false;
  const now = Math.floor(at / 1000);
  if (exp !== undefined && Number(exp) <= now - LEEWAY_SECONDS) return false;
  return nbf === undefined || Number(nbf) <= now + LEEWAY_SECONDS;
}

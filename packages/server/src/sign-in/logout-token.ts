import { RollcallError } from '@rollcall/protocol';
import { jwtVerify } from 'jose';
import { ProviderKeys } from '../auth/provider-keys.js';
import { JWKS_ALGORITHMS } from '../auth/verify-token.js';
import type { SignIns } from '../storage/port.js';
import { hashOf } from './secrets.js';

export interface LogoutTokenOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly jwksUri: string;
  readonly signIn: SignIns;
  /** Ms since the epoch. */
  readonly now: () => number;
}

/** Who is logged out: a session of the provider, or all of a person. */
export interface LoggedOut {
  readonly sub: string | undefined;
  readonly sid: string | undefined;
}

export interface LogoutTokens {
  /** @throws {RollcallError} BAD_REQUEST for a token that isn't good or came before; KEYS_UNAVAILABLE */
  verify(token: unknown): Promise<LoggedOut>;
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const TOKEN_MAX_LENGTH = 16_384;
/** How old a logout token may be, and how far the clocks may differ, in seconds. */
const OLDEST_S = 600;
const LEEWAY_S = 60;

const bad = (cause?: unknown) =>
  new RollcallError('BAD_REQUEST', { message: 'The logout token is wrong', details: { field: 'logout_token' }, cause });

/** The checks of OpenID Connect Back-Channel Logout 1.0, section 2.6. */
export function logoutTokens({ issuer, clientId, jwksUri, signIn, now }: LogoutTokenOptions): LogoutTokens {
  // An outage is told to the provider, which sends the token again.
  const keys = new ProviderKeys(jwksUri, { away: () => {}, back: () => {} });
  return {
    async verify(token) {
      if (typeof token !== 'string' || token.length > TOKEN_MAX_LENGTH) throw bad();
      const { payload } = await jwtVerify(token, keys.keyOf, {
        algorithms: [...JWKS_ALGORITHMS],
        issuer,
        audience: clientId,
        requiredClaims: ['iat', 'jti', 'events'],
        maxTokenAge: OLDEST_S,
        clockTolerance: LEEWAY_S,
        currentDate: new Date(now()),
      }).catch((error: unknown) => {
        throw error instanceof RollcallError ? error : bad(error);
      });
      const { jti, sub, sid, events, nonce } = payload;
      // An id_token of the same keys has a nonce, and no such event.
      if (nonce !== undefined || !namesLogout(events)) throw bad();
      const [person, session] = [textOf(sub), textOf(sid)];
      if (person === undefined && session === undefined) throw bad();
      const once = hashOf(JSON.stringify(['logout', issuer, jti]));
      if (!(await signIn.takeOnce(once, now() + (OLDEST_S + 2 * LEEWAY_S) * 1_000))) throw bad();
      return { sub: person, sid: session };
    },
  };
}

const textOf = (claim: unknown): string | undefined => (typeof claim === 'string' && claim !== '' ? claim : undefined);

function namesLogout(events: unknown): boolean {
  if (typeof events !== 'object' || events === null || !Object.hasOwn(events, EVENT)) return false;
  const event = (events as Record<string, unknown>)[EVENT];
  return typeof event === 'object' && event !== null;
}

import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { SECRET } from '../testing/server.js';
import { tokenVerifier } from './verify-token.js';

const HOUR_MS = 3_600_000;
const OPTIONS = { secret: SECRET, oldSecret: null, uidClaim: null, jwks: null };
const watcher = { away: () => {}, back: () => {} };
const key = new TextEncoder().encode(SECRET);

/** Of an ordinary token, and of one that is judged by jose, when it counts. */
const HEADERS = [{ alg: 'HS256' }, { alg: 'HS256', kid: 'of a library' }];

test.each(HEADERS)(
  '[AUTH-234] the times of a token (%o) are judged by the clock that judges all else',
  async (header) => {
    const seconds = (ms: number) => Math.floor(ms / 1_000);
    const token = (from: number, until: number) =>
      new SignJWT({ uid: 'ada', nbf: seconds(from), exp: seconds(until) }).setProtectedHeader(header).sign(key);
    // A machine whose clock is three hours behind what all servers go by, and one that is ahead of it.
    for (const correction of [3 * HOUR_MS, -3 * HOUR_MS]) {
      const now = () => Date.now() + correction;
      const verify = tokenVerifier(OPTIONS, watcher, now);
      const good = await verify(await token(now() - HOUR_MS, now() + HOUR_MS));
      expect(good).toMatchObject({ uid: 'ada', expires_at: seconds(now() + HOUR_MS) * 1_000 });
      const refused = { code: 'UNAUTHENTICATED' };
      await expect(verify(await token(now() - 2 * HOUR_MS, now() - HOUR_MS))).rejects.toMatchObject(refused);
      await expect(verify(await token(now() + HOUR_MS, now() + 2 * HOUR_MS))).rejects.toMatchObject(refused);
    }
  },
);

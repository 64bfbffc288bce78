import { RollcallError, type UserId } from '@rollcall/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { accessTokenIssuer } from '../auth/access-token.js';
import type { Person } from '../storage/port.js';
import { SqliteStorage } from '../storage/sqlite/storage.js';
import { TriesLimit } from './limits.js';
import { SignInLinks } from './links.js';
import { WebSessions } from './web-sessions.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ADA: Person = {
  user_id: 'ada' as UserId,
  uid: 'ada',
  name: 'Ada Osei',
  email: null,
  profile_picture: null,
  is_admin: false,
  teacher: null,
  student: null,
};

/** Sessions and links on a real database, at a time that the test sets. */
async function at(start: number) {
  const storage = new SqliteStorage({ path: ':memory:' });
  await storage.open();
  onTestFinished(() => storage.close());
  const clock = { now: start };
  const { signIn } = storage;
  const personOfUser = async (userId: UserId) => (userId === ADA.user_id ? ADA : undefined);
  const now = () => clock.now;
  const issue = accessTokenIssuer('x'.repeat(32));
  const sessions = new WebSessions({ signIn, personOfUser, issue, signedOut: () => {}, now });
  const links = new SignInLinks({ signIn, personOfUser, publicUrl: () => 'https://school.example', now });
  return { clock, sessions, links, signIn };
}

const START = Date.UTC(2026, 10, 23, 9);
const refused = (code: string) => expect.objectContaining({ code });

test('[SIGNIN-23] a session ends after 14 days without use, and after 90 days in any case', async () => {
  const { clock, sessions } = await at(START);
  const { secret } = await sessions.open(ADA, { sharedDevice: false, userAgent: undefined });
  clock.now += 14 * DAY - 1;
  await sessions.refresh(secret);
  clock.now += 14 * DAY;
  await expect(sessions.refresh(secret)).rejects.toEqual(refused('UNAUTHENTICATED'));

  const { secret: used } = await sessions.open(ADA, { sharedDevice: false, userAgent: undefined });
  const opened = clock.now;
  for (let day = 10; day < 90; day += 10) {
    clock.now = opened + day * DAY;
    const { cookieMs } = await sessions.refresh(used);
    expect(cookieMs).toBe(Math.min(14, 90 - day) * DAY);
  }
  // A token is of no use beyond its session.
  clock.now = opened + 90 * DAY - MINUTE;
  const { expires_at } = await sessions.refresh(used);
  expect(expires_at).toBe(Math.floor((opened + 90 * DAY) / 1000) * 1000);
  clock.now = opened + 90 * DAY;
  await expect(sessions.refresh(used)).rejects.toEqual(refused('UNAUTHENTICATED'));
});

test('[SIGNIN-23] on a shared computer a session ends after an hour without use, and its cookie with the browser', async () => {
  const { clock, sessions } = await at(START);
  const { secret, cookieMs } = await sessions.open(ADA, { sharedDevice: true, userAgent: 'x'.repeat(5_000) });
  expect(cookieMs).toBeNull();
  for (let hour = 1; hour < 10; hour += 1) {
    clock.now += 60 * MINUTE - 1;
    expect((await sessions.refresh(secret)).cookieMs).toBeNull();
  }
  clock.now += 60 * MINUTE;
  await expect(sessions.refresh(secret)).rejects.toEqual(refused('UNAUTHENTICATED'));
});

test('[SIGNIN-24] a link counts for 15 minutes, an invite for seven days', async () => {
  const { clock, links } = await at(START);
  for (const [purpose, lasts] of [
    ['sign-in', 15 * MINUTE],
    ['invite', 7 * DAY],
  ] as const) {
    const made = [await links.make(ADA.user_id, purpose), await links.make(ADA.user_id, purpose)];
    const [first = '', second = ''] = made.map(({ url }) => url.split('#')[1]);
    clock.now += lasts - 1;
    expect(await links.use(first, 'here')).toBe(ADA);
    clock.now += 1;
    await expect(links.peek(second, 'here')).rejects.toEqual(refused('LINK_EXPIRED'));
    await expect(links.use(second, 'here')).rejects.toEqual(refused('LINK_EXPIRED'));
  }
});

test('[SIGNIN-18] tries come back as time goes by, and never more than the limit in any stretch of it', () => {
  let now = 0;
  const limit = new TriesLimit(3, 1_000, () => now);
  const tries = (): number | 'taken' => {
    try {
      limit.take('key');
      return 'taken';
    } catch (error) {
      return error instanceof RollcallError ? (error.details?.retry_after ?? -1) : -2;
    }
  };
  expect(tries()).toBe('taken');
  now = 400;
  expect([tries(), tries(), tries()]).toEqual(['taken', 'taken', 1]);
  now = 999;
  expect(tries()).toBe(1);
  now = 1_000;
  expect([tries(), tries()]).toEqual(['taken', 1]);
  now = 1_400;
  expect([tries(), tries(), tries()]).toEqual(['taken', 'taken', 1]);
  expect(() => limit.take('another')).not.toThrow();
});

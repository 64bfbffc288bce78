import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { refusalOfConnection } from '../testing/refusals.js';
import { schoolOf } from '../testing/school.js';
import { freshId, SECRET, startServer, tokenOf } from '../testing/server.js';

const key = new TextEncoder().encode(SECRET);
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

/** A token of exactly these claims, signed as the server expects it. */
const signed = (claims: Record<string, unknown>, alg = 'HS256', secret = key) =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(secret);

/** A token whose parts are written by hand; its signature is right for nothing. */
const forged = (header: object, claims: object, signature = '') =>
  [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .concat(signature)
    .join('.');

const invalid = { message: 'Invalid token', data: { code: 'UNAUTHENTICATED' } };

test('[CONN-2] the token comes from auth.token, else from the Authorization header', async () => {
  const { url } = await startServer({}, schoolOf(2));
  const [ada, student, eve] = await Promise.all(['ada', 's-1', 'eve'].map((uid) => tokenOf(uid)));
  const refused = (auth: object, authorization?: string) =>
    refusalOfConnection(url, { auth, ...(authorization ? { extraHeaders: { authorization } } : {}) });

  expect(await refused({ token: ada })).toBeUndefined();
  expect(await refused({}, `Bearer ${student}`)).toBeUndefined();
  expect(await refused({}, `bearer ${student}`)).toBeUndefined();
  // auth.token counts: a bad one isn't saved by a good header.
  expect(await refused({ token: 'nonsense' }, `Bearer ${eve}`)).toEqual(invalid);
  expect(await refused({ token: { $ne: null } }, `Bearer ${eve}`)).toBeUndefined();
});

test('[CONN-2] auth.token comes before the header', async () => {
  const server = await startServer({}, schoolOf(1));
  const authorization = `Bearer ${await tokenOf('s-1')}`;
  const client = await server.connect('ada', { extraHeaders: { authorization } });
  expect(await client.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
});

test('[CONN-3] a token in the query string is not accepted', async () => {
  const { url } = await startServer({}, schoolOf(1));
  const token = await tokenOf('ada');
  for (const query of [{ token }, { access_token: token }, { 'auth[token]': token }, { authorization: token }]) {
    expect(await refusalOfConnection(url, { query })).toMatchObject({ message: 'Authentication error' });
  }
});

test('[CONN-4] a connection without a token is refused with `Authentication error`', async () => {
  const { url } = await startServer({}, schoolOf(1));
  const missing = { message: 'Authentication error', data: { code: 'UNAUTHENTICATED' } };
  for (const auth of [{}, { token: '' }, { token: null }, { token: 7 }, { token: ['a'] }, { token: { $ne: null } }]) {
    expect(await refusalOfConnection(url, { auth }), JSON.stringify(auth)).toEqual(missing);
  }
  for (const authorization of ['Basic YTpi', 'Bearer', 'Bearer ', '']) {
    expect(await refusalOfConnection(url, { extraHeaders: { authorization } }), authorization).toEqual(missing);
  }
});

test('[CONN-5] a bad or expired token is refused with `Invalid token`', async () => {
  const { url } = await startServer({}, schoolOf(1));
  const good = await tokenOf('ada');
  const bad: Record<string, string> = {
    'no token at all': 'nonsense',
    'two parts': good.split('.').slice(0, 2).join('.'),
    'an empty signature': `${good.split('.').slice(0, 2).join('.')}.`,
    'another secret': await signed(
      { uid: 'ada' },
      'HS256',
      new TextEncoder().encode('another secret of 32 bytes, yes.'),
    ),
    expired: await signed({ uid: 'ada', exp: inSeconds(-10) }),
    'long expired': await signed({ uid: 'ada', exp: 1 }),
    'an expiry that is no number': await signed({ uid: 'ada', exp: 'never' }),
    'claims changed after signing': [
      good.split('.')[0],
      btoa(JSON.stringify({ uid: 'root' })),
      good.split('.')[2],
    ].join('.'),
    'not JSON': `${Buffer.from('{').toString('base64url')}.e30.`,
  };
  for (const [what, token] of Object.entries(bad)) {
    expect(await refusalOfConnection(url, { auth: { token } }), what).toEqual(invalid);
  }
});

test('[CONN-6] a token that names no known user is refused with `User not found`', async () => {
  const { url } = await startServer({}, schoolOf(1));
  for (const uid of ['somebody', 'student-1', 'ADA', 'ada ', '__proto__', 'constructor', '%']) {
    const refusal = await refusalOfConnection(url, { auth: { token: await tokenOf(uid) } });
    expect(refusal, uid).toEqual({ message: 'User not found', data: { code: 'UNAUTHENTICATED' } });
  }
});

test('[CONN-7] every connect_error carries the code in its data', async () => {
  const { url } = await startServer({}, schoolOf(1));
  for (const auth of [{}, { token: 'nonsense' }, { token: await tokenOf('nobody') }]) {
    expect((await refusalOfConnection(url, { auth }))?.data).toEqual({ code: 'UNAUTHENTICATED' });
  }
});

test('[AUTH-1] the uid is the claim uid, else sub', async () => {
  const server = await startServer({}, schoolOf(1));
  const as = async (claims: Record<string, unknown>) => {
    const client = await server.connect('', { token: await signed(claims) });
    const answer = await client.send('startAttendanceSession', { session_id: 'session-1' });
    return answer.ok ? 'teacher' : answer.error?.code;
  };
  expect(await as({ sub: 'ada' })).toBe('teacher');
  expect(await as({ uid: 's-1', sub: 'ada' })).toBe('NOT_A_TEACHER');
  expect(await as({ uid: 'ada', sub: 's-1' })).toBe('teacher');
  expect(await as({ uid: null, sub: 'ada' })).toBe('teacher');
});

test('[AUTH-2] HS256 is verified with ACCESS_TOKEN_SECRET', async () => {
  const { url } = await startServer({ ACCESS_TOKEN_SECRET: ' a secret with its own spaces ' }, schoolOf(1));
  const refused = async (secret: string) => {
    const token = await signed({ uid: 'ada' }, 'HS256', new TextEncoder().encode(secret));
    return refusalOfConnection(url, { auth: { token } });
  };
  expect(await refused(' a secret with its own spaces ')).toBeUndefined();
  expect(await refused('a secret with its own spaces')).toEqual(invalid);
  expect(await refused(SECRET)).toEqual(invalid);
});

test('[AUTH-6] a token of any other algorithm is refused', async () => {
  const { url } = await startServer({}, schoolOf(1));
  const claims = { uid: 'ada', exp: inSeconds(600) };
  const tokens: Record<string, string> = {
    HS384: await signed(claims, 'HS384'),
    HS512: await signed(claims, 'HS512'),
    none: forged({ alg: 'none' }, claims),
    None: forged({ alg: 'None' }, claims),
    'none with a signature': forged({ alg: 'none' }, claims, 'c2lnbmF0dXJl'),
    'no algorithm': forged({ typ: 'JWT' }, claims),
    'an object': forged({ alg: { $ne: null } }, claims),
    'a list': forged({ alg: ['HS256'] }, claims),
    'RS256 without keys': forged({ alg: 'RS256' }, claims, 'c2lnbmF0dXJl'),
    'a critical extension': forged({ alg: 'HS256', crit: ['exp'] }, claims, 'c2lnbmF0dXJl'),
  };
  for (const [what, token] of Object.entries(tokens)) {
    expect(await refusalOfConnection(url, { auth: { token } }), what).toEqual(invalid);
  }
});

test('[AUTH-8] a token that isn’t valid yet is refused', async () => {
  const { url } = await startServer({}, schoolOf(1));
  const early = await signed({ uid: 'ada', nbf: inSeconds(600) });
  expect(await refusalOfConnection(url, { auth: { token: early } })).toEqual(invalid);
  const due = await signed({ uid: 'ada', nbf: inSeconds(-1) });
  expect(await refusalOfConnection(url, { auth: { token: due } })).toBeUndefined();
});

test('[AUTH-9] a token longer than 16,384 characters is refused unread', async () => {
  const { url } = await startServer({}, schoolOf(1));
  const padded = (length: number) => signed({ uid: 'ada', padding: 'x'.repeat(length) });
  // A character of padding is 4/3 of one of the token.
  const overhead = (await padded(0)).length;
  const fits = await padded(Math.floor(((16_384 - overhead) * 3) / 4) - 3);
  const long = await padded(Math.ceil(((16_384 - overhead) * 3) / 4) + 3);
  expect(fits.length).toBeGreaterThan(16_370);
  expect(fits.length).toBeLessThanOrEqual(16_384);
  expect(long.length).toBeLessThan(16_400);
  expect(await refusalOfConnection(url, { auth: { token: fits } })).toBeUndefined();
  expect(await refusalOfConnection(url, { auth: { token: long } })).toEqual(invalid);
  expect(await refusalOfConnection(url, { auth: { token: 'x.'.repeat(2_000_000) } })).toEqual(invalid);
});

test('[AUTH-11] a token without an expiry is accepted', async () => {
  const server = await startServer({}, schoolOf(1));
  const client = await server.connect('ada', { token: await signed({ uid: 'ada' }) });
  expect(await client.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
});

test('[AUTH-12] a token whose uid isn’t a string of 1–128 characters is refused', async () => {
  const { url } = await startServer({ PROVISION_FROM_TOKEN: 'true' }, schoolOf(1));
  const bad = ['', 'x'.repeat(129), 7, true, ['ada'], { $ne: null }, '\ud800', 'ada\udfff'];
  for (const uid of bad) {
    const token = await signed({ uid, sub: 'ada', role: 'teacher' });
    expect(await refusalOfConnection(url, { auth: { token } }), JSON.stringify(uid)).toEqual(invalid);
  }
  const token = await signed({ role: 'teacher' });
  expect(await refusalOfConnection(url, { auth: { token } }), 'neither uid nor sub').toEqual(invalid);
  const longest = await signed({ uid: 'x'.repeat(128), role: 'teacher' });
  expect(await refusalOfConnection(url, { auth: { token: longest } })).toBeUndefined();
});

test('[AUTH-180] the times of a token are judged with 5 s of leeway, either way, and when it was issued is not', async () => {
  const { url } = await startServer({}, schoolOf(1));
  // The first header is judged without jose, the second by it.
  for (const header of [{ alg: 'HS256' }, { alg: 'HS256', kid: 'a' }]) {
    const refused = async (times: Record<string, number>) => {
      const token = await new SignJWT({ uid: 'ada', ...times }).setProtectedHeader(header).sign(key);
      return refusalOfConnection(url, { auth: { token } });
    };
    for (const times of [
      { nbf: inSeconds(3) },
      { iat: inSeconds(3) },
      { iat: inSeconds(600) },
      { exp: inSeconds(-2) },
    ]) {
      expect(await refused(times), JSON.stringify({ header, times })).toBeUndefined();
    }
    for (const times of [{ nbf: inSeconds(60) }, { exp: inSeconds(-10) }]) {
      expect(await refused(times), JSON.stringify({ header, times })).toEqual(invalid);
    }
  }
});

test('[AUTH-180] who comes with a token of the last seconds is served', async () => {
  const server = await startServer({}, schoolOf(1));
  const client = await server.connect('', { token: await signed({ uid: 'ada', exp: inSeconds(-1) }) });
  expect(await client.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
  await client.next('sessionExpired');
});

test('[AUTH-183] tokens signed with ACCESS_TOKEN_SECRET_OLD count too, and those of no other key', async () => {
  const old = ' the key from before, with its spaces ';
  const { url } = await startServer({ ACCESS_TOKEN_SECRET_OLD: old }, schoolOf(1));
  for (const header of [{ alg: 'HS256' }, { alg: 'HS256', kid: 'a' }]) {
    const refused = async (secret: string, claims: Record<string, unknown> = {}) => {
      const token = await new SignJWT({ uid: 'ada', ...claims })
        .setProtectedHeader(header)
        .sign(new TextEncoder().encode(secret));
      return refusalOfConnection(url, { auth: { token } });
    };
    expect(await refused(SECRET)).toBeUndefined();
    expect(await refused(old)).toBeUndefined();
    expect(await refused(old.trim())).toEqual(invalid);
    expect(await refused(old, { exp: inSeconds(-60) })).toEqual(invalid);
  }
});

test('[AUTH-184] with TOKEN_UID_CLAIM that claim alone names the user: by uid, else by user id', async () => {
  const server = await startServer({ TOKEN_UID_CLAIM: 'userId' }, schoolOf(1), {
    prepare: async (storage) => {
      await storage.people.provisionPerson({ uid: '4711', name: 'Uma', email: null, role: 'teacher' });
    },
  });
  const ada = await server.storage.people.findPersonByUid('ada');
  for (const userId of ['ada', ada?.user_id, '4711', 4711]) {
    const client = await server.connect('', { token: await signed({ userId, uid: 's-1', sub: 's-1' }) });
    const answer = await client.send('checkActiveSessions', {});
    expect(answer, String(userId)).toMatchObject({ ok: true });
    expect((await client.send('startAttendanceSession', { session_id: freshId('lab') })).ok).toBe(true);
    // The same user by the same claim.
    const token = await signed({ userId });
    expect(await client.send('refreshToken', { token })).toMatchObject({ ok: true });
    const another = await signed({ userId: 's-1' });
    expect((await client.send('refreshToken', { token: another })).error?.code).toBe('FORBIDDEN');
  }
  for (const claims of [{ uid: 'ada' }, { sub: 'ada' }, { userId: 1.5 }, { userId: ['ada'] }, { userId: '' }]) {
    const token = await signed(claims);
    expect(await refusalOfConnection(server.url, { auth: { token } }), JSON.stringify(claims)).toEqual(invalid);
  }
  const nobody = await signed({ userId: 'nobody' });
  expect((await refusalOfConnection(server.url, { auth: { token: nobody } }))?.message).toBe('User not found');
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UserId } from '@rollcall/protocol';
import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { apiOf } from '../../testing/api.js';
import { writeTo } from '../../testing/database.js';
import { schoolOf } from '../../testing/school.js';
import { startServer, temporaryFolder } from '../../testing/server.js';
import { CookieJar, linkSecret, signedInBrowser, statusWith } from '../../testing/sign-in.js';

test('[SIGNIN-10] a link signs its user in by one press, and opening it uses nothing', async () => {
  const server = await startServer({}, schoolOf(2));
  const token = await linkSecret(server, 'ada');
  const jar = new CookieJar(server);
  for (let opened = 0; opened < 3; opened += 1) {
    expect((await jar.fetch('/sign-in')).status).toBe(200);
    const peeked = await jar.auth('POST', 'sign-in/peek', { body: { token } });
    expect(peeked).toMatchObject({ status: 200, body: { name: 'Ada Osei', purpose: 'sign-in' } });
  }
  expect(jar.set).toEqual([]);
  const signedIn = await jar.auth('POST', 'sign-in', { body: { token } });
  expect(signedIn).toMatchObject({ status: 200, body: { user: { uid: 'ada', name: 'Ada Osei' } } });
  expect(signedIn.headers.get('cache-control')).toBe('no-store');
  expect(jar.get('rollcall')).toMatch(/^[\w-]{43}$/);
  const again = await new CookieJar(server).auth('POST', 'sign-in', { body: { token } });
  expect(again).toMatchObject({
    status: 410,
    body: { code: 'LINK_USED', detail: expect.stringMatching(/already used/) },
  });
  expect(again.headers.getSetCookie()).toEqual([]);
  expect(await jar.auth('POST', 'sign-in/peek', { body: { token } })).toMatchObject({ body: { code: 'LINK_USED' } });
  // By the token the user is let in everywhere.
  const me = await fetch(`${server.url}/api/v1/me`, {
    headers: { authorization: `Bearer ${signedIn.body['access_token']}` },
  });
  expect(await me.json()).toMatchObject({ user: { uid: 'ada' } });
  const socket = await server.connect('ada', { token: String(signedIn.body['access_token']) });
  expect(await socket.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
});

test('[SIGNIN-10] of presses at the same moment one signs in', async () => {
  const server = await startServer({}, schoolOf(1));
  const token = await linkSecret(server, 'ada');
  const presses = await Promise.all(
    Array.from({ length: 10 }, () => new CookieJar(server).auth('POST', 'sign-in', { body: { token } })),
  );
  expect(presses.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 410)]);
});

test('[SIGNIN-11] a link that is unknown, expired, of nobody or no link is refused by its own code', async () => {
  const server = await startServer({}, schoolOf(1));
  const expired = await linkSecret(server, 'ada', { expires_at: Date.now() - 1 });
  const nobodys = await linkSecret(server, 'nobody');
  const disabled = await linkSecret(server, 's-1');
  writeTo(server.config, `UPDATE users SET disabled = 1 WHERE uid = 's-1'`);
  const cases: ReadonlyArray<readonly [unknown, number, string]> = [
    [expired, 410, 'LINK_EXPIRED'],
    [nobodys, 401, 'UNAUTHENTICATED'],
    [disabled, 401, 'UNAUTHENTICATED'],
    ['A'.repeat(43), 404, 'LINK_UNKNOWN'],
    ['short', 404, 'LINK_UNKNOWN'],
    ["' OR 1=1 --", 404, 'LINK_UNKNOWN'],
    ['', 400, 'BAD_REQUEST'],
    ['x'.repeat(201), 400, 'BAD_REQUEST'],
    [{ $ne: null }, 400, 'BAD_REQUEST'],
    [null, 400, 'BAD_REQUEST'],
    [undefined, 400, 'BAD_REQUEST'],
  ];
  for (const [token, status, code] of cases) {
    for (const path of ['sign-in/peek', 'sign-in']) {
      const refused = await new CookieJar(server).auth('POST', path, { body: { token } });
      expect(refused, `${path} ${String(token)}`).toMatchObject({ status, body: { code } });
      expect(refused.headers.getSetCookie()).toEqual([]);
    }
  }
});

const COOKIES: ReadonlyArray<readonly [Record<string, string>, string]> = [
  [{}, 'rollcall=VALUE; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600'],
  [{ PUBLIC_URL: 'http://school.example' }, 'rollcall=VALUE; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600'],
  [
    { PUBLIC_URL: 'http://school.example/roll/call/' },
    'rollcall=VALUE; Path=/roll/call; HttpOnly; SameSite=Lax; Max-Age=1209600',
  ],
  [
    { PUBLIC_URL: 'https://school.example/rollcall' },
    '__Host-rollcall=VALUE; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=1209600',
  ],
];

test.each(COOKIES)('[SIGNIN-12] the cookie with %j', async (variables, expected) => {
  const server = await startServer(variables, schoolOf(1));
  const plain = ({ set }: CookieJar) => set.map((each) => each.replace(/=[\w-]{43};/, '=VALUE;'));
  const { jar } = await signedInBrowser(server, 'ada');
  expect(plain(jar)).toEqual([expected]);
  await jar.auth('POST', 'refresh');
  expect(plain(jar)).toEqual([expected]);
  const { jar: shared } = await signedInBrowser(server, 'ada', { shared_device: true });
  expect(plain(shared)).toEqual([expected.replace('; Max-Age=1209600', '')]);
  await jar.auth('POST', 'sign-out');
  expect(jar.set).toEqual([expected.replace('VALUE', '').replace('1209600', '0')]);
});

test('[SIGNIN-13] an access token is of the web session, and ends after ten minutes', async () => {
  const server = await startServer({}, schoolOf(1));
  const { jar, token } = await signedInBrowser(server, 'ada');
  const { iss, uid, sid, iat = 0, exp = 0 } = decodeJwt(token);
  expect({ iss, uid, lasts: exp - iat }).toEqual({ iss: 'rollcall', uid: 'ada', lasts: 600 });
  const refreshed = await jar.auth('POST', 'refresh');
  expect(refreshed).toMatchObject({ status: 200, body: { user: { uid: 'ada' } } });
  const other = decodeJwt(String(refreshed.body['access_token']));
  expect(other['sid']).toBe(sid);
  expect(Date.parse(String(refreshed.body['expires_at']))).toBe((other.exp ?? 0) * 1000);
  // What it says of the session is not what the cookie holds.
  expect(jar.get('rollcall')).not.toBe(sid);
  jar.put('rollcall', String(sid));
  expect((await jar.auth('POST', 'refresh')).status).toBe(401);
});

test('[SIGNIN-13] an app’s own token may have a claim sid, of whatever meaning to the app', async () => {
  const server = await startServer({}, schoolOf(1));
  const { jar, token } = await signedInBrowser(server, 'ada');
  const { sid } = decodeJwt(token);
  await jar.auth('POST', 'sign-out');
  const socket = await server.connect('ada', { token: await tokenWith({ sid }) });
  expect(socket.socket.connected).toBe(true);
});

async function tokenWith(claims: Record<string, unknown>): Promise<string> {
  const { tokenOf } = await import('../../testing/server.js');
  return tokenOf('ada', claims);
}

test('[SIGNIN-14] two tabs that refresh at the same time, 200 times, both stay signed in', async () => {
  const server = await startServer({}, schoolOf(1));
  const { jar } = await signedInBrowser(server, 'ada');
  const before = jar.get('rollcall');
  const tab = jar.copy();
  for (let round = 0; round < 200; round += 1) {
    const answers = await Promise.all([jar.auth('POST', 'refresh'), tab.auth('POST', 'refresh')]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  }
  expect([jar.get('rollcall'), tab.get('rollcall')]).toEqual([before, before]);
});

test('[SIGNIN-15] every sign-in makes a session of its own, and closes the one that the browser had', async () => {
  const server = await startServer({}, schoolOf(1));
  const jar = new CookieJar(server);
  // What a stranger may have put there.
  jar.put('rollcall', 'A'.repeat(43));
  const secrets = ['A'.repeat(43)];
  const tokens: string[] = [];
  for (const uid of ['ada', 'ada', 'cyd']) {
    const { body } = await jar.auth('POST', 'sign-in', { body: { token: await linkSecret(server, uid) } });
    secrets.push(jar.get('rollcall') ?? '');
    tokens.push(String(body['access_token']));
  }
  expect(new Set(secrets).size).toBe(4);
  expect(await Promise.all(tokens.map((token) => statusWith(server, token)))).toEqual([401, 401, 200]);
  for (const [index, secret] of secrets.entries()) {
    const old = new CookieJar(server);
    old.put('rollcall', secret);
    expect((await old.auth('POST', 'refresh')).status, String(index)).toBe(index === 3 ? 200 : 401);
  }
});

test('[SIGNIN-16] a sign-out ends the cookie, the tokens and the sockets of that browser alone', async () => {
  const server = await startServer({}, schoolOf(2));
  const [here, there] = [await signedInBrowser(server, 'ada'), await signedInBrowser(server, 'ada')];
  const socket = await server.connect('ada', { token: here.token, reconnection: false });
  const refreshed = await server.connect('ada', { reconnection: false });
  expect(await refreshed.send('refreshToken', { token: here.token })).toMatchObject({ ok: true });
  const other = await server.connect('ada', { token: there.token });
  const own = await server.connect('ada');
  const thief = here.jar.copy();
  const signedOut = await here.jar.auth('POST', 'sign-out');
  expect(signedOut.status).toBe(204);
  expect(signedOut.headers.get('clear-site-data')).toBe('"cache","cookies","storage"');
  expect(here.jar.get('rollcall')).toBeUndefined();
  for (const cut of [socket, refreshed]) {
    expect(await cut.next('sessionExpired')).toEqual({ message: 'Signed out', code: 'UNAUTHENTICATED' });
    await expect.poll(() => cut.socket.connected).toBe(false);
  }
  expect((await thief.auth('POST', 'refresh')).status).toBe(401);
  expect(await statusWith(server, here.token)).toBe(401);
  await expect(server.connect('ada', { token: here.token })).rejects.toThrow('Invalid token');
  expect(await statusWith(server, there.token)).toBe(200);
  expect([other.socket.connected, own.socket.connected]).toEqual([true, true]);
  // A second time nothing is wrong.
  expect((await thief.auth('POST', 'sign-out')).status).toBe(204);
});

test('[SIGNIN-16] what was closed stays so after a restart', async () => {
  const server = await startServer({}, schoolOf(1));
  const { jar, token } = await signedInBrowser(server, 'ada');
  const open = await signedInBrowser(server, 'ada');
  await jar.auth('POST', 'sign-out');
  const again = await server.restart();
  expect(await statusWith(again, token)).toBe(401);
  expect(await statusWith(again, open.token)).toBe(200);
  expect((await open.jar.auth('POST', 'refresh')).status).toBe(200);
});

test('[SIGNIN-17] a user signs out everywhere, and nobody else is', async () => {
  const server = await startServer({}, schoolOf(2));
  const browsers = await Promise.all([1, 2, 3].map(() => signedInBrowser(server, 'ada')));
  const student = await signedInBrowser(server, 's-1');
  const sockets = await Promise.all(browsers.map(({ token }) => server.connect('ada', { token, reconnection: false })));
  expect((await browsers[0]?.jar.auth('POST', 'sign-out-everywhere'))?.status).toBe(204);
  for (const { socket } of sockets) await expect.poll(() => socket.connected).toBe(false);
  for (const { jar, token } of browsers) {
    expect((await jar.auth('POST', 'refresh')).status).toBe(401);
    expect(await statusWith(server, token)).toBe(401);
  }
  expect((await student.jar.auth('POST', 'refresh')).status).toBe(200);
  expect((await new CookieJar(server).auth('POST', 'sign-out-everywhere')).status).toBe(401);
});

test('[SIGNIN-18] a link is tried ten times a minute from one address; other links are not held back by it', async () => {
  const server = await startServer({}, schoolOf(20));
  const used = await linkSecret(server, 'ada');
  const jar = new CookieJar(server);
  const statuses: number[] = [];
  for (let tries = 0; tries < 12; tries += 1) {
    statuses.push((await jar.auth('POST', 'sign-in', { body: { token: used } })).status);
  }
  expect(statuses).toEqual([200, ...Array.from({ length: 9 }, () => 410), 429, 429]);
  const refused = await jar.auth('POST', 'sign-in', { body: { token: used } });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  // A school has one address: a class that signs in at once is none of an attacker.
  for (let student = 1; student <= 20; student += 1) {
    expect((await signedInBrowser(server, `s-${student}`)).token).not.toBe('');
  }
  for (let guess = 0; guess < 20; guess += 1) {
    const token = String(guess).padStart(43, 'x');
    expect((await jar.auth('POST', 'sign-in', { body: { token } })).status).toBe(404);
  }
});

test('[SIGNIN-19] an admin, and nobody else, makes invites: good for seven days, five an hour for a user', async () => {
  const server = await startServer({ PUBLIC_URL: 'https://school.example/rollcall' }, schoolOf(2));
  const root = await apiOf(server, 'root');
  for (const uid of ['ada', 's-1']) {
    expect((await (await apiOf(server, uid))('POST', '/people/s-1/invites')).status, uid).toBe(403);
  }
  expect((await (await apiOf(server))('POST', '/people/s-1/invites')).status).toBe(401);
  expect(await root('POST', '/people/nobody/invites')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  const made = await root('POST', '/people/s-1/invites');
  expect(made.status).toBe(201);
  const url = String(made.body['url']);
  expect(url).toMatch(/^https:\/\/school\.example\/rollcall\/sign-in#[\w-]{43}$/);
  const lasts = Date.parse(String(made.body['expires_at'])) - Date.now();
  expect(Math.abs(lasts - 7 * 24 * 3_600_000)).toBeLessThan(3_600_000);
  const [, token = ''] = url.split('#');
  const jar = new CookieJar(server);
  expect(await jar.auth('POST', 'sign-in/peek', { body: { token } })).toMatchObject({ body: { purpose: 'invite' } });
  expect(await jar.auth('POST', 'sign-in', { body: { token } })).toMatchObject({ body: { user: { uid: 's-1' } } });
  const more = await Promise.all(Array.from({ length: 5 }, () => root('POST', '/people/s-1/invites')));
  expect(more.map(({ status }) => status).sort()).toEqual([201, 201, 201, 201, 429]);
  expect((await root('POST', '/people/s-2/invites')).status).toBe(201);
});

test('[SIGNIN-21] no secret of a link, a cookie or a token is in the database or in the log', async () => {
  const lines: string[] = [];
  const folder = await temporaryFolder();
  const variables = { LOG_LEVEL: 'trace', DATABASE_URL: `sqlite:${join(folder, 'school.db')}` };
  const server = await startServer(variables, schoolOf(1), { onLog: (line) => void lines.push(line) });
  const link = await linkSecret(server, 'ada');
  const jar = new CookieJar(server);
  const { body } = await jar.auth('POST', 'sign-in', { body: { token: link } });
  const secrets = [link, jar.get('rollcall') ?? '', String(body['access_token'])];
  await server.connect('ada', { token: secrets[2] ?? '' });
  await jar.auth('POST', 'sign-in', { body: { token: link } });
  await jar.auth('POST', 'refresh');
  const files = await Promise.all(['school.db', 'school.db-wal'].map((name) => readFile(join(folder, name), 'latin1')));
  expect(lines.some((line) => line.includes('a sign-in was refused'))).toBe(true);
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(40);
    expect([...files, ...lines].filter((text) => text.includes(secret))).toEqual([]);
  }
});

test('[SIGNIN-22] a user who is disabled gets no token any more, within a minute of it', async () => {
  const server = await startServer({}, schoolOf(1));
  const { jar } = await signedInBrowser(server, 's-1');
  writeTo(server.config, `UPDATE users SET disabled = 1 WHERE uid = 's-1'`);
  // What is known of a person may be a minute old; another server has never heard of them.
  const again = await server.restart();
  expect(await jar.auth('POST', 'refresh')).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
  writeTo(again.config, `UPDATE users SET disabled = 0 WHERE uid = 's-1'`);
  expect((await jar.auth('POST', 'refresh')).status).toBe(200);
  await again.storage.signIn.forgetSignInsOf('s-1' as UserId, Date.now());
  expect((await jar.auth('POST', 'refresh')).status).toBe(401);
});

import { randomUUID } from 'node:crypto';
import type { UserId } from '@rollcall/protocol';
import { expect, test } from 'vitest';
import { freePort } from '../testing/redis-server.js';
import { schoolOf } from '../testing/school.js';
import { startServer, type TestServer } from '../testing/server.js';
import { CookieJar, statusWith } from '../testing/sign-in.js';
import { type IdentityProvider, startIdentityProvider } from './identity-provider.test.support.js';

interface Scene {
  readonly server: TestServer;
  readonly provider: IdentityProvider;
  readonly log: string[];
}

async function scene({ linkByEmail = false, path = '' } = {}): Promise<Scene> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}${path}`;
  const provider = await startIdentityProvider(url);
  const log: string[] = [];
  const variables = {
    CHAT_PORT: String(port),
    PUBLIC_URL: url,
    LOG_LEVEL: 'info',
    ...provider.variables,
    OIDC_LINK_BY_EMAIL: String(linkByEmail),
  };
  const server = await startServer(variables, schoolOf(3), {
    onLog: (line) => void log.push(line),
  });
  return { server, provider, log };
}

/** Begins a sign-in. @returns where the browser is sent */
async function begin(jar: CookieJar, query = ''): Promise<string> {
  const started = await jar.fetch(`/api/v1/auth/oidc/start${query}`);
  expect(started.status).toBe(302);
  return started.headers.get('location') ?? '';
}

/** A whole sign-in. */
async function signIn({ server, provider }: Scene, login: string, query = '') {
  const jar = new CookieJar(server);
  const { callback, browser } = await provider.authorize(await begin(jar, query), login);
  const finished = await jar.fetch(callback);
  return { jar, browser, callback, status: finished.status, location: finished.headers.get('location') };
}

const known = ({ server, provider }: Scene, subject: string, userId: string) =>
  server.storage.signIn.rememberIdentity(provider.issuer, subject, userId as UserId);

const whoIs = async (jar: CookieJar) => {
  const { status, body } = await jar.auth('POST', 'refresh');
  return status === 200 ? (body['user'] as { uid: string }).uid : status;
};

test('[SIGNIN-30] an identity provider signs in by code, with PKCE, state and nonce of this sign-in alone', async () => {
  const all = await scene();
  await known(all, 'teacher@idp', 'ada');
  const url = new URL(await begin(new CookieJar(all.server)));
  expect(url.origin).toBe(all.provider.issuer);
  const asked = Object.fromEntries(url.searchParams);
  expect(asked).toMatchObject({ response_type: 'code', code_challenge_method: 'S256', client_id: 'rollcall' });
  expect(asked['redirect_uri']).toBe(`${all.server.url}/api/v1/auth/oidc/callback`);
  const other = new URL(await begin(new CookieJar(all.server))).searchParams;
  for (const name of ['state', 'nonce', 'code_challenge']) {
    expect(asked[name]?.length, name).toBeGreaterThanOrEqual(40);
    expect(other.get(name)).not.toBe(asked[name]);
  }
  const { jar, status, location } = await signIn(all, 'teacher@idp');
  expect([status, location]).toEqual([302, `${all.server.url}/sign-in`]);
  expect(await whoIs(jar)).toBe('ada');
  // What the sign-in had to remember is of no use any more.
  expect(jar.get('rollcall-oidc')).toBeUndefined();
});

/** Each is a way to change what the browser has kept, or what comes back. */
const FORGERIES: ReadonlyArray<readonly [string, (jar: CookieJar, callback: URL) => void]> = [
  ['no cookie', (jar) => jar.put('rollcall-oidc', '')],
  ['a cookie that is none', (jar) => jar.put('rollcall-oidc', 'bm90IGpzb24')],
  ['another state', (_jar, callback) => callback.searchParams.set('state', 'x'.repeat(43))],
  ['no state', (_jar, callback) => callback.searchParams.delete('state')],
  ['another code', (_jar, callback) => callback.searchParams.set('code', 'x'.repeat(43))],
  ['no code', (_jar, callback) => callback.searchParams.delete('code')],
  ['another issuer', (_jar, callback) => callback.searchParams.set('iss', 'https://evil.example')],
  ['an error of the provider', (_jar, callback) => callback.searchParams.set('error', 'access_denied')],
  ['another nonce', (jar) => change(jar, { nonce: 'x'.repeat(43) })],
  ['another verifier', (jar) => change(jar, { verifier: 'x'.repeat(43) })],
  ['too late', (jar) => change(jar, { until: Date.now() - 1 })],
  ['a way back to another site', (jar) => change(jar, { returnTo: 'https://evil.example/' })],
];

function change(jar: CookieJar, fields: object): void {
  const flow = JSON.parse(Buffer.from(jar.get('rollcall-oidc') ?? '', 'base64url').toString()) as object;
  jar.put('rollcall-oidc', Buffer.from(JSON.stringify({ ...flow, ...fields })).toString('base64url'));
}

test('[SIGNIN-30] what was changed on the way, is of another browser or comes too late signs nobody in', async () => {
  const all = await scene();
  await known(all, 'teacher@idp', 'ada');
  for (const [what, forge] of FORGERIES) {
    const jar = new CookieJar(all.server);
    const { callback } = await all.provider.authorize(await begin(jar), 'teacher@idp');
    const changed = new URL(callback);
    forge(jar, changed);
    const refused = await jar.fetch(changed.href);
    expect(refused.status, what).toBe(302);
    expect(refused.headers.get('location'), what).toMatch(
      new RegExp(`^${all.server.url}/sign-in\\?problem=(UNAUTHENTICATED|BAD_REQUEST)$`),
    );
    expect(jar.get('rollcall'), what).toBeUndefined();
  }
  expect(all.log.filter((line) => line.includes('a sign-in was refused'))).toHaveLength(FORGERIES.length);
});

test('[SIGNIN-30] a code counts once, and not after its end', async () => {
  const all = await scene();
  await known(all, 'teacher@idp', 'ada');
  const jar = new CookieJar(all.server);
  const { callback } = await all.provider.authorize(await begin(jar), 'teacher@idp');
  const again = jar.copy();
  expect((await jar.fetch(callback)).headers.get('location')).toBe(`${all.server.url}/sign-in`);
  expect((await again.fetch(callback)).headers.get('location')).toMatch(/problem=UNAUTHENTICATED$/);
  expect(again.get('rollcall')).toBeUndefined();

  all.provider.codeSeconds = 1;
  const late = new CookieJar(all.server);
  const { callback: expired } = await all.provider.authorize(await begin(late), 'teacher@idp');
  const until = Date.now() + 2_000;
  await expect.poll(() => Date.now()).toBeGreaterThan(until);
  expect((await late.fetch(expired)).headers.get('location')).toMatch(/problem=UNAUTHENTICATED$/);
  expect(late.get('rollcall')).toBeUndefined();
});

test('[SIGNIN-31] after the sign-in the browser goes back to an address of this site, and to no other', async () => {
  const all = await scene();
  await known(all, 'teacher@idp', 'ada');
  const { url } = all.server;
  const good: ReadonlyArray<readonly [string, string]> = [
    ['/class/session-1?tab=roster#top', `${url}/class/session-1?tab=roster#top`],
    [`${url}/courses`, `${url}/courses`],
    ['courses', `${url}/courses`],
  ];
  for (const [returnTo, expected] of good) {
    const { location } = await signIn(all, 'teacher@idp', `?return_to=${encodeURIComponent(returnTo)}`);
    expect(location).toBe(expected);
  }
  const bad = [
    'https://evil.example',
    '//evil.example',
    '///evil.example',
    '\\\\evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    `http://127.0.0.1:1/`,
    `${url.replace('127.0.0.1', '127.0.0.1@evil.example')}/`,
    `${url.replace('http:', 'https:')}/`,
    `blob:${url}/x`,
    'x'.repeat(2_001),
  ];
  for (const returnTo of bad) {
    const refused = await new CookieJar(all.server).auth('GET', `oidc/start?return_to=${encodeURIComponent(returnTo)}`);
    expect(refused, returnTo).toMatchObject({
      status: 400,
      body: { code: 'BAD_REQUEST', details: { field: 'return_to' } },
    });
  }
  const { jar } = await signIn(all, 'teacher@idp', '?shared_device=true');
  expect(await whoIs(jar)).toBe('ada');
  expect(jar.set.join()).not.toContain('Max-Age');
});

test('[SIGNIN-31] the address that the provider sends back to is made from PUBLIC_URL, its path too', async () => {
  const all = await scene({ path: '/rollcall' });
  const url = new URL(await begin(new CookieJar(all.server)));
  expect(url.searchParams.get('redirect_uri')).toBe(`${all.server.url}/rollcall/api/v1/auth/oidc/callback`);
});

test('[SIGNIN-32] who isn’t known by issuer and subject is nobody, unless by an email that the provider has verified', async () => {
  const strict = await scene();
  const person = { email: 's-1@school.example', email_verified: true };
  strict.provider.accounts.set('one', person);
  const refused = await signIn(strict, 'one');
  expect(refused.location).toBe(`${strict.server.url}/sign-in?problem=USER_UNKNOWN`);
  expect(refused.jar.get('rollcall')).toBeUndefined();

  const all = await scene({ linkByEmail: true });
  const { accounts, issuer } = all.provider;
  accounts.set('one', person);
  accounts.set('unverified', { ...person, email_verified: false });
  accounts.set('unsaid', { email: person.email });
  accounts.set('stranger', { email: 'nobody@school.example', email_verified: true });
  accounts.set('none', {});
  for (const login of ['unverified', 'unsaid', 'stranger', 'none']) {
    expect((await signIn(all, login)).location, login).toMatch(/problem=USER_UNKNOWN$/);
  }
  expect(await whoIs((await signIn(all, 'one')).jar)).toBe('s-1');
  expect(await all.server.storage.signIn.findIdentity(issuer, 'one')).toBe('s-1');
  // From now on by the subject: the address may become somebody else's.
  accounts.set('one', { email: 's-2@school.example', email_verified: true });
  expect(await whoIs((await signIn(all, 'one')).jar)).toBe('s-1');
});

test('[SIGNIN-32] an email address that two users have links nobody', async () => {
  const all = await scene({ linkByEmail: true });
  const two = schoolOf(2);
  const twins = two.students.slice(0, 2).map((student) => ({ ...student, email: 'twins@school.example' }));
  await all.server.storage.school.importSchool(
    { ...two, students: twins, enrollments: [], courses: [], sessions: [], teachers: [], admins: [] },
    { dryRun: false },
  );
  all.provider.accounts.set('twin', { email: 'twins@school.example', email_verified: true });
  expect((await signIn(all, 'twin')).location).toMatch(/problem=USER_UNKNOWN$/);
});

test('[SIGNIN-33] who signs out at the provider is signed out here, in that browser', async () => {
  const all = await scene();
  await known(all, 'teacher@idp', 'ada');
  const [here, there] = [await signIn(all, 'teacher@idp'), await signIn(all, 'teacher@idp')];
  const { body } = await here.jar.auth('POST', 'refresh');
  const socket = await all.server.connect('ada', { token: String(body['access_token']), reconnection: false });
  await all.provider.signOut(here.browser);
  await expect.poll(() => socket.socket.connected).toBe(false);
  await expect.poll(() => whoIs(here.jar)).toBe(401);
  expect(await statusWith(all.server, String(body['access_token']))).toBe(401);
  expect(await whoIs(there.jar)).toBe('ada');
});

test('[SIGNIN-33] a logout token counts once, for its issuer, audience and event, and by its signature', async () => {
  const all = await scene();
  await known(all, 'teacher@idp', 'ada');
  const { jar } = await signIn(all, 'teacher@idp');
  const now = Math.floor(Date.now() / 1000);
  const event = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const good = () => ({
    iss: all.provider.issuer,
    aud: 'rollcall',
    iat: now,
    exp: now + 120,
    jti: randomUUID(),
    sub: 'teacher@idp',
    events: event,
  });
  const send = async (token: string, type = 'application/x-www-form-urlencoded') =>
    (
      await fetch(`${all.server.url}/api/v1/auth/oidc/back-channel-logout`, {
        method: 'POST',
        // As it comes from another server, through whatever.
        headers: { 'content-type': type, 'sec-fetch-site': 'cross-site' },
        body: new URLSearchParams({ logout_token: token }).toString(),
      })
    ).status;
  const bad: ReadonlyArray<readonly [string, object]> = [
    ['another issuer', { iss: 'https://evil.example' }],
    ['another audience', { aud: 'another' }],
    ['no event', { events: undefined }],
    ['another event', { events: { 'http://schemas.openid.net/event/other': {} } }],
    ['an event that is no object', { events: { 'http://schemas.openid.net/event/backchannel-logout': true } }],
    ['a nonce', { nonce: 'n' }],
    ['no jti', { jti: undefined }],
    ['no iat', { iat: undefined }],
    ['an old one', { iat: now - 900, exp: undefined }],
    ['an expired one', { exp: now - 120 }],
    ['nobody', { sub: undefined }],
  ];
  for (const [what, claims] of bad) {
    expect(await send(await all.provider.sign({ ...good(), ...claims })), what).toBe(400);
  }
  const [header, claims] = (await all.provider.sign(good())).split('.');
  for (const forged of [`${header}.${claims}.`, `${header}.${claims}.AAAA`, 'x', '']) {
    expect(await send(forged), forged).toBe(400);
  }
  const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
  expect(await send(`${unsigned}.${claims}.`)).toBe(400);
  expect(await send(await all.provider.sign(good()), 'application/json')).toBe(415);
  expect(await whoIs(jar)).toBe('ada');
  // Of somebody who isn't known here there is nothing to be done.
  expect(await send(await all.provider.sign({ ...good(), sub: 'stranger@idp' }))).toBe(200);
  expect(await whoIs(jar)).toBe('ada');

  const token = await all.provider.sign(good());
  expect(await send(token)).toBe(200);
  expect(await whoIs(jar)).toBe(401);
  const { jar: anew } = await signIn(all, 'teacher@idp');
  expect(await send(token)).toBe(400);
  expect(await whoIs(anew)).toBe('ada');
});

test('[SIGNIN-34] while the provider is away nobody is signed in by it, and where there is none nobody can ask for it', async () => {
  const port = await freePort();
  const gone = `http://127.0.0.1:${await freePort()}`;
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer(
    {
      CHAT_PORT: String(port),
      PUBLIC_URL: url,
      OIDC_ISSUER: gone,
      OIDC_CLIENT_ID: 'rollcall',
      OIDC_CLIENT_SECRET: 'x',
    },
    schoolOf(1),
  );
  const refused = await new CookieJar(server).auth('GET', 'oidc/start');
  expect(refused).toMatchObject({ status: 503, body: { code: 'KEYS_UNAVAILABLE' } });
  const none = await startServer({}, schoolOf(1));
  expect(await new CookieJar(none).auth('GET', 'oidc/start')).toMatchObject({ status: 404 });
  expect((await new CookieJar(none).auth('GET', 'ways')).body).toEqual({ email: false, oidc: false });
});

import { expect, test } from 'vitest';
import { schoolOf } from '../../testing/school.js';
import { startServer } from '../../testing/server.js';
import { CookieJar, signedInBrowser } from '../../testing/sign-in.js';
import { isFromAnotherSite } from './cross-site.js';

const HOST = 'school.example';
const OWN = 'https://school.example';
const EVIL = 'https://evil.example';

/** Sec-Fetch-Site, Origin, and whether a cookie may authorise such a POST. */
const TABLE: ReadonlyArray<readonly [string | undefined, string | undefined, boolean]> = [
  ['same-origin', OWN, true],
  ['same-origin', undefined, true],
  // What the browser says of itself counts before what Origin says.
  ['same-origin', EVIL, true],
  ['none', undefined, true],
  ['none', EVIL, true],
  ['cross-site', EVIL, false],
  ['cross-site', undefined, false],
  ['cross-site', 'null', false],
  ['cross-site', OWN, false],
  ['same-site', 'https://app.school.example', false],
  ['same-site', undefined, false],
  ['same-site', 'https://trusted.example', true],
  ['cross-site', 'https://trusted.example', true],
  ['', EVIL, false],
  ['nonsense', EVIL, false],
  ['same-origin, cross-site', EVIL, false],
  [undefined, undefined, true],
  [undefined, OWN, true],
  [undefined, 'http://school.example', true],
  [undefined, 'https://School.Example:443', true],
  [undefined, 'https://school.example:8443', false],
  [undefined, 'https://school.example.evil.example', false],
  [undefined, 'https://app.school.example', false],
  [undefined, 'https://trusted.example', true],
  [undefined, EVIL, false],
  [undefined, 'null', false],
  [undefined, '', false],
  [undefined, 'nonsense', false],
  [undefined, 'file://', false],
];

test.each(TABLE)('[SIGNIN-20] Sec-Fetch-Site %s and Origin %s: a cookie may authorise it: %s', (site, origin, may) => {
  const source = (method: string) => ({ method, secFetchSite: site, origin, host: HOST });
  const trusted = (other: string) => other === 'https://trusted.example';
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'NONSENSE']) {
    expect(isFromAnotherSite(source(method), trusted), method).toBe(!may);
  }
  for (const method of ['GET', 'HEAD', 'OPTIONS']) expect(isFromAnotherSite(source(method), trusted)).toBe(false);
});

test('[SIGNIN-20] whatever a cookie authorises is refused to another site, and so is signing in', async () => {
  const server = await startServer({ PUBLIC_URL: 'https://school.example', CORS_ORIGIN: '*' }, schoolOf(1));
  const { jar } = await signedInBrowser(server, 'ada');
  const session = jar.get('__Host-rollcall');
  const foreign: ReadonlyArray<Record<string, string>> = [
    { 'sec-fetch-site': 'cross-site', origin: EVIL },
    { 'sec-fetch-site': 'same-site', origin: 'https://app.school.example' },
    { origin: EVIL },
    { origin: 'null' },
  ];
  for (const headers of foreign) {
    for (const path of ['refresh', 'sign-out', 'sign-out-everywhere']) {
      expect(await jar.auth('POST', path, { headers }), path).toMatchObject({
        status: 403,
        body: { code: 'FORBIDDEN' },
      });
    }
    const others: ReadonlyArray<readonly [string, object]> = [
      ['sign-in', { token: 'x' }],
      ['sign-in/peek', { token: 'x' }],
      ['links', { email: 'ada@school.example' }],
    ];
    for (const [path, body] of others) expect((await jar.auth('POST', path, { body, headers })).status, path).toBe(403);
  }
  expect(jar.get('__Host-rollcall')).toBe(session);
  const own: ReadonlyArray<Record<string, string>> = [
    {},
    { 'sec-fetch-site': 'same-origin', origin: OWN },
    // A browser of before, through a proxy that puts another host in.
    { origin: OWN },
    { origin: server.url },
  ];
  for (const headers of own) expect((await jar.auth('POST', 'refresh', { headers })).status).toBe(200);
});

test('[SIGNIN-20] pages of CORS_ORIGIN get no answer that a cookie gave', async () => {
  const server = await startServer({ CORS_ORIGIN: 'https://app.example' }, schoolOf(1));
  const preflight = await new CookieJar(server).auth('OPTIONS', 'refresh', {
    headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
  });
  expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
});

import { get } from 'node:http';
import { expect, test } from 'vitest';
import { refusalOfConnection } from '../../testing/refusals.js';
import { schoolOf } from '../../testing/school.js';
import { startServer, tokenOf } from '../../testing/server.js';

type Transport = 'websocket' | 'polling';

/** True where a page of this origin gets in. */
async function entersFrom(url: string, origin: string | undefined, transport: Transport): Promise<boolean> {
  const extraHeaders = origin === undefined ? {} : { origin };
  const auth = { token: await tokenOf('ada') };
  return (await refusalOfConnection(url, { auth, transports: [transport], extraHeaders })) === undefined;
}

const FOREIGN = ['https://evil.example', 'http://127.0.0.1.evil.example', 'null', 'file://', 'nonsense'];

/** Each configuration, and which origins it lets in beside those without an Origin and its own. */
const CASES: ReadonlyArray<readonly [string, Record<string, string>, readonly string[], readonly string[]]> = [
  [
    'in development',
    {},
    ['http://localhost:5173', 'http://127.0.0.1:1', 'http://[::1]:8080', 'https://localhost'],
    [...FOREIGN, 'http://localhost.evil.example', 'http://evil-localhost'],
  ],
  ['in production', { NODE_ENV: 'production' }, [], [...FOREIGN, 'http://localhost:5173', 'http://127.0.0.1:1']],
  [
    'with a list',
    { CORS_ORIGIN: 'https://app.school.example,http://console.example:8080' },
    ['https://app.school.example', 'http://console.example:8080'],
    [...FOREIGN, 'http://app.school.example', 'https://app.school.example:444', 'https://x.app.school.example'],
  ],
  ['with *', { CORS_ORIGIN: '*' }, ['https://evil.example', 'http://localhost:5173', 'null', 'file://'], []],
  [
    'however the list and the page write them',
    { CORS_ORIGIN: 'HTTPS://App.School.Example:443/, https://bücher.example, http://console.example:80, file://' },
    [
      'https://app.school.example',
      'https://APP.school.example:443',
      'https://xn--bcher-kva.example',
      'http://console.example',
      'file://',
    ],
    ['http://app.school.example', 'https://app.school.example:80', 'https://console.example', 'null', 'file://host'],
  ],
  [
    'with a wildcard',
    { CORS_ORIGIN: 'https://*.school.example,https://pr-*.preview.example:8443' },
    [
      'https://app.school.example',
      'https://A-b.school.example:443',
      'https://xn--bcher-kva.school.example',
      'https://pr-12.preview.example:8443',
    ],
    [
      ...FOREIGN,
      'https://school.example',
      'https://.school.example',
      'https://a.b.school.example',
      'http://app.school.example',
      'https://app.school.example:444',
      'https://appschool.example',
      'https://app.school.example.evil.example',
      'https://evil.example:1.school.example',
      'https://pr-.preview.example:8443',
      'https://pr-12.preview.example',
    ],
  ],
];

test('[CONN-120] an origin is the server’s own however the Host header writes it', async () => {
  const { port } = await startServer({ NODE_ENV: 'production' }, schoolOf(1));
  const status = (host: string, origin: string) =>
    new Promise((resolve, reject) => {
      const headers = { host, origin };
      get({ port, host: '127.0.0.1', path: '/socket.io/?EIO=4&transport=polling', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
  for (const host of ['school.example', 'School.Example', 'school.example:443', 'SCHOOL.example:443']) {
    expect(await status(host, 'https://school.example'), host).toBe(200);
  }
  expect(await status('school.example:80', 'http://school.example')).toBe(200);
  expect(await status('school.example:4002', 'http://school.example:4002')).toBe(200);
  expect(await status('xn--bcher-kva.example', 'https://xn--bcher-kva.example')).toBe(200);
  for (const host of ['school.example:444', 'app.school.example', 'school.example:80', 'evil@school.example', '']) {
    expect(await status(host, 'https://school.example'), host).toBe(403);
  }
  expect(await status('school.example', 'null')).toBe(403);
});

test.each(CASES)(
  '[CONN-23] [CONN-120] foreign origins are refused %s, over websocket and polling',
  async (_name, variables, good, bad) => {
    const { url } = await startServer(variables, schoolOf(1));
    for (const transport of ['websocket', 'polling'] as const) {
      for (const origin of [undefined, url, ...good]) {
        expect(await entersFrom(url, origin, transport), `${origin} over ${transport}`).toBe(true);
      }
      for (const origin of bad) {
        expect(await entersFrom(url, origin, transport), `${origin} over ${transport}`).toBe(false);
      }
    }
  },
);

test('[CONN-23] a browser is told by CORS headers which page may read the answers', async () => {
  const { url } = await startServer({ CORS_ORIGIN: 'https://app.school.example' }, schoolOf(1));
  const poll = async (origin: string, method = 'GET') => {
    const response = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { method, headers: { origin } });
    return { status: response.status, allowed: response.headers.get('access-control-allow-origin') };
  };
  const origin = 'https://app.school.example';
  expect(await poll(origin)).toEqual({ status: 200, allowed: origin });
  expect(await poll('https://evil.example')).toEqual({ status: 403, allowed: null });
  expect(await poll(origin, 'OPTIONS')).toEqual({ status: 204, allowed: origin });
  expect((await poll('https://evil.example', 'OPTIONS')).allowed).toBeNull();
});

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
  ['with *', { CORS_ORIGIN: '*' }, ['https://evil.example', 'http://localhost:5173'], []],
];

test.each(CASES)(
  '[CONN-23] foreign origins are refused %s, over websocket and polling',
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

import { expect, test } from 'vitest';
import { type CommandOptions, type ConnectOptions, connect, type TokenSource } from './index.js';
import { clientOf, scripted } from './testing/scripted-server.js';

const url = 'http://127.0.0.1:4002';
const token = 'token';

test('[SDK-10] connect throws a TypeError without a url and without a usable token', () => {
  const token = 'token';
  const url = 'http://127.0.0.1:4002';
  for (const bad of [undefined, null, '', 7, {}]) {
    expect(() => connect({ url: bad as string, token })).toThrow(TypeError);
    expect(() => connect({ url, token: bad as TokenSource })).toThrow(TypeError);
  }
  expect(() => connect(undefined as never)).toThrow('connect needs a url');
});

test.each([
  ['rollcall.example', /^url "rollcall\.example" has no scheme: write https:\/\//],
  ['localhost:4002', /^url "localhost:4002" has no scheme/],
  ['127.0.0.1:4002', /has no scheme/],
  ['//rollcall.example', /has no scheme/],
  ['/', /has no scheme/],
  ['https:/rollcall.example', /has no scheme/],
  ['https://', /is no address/],
  ['https://:4002', /is no address/],
  ['http://localhost:99999', /is no address/],
  ['http://a b.example', /is no address/],
  ['ftp://rollcall.example', /has a scheme that is none of https, http, wss and ws/],
  ['file:///etc/hosts', /has a scheme/],
  ['https://rollcall.example/api', /has a path: give the address alone, and `path`/],
  ['https://rollcall.example/socket.io/', /has a path/],
  ['https://rollcall.example//', /has a path/],
  ['https://rollcall.example?token=x', /has something after the address/],
  ['https://rollcall.example/#class', /has something after the address/],
  ['https://ada:secret@rollcall.example', /^url has a user name or a password in it/],
])('[SDK-165] the url %j is a TypeError at once that says what is wrong', (wrong, message) => {
  expect(() => connect({ url: wrong, token })).toThrow(TypeError);
  expect(() => connect({ url: wrong, token })).toThrow(message);
});

test.each(['/', '', '//example'])(
  '[SDK-165] a url that a server can be reached by works, ended with %j or in other words',
  async (end) => {
    const { url: address } = await scripted(() => ({ ok: true, activeSessions: [] }));
    const host = address.slice('http://'.length);
    const written =
      end === '//example'
        ? [`ws://${host}`, `HTTP://${host}`, ` ${address} `, `http://localhost:${host.split(':')[1]}`]
        : [`${address}${end}`];
    for (const one of written) {
      await expect(clientOf(one).activeSessions(), one).resolves.toMatchObject({ activeSessions: [] });
    }
  },
);

test.each<[keyof ConnectOptions, readonly unknown[]]>([
  ['path', ['', 'socket.io', '/socket.io?a=1', '/a b', 7, null, {}]],
  ['transports', ['websocket', [], ['carrier pigeon'], ['websocket', 7], null, 7, {}]],
  ['timeout', [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5000', null, {}]],
  ['deadline', [0, -1, Number.NaN, Number.NEGATIVE_INFINITY, '5000', null, {}]],
  [
    'reconnect',
    [
      500,
      null,
      [],
      {},
      { min: 500 },
      { min: 0, max: 5 },
      { min: 5, max: 1 },
      { min: 1, max: Number.POSITIVE_INFINITY },
      { min: '1', max: 2 },
    ],
  ],
  ['client', ['app', null, [], {}, { name: 'app' }, { name: '', version: '1' }, { name: 'app', version: 1 }]],
])('[SDK-165] a bad %s is a TypeError at once that names it', (name, values) => {
  for (const value of values) {
    const options = { url, token, [name]: value } as ConnectOptions;
    expect(() => connect(options), String(value)).toThrow(TypeError);
    expect(() => connect(options), String(value)).toThrow(new RegExp(`^${name}\\b`));
  }
});

test('[SDK-165] an option that doesn’t exist is refused by name, and one that is undefined is left out', async () => {
  expect(() => connect({ url, token, timeOut: 5 } as ConnectOptions)).toThrow(
    new TypeError('connect has no option "timeOut"'),
  );
  const server = await scripted(() => ({ ok: true, activeSessions: [] }));
  const nothing = {
    path: undefined,
    transports: undefined,
    timeout: undefined,
    deadline: undefined,
    client: undefined,
  };
  await clientOf(server.url, nothing as object).activeSessions();
});

test('[SDK-165] a timeout of years waits as long as timers can, and isn’t over at once', async () => {
  const { url: address, connections, received } = await scripted(() => ({ ok: true, activeSessions: [] }));
  const client = clientOf(address, { timeout: 1e15, deadline: 1e15, reconnect: { min: 20, max: 1e15 } });
  await client.activeSessions();
  expect([connections.length, received.length]).toEqual([1, 1]);
});

test.each<[string, unknown, RegExp]>([
  ['deadline', { deadline: Number.NaN }, /^deadline must be a number of milliseconds above 0/],
  ['deadline', { deadline: '5' }, /^deadline/],
  ['op_id', { op_id: '' }, /^op_id must be a string of 1 to 64 characters/],
  ['op_id', { op_id: 'x'.repeat(65) }, /^op_id/],
  ['op_id', { op_id: 7 }, /^op_id/],
  ['signal', { signal: true }, /^signal must be an AbortSignal/],
  ['options', null, /^the options of getOnlineStudents must be an object/],
])('[SDK-165] a bad %s of a command rejects with a TypeError (case %#)', async (_, bad, message) => {
  const options = bad as CommandOptions;
  const { url: address, received } = await scripted(() => ({ ok: true }));
  const client = clientOf(address);
  await client.ready();
  const refused = client.onlineStudents({ session_id: 's' }, options);
  await expect(refused).rejects.toThrow(TypeError);
  await expect(client.onlineStudents({ session_id: 's' }, options)).rejects.toThrow(message);
  await expect(client.onlineStudents(undefined as never)).rejects.toThrow(/^getOnlineStudents takes an object/);
  expect(received).toEqual([]);
});

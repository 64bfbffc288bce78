import { createServer, connect as dial, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Pause } from './delays.js';
import { Emitter } from './emitter.js';
import type { TokenSource } from './index.js';
import { journalServer, session_id } from './testing/journal-server.js';
import { clientOf, scripted } from './testing/scripted-server.js';

const patiently = { timeout: 30_000 };
const nothingActive = { ok: true, activeSessions: [] };

/** A proxy before a server that lets everything through but websockets, of which nothing is heard again. */
async function swallowing(url: string): Promise<string> {
  const open = new Set<Socket>();
  const proxy = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', (head) => {
      if (/upgrade: websocket/i.test(head.toString('latin1'))) return;
      const server = dial(Number(new URL(url).port), '127.0.0.1');
      open.add(server);
      server.on('error', () => undefined);
      server.write(head);
      socket.pipe(server).pipe(socket);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    proxy.close();
  });
  const address = proxy.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

test('[SDK-167] where a proxy swallows websockets the client comes through by polling', async () => {
  const { url } = await scripted(() => nothingActive);
  const client = clientOf(await swallowing(url), { timeout: 2_000, deadline: 60_000 });
  await expect(client.activeSessions()).resolves.toMatchObject(nothingActive);
});

test('[SDK-168] a connection that is lost as soon as it is made is tried for ever more seldom', async () => {
  const { url, io, connections } = await scripted(() => nothingActive);
  const waits = vi.spyOn(Pause.prototype, 'wait');
  onTestFinished(() => waits.mockRestore());
  io.on('connection', (socket) => socket.disconnect(true));
  clientOf(url, { reconnect: { min: 20, max: 60_000 } });
  await vi.waitFor(() => expect(connections.length).toBeGreaterThan(5), patiently);
  const delays = waits.mock.calls.map(([ms]) => ms);
  for (const [n, delay] of delays.slice(2).entries()) expect(delay).toBeGreaterThan(delays[n] ?? 0);
});

test.each([undefined, null, '', 7, { token: 'x' }])(
  '[SDK-169] a token function that gives %j has no token, and is asked again',
  async (nothing) => {
    const { url, connections } = await scripted(() => nothingActive);
    let asked = 0;
    const token = (() => (asked++ === 0 ? nothing : 'token')) as TokenSource;
    const client = clientOf(url, { token });
    const reasons: unknown[] = [];
    client.on('state', ({ reason }) => reasons.push(reason));
    await client.activeSessions();
    expect(reasons).toEqual([expect.stringMatching(/^No token: the function gave /), undefined]);
    expect(connections).toHaveLength(1);
  },
);

test('[SDK-9] a course that was unsubscribed from before its subscription was answered isn’t subscribed to again', async () => {
  let asked = 0;
  const { url, io, received } = await scripted(({ event }) => {
    if (event !== 'subscribeToCourse') return { ok: true, course_id: 'course-1', activeSessions: [] };
    asked += 1;
    return asked === 1 ? undefined : nothingActive;
  });
  const talk = setInterval(() => io.emit('attendanceStatistics', { session_id: 'another' }), 20);
  onTestFinished(() => clearInterval(talk));
  const client = clientOf(url, { timeout: 300 });
  await client.ready();
  const subscribed = client.subscribeToCourse({ course_id: 'course-1' });
  await client.unsubscribeFromCourse({ course_id: 'course-1' });
  await subscribed;
  const before = received.length;
  const back = client.once('state').then(() => client.ready());
  io.disconnectSockets(true);
  await back;
  await client.activeSessions();
  expect(received.slice(before).map(({ event }) => event)).toEqual(['checkActiveSessions']);
});

test('[SDK-170] nothing is told of a session that a listener has closed', async () => {
  const server = await journalServer();
  const live = await clientOf(server.url).openSession(session_id);
  const heard: string[] = [];
  live.on('change', ({ seq }) => {
    heard.push(`first ${seq}`);
    stop();
    live.close();
  });
  const stop = live.on('change', ({ seq }) => heard.push(`second ${seq}`));
  const all = [0, 1, 2].map((student) => ({ type: 'marked', student, status: 'late' }) as const);
  server.commit(...all);
  await vi.waitFor(() => expect(live.state).toBe('closed'), patiently);
  expect(heard).toEqual(['first 2']);
});

test('[SDK-170] a listener that was taken off by one before it isn’t called, and one function may listen twice', () => {
  class Bell extends Emitter<{ ring: number }> {
    ring = (n: number) => this.emit('ring', n);
  }
  const bell = new Bell();
  const heard: string[] = [];
  const listener = (n: number) => heard.push(`twice ${n}`);
  const once = bell.on('ring', listener);
  bell.on('ring', listener);
  const stop: Array<() => void> = [];
  bell.on('ring', () => stop[0]?.());
  stop.push(bell.on('ring', () => heard.push('never')));
  bell.ring(1);
  once();
  bell.ring(2);
  expect(heard).toEqual(['twice 1', 'twice 1', 'twice 2']);
});

test('[SDK-4] of two pauses at once the shorter ends first, and both end', async () => {
  const pause = new Pause();
  const ended: string[] = [];
  await Promise.all([pause.wait(20).then(() => ended.push('short')), pause.wait(60).then(() => ended.push('long'))]);
  expect(ended).toEqual(['short', 'long']);
  const woken = Promise.all([pause.wait(1e15), pause.wait(60_000)]);
  pause.wake();
  await woken;
});

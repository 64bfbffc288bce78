import { type ConnectOptions, connect, RollcallClientError } from '@rollcall/client';
import { expect, onTestFinished, test } from 'vitest';
import { accepted, end, mark, startedClass } from './testing/class.js';
import { sdk } from './testing/sdk.js';

const session_id = 'session-1';
const PATIENCE = { timeout: 30_000, interval: 20 };

test('[DISPLAY-10] the SDK connects as a display, and closes with SESSION_ENDED once the session is over', async () => {
  const { server, teacher } = await startedClass(2, { policy: { check_in: 'code' } });
  const { token } = await sdk(server.url, 'ada').api.makeDisplayToken({ session_id });
  const display = connect({ url: server.url, display: token, reconnect: { min: 20, max: 100 } });
  onTestFinished(() => display.close());
  const codes: string[] = [];
  const present: number[] = [];
  display.on('attendanceCode', ({ code }) => codes.push(code));
  display.on('attendanceStatistics', ({ statistics }) => present.push(statistics.presentCount));
  await expect.poll(() => [codes.length, present], PATIENCE).toEqual([1, [0]]);
  await expect(display.activeSessions()).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await accepted(mark(teacher, 'student-1', 'present'));
  await expect.poll(() => present.at(-1), PATIENCE).toBe(1);
  await accepted(end(teacher));
  await expect.poll(() => display.state, PATIENCE).toBe('closed');
  await expect(display.ready()).rejects.toMatchObject({ code: 'SESSION_ENDED' });
});

test('[DISPLAY-10] the token of another installation closes the client with UNAUTHENTICATED', async () => {
  const [{ server }, other] = await Promise.all([startedClass(1), startedClass(1)]);
  const { token } = await sdk(other.server.url, 'ada').api.makeDisplayToken({ session_id });
  const display = connect({ url: server.url, display: token });
  onTestFinished(() => display.close());
  await expect(display.ready()).rejects.toThrow(RollcallClientError);
  await expect(display.ready()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test.each<[string, Partial<ConnectOptions>, RegExp]>([
  ['an empty one', { display: '' }, /display must be the token of a display/],
  ['no text', { display: 5 as unknown as string }, /display must be the token of a display/],
  ['a token beside it', { display: 'x', token: 'x' }, /a token or a display, and not both/],
])('[DISPLAY-10] connect refuses the option display: %s', (_what, options, message) => {
  expect(() => connect({ url: 'https://rollcall.example', ...options })).toThrow(TypeError);
  expect(() => connect({ url: 'https://rollcall.example', ...options })).toThrow(message);
});

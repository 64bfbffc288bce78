import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { readEntries } from '../storage/contract/journal-access.js';
import { schoolOf } from '../testing/school.js';
import { type Client, SECRET, startServer, tokenOf } from '../testing/server.js';

/** A token that expires this many milliseconds from now. */
const tokenFor = (uid: string, ms: number) =>
  new SignJWT({ uid, exp: (Date.now() + ms) / 1000 })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET));

const disconnection = ({ socket }: Client): Promise<{ reason: string; at: number }> =>
  new Promise((resolve) => {
    socket.once('disconnect', (reason) => resolve({ reason, at: performance.now() }));
  });

/** Whatever happens to this connection from now on. */
function watched(client: Client): { readonly reasons: string[] } {
  const reasons: string[] = [];
  client.socket.on('disconnect', (reason) => reasons.push(reason));
  return { reasons };
}

/** Both ends of a round trip: whatever the server had to say before is here. */
const roundTrip = (client: Client) => client.send('unsubscribeFromCourse', { course_id: 'course-1' });

test('[CONN-9] an expired token brings sessionExpired, and its connection is closed within 5 s', async () => {
  const server = await startServer({}, schoolOf(1));
  const client = await server.connect('ada', { token: await tokenFor('ada', 1_000) });
  const gone = disconnection(client);
  expect(await client.next('sessionExpired')).toMatchObject({ code: 'UNAUTHENTICATED' });
  const told = performance.now();
  const { reason, at } = await gone;
  expect(at - told).toBeLessThan(5_000);
  expect(reason).toBe('transport close');
  expect(client.all('sessionExpired')).toHaveLength(1);
});

test('[CONN-9] a connection whose token has expired can change nothing more', async () => {
  const server = await startServer({}, schoolOf(1));
  const client = await server.connect('ada', { token: await tokenFor('ada', 700) });
  await client.next('sessionExpired');
  const answer = await client.send('startAttendanceSession', { session_id: 'session-1' });
  expect(answer).toMatchObject({ ok: false, error: { code: 'UNAUTHENTICATED', message: 'Invalid token' } });
  expect(await readEntries(server.storage, 'session-1' as never, 0, 10)).toEqual([]);
});

test('[CONN-9] a token that is good for longer than a timer can wait doesn’t expire at once', async () => {
  const server = await startServer({}, schoolOf(1));
  const client = await server.connect('ada', { token: await tokenOf('ada', {}, '1000d') });
  await roundTrip(client);
  expect(client.all('sessionExpired')).toEqual([]);
});

test('[CONN-10] refreshToken replaces the connection’s expiry and is acknowledged with it', async () => {
  const server = await startServer({}, schoolOf(1));
  const client = await server.connect('ada', { token: await tokenFor('ada', 1_500) });
  const { reasons } = watched(client);
  const token = await tokenOf('ada', {}, '2h');
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp: number };
  const answer = await client.send('refreshToken', { token });
  expect(answer).toEqual({ ok: true, expires_at: new Date(exp * 1000).toISOString() });

  // A second connection with the same first expiry shows when the time is over.
  const witness = await server.connect('cyd', { token: await tokenFor('cyd', 1_500) });
  await disconnection(witness);
  await roundTrip(client);
  expect(client.all('sessionExpired')).toEqual([]);
  expect(reasons).toEqual([]);
});

test('[CONN-10] refreshToken may also bring the expiry nearer', async () => {
  const server = await startServer({}, schoolOf(1));
  const client = await server.connect('ada');
  const gone = disconnection(client);
  expect(await client.send('refreshToken', { token: await tokenFor('ada', 500) })).toMatchObject({ ok: true });
  await client.next('sessionExpired');
  expect((await gone).reason).toBe('transport close');
});

test('[CONN-10] a token that doesn’t expire is acknowledged with null, one beyond all dates with the last of them', async () => {
  const server = await startServer({}, schoolOf(1));
  const client = await server.connect('ada');
  const key = new TextEncoder().encode(SECRET);
  const endless = await new SignJWT({ uid: 'ada' }).setProtectedHeader({ alg: 'HS256' }).sign(key);
  expect(await client.send('refreshToken', { token: endless })).toEqual({ ok: true, expires_at: null });
  const far = await new SignJWT({ uid: 'ada', exp: 1e200 }).setProtectedHeader({ alg: 'HS256' }).sign(key);
  expect(await client.send('refreshToken', { token: far })).toEqual({
    ok: true,
    expires_at: '9999-12-31T23:59:59.999Z',
  });
});

test('[CONN-10] a connection that comes with a new token after sessionExpired stays', async () => {
  const server = await startServer({}, schoolOf(1));
  const client = await server.connect('ada', { token: await tokenFor('ada', 700) });
  const { reasons } = watched(client);
  const witness = await server.connect('cyd', { token: await tokenFor('cyd', 700) });
  const witnessGone = disconnection(witness);
  await client.next('sessionExpired');
  expect(await client.send('refreshToken', { token: await tokenOf('ada') })).toMatchObject({ ok: true });
  await witnessGone;
  expect(await client.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
  expect(reasons).toEqual([]);
});

const refusedRefresh = async (name: string, tokens: Array<() => Promise<string>>, error: object): Promise<void> => {
  const server = await startServer({}, schoolOf(1));
  // The expiry is left as it was: this connection ends when its own token does.
  const client = await server.connect('ada', { token: await tokenFor('ada', 2_000) });
  const gone = disconnection(client);
  for (const make of tokens) {
    const answer = await client.send('refreshToken', { token: await make() });
    expect(answer, name).toMatchObject({ ok: false, error });
    expect(await client.next('attendanceError')).toMatchObject({ event: 'refreshToken', ...error });
  }
  expect(await client.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
  await client.next('sessionExpired');
  expect((await gone).reason).toBe('transport close');
};

test('[CONN-11] refreshToken with a token of another uid is FORBIDDEN and changes nothing', () =>
  refusedRefresh('another uid', [() => tokenOf('root'), () => tokenOf('nobody'), () => tokenOf('ada ')], {
    code: 'FORBIDDEN',
  }));

test('[CONN-12] refreshToken with a bad or expired token is UNAUTHENTICATED and changes nothing', () =>
  refusedRefresh(
    'bad token',
    [
      async () => 'nonsense',
      () => tokenFor('ada', -1_000),
      async () => `${(await tokenOf('ada')).slice(0, -8)}AAAAAAAA`,
    ],
    { code: 'UNAUTHENTICATED', message: 'Invalid token' },
  ));

test('[CONN-12] refreshToken without a token is BAD_REQUEST', async () => {
  const server = await startServer({}, schoolOf(1));
  const client = await server.connect('ada');
  for (const payload of [undefined, null, {}, { token: '' }, { token: { $ne: null } }, { token: 'x'.repeat(16_385) }]) {
    expect((await client.send('refreshToken', payload)).error).toMatchObject({ code: 'BAD_REQUEST' });
  }
});

test('[CONN-13] after the server closed a connection the client comes back by itself', async () => {
  const server = await startServer({}, schoolOf(1));
  let token = await tokenFor('ada', 1_000);
  const client = await server.connect('ada', {
    auth: (send: (data: object) => void) => send({ token }),
  } as never);
  await client.next('sessionExpired');
  token = await tokenOf('ada');
  const back = new Promise<void>((resolve) => client.socket.once('connect', resolve));
  expect((await disconnection(client)).reason).toBe('transport close');
  await back;
  expect(await client.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
});

test.each(['websocket', 'polling'])(
  '[CONN-13] a stopping server cuts %s without a disconnect packet',
  async (transport) => {
    const server = await startServer({}, schoolOf(1));
    const client = await server.connect('ada', { transports: [transport] });
    const gone = disconnection(client);
    const back = new Promise<void>((resolve) => client.socket.once('connect', resolve));
    const restarted = server.restart();
    expect((await gone).reason).toMatch(/^transport (close|error)$/);
    await restarted;
    await back;
    expect(await client.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
  },
);

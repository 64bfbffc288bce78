import { expect, test } from 'vitest';
import { refusalOfConnection } from '../../testing/refusals.js';
import { schoolOf } from '../../testing/school.js';
import { type Client, startServer, tokenOf } from '../../testing/server.js';
import { CONNECTIONS_MAX } from './crowd.js';

test('[CONN-181] over the bound of a user’s connections the new one is refused for now, and others come in', async () => {
  const server = await startServer({}, schoolOf(2));
  const many = () => Promise.all(Array.from({ length: CONNECTIONS_MAX }, () => server.connect('s-1')));
  const clients: Client[] = await many();
  const auth = { token: await tokenOf('s-1'), client: { retries: true } };
  expect(await refusalOfConnection(server.url, { auth })).toEqual({
    message: 'This user has too many connections',
    data: { code: 'RATE_LIMITED', retryable: true },
  });
  expect(clients.every(({ socket }) => socket.connected)).toBe(true);
  await server.connect('s-2');
  clients[0]?.close();
  await expect.poll(() => refusalOfConnection(server.url, { auth })).toBeUndefined();
});

test('[CONN-181] connections that come all at once don’t get past the bound', async () => {
  const server = await startServer({}, schoolOf(1));
  const auth = { token: await tokenOf('s-1'), client: { retries: true } };
  const attempts = Array.from({ length: 2 * CONNECTIONS_MAX }, () =>
    server.connect('s-1', { auth, reconnection: false } as never).catch(() => {}),
  );
  await expect.poll(() => server.rollcall.io.of('/').sockets.size, { timeout: 30_000 }).toBe(CONNECTIONS_MAX);
  await Promise.race(attempts);
  expect(server.rollcall.io.of('/').sockets.size).toBeLessThanOrEqual(CONNECTIONS_MAX);
});

import { expect, test } from 'vitest';
import { MONGO_MISSING, testMongoUri } from '../testing/mongo-server.js';
import { startServer } from '../testing/server.js';
import { signedInBrowser, statusWith } from '../testing/sign-in.js';
import { freshSchool, missing, PATIENCE, startNodes } from './nodes.test.support.js';

if (missing) test.skip(`[SIGNIN-27] sign-out on several nodes ${missing}`);
else {
  test('[SIGNIN-27] a sign-out on one node cuts the sockets and ends the tokens on all of them, at once', async () => {
    const { nodes } = await startNodes(2, 3);
    const [here, there] = nodes;
    if (!here || !there) throw new Error('two nodes were asked for');
    const leaving = await signedInBrowser(here, 'ada');
    const staying = await signedInBrowser(there, 'ada');
    const cut = await there.connect('ada', { token: leaving.token, reconnection: false });
    const kept = await there.connect('ada', { token: staying.token });
    // The other node knows the session by the database.
    const refreshed = await fetch(`${there.url}/api/v1/auth/refresh`, {
      method: 'POST',
      headers: { cookie: `rollcall=${leaving.jar.get('rollcall')}` },
    });
    expect(refreshed.status).toBe(200);
    await leaving.jar.auth('POST', 'sign-out');
    expect(await cut.next('sessionExpired')).toEqual({ message: 'Signed out', code: 'UNAUTHENTICATED' });
    await expect.poll(() => cut.socket.connected, PATIENCE).toBe(false);
    expect(await statusWith(there, leaving.token)).toBe(401);
    await expect(there.connect('ada', { token: leaving.token })).rejects.toThrow('Invalid token');
    expect(kept.socket.connected).toBe(true);
    expect(await statusWith(here, staying.token)).toBe(200);
  });

  test('[SIGNIN-27] while Redis is away a sign-out is found in the database by the next poll', async () => {
    const { nodes, redis } = await startNodes(2, 1);
    const [here, there] = nodes;
    if (!here || !there) throw new Error('two nodes were asked for');
    const { jar, token } = await signedInBrowser(here, 'ada');
    const socket = await there.connect('ada', { token, reconnection: false });
    await redis.kill();
    await jar.auth('POST', 'sign-out');
    await expect.poll(() => socket.socket.connected, PATIENCE).toBe(false);
    await expect.poll(() => statusWith(there, token), PATIENCE).toBe(401);
  });
}

if (await testMongoUri()) {
  test('[SIGNIN-27] so do servers that have nothing but the database in common', async () => {
    const DATABASE_URL = await freshSchool(1);
    const [here, there] = [await startServer({ DATABASE_URL }), await startServer({ DATABASE_URL })];
    const { jar, token } = await signedInBrowser(here, 'ada');
    const socket = await there.connect('ada', { token, reconnection: false });
    await jar.auth('POST', 'sign-out-everywhere');
    await expect.poll(() => socket.socket.connected, PATIENCE).toBe(false);
    expect(await statusWith(there, token)).toBe(401);
    const late = await startServer({ DATABASE_URL });
    expect(await statusWith(late, token)).toBe(401);
  });
} else test.skip(`[SIGNIN-27] sign-out without Redis ${MONGO_MISSING}`);

import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { schoolOf } from '../testing/school.js';
import { SECRET, startServer, tokenOf } from '../testing/server.js';
import { signedInBrowser, statusWith } from '../testing/sign-in.js';
import { accessKeyOf } from './access-token.js';
import { startKeyServer } from './key-server.test.support.js';

const signedWith = (secret: string, claims: Record<string, unknown>) =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret));

test('[SIGNIN-9] with JWKS_URL alone access tokens are signed by the installation’s key, and no other token is', async () => {
  const keys = await startKeyServer([]);
  const server = await startServer(
    { ACCESS_TOKEN_SECRET: '', NODE_ENV: 'production', JWKS_URL: keys.url },
    schoolOf(1),
  );
  const { jar, token } = await signedInBrowser(server, 'ada');
  expect(await statusWith(server, token)).toBe(200);
  const socket = await server.connect('ada', { token });
  expect(await socket.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
  const key = accessKeyOf(await server.storage.installation.signingKey());
  expect(await statusWith(server, await signedWith(key, { uid: 'ada' }))).toBe(401);
  expect(await statusWith(server, await signedWith(key, { uid: 'ada', sid: 'x' }))).toBe(401);
  expect(await statusWith(server, await signedWith(SECRET, { uid: 'ada', sid: 'x', iss: 'rollcall' }))).toBe(401);
  await jar.auth('POST', 'sign-out');
  expect(await statusWith(server, token)).toBe(401);
});

test('[SIGNIN-25] with TOKEN_UID_CLAIM the access tokens of web sessions go on naming their user by uid', async () => {
  const server = await startServer({ TOKEN_UID_CLAIM: 'userId' }, schoolOf(1));
  const { token } = await signedInBrowser(server, 'ada');
  expect(await statusWith(server, token)).toBe(200);
  expect(await statusWith(server, await tokenOf('nobody', { userId: 'ada' }))).toBe(200);
  expect(await statusWith(server, await tokenOf('ada'))).toBe(401);
});

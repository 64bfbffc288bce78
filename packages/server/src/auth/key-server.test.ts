import { SignJWT } from 'jose';
import { expect, onTestFinished, test, vi } from 'vitest';
import { refusalOfConnection } from '../testing/refusals.js';
import { schoolOf } from '../testing/school.js';
import { sdk } from '../testing/sdk.js';
import { startServer, type TestServer, tokenOf } from '../testing/server.js';
import { makeKey, type SigningKey, startKeyServer } from './key-server.test.support.js';

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const invalid = { message: 'Invalid token', data: { code: 'UNAUTHENTICATED' } };

/** A server that takes the tokens of these keys alone; `''` as the secret means none. */
async function serverWith(keys: readonly SigningKey[], variables: Record<string, string> = {}) {
  const keyServer = await startKeyServer(keys);
  const server = await startServer({ JWKS_URL: keyServer.url, ACCESS_TOKEN_SECRET: '', ...variables }, schoolOf(1));
  return { server, keyServer };
}

const refusal = ({ url }: TestServer, token: string) => refusalOfConnection(url, { auth: { token } });

test('[AUTH-3] RS, PS, ES and EdDSA tokens are verified with the keys at JWKS_URL', async () => {
  const keys = await Promise.all(ALGORITHMS.map((alg) => makeKey(alg)));
  const { server, keyServer } = await serverWith(keys);
  for (const key of keys) {
    expect(await refusal(server, await key.sign({ uid: 'ada' })), key.alg).toBeUndefined();
    // The same name, other keys.
    const stranger = await makeKey(key.alg, key.kid);
    expect(await refusal(server, await stranger.sign({ uid: 'ada' })), `a stranger's ${key.alg}`).toEqual(invalid);
  }
  expect(keyServer.asked).toBe(1);
  const client = await server.connect('', { token: await (keys[0] as SigningKey).sign({ sub: 'ada' }) });
  expect(await client.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
});

test('[AUTH-3] a token that names an unknown or another key is refused', async () => {
  const [rs, es] = await Promise.all([makeKey('RS256'), makeKey('ES256')]);
  const { server } = await serverWith([rs, es]);
  const bad = {
    'unknown kid': await rs.sign({ uid: 'ada' }, { kid: 'elsewhere' }),
    'the kid of another key': await rs.sign({ uid: 'ada' }, { kid: es.kid }),
    'a kid that is no string': await rs.sign({ uid: 'ada' }, { kid: { $ne: null } }),
    // A key that the token brings along proves nothing.
    'a key of its own': await (await makeKey('ES256', 'elsewhere')).sign({ uid: 'ada' }, { jwk: es.jwk }),
    'key addresses of its own': await rs.sign({ uid: 'ada' }, { kid: 'elsewhere', jku: 'http://127.0.0.1:9/keys' }),
  };
  for (const [what, token] of Object.entries(bad)) expect(await refusal(server, token), what).toEqual(invalid);
  expect(await refusal(server, await rs.sign({ uid: 'ada' }))).toBeUndefined();
});

test('[AUTH-3] an expired token of the key set is refused', async () => {
  const key = await makeKey('ES256');
  const { server } = await serverWith([key]);
  expect(await refusal(server, await key.sign({ uid: 'ada', exp: Math.floor(Date.now() / 1000) - 10 }))).toEqual(
    invalid,
  );
});

test('[AUTH-4] where JWT_ISSUER is set, a token of another issuer is refused', async () => {
  const key = await makeKey('ES256');
  const { server } = await serverWith([key], { JWT_ISSUER: 'https://id.school.example' });
  expect(await refusal(server, await key.sign({ uid: 'ada', iss: 'https://id.school.example' }))).toBeUndefined();
  for (const iss of ['https://id.school.example/', 'https://elsewhere.example', '', undefined]) {
    const claims = iss === undefined ? { uid: 'ada' } : { uid: 'ada', iss };
    expect(await refusal(server, await key.sign(claims)), String(iss)).toEqual(invalid);
  }
});

test('[AUTH-5] where JWT_AUDIENCE is set, a token for another audience is refused', async () => {
  const key = await makeKey('ES256');
  const { server } = await serverWith([key], { JWT_AUDIENCE: 'rollcall' });
  for (const aud of ['rollcall', ['library', 'rollcall']]) {
    expect(await refusal(server, await key.sign({ uid: 'ada', aud })), String(aud)).toBeUndefined();
  }
  for (const aud of ['library', [], undefined]) {
    const claims = aud === undefined ? { uid: 'ada' } : { uid: 'ada', aud };
    expect(await refusal(server, await key.sign(claims)), String(aud)).toEqual(invalid);
  }
});

test('[AUTH-6] `none` and HS256 are refused where only the key set counts', async () => {
  const key = await makeKey('ES256');
  const { server } = await serverWith([key]);
  const none = `${btoa('{"alg":"none"}')}.${btoa('{"uid":"ada"}')}.`.replaceAll('=', '');
  expect(await refusal(server, none)).toEqual(invalid);
  expect(await refusal(server, await tokenOf('ada'))).toEqual(invalid);
});

test('[AUTH-7] an HS256 token signed with a public key as its secret is refused', async () => {
  const [rs, es] = await Promise.all([makeKey('RS256'), makeKey('ES256')]);
  const { server: keysAlone } = await serverWith([rs, es]);
  const { server: both } = await serverWith([rs, es], { ACCESS_TOKEN_SECRET: 'a secret beside the keys' });
  for (const { pem, jwk, kid } of [rs, es]) {
    for (const secret of [pem, pem.trim(), JSON.stringify(jwk), jwk.n ?? jwk.x ?? '']) {
      const token = await new SignJWT({ uid: 'ada' })
        .setProtectedHeader({ alg: 'HS256', kid })
        .sign(new TextEncoder().encode(secret));
      expect(await refusal(keysAlone, token)).toEqual(invalid);
      expect(await refusal(both, token)).toEqual(invalid);
    }
  }
});

test('[AUTH-10] either’s tokens are accepted where a secret and a key set are there', async () => {
  const key = await makeKey('EdDSA');
  const secret = 'a secret beside the keys';
  const { server } = await serverWith([key], { ACCESS_TOKEN_SECRET: secret });
  const own = new SignJWT({ uid: 'ada' }).setProtectedHeader({ alg: 'HS256' });
  expect(await refusal(server, await own.sign(new TextEncoder().encode(secret)))).toBeUndefined();
  expect(await refusal(server, await key.sign({ uid: 'ada' }))).toBeUndefined();
  expect(await refusal(server, await (await makeKey('EdDSA')).sign({ uid: 'ada' }))).toEqual(invalid);
});

test('[AUTH-3] while the keys can’t be had a client is not refused for good and gets in by itself', async () => {
  const key = await makeKey('RS256');
  const { server, keyServer } = await serverWith([key]);
  keyServer.failing = true;
  const connecting = server.connect('', { token: await key.sign({ uid: 'ada' }), reconnectionDelayMax: 100 });
  // Whatever becomes of the first attempts is looked at below.
  connecting.catch(() => {});
  await expect.poll(() => keyServer.asked, { timeout: 20_000 }).toBeGreaterThan(1);
  keyServer.failing = false;
  const client = await connecting;
  expect(await client.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
});

test('[AUTH-181] a token whose key came after the last look at the key set is let in', async () => {
  const [before, after] = await Promise.all([makeKey('ES256', 'before'), makeKey('ES256', 'after')]);
  const { server, keyServer } = await serverWith([before]);
  expect(await refusal(server, await before.sign({ uid: 'ada' }))).toBeUndefined();
  keyServer.keys = [before.jwk, after.jwk];
  const client = await server.connect('', { token: await after.sign({ uid: 'ada' }) });
  expect(await client.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
  // Many tokens of unknown keys make one question.
  const asked = keyServer.asked;
  const unknown = await before.sign({ uid: 'ada' }, { kid: 'nobody’s' });
  const answers = await Promise.all(Array.from({ length: 10 }, () => refusal(server, unknown)));
  expect(answers).toEqual(Array.from({ length: 10 }, () => invalid));
  expect(keyServer.asked - asked).toBeLessThanOrEqual(2);
});

test('[AUTH-182] while the key set can’t be read known keys count, an unknown one is refused for now, and the log says so once', async () => {
  const [known, unknown] = await Promise.all([makeKey('ES256', 'known'), makeKey('ES256', 'unknown')]);
  const lines: string[] = [];
  const keyServer = await startKeyServer([known]);
  const server = await startServer(
    { JWKS_URL: keyServer.url, ACCESS_TOKEN_SECRET: '', LOG_LEVEL: 'info' },
    schoolOf(1),
    { onLog: (line) => lines.push(line) },
  );
  const said = (what: string) => lines.filter((line) => line.includes(what)).length;
  expect(await refusal(server, await known.sign({ uid: 'ada' }))).toBeUndefined();
  keyServer.failing = true;
  // As if ten minutes had passed on this machine: the keys would have to be read again.
  const realNow = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => realNow() + 11 * 60_000);
  onTestFinished(() => clock.mockRestore());
  for (let n = 0; n < 3; n += 1) expect(await refusal(server, await known.sign({ uid: 'ada' }))).toBeUndefined();
  const auth = { token: await unknown.sign({ uid: 'ada' }), client: { retries: true } };
  expect(await refusalOfConnection(server.url, { auth })).toEqual({
    message: 'The identity provider does not answer',
    data: { code: 'KEYS_UNAVAILABLE', retryable: true },
  });
  const client = await server.connect('', { token: await known.sign({ uid: 'ada' }) });
  const refreshed = await client.send('refreshToken', { token: auth.token });
  expect(refreshed.error).toMatchObject({ code: 'KEYS_UNAVAILABLE', retryable: true });
  expect(said('the keys at JWKS_URL cannot be read')).toBe(1);
  keyServer.failing = false;
  keyServer.keys = [known.jwk, unknown.jwk];
  await expect
    .poll(() => refusalOfConnection(server.url, { auth }), { timeout: 30_000, interval: 500 })
    .toBeUndefined();
  expect(said('the keys at JWKS_URL can be read again')).toBe(1);
  expect(said('the keys at JWKS_URL cannot be read')).toBe(1);
});

test('[AUTH-182] an SDK client whose key can’t be known yet is connected once it can', async () => {
  const key = await makeKey('ES256');
  const { server, keyServer } = await serverWith([key]);
  keyServer.failing = true;
  const token = await key.sign({ uid: 'ada' });
  const opening = sdk(server.url, 'ada', { token }).openSession('session-1', { start: {} });
  // Whatever becomes of it is looked at below.
  opening.catch(() => {});
  await expect.poll(() => keyServer.asked, { timeout: 20_000 }).toBeGreaterThan(1);
  keyServer.failing = false;
  expect(await opening).toMatchObject({ state: 'live' });
});

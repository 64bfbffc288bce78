import { expect, onTestFinished, test } from 'vitest';
import { clientOf, errorOf, scripted } from './testing/scripted-server.js';
import { lifetimeOf, refreshDelay } from './token.js';

const NOW = Date.UTC(2026, 10, 23, 9);

function jwt(claims: object): string {
  const part = (value: object) =>
    btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value))))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replaceAll('=', '');
  return `${part({ alg: 'HS256' })}.${part(claims)}.signature`;
}

test('[SDK-7] a token is exchanged when a fifth of its life is left, at the latest a minute before its end', () => {
  const at = NOW / 1_000;
  expect(refreshDelay(jwt({ exp: at + 10 }), NOW)).toBe(8_000);
  expect(refreshDelay(jwt({ exp: at + 3_600 }), NOW)).toBe(3_540_000);
});

test('[SDK-7] where this machine’s clock says that a fresh token is over, the token’s own span counts', () => {
  const at = NOW / 1_000;
  expect(refreshDelay(jwt({ iat: at - 7_200, exp: at - 3_600 }), NOW)).toBe(3_540_000);
  expect(refreshDelay(jwt({ exp: at - 3_600 }), NOW)).toBeUndefined();
});

test('[SDK-7] a token that isn’t a JWT, or doesn’t expire, is never exchanged', () => {
  for (const token of ['opaque', 'a.b.c', '', jwt({ sub: 'ada' }), jwt({ exp: 'soon' })]) {
    expect(lifetimeOf(token)).toBeUndefined();
    expect(refreshDelay(token, NOW)).toBeUndefined();
  }
});

test('[SDK-7] claims beyond ASCII don’t keep the expiry from being read', () => {
  expect(lifetimeOf(jwt({ name: 'Æsa Þórsdóttir 🎓', exp: 1_000, iat: 400 }))).toEqual({
    expires_at: 1_000_000,
    span: 600_000,
  });
});

test('[SDK-7] a token function that throws fails that attempt alone, and is asked again', async () => {
  const { url } = await scripted(() => ({ ok: true, activeSessions: [] }));
  let asked = 0;
  const token = (): string => {
    asked += 1;
    if (asked < 3) throw new Error('signed out');
    return 'token';
  };
  const client = clientOf(url, { token, timeout: 5_000 });
  const reasons: unknown[] = [];
  client.on('state', ({ reason }) => reasons.push(reason));
  await client.activeSessions();
  expect(reasons).toEqual(['No token: signed out', 'No token: signed out', undefined]);
});

test('[SDK-7] a token function that throws leaves no timer that rejects later', async () => {
  const { url } = await scripted(() => undefined);
  const unhandled: unknown[] = [];
  const listen = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', listen);
  onTestFinished(() => {
    process.off('unhandledRejection', listen);
  });
  const client = clientOf(url, {
    timeout: 30,
    token: () => {
      throw new Error('signed out');
    },
  });
  await errorOf(client.activeSessions({}, { deadline: 300 }));
  expect(unhandled).toEqual([]);
});

test('[SDK-10] without a server the TIMEOUT says why there is no connection', async () => {
  const { url, io } = await scripted(() => undefined);
  await io.close();
  for (const transport of ['websocket', 'polling'] as const) {
    const error = await errorOf(clientOf(url, { transports: [transport], deadline: 500 }).activeSessions());
    expect(error).toMatchObject({ code: 'TIMEOUT', uncertain: false });
    expect(error.message).toMatch(/^No answer to checkActiveSessions within 500 ms: not connected \(.*ECONNREFUSED/);
  }
});

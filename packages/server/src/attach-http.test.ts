import type { RequestListener } from 'node:http';
import express from 'express';
import { expect, test } from 'vitest';
import type { HttpHost } from './attach.js';
import { chatApp } from './attach.test.support.js';
import { ConfigError } from './config/config.js';
import { apiOf } from './testing/api.js';
import { connectTo } from './testing/server.js';

type AppExpress = HttpHost &
  RequestListener & {
    get(path: string, handler: (request: unknown, response: { send(text: string): void }) => void): unknown;
  };

test('[EMBED-241] the HTTP API is mounted in an app’s Express, of version 4 or 5, and the rest stays the app’s', async () => {
  const { default: express4 } = (await import('express-4' as string)) as { default: typeof express };
  for (const make of [express, express4]) {
    const app = await chatApp();
    const host = make() as unknown as AppExpress;
    host.get('/hello', (_request, response) => response.send('the app’s own'));
    app.io.httpServer.on('request', host);
    const attached = await app.attach({ http: host });
    const ada = await apiOf(app, 'ada');
    const screen = await connectTo(app.url, 'cyd');
    expect(await ada('POST', '/sessions/session-1/start', { body: { topic: 'Sets' } })).toMatchObject({ status: 200 });
    await screen.send('watchAttendanceSession', { session_id: 'session-1' });
    const body = { status: 'late' };
    expect((await ada('PUT', '/sessions/session-1/records/student-1', { body })).status).toBe(200);
    expect(await screen.next('attendanceUpdated')).toMatchObject({ student_id: 'student-1', status: 'late' });
    expect((await ada('GET', '/openapi.json')).body['servers']).toEqual([{ url: '/api/v1' }]);
    const refused = await (await apiOf(app))('GET', '/me');
    expect(refused).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
    expect(String(refused.body['type'])).toContain('/api/v1/errors#UNAUTHENTICATED');
    expect((await ada('GET', '/auth/ways')).status).toBe(404);
    expect(await fetch(`${app.url}/hello`).then((response) => response.text())).toBe('the app’s own');
    await attached.close();
    expect((await ada('GET', '/me')).status).toBe(503);
    expect(await fetch(`${app.url}/hello`).then((response) => response.status)).toBe(200);
  }
});

test('[EMBED-242] an app’s own sign-in says who sends a request, and a bad option is named', async () => {
  const app = await chatApp();
  const host = express();
  app.io.httpServer.on('request', host);
  await app.attach({
    http: host,
    httpPath: '/rollcall',
    authenticateRequest: ({ headers }) => headers['x-app-user']?.toString() ?? null,
  });
  const me = (headers: Record<string, string>) => fetch(`${app.url}/rollcall/me`, { headers });
  expect(await (await me({ 'x-app-user': 's-1' })).json()).toMatchObject({ student: { student_id: 'student-1' } });
  expect((await me({})).status).toBe(401);
  expect((await me({ 'x-app-user': 'nobody' })).status).toBe(401);
  for (const [option, value] of [
    ['http', {}],
    ['httpPath', 'api'],
    ['authenticateRequest', 'ada'],
  ] as const) {
    const refused = await (await chatApp()).attach({ [option]: value }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConfigError);
    expect((refused as ConfigError).problems.map(({ variable }) => variable)).toEqual([option]);
  }
});

import { expect, test } from 'vitest';
import { schoolOf } from '../../testing/school.js';
import { startServer, type TestServer } from '../../testing/server.js';

const get = async ({ url }: TestServer, path: string) => {
  const response = await fetch(`${url}${path}`);
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, type, text, body: /json/.test(type) ? (JSON.parse(text) as object) : undefined };
};

/** The samples of a page of metrics, by name and labels as they stand. Fails where a line is none of the format. */
function samplesOf(page: string): Map<string, number> {
  const samples = new Map<string, number>();
  const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
  const line = new RegExp(`^([a-zA-Z_:][a-zA-Z0-9_:]*(?:\\{(?:${label}(?:,${label})*)?\\})?) (\\S+)$`);
  for (const each of page.split('\n')) {
    if (each === '' || /^# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* \S/.test(each)) continue;
    const [, name, value] = line.exec(each) ?? [];
    if (name === undefined) throw new Error(`not a line of the format: ${each}`);
    expect(Number.isNaN(Number(value)) && value !== 'Nan', each).toBe(false);
    samples.set(name, Number(value));
  }
  return samples;
}

test('[HTTP-1] /healthz is 200 while the process lives', async () => {
  const server = await startServer({}, schoolOf(1));
  expect(await get(server, '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
  // A database that is gone is no reason to kill the process.
  await server.storage.close();
  expect(await get(server, '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
});

test('[HTTP-2] /readyz is 200 while the server can serve', async () => {
  const server = await startServer({}, schoolOf(1));
  expect(await get(server, '/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
  const restarted = await server.restart();
  expect(await get(restarted, '/readyz')).toMatchObject({ status: 200 });
});

test('[HTTP-3] /readyz is 503 with the reasons while the database doesn’t answer', async () => {
  const server = await startServer({}, schoolOf(1));
  await server.storage.close();
  const { status, body } = await get(server, '/readyz');
  expect(status).toBe(503);
  expect(body).toEqual({ status: 'not ready', reasons: ['the database does not answer'] });
});

test('[HTTP-4] /metrics is in the text format of Prometheus', async () => {
  const server = await startServer({}, schoolOf(2));
  const page = await get(server, '/metrics');
  expect(page.status).toBe(200);
  expect(page.type).toMatch(/^text\/plain; version=0\.0\.4/);
  const samples = samplesOf(page.text);
  expect(samples.get('process_cpu_seconds_total')).toBeGreaterThan(0);
  expect(samples.get('rollcall_connections')).toBe(0);
});

test('[HTTP-4] connections, active sessions and commands are counted', async () => {
  const server = await startServer({}, schoolOf(2));
  const measured = async (name: string) => samplesOf((await get(server, '/metrics')).text).get(name);
  const teacher = await server.connect('ada');
  const student = await server.connect('s-1');
  expect(await measured('rollcall_connections')).toBe(2);
  await teacher.send('startAttendanceSession', { session_id: 'session-1' });
  expect(await measured('rollcall_active_sessions')).toBe(1);
  await student.send('startAttendanceSession', { session_id: 'session-1' });
  await student.send('startAttendanceSession', {});
  await student.send('startAttendanceSession', {});
  const commands = (result: string) =>
    measured(`rollcall_commands_total{event="startAttendanceSession",result="${result}"}`);
  expect(await commands('ok')).toBe(1);
  expect(await commands('NOT_A_TEACHER')).toBe(1);
  expect(await commands('BAD_REQUEST')).toBe(2);
  await teacher.send('endAttendanceSession', { session_id: 'session-1' });
  expect(await measured('rollcall_active_sessions')).toBe(0);
  student.close();
  await expect.poll(() => measured('rollcall_connections'), { timeout: 20_000 }).toBe(1);
  await expect(server.connect('nobody')).rejects.toThrow('User not found');
  expect(await measured('rollcall_refused_connections_total')).toBe(1);
});

test('[HTTP-4] names and ids of people are not in the metrics', async () => {
  const server = await startServer({}, schoolOf(1));
  const teacher = await server.connect('ada');
  await teacher.send('startAttendanceSession', { session_id: 'session-1' });
  await teacher.send('markStudentPresent', { session_id: 'session-1', student_id: 'student-1' });
  const { text } = await get(server, '/metrics');
  for (const personal of ['ada', 'Ada', 'student-1', 'session-1', 's-1@']) expect(text).not.toContain(personal);
});

test('[HTTP-121] with METRICS_TOKEN set /metrics wants it as Bearer, and nothing else does', async () => {
  const server = await startServer({ METRICS_TOKEN: 'of-the-scraper' }, schoolOf(1));
  const ask = (authorization?: string, path = '/metrics') =>
    fetch(`${server.url}${path}`, authorization === undefined ? {} : { headers: { authorization } });
  for (const wrong of [
    undefined,
    '',
    'Bearer',
    'Bearer of-the-scrape',
    'Bearer of-the-scraper2',
    'Basic of-the-scraper',
  ]) {
    const refused = await ask(wrong);
    expect(refused.status, wrong).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect(await refused.json()).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  }
  for (const right of ['Bearer of-the-scraper', 'bearer  of-the-scraper']) {
    const page = await ask(right);
    expect(page.status, right).toBe(200);
    expect(await page.text()).toContain('rollcall_connections 0');
  }
  for (const path of ['/healthz', '/readyz']) expect((await ask(undefined, path)).status).toBe(200);
});

test('[HTTP-122] an idle connection is kept for longer than balancers keep it', async () => {
  const server = await startServer({}, schoolOf(1));
  const { keepAliveTimeout, headersTimeout } = server.rollcall.httpServer;
  expect(keepAliveTimeout).toBeGreaterThan(600_000);
  expect(headersTimeout).toBeGreaterThan(keepAliveTimeout);
  const { headers } = await fetch(`${server.url}/healthz`);
  expect(Number(/timeout=(\d+)/.exec(headers.get('keep-alive') ?? '')?.[1])).toBeGreaterThan(600);
});

test('[HTTP-123] no answer is kept by a cache, or taken for another type', async () => {
  const server = await startServer({}, schoolOf(1));
  for (const path of ['/healthz', '/readyz', '/metrics', '/nowhere']) {
    const { headers } = await fetch(`${server.url}${path}`);
    expect(headers.get('cache-control'), path).toBe('no-store');
    expect(headers.get('x-content-type-options'), path).toBe('nosniff');
    expect(headers.get('x-powered-by'), path).toBeNull();
  }
});

test('[HTTP-1] what isn’t served is a problem document, and its path is no markup', async () => {
  const server = await startServer({}, schoolOf(1));
  for (const path of ['/nowhere', '/healthz/x', '/%3Cscript%3Ealert(1)%3C/script%3E', '/..%2f..%2fetc/passwd']) {
    const page = await get(server, path);
    expect(page).toMatchObject({ status: 404, body: { status: 404, title: 'Not Found' } });
    expect(page.type).toMatch(/^application\/problem\+json/);
  }
  for (const method of ['POST', 'PUT', 'DELETE']) {
    expect((await fetch(`${server.url}/healthz`, { method })).status).toBe(404);
  }
});

import { request as rawRequest } from 'node:http';
import { type OperationName, paths, placeOf } from '@rollcall/protocol/http';
import { expect, test } from 'vitest';
import { apiOf } from '../../../testing/api.js';
import { joined } from '../../../testing/class.js';
import { schoolOf } from '../../../testing/school.js';
import { type Payload, startServer } from '../../../testing/server.js';

const UNLIMITED = { RATE_LIMIT_TEACHER_PER_SECOND: '0', RATE_LIMIT_STUDENT_PER_SECOND: '0' };
const rowsOf = (payload: Payload) => payload['attendanceRecords'] as Payload[];

test('[API-1] a class runs over HTTP by the same commands, and its marks reach sockets', async () => {
  const server = await startServer(UNLIMITED, schoolOf(3));
  const ada = await apiOf(server, 'ada');
  const student = await apiOf(server, 's-1');
  const started = await ada('POST', '/sessions/session-1/start', { body: { policy: { auto_mark: false } } });
  expect(started).toMatchObject({ status: 200, body: { session_id: 'session-1', totalStudents: 3, seq: 1 } });
  const screen = await server.connect('cyd');
  await screen.send('watchAttendanceSession', { session_id: 'session-1' });
  const checkedIn = await student('POST', '/sessions/session-1/check-ins');
  expect(checkedIn).toMatchObject({ status: 200, body: { student_id: 'student-1', seq: 2 } });
  const marked = await ada('PUT', '/sessions/session-1/records/s-1', { body: { status: 'late', remarks: 'Bus' } });
  expect(marked).toMatchObject({ status: 200, body: { student_id: 'student-1', seq: 3 } });
  expect(await screen.next('attendanceUpdated')).toMatchObject({ student_id: 'student-1', status: 'late', seq: 3 });
  const bulk = await ada('PATCH', '/sessions/session-1/records', {
    body: { attendanceUpdates: [{ student_id: 'student-2', status: 'present' }] },
  });
  expect(bulk).toMatchObject({ status: 200, body: { totalUpdated: 1, failed: [], seq: 4 } });
  const ended = await ada('POST', '/sessions/session-1/end');
  expect(ended).toMatchObject({ status: 200, body: { finalData: { statistics: { presentCount: 1, lateCount: 1 } } } });
  expect(await screen.next('attendanceSessionEnded')).toMatchObject({ session_id: 'session-1' });
  const read = await ada('GET', '/sessions/session-1');
  expect(rowsOf(read.body).map(({ status }) => status)).toEqual(['late', 'present', 'absent']);
});

test('[API-2] an answer is the acknowledgement of the socket without its ok, field by field', async () => {
  const bySocket = await startServer(UNLIMITED, schoolOf(2));
  const byHttp = await startServer(UNLIMITED, schoolOf(2));
  const [socket, ada] = [await bySocket.connect('ada'), await apiOf(byHttp, 'ada')];
  const steps: ReadonlyArray<readonly [event: string, payload: Payload, method: string, path: string, body?: unknown]> =
    [
      ['startAttendanceSession', { topic: 'Sets' }, 'POST', '/start', { topic: 'Sets' }],
      [
        'markStudentAttendance',
        { student_id: 'student-1', status: 'late' },
        'PUT',
        '/records/student-1',
        { status: 'late' },
      ],
      [
        'bulkUpdateAttendance',
        { attendanceUpdates: [{ student_id: 'student-2', status: 'excused', remarks: 'ill' }] },
        'PATCH',
        '/records',
        { attendanceUpdates: [{ student_id: 'student-2', status: 'excused', remarks: 'ill' }] },
      ],
      ['keepAttendanceSessionAlive', {}, 'POST', '/keep-alive'],
      ['getAttendanceSessionData', {}, 'GET', ''],
      ['getAttendanceSessionData', { since_seq: 1 }, 'GET', '?since_seq=1'],
      ['endAttendanceSession', {}, 'POST', '/end'],
    ];
  for (const [event, payload, method, path, body] of steps) {
    const { ok, ...acknowledged } = await socket.send(event, { session_id: 'session-1', ...payload });
    expect(ok, event).toBe(true);
    const answered = await ada(method, `/sessions/session-1${path}`, { body });
    expect(answered.status, event).toBe(200);
    expect(alike(answered.body), event).toEqual(alike(acknowledged));
  }
});

/** Without what is made anew for each server: times, record ids and the chain that hashes them. */
function alike(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, field) =>
      /_at$|At$|^_id$|^chain$|^at$|^date$/.test(name) && typeof field === 'string' && name !== '_id'
        ? 'made anew'
        : name === '_id' && /^[0-9a-f]{24}$/.test(String(field))
          ? 'made anew'
          : field,
    ),
  );
}

test('[API-3] a refusal is a problem document with the code and the status of the registry', async () => {
  const server = await startServer(UNLIMITED, schoolOf(2));
  const [nobody, ada, eve, student] = [
    await apiOf(server),
    await apiOf(server, 'ada'),
    await apiOf(server, 'eve'),
    await apiOf(server, 's-1'),
  ];
  const cases = [
    [nobody, 'GET', '/me', undefined, 401, 'UNAUTHENTICATED'],
    [eve, 'GET', '/sessions/session-1', undefined, 403, 'NOT_SESSION_TEACHER'],
    [student, 'POST', '/sessions/session-1/start', {}, 403, 'NOT_A_TEACHER'],
    [ada, 'GET', '/sessions/nowhere', undefined, 404, 'SESSION_NOT_FOUND'],
    [ada, 'POST', '/sessions/session-1/end', {}, 409, 'SESSION_NOT_ACTIVE'],
    [ada, 'POST', '/sessions/session-old/start', {}, 409, 'SESSION_ENDED'],
    [ada, 'PUT', '/sessions/session-1/records/student-1', { status: 'here' }, 400, 'BAD_REQUEST'],
    [ada, 'GET', '/nowhere', undefined, 404, 'NOT_FOUND'],
  ] as const;
  for (const [api, method, path, body, status, code] of cases) {
    const refused = await api(method, path, { body });
    expect(refused, path).toMatchObject({ status, body: { status, code, request_id: expect.any(String) } });
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(refused.body['type']).toBe(`http://localhost:${server.port}/errors#${code}`);
    expect(refused.headers.get('x-request-id')).toBe(refused.body['request_id']);
  }
  expect((await fetch(`${server.url}/errors`).then((page) => page.text())).includes('id="SESSION_ENDED"')).toBe(true);
});

test('[API-4] what is wrong with a request is told by field: path, query, body and header', async () => {
  const server = await startServer(UNLIMITED, schoolOf(1));
  const ada = await apiOf(server, 'ada');
  await ada('POST', '/sessions/session-1/start');
  const put = '/sessions/session-1/records/student-1';
  const cases: ReadonlyArray<readonly [string, string, object, string]> = [
    ['GET', `/sessions/${'x'.repeat(129)}`, {}, 'session_id'],
    ['GET', '/sessions/session-1?since_seq=one', {}, 'since_seq'],
    ['GET', '/sessions/session-1?since_seq=1&since_seq=2', {}, 'since_seq'],
    ['GET', '/sessions/session-1/journal?limit=0', {}, 'limit'],
    ['PUT', put, { body: {} }, 'status'],
    ['PUT', put, { body: [] }, 'payload'],
    ['PUT', put, { body: 'null', headers: { 'content-type': 'application/json' } }, 'payload'],
    ['PUT', put, { body: { status: 'late', remarks: 'x'.repeat(1_001) } }, 'remarks'],
    ['PUT', put, { body: '{"status":', headers: { 'content-type': 'application/json' } }, 'body'],
    ['PUT', put, { body: { status: 'late' }, headers: { 'Idempotency-Key': 'x'.repeat(65) } }, 'Idempotency-Key'],
    ['PUT', put, { body: { status: 'late', op_id: 'a' }, headers: { 'Idempotency-Key': 'b' } }, 'Idempotency-Key'],
    ['PUT', '/sessions/session-1/records/%ff', { body: { status: 'late' } }, 'path'],
  ];
  for (const [method, path, request, field] of cases) {
    const { status, body } = await ada(method, path, request);
    expect([status, body['code']], `${method} ${path}`).toEqual([400, 'BAD_REQUEST']);
    const named = (body['errors'] as Payload[] | undefined)?.[0]?.['field'] ?? (body['details'] as Payload)['field'];
    expect(named, `${method} ${path}`).toBe(field);
  }
  expect(await ada('GET', '/sessions/session-1')).toMatchObject({ body: { seq: 1 } });
});

test('[API-5] an unknown method is 405 with Allow, another media type 415, a body that is too large 413', async () => {
  const server = await startServer(UNLIMITED, schoolOf(1));
  const ada = await apiOf(server, 'ada');
  const wrong = await ada('DELETE', '/sessions/session-1');
  expect(wrong).toMatchObject({ status: 405, body: { code: 'METHOD_NOT_ALLOWED' } });
  expect(wrong.headers.get('allow')).toBe('GET, PATCH, HEAD, OPTIONS');
  const asked = await ada('OPTIONS', '/sessions/session-1');
  expect([asked.status, asked.headers.get('allow')]).toEqual([204, 'GET, PATCH, HEAD, OPTIONS']);
  const traced = await new Promise<number | undefined>((resolve, reject) => {
    const sent = rawRequest(`${server.url}/api/v1/me`, { method: 'TRACE' }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject).end();
  });
  expect(traced).toBe(405);
  for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded']) {
    const sent = { body: 'status=late', headers: { 'content-type': type } };
    expect(await ada('POST', '/sessions/session-1/start', sent), type).toMatchObject({
      status: 415,
      body: { code: 'UNSUPPORTED_MEDIA_TYPE' },
    });
  }
  const large = { body: { topic: 'x'.repeat(1_100_000) } };
  expect(await ada('POST', '/sessions/session-1/start', large)).toMatchObject({
    status: 413,
    body: { code: 'PAYLOAD_TOO_LARGE' },
  });
});

test('[DOCS-63] a refusal says in words what to send: the header, or the values that a field may have', async () => {
  const server = await startServer(UNLIMITED, schoolOf(1));
  const [nobody, ada] = [await apiOf(server), await apiOf(server, 'ada')];
  await ada('POST', '/sessions/session-1/start');
  const put = '/sessions/session-1/records/student-1';
  const form = { body: 'status=late', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
  const cases: ReadonlyArray<readonly [typeof ada, string, string, object, string]> = [
    [nobody, 'GET', '/me', {}, 'The header Authorization must be: Bearer, a space, and an access token'],
    [ada, 'PUT', put, form, 'The body must be application/json: say so in the header Content-Type'],
    [ada, 'PATCH', '/sessions/session-1/records', { body: {} }, 'attendanceUpdates: is missing'],
    [ada, 'PUT', put, { body: { status: 'here' } }, 'status: must be one of present, absent, late, excused'],
    [ada, 'PUT', put, { body: { status: 'late', remarks: 7 } }, 'remarks: must be text, but is a number'],
    [ada, 'PUT', put, { body: [] }, 'payload: must be an object, but is a list'],
    [ada, 'GET', '/sessions/session-1/journal?limit=ten', {}, 'limit: must be a number, but is text'],
    [ada, 'GET', '/courses/course-1/register?from=today', {}, 'from: must be a day such as 2026-11-23'],
  ];
  for (const [api, method, path, request, detail] of cases) {
    expect((await api(method, path, request)).body['detail'], `${method} ${path}`).toBe(detail);
  }
});

test('[DOCS-64] the bare address of the API leads to its page', async () => {
  const server = await startServer({}, schoolOf(1));
  for (const path of ['/api/v1', '/api/v1/']) {
    const { status, headers } = await fetch(`${server.url}${path}`, { redirect: 'manual' });
    expect([status, headers.get('location')]).toEqual([302, '/api/v1/docs/']);
  }
});

test('[API-6] a read has an ETag, and If-None-Match with it is answered 304', async () => {
  const server = await startServer(UNLIMITED, schoolOf(2));
  const ada = await apiOf(server, 'ada');
  await ada('POST', '/sessions/session-1/start');
  for (const path of ['/me', '/sessions/session-1', '/sessions/session-1/card', '/sessions/session-1/journal']) {
    const first = await ada('GET', path);
    const etag = first.headers.get('etag') ?? '';
    expect(etag, path).toMatch(/^"[^"]+"$/);
    for (const named of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await ada('GET', path, { headers: { 'If-None-Match': named } });
      expect([again.status, again.text, again.headers.get('etag')], path).toEqual([304, '', etag]);
    }
    expect((await ada('GET', path, { headers: { 'If-None-Match': '"other"' } })).status).toBe(200);
  }
  const etag = (await ada('GET', '/sessions/session-1')).headers.get('etag') ?? '';
  const student = await joined(server, 's-1');
  expect((await ada('GET', '/sessions/session-1', { headers: { 'If-None-Match': etag } })).status).toBe(200);
  student.close();
  await ada('PUT', '/sessions/session-1/records/student-1', { body: { status: 'present' } });
  expect((await ada('GET', '/sessions/session-1', { headers: { 'If-None-Match': etag } })).status).toBe(200);
});

test('[API-7] op_id and Idempotency-Key give a repeat one effect, and say so', async () => {
  const server = await startServer(UNLIMITED, schoolOf(1));
  const ada = await apiOf(server, 'ada');
  await ada('POST', '/sessions/session-1/start');
  const path = '/sessions/session-1/records/student-1';
  const first = await ada('PUT', path, { body: { status: 'late', op_id: 'tap-1' } });
  await ada('PUT', path, { body: { status: 'present' } });
  for (const request of [
    { body: { status: 'late', op_id: 'tap-1' } },
    { body: { status: 'late' }, headers: { 'Idempotency-Key': 'tap-1' } },
  ]) {
    const repeated = await ada('PUT', path, request);
    expect(repeated).toMatchObject({ status: 200, body: { duplicate: true, seq: first.body['seq'] } });
  }
  expect(await ada('GET', '/sessions/session-1')).toMatchObject({ body: { seq: 3 } });
});

test('[API-8] a user’s requests count towards the rate of their events, and 429 says when to try again', async () => {
  const server = await startServer({ RATE_LIMIT_TEACHER_PER_SECOND: '1' }, schoolOf(1));
  const ada = await apiOf(server, 'ada');
  const answers = await Promise.all(Array.from({ length: 40 }, () => ada('GET', '/me')));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(refused[0]?.body).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
});

test('[API-9] a card tells a student of their class and nobody else’s data, and others nothing', async () => {
  const server = await startServer(UNLIMITED, schoolOf(3));
  const ada = await apiOf(server, 'ada');
  await ada('POST', '/sessions/session-1/start', { body: { policy: { check_in: 'code' } } });
  const student = await apiOf(server, 's-1');
  const card = await student('GET', '/sessions/session-1/card');
  expect(card).toMatchObject({
    status: 200,
    body: { status: 'active', check_in: 'code', teacher_name: 'Ada Osei', record: { student_id: 'student-1' } },
  });
  expect(card.text).not.toContain('Student 2');
  for (const uid of ['outsider', 'rejected', 'eve']) {
    expect(await (await apiOf(server, uid))('GET', '/sessions/session-1/card'), uid).toMatchObject({
      status: 404,
      body: { code: 'SESSION_NOT_FOUND' },
    });
  }
});

test('[API-10] a journal is read page by page', async () => {
  const server = await startServer(UNLIMITED, schoolOf(5));
  const ada = await apiOf(server, 'ada');
  await ada('POST', '/sessions/session-1/start');
  const attendanceUpdates = [1, 2, 3, 4, 5].map((n) => ({ student_id: `student-${n}`, status: 'late' }));
  await ada('PATCH', '/sessions/session-1/records', { body: { attendanceUpdates } });
  const seqs: unknown[] = [];
  for (let after: unknown = 0; after !== null; ) {
    const { body } = await ada('GET', `/sessions/session-1/journal?limit=2&after_seq=${after}`);
    expect(body['seq']).toBe(6);
    seqs.push(...(body['changes'] as Payload[]).map(({ seq }) => seq));
    after = body['next_after_seq'];
  }
  expect(seqs).toEqual([1, 2, 3, 4, 5, 6]);
});

test('[API-11] the document is served without a token, and names every path and method', async () => {
  const server = await startServer(UNLIMITED, schoolOf(1));
  const nobody = await apiOf(server);
  const { status, body } = await nobody('GET', '/openapi.json');
  expect([status, body['openapi']]).toEqual([200, '3.1.0']);
  const documented = Object.entries(body['paths'] as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const served = (Object.keys(paths) as OperationName[]).map((name) => {
    const { method, path } = placeOf(name);
    return `${method} ${path}`;
  });
  expect(documented.sort()).toEqual(served.sort());
  expect(body['servers']).toEqual([{ url: '/api/v1' }]);
});

test('[API-12] pages of CORS_ORIGIN may use the API by tokens, others and cookies not', async () => {
  const server = await startServer({ ...UNLIMITED, CORS_ORIGIN: 'https://app.school.example' }, schoolOf(1));
  const preflight = (origin: string) =>
    fetch(`${server.url}/api/v1/me`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
    });
  const allowed = await preflight('https://app.school.example');
  expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.school.example');
  expect(allowed.headers.get('access-control-allow-headers')).toMatch(/Authorization/);
  expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
  expect((await preflight('https://other.example')).headers.get('access-control-allow-origin')).toBeNull();
});

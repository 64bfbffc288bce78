import { arrivals, courseRegister, sessionRegister } from '@rollcall/protocol';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { databases } from '../../../end-to-end/databases.test.support.js';
import { type Api, apiOf } from '../../../testing/api.js';
import { schoolOf } from '../../../testing/school.js';
import { startServer, type TestServer, tokenOf } from '../../../testing/server.js';

const SETTINGS = {
  RATE_LIMIT_TEACHER_PER_SECOND: '0',
  RATE_LIMIT_STUDENT_PER_SECOND: '0',
  SCHOOL_TIME_ZONE: 'Europe/Berlin',
  REPORT_CODES: '{"name": "ours", "present": "P"}',
};
const register = '/courses/course-1/register';

/** A session of three students: one checked in, one is late, and one is away. */
async function runClass(ada: Api, server: TestServer): Promise<void> {
  await ada('POST', '/sessions/session-1/start', { body: { policy: { auto_mark: true } } });
  await (await apiOf(server, 's-1'))('POST', '/sessions/session-1/check-ins');
  await ada('PUT', '/sessions/session-1/records/student-2', { body: { status: 'late', remarks: '=Bus' } });
  await ada('POST', '/sessions/session-1/end');
}

/** The bytes of a file to download. */
async function download({ url }: TestServer, path: string, uid = 'ada') {
  const headers = { authorization: `Bearer ${await tokenOf(uid)}` };
  const response = await fetch(`${url}/api/v1${path}`, { headers });
  return { response, bytes: Buffer.from(await response.arrayBuffer()) };
}

describe.each(databases)('$title', ({ missing, fresh }) => {
  test.skipIf(missing)(
    '[REPORT-13] a register holds what was answered before it was asked for, in every format',
    async () => {
      const server = await startServer({ ...SETTINGS, DATABASE_URL: await fresh() }, schoolOf(3));
      const ada = await apiOf(server, 'ada');
      await runClass(ada, server);
      const read = await ada('GET', register);
      expect(read.status).toBe(200);
      const json = courseRegister.parse(read.body);
      const column = json.sessions.find(({ session_id }) => session_id === 'session-1')?.column ?? '';
      expect(json).toMatchObject({ time_zone: 'Europe/Berlin', codes: null });
      expect(json.rows.map(({ statuses }) => statuses[column])).toEqual(['present', 'late', 'absent']);
      expect(json.sessions.find(({ session_id }) => session_id === 'session-1')).toMatchObject({
        status: 'completed',
        records: 3,
        rate: 66.67,
        amendments: 0,
      });

      const csv = await download(server, `${register}?format=csv&codes=edfi`);
      expect(csv.response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
      expect(csv.response.headers.get('content-disposition')).toBe('attachment; filename=register-course-1.csv');
      const rows: Record<string, string>[] = parse(csv.bytes, { bom: true, columns: true });
      expect(rows.map((row) => row[column])).toEqual(['In Attendance', 'Tardy', 'Unexcused Absence']);
      const xlsx = await download(server, `${register}?format=xlsx`);
      expect(xlsx.response.headers.get('content-type')).toMatch(/spreadsheetml\.sheet$/);
      expect(xlsx.bytes.subarray(0, 2).toString()).toBe('PK');
      const again = await ada('GET', register, { headers: { 'If-None-Match': read.headers.get('etag') ?? '' } });
      expect(again.status).toBe(304);

      const one = sessionRegister.parse((await ada('GET', '/sessions/session-1/register?codes=ours')).body);
      expect(one.rows.map(({ status, remarks }) => [status, remarks])).toEqual([
        ['P', null],
        ['late', '=Bus'],
        ['absent', null],
      ]);
      const came = arrivals.parse((await ada('GET', '/sessions/session-1/arrivals')).body);
      expect(came).toMatchObject({ students: 3, checked_in: 1, minutes: [{ minute: 0, check_ins: 1, total: 1 }] });
    },
  );

  test.skipIf(missing)('[REPORT-7] an amendment over HTTP is in the register with both values at once', async () => {
    const server = await startServer({ ...SETTINGS, DATABASE_URL: await fresh() }, schoolOf(3));
    const ada = await apiOf(server, 'ada');
    await runClass(ada, server);
    const amend = { status: 'excused', reason: '=a letter' };
    expect(await ada('PUT', '/sessions/session-1/records/student-3', { body: amend })).toMatchObject({ status: 200 });
    const amendment = {
      session_id: 'session-1',
      student_id: 'student-3',
      previous_status: 'absent',
      status: 'excused',
      amended_by: 'Ada Osei',
      reason: '=a letter',
    };
    const json = courseRegister.parse((await ada('GET', register)).body);
    expect(json.amendments).toMatchObject([amendment]);
    const session = json.sessions.find(({ session_id }) => session_id === 'session-1');
    expect(session).toMatchObject({ amendments: 1, excused: 1, absent: 0 });
    const one = sessionRegister.parse((await ada('GET', '/sessions/session-1/register')).body);
    expect(one.amendments).toMatchObject([amendment]);
    expect(one.rows.map(({ status }) => status)).toEqual(['present', 'late', 'excused']);
  });

  test.skipIf(missing)(
    '[CALENDAR-8] an address shows its person’s sessions without a sign-in, until another is made or it is taken back',
    async () => {
      const server = await startServer({ ...SETTINGS, DATABASE_URL: await fresh() }, schoolOf(2));
      const [ada, student, nobody] = [await apiOf(server, 'ada'), await apiOf(server, 's-1'), await apiOf(server)];
      expect((await ada('GET', '/me/calendar')).body).toEqual({ made_at: null });
      const made = await ada('POST', '/me/calendar');
      expect(made).toMatchObject({ status: 201, body: { made_at: expect.any(String) } });
      const path = (url: unknown) => new URL(String(url)).pathname.replace('/api/v1', '');
      const first = path(made.body['url']);
      expect(first).toMatch(/^\/calendar\/[\w-]{43}\.ics$/);
      const feed = await nobody('GET', first);
      expect(feed.status).toBe(200);
      expect(feed.headers.get('content-type')).toBe('text/calendar; charset=utf-8');
      expect(feed.text).toContain('UID:session-1@localhost\r\n');
      expect(feed.text).not.toMatch(/Ada|Student/);
      expect(
        (await nobody('GET', first, { headers: { 'If-None-Match': feed.headers.get('etag') ?? '' } })).status,
      ).toBe(304);
      const others = await student('POST', '/me/calendar');
      expect((await nobody('GET', path(others.body['url']))).text).toContain('UID:session-1@');

      const second = path((await ada('POST', '/me/calendar')).body['url']);
      expect((await nobody('GET', first)).status).toBe(404);
      expect((await nobody('GET', second)).status).toBe(200);
      expect((await ada('DELETE', '/me/calendar')).status).toBe(204);
      for (const gone of [second, '/calendar/x.ics', `/calendar/${'A'.repeat(43)}.ics`]) {
        expect((await nobody('GET', gone)).body, gone).toMatchObject({ status: 404, code: 'NOT_FOUND' });
      }
      expect((await ada('GET', '/me/calendar')).body).toEqual({ made_at: null });
      expect((await nobody('GET', path(others.body['url']))).status).toBe(200);
    },
  );
});

test('[REPORT-14] registers and arrivals are for teachers and admins, and for others the course isn’t there', async () => {
  const server = await startServer(SETTINGS, schoolOf(2));
  const cases = [
    ['ada', register, 200, undefined],
    ['root', register, 200, undefined],
    ['s-1', register, 403, 'FORBIDDEN'],
    ['eve', register, 404, 'COURSE_NOT_FOUND'],
    ['ada', '/courses/nowhere/register', 404, 'COURSE_NOT_FOUND'],
    ['ada', '/sessions/session-1/register', 200, undefined],
    ['s-1', '/sessions/session-1/register', 403, 'NOT_A_TEACHER'],
    ['eve', '/sessions/session-1/register', 403, 'NOT_SESSION_TEACHER'],
    ['ada', '/sessions/session-1/arrivals', 200, undefined],
    ['s-1', '/sessions/session-1/arrivals', 403, 'NOT_A_TEACHER'],
    ['eve', '/sessions/session-1/arrivals', 403, 'NOT_SESSION_TEACHER'],
    ['ada', '/sessions/nowhere/arrivals', 404, 'SESSION_NOT_FOUND'],
  ] as const;
  for (const [uid, path, status, code] of cases) {
    const answer = await (await apiOf(server, uid))('GET', path);
    expect([answer.status, answer.body['code']], `${uid} ${path}`).toEqual([status, code]);
  }
});

test('[REPORT-15] days are inside at both ends, and what is wrong with a wish is told by field', async () => {
  const server = await startServer(SETTINGS, schoolOf(1));
  const ada = await apiOf(server, 'ada');
  await runClass(ada, server);
  const { sessions } = courseRegister.parse((await ada('GET', register)).body);
  const dates = sessions.map(({ date }) => date ?? '');
  const [first, last] = [dates[0] ?? '', dates.at(-1) ?? ''];
  const between = async (from: string, to: string) =>
    courseRegister.parse((await ada('GET', `${register}?from=${from}&to=${to}`)).body).sessions.map(({ date }) => date);
  expect(await between(first, last)).toEqual(dates);
  expect(await between(first, first)).toEqual(dates.filter((date) => date === first));
  expect(await between('1999-01-01', '1999-12-31')).toEqual([]);
  const cases = [
    ['format=pdf', 'format'],
    ['from=yesterday', 'from'],
    ['to=2026-02-30', 'to'],
    ['from=2026-11-02&to=2026-11-01', 'from'],
    ['codes=france', 'codes'],
  ] as const;
  for (const [query, field] of cases) {
    const { status, body } = await ada('GET', `${register}?${query}`);
    expect([status, (body['errors'] as { field: string }[])[0]?.field], query).toEqual([400, field]);
  }
});

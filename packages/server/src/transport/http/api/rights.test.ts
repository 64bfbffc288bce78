import { type OperationName, paths, placeOf } from '@rollcall/protocol/http';
import { expect, test } from 'vitest';
import { apiOf } from '../../../testing/api.js';
import { schoolOf } from '../../../testing/school.js';
import { startServer, tokenOf } from '../../../testing/server.js';

const UNLIMITED = { RATE_LIMIT_TEACHER_PER_SECOND: '0', RATE_LIMIT_STUDENT_PER_SECOND: '0' };

/** nobody, a student of the course, another student, its teacher, its co-teacher, another teacher, an admin. */
const ROLES = [undefined, 's-1', 'outsider', 'ada', 'cyd', 'eve', 'root'] as const;

const session_id = 'session-1';
const record = { session_id, student_id: 'student-1' };
const course_id = 'course-1';

/** What is sent to each operation, and the status for each role, in the order of ROLES. In this order: the end comes late. */
const TABLE: ReadonlyArray<readonly [OperationName, Record<string, unknown>, readonly number[]]> = [
  ['getMe', {}, [401, 200, 200, 200, 200, 200, 200]],
  ['getToday', {}, [401, 200, 200, 200, 200, 200, 200]],
  ['getSignInWays', {}, [200, 200, 200, 200, 200, 200, 200]],
  ['peekSignInLink', { token: 'x' }, [404, 404, 404, 404, 404, 404, 404]],
  ['signIn', { token: 'x' }, [404, 404, 404, 404, 404, 404, 404]],
  ['mailSignInLink', { email: 'nobody@school.example' }, [404, 404, 404, 404, 404, 404, 404]],
  ['refreshAccess', {}, [401, 401, 401, 401, 401, 401, 401]],
  ['signOut', {}, [204, 204, 204, 204, 204, 204, 204]],
  ['signOutEverywhere', {}, [401, 401, 401, 401, 401, 401, 401]],
  ['startOidc', {}, [404, 404, 404, 404, 404, 404, 404]],
  ['finishOidc', {}, [404, 404, 404, 404, 404, 404, 404]],
  ['logOutByOidc', {}, [415, 415, 415, 415, 415, 415, 415]],
  ['listPeople', {}, [401, 403, 403, 403, 403, 403, 200]],
  ['getPerson', { user_id: 's-2' }, [401, 404, 404, 404, 404, 404, 200]],
  ['createPerson', { uid: 'fresh', name: 'Fresh' }, [401, 403, 403, 403, 403, 403, 201]],
  ['changePerson', { user_id: 's-2', name: 'Student Two' }, [401, 403, 403, 403, 403, 403, 200]],
  ['invitePerson', { user_id: 's-2' }, [401, 403, 403, 403, 403, 403, 201]],
  ['listCourses', {}, [401, 200, 200, 200, 200, 200, 200]],
  ['getCourse', { course_id }, [401, 200, 404, 200, 200, 404, 200]],
  ['createCourse', { course_id: 'course-9', title: 'Sets' }, [401, 403, 403, 403, 403, 403, 201]],
  ['changeCourse', { course_id, title: 'Databases' }, [401, 403, 404, 403, 403, 404, 200]],
  ['listEnrollments', { course_id }, [401, 403, 404, 200, 200, 404, 200]],
  ['putEnrollment', { course_id, student_id: 'student-2' }, [401, 403, 404, 403, 403, 404, 200]],
  ['withdrawEnrollment', { course_id, student_id: 'student-3' }, [401, 403, 404, 403, 403, 404, 204]],
  ['listCourseSessions', { course_id }, [401, 200, 404, 200, 200, 404, 200]],
  ['scheduleSession', { course_id, session_id: 'session-9', date: '2026-11-30' }, [401, 403, 404, 201, 201, 404, 201]],
  ['changeSession', { session_id: 'session-9', topic: 'Keys' }, [401, 404, 404, 200, 200, 404, 200]],
  ['cancelSession', { session_id: 'session-9' }, [401, 404, 404, 200, 200, 404, 200]],
  ['getStudentAttendance', { course_id, student_id: 'student-1' }, [401, 200, 404, 200, 200, 404, 200]],
  ['getOwnAttendance', {}, [401, 200, 200, 403, 403, 403, 403]],
  ['getSession', { session_id }, [401, 403, 403, 200, 200, 403, 200]],
  ['getCard', { session_id }, [401, 200, 404, 200, 200, 404, 200]],
  ['getJournal', { session_id }, [401, 403, 403, 200, 200, 403, 200]],
  ['getArrivals', { session_id }, [401, 403, 403, 200, 200, 403, 200]],
  ['getSessionRegister', { session_id }, [401, 403, 403, 200, 200, 403, 200]],
  ['getCourseRegister', { course_id }, [401, 403, 404, 200, 200, 404, 200]],
  ['keepSessionAlive', { session_id }, [401, 403, 403, 200, 200, 403, 200]],
  ['checkIn', { session_id }, [401, 200, 403, 403, 403, 403, 403]],
  ['makeDisplayToken', { session_id }, [401, 403, 403, 201, 201, 403, 201]],
  ['makeTicket', { session_id, code: 'x' }, [400, 400, 400, 400, 400, 400, 400]],
  ['putRecord', { ...record, status: 'late' }, [401, 403, 403, 200, 200, 403, 200]],
  ['clearRecord', { ...record }, [401, 403, 403, 200, 200, 403, 200]],
  [
    'updateRecords',
    { session_id, attendanceUpdates: [{ student_id: 'student-2', status: 'present' }] },
    [401, 403, 403, 200, 200, 403, 200],
  ],
  ['startSession', { session_id }, [401, 403, 403, 200, 200, 403, 200]],
  ['endSession', { session_id }, [401, 403, 403, 200, 200, 403, 200]],
  ['getCalendarAddress', {}, [401, 200, 200, 200, 200, 200, 200]],
  ['makeCalendarAddress', {}, [401, 201, 201, 201, 201, 201, 201]],
  ['removeCalendarAddress', {}, [401, 204, 204, 204, 204, 204, 204]],
  ['getCalendar', { token: 'x' }, [404, 404, 404, 404, 404, 404, 404]],
  ['listAccess', {}, [401, 403, 403, 403, 403, 403, 200]],
  ['importSchool', {}, [401, 403, 403, 403, 403, 403, 200]],
  ['getOpenApi', {}, [200, 200, 200, 200, 200, 200, 200]],
];

for (const [column, uid] of ROLES.entries()) {
  test(`[API-62] what ${uid ?? 'nobody'} may do by each operation, on a course and a session of others and of their own`, async () => {
    const server = await startServer(UNLIMITED, schoolOf(3));
    const ada = await apiOf(server, 'ada');
    await ada('POST', `/sessions/${session_id}/start`);
    await (await apiOf(server, 's-1'))('POST', `/sessions/${session_id}/check-ins`);
    const api = await apiOf(server, uid);
    const told: Array<readonly [OperationName, number]> = [];
    for (const [name, given] of TABLE) {
      const { method, path, query } = placeOf(name);
      const fields = { ...given };
      const place = path.replace(/\{(\w+)\}/g, (_whole, field: string) => {
        const value = String(fields[field]);
        delete fields[field];
        return encodeURIComponent(value);
      });
      const inQuery = Object.entries(fields).filter(
        ([field]) => ['GET', 'DELETE'].includes(method) || query.includes(field),
      );
      for (const [field] of inQuery) delete fields[field];
      const search = new URLSearchParams(
        inQuery.map(([field, value]) => [field, String(value)] as [string, string]),
      ).toString();
      const body = ['GET', 'DELETE'].includes(method) ? {} : { body: fields };
      const { status } = await api(method, `${place}${search === '' ? '' : `?${search}`}`, body);
      told.push([name, status]);
    }
    expect(told).toEqual(TABLE.map(([name, , statuses]) => [name, statuses[column]]));
  });
}

test('[API-62] every operation is in the table of rights', () => {
  expect([...new Set(TABLE.map(([name]) => name))].sort()).toEqual(Object.keys(paths).sort());
});

test('[API-62] a token that has expired, is another’s or names nobody is refused by every operation that wants one', async () => {
  const server = await startServer(UNLIMITED, schoolOf(1));
  const tokens = [await tokenOf('ada', {}, '-1h'), await tokenOf('nobody-of-this-name'), 'no.token.atall'];
  for (const [name, given, statuses] of TABLE) {
    if (statuses[0] !== 401) continue;
    const { method, path } = placeOf(name);
    const place = path.replace(/\{(\w+)\}/g, (_whole, field: string) => encodeURIComponent(String(given[field])));
    for (const token of tokens) {
      const response = await fetch(`${server.url}/api/v1${place}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }),
      });
      expect(response.status, `${name} ${token.slice(0, 10)}`).toBe(401);
    }
  }
});

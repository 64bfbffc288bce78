import { type ErrorCode, errorRegistry, type SessionId } from '@rollcall/protocol';
import { expect, test } from 'vitest';
import { readEntries } from '../storage/contract/journal-access.js';
import { schoolOf } from '../testing/school.js';
import { freshId, type Payload, startServer } from '../testing/server.js';
import { coursePayload, payloadOf, type Scene, setScene, settled, since } from './rights-scene.test.support.js';
import {
  type CourseCell,
  courseCells,
  type SessionCell,
  type SessionEvent,
  sessionCells,
} from './rights-table.test.support.js';

/** The rule of SPEC.md that decides a cell. */
function ruleOf({ of, event, place, role, expected }: SessionCell | CourseCell): string {
  const over = place.endsWith('ended') || place.endsWith('cancelled');
  switch (expected) {
    case 'NOT_A_TEACHER':
      return '[RIGHT-9] a teacher’s command of a user without a teacher profile is NOT_A_TEACHER';
    case 'NOT_A_STUDENT':
      return '[RIGHT-10] a student’s command of a user without a student profile is NOT_A_STUDENT';
    case 'NOT_SESSION_TEACHER':
      return place.endsWith('active')
        ? '[RIGHT-11] a teacher’s command on another teacher’s session is NOT_SESSION_TEACHER'
        : '[RIGHT-18] a foreign session is NOT_SESSION_TEACHER also when it is scheduled or over';
    case 'SESSION_NOT_FOUND':
      return '[RIGHT-13] a command on an unknown session is SESSION_NOT_FOUND';
    case 'SESSION_NOT_ACTIVE':
      if (event === 'joinAttendanceSession')
        return '[RIGHT-12] joining a session that isn’t active is SESSION_NOT_ACTIVE';
      return over
        ? '[RIGHT-16] ending a session that is over is SESSION_NOT_ACTIVE'
        : '[RIGHT-14] a teacher’s command on a scheduled session is SESSION_NOT_ACTIVE';
    case 'SESSION_ACTIVE':
      return '[AMEND-3] a running session is marked, and not amended';
    case 'SESSION_ENDED':
      return '[RIGHT-15] a teacher’s command on a session that is over is SESSION_ENDED';
    case 'NOT_ENROLLED':
      return '[RIGHT-4] joining without an approved enrolment is NOT_ENROLLED';
    case 'FORBIDDEN':
      return '[RIGHT-6] a course is FORBIDDEN to those who have no part in it';
    case 'COURSE_NOT_FOUND':
      return '[RIGHT-17] an unknown course is COURSE_NOT_FOUND';
    case 'ok':
      if (role === 'root') return '[RIGHT-7] an admin may do all that a teacher may';
      if (event === 'startAttendanceSession') {
        return role === 'cyd' ? '[RIGHT-2] a co-teacher may start' : '[RIGHT-1] the teacher may start';
      }
      if (event === 'joinAttendanceSession' || event === 'leaveAttendanceSession') {
        return place.startsWith('open')
          ? '[RIGHT-5] any student may join and leave a session without a course'
          : '[RIGHT-4] students with an approved enrolment may join and leave';
      }
      if (event === 'amendAttendance') return '[AMEND-1] teachers of a session that is over may amend it';
      return of === 'course'
        ? '[RIGHT-6] a course is open to its teachers and approved students'
        : '[RIGHT-3] teachers of the session may mark, read, watch, list and end';
  }
}

const ACTIONS: Partial<Record<SessionEvent, string>> = {
  startAttendanceSession: 'start attendance',
  markStudentPresent: 'mark attendance',
  markStudentAbsent: 'mark attendance',
  markStudentAttendance: 'mark attendance',
  clearStudentMark: 'mark attendance',
  amendAttendance: 'amend attendance',
  bulkUpdateAttendance: 'update attendance',
  keepAttendanceSessionAlive: 'update attendance',
  endAttendanceSession: 'end attendance',
};

function messageOf(event: string, code: ErrorCode): string {
  if (code !== 'NOT_SESSION_TEACHER') return errorRegistry[code].message;
  return `Only the session teacher can ${ACTIONS[event as SessionEvent] ?? 'view attendance data'}`;
}

interface Attempt {
  readonly event: string;
  readonly place: string;
  readonly role: SessionCell['role'];
  readonly payload: Payload;
}

async function expectRefusal(scene: Scene, { event, place, role, payload }: Attempt, code: ErrorCode): Promise<void> {
  const cell = `${role}: ${event} on ${place}`;
  const client = scene.clients[role];
  const from = client.events.length;
  const answer = await client.send(event, payload);
  const message = messageOf(event, code);
  const { retryable } = errorRegistry[code];
  expect(answer, cell).toEqual({ ok: false, error: { code, message, retryable } });
  const { session_id } = payload;
  const error = { message, code, event, ...(session_id === undefined ? {} : { session_id }) };
  await settled({ clients: {}, onlookers: [client] });
  const news = [{ event: 'attendanceError', payload: error }];
  if (event === 'subscribeToCourse' || event.endsWith('ActiveSessions')) {
    news.push({ event: 'activeSessionsError', payload: { message, code } as never });
  }
  expect(since(client, from), cell).toEqual(news);
}

type Cell = SessionCell | CourseCell;

/** Cells by rule: of one rule all are granted or all are refused. */
function cellsByRule(granted: boolean): Array<[string, Cell[]]> {
  const groups = new Map<string, Cell[]>();
  for (const cell of [...sessionCells, ...courseCells]) {
    if ((cell.expected === 'ok') !== granted) continue;
    const rule = ruleOf(cell);
    groups.set(rule, [...(groups.get(rule) ?? []), cell]);
  }
  return [...groups];
}

for (const [rule, cells] of cellsByRule(false)) {
  test(`${rule} (${cells.length} cells), stores nothing and broadcasts nothing`, async () => {
    const scene = await setScene();
    const heard = scene.onlookers.map(({ events }) => events.length);
    const journals = async () =>
      Promise.all([...scene.sessions.values()].map(async (id) => [id, await scene.journalLength(id)]));
    const before = await journals();
    const unknown = freshId('unknown');
    for (const cell of cells) {
      const payload =
        cell.of === 'course'
          ? coursePayload(cell.place)
          : payloadOf(cell.event, cell.place, scene.sessions.get(cell.place) ?? unknown);
      await expectRefusal(scene, { ...cell, payload }, cell.expected as ErrorCode);
    }
    await settled(scene);
    expect(await journals()).toEqual(before);
    expect(await scene.journalLength(unknown)).toBe(0);
    expect(await scene.server.storage.projection.findSession(unknown as SessionId)).toBeNull();
    expect(scene.onlookers.map((client, index) => since(client, heard[index] ?? 0))).toEqual(heard.map(() => []));
  });
}

const WRITES = new Set<string>([
  'startAttendanceSession',
  'joinAttendanceSession',
  'markStudentPresent',
  'markStudentAbsent',
  'markStudentAttendance',
  'bulkUpdateAttendance',
  'endAttendanceSession',
  'amendAttendance',
]);

for (const [rule, cells] of cellsByRule(true)) {
  test(`${rule} (${cells.length} cells)`, async () => {
    const scene = await setScene();
    for (const cell of cells) {
      const name = `${cell.role}: ${cell.event} on ${cell.place}`;
      const client = scene.clients[cell.role];
      if (cell.of === 'course') {
        const payload = coursePayload(cell.place);
        const answer = { ok: true, course_id: payload['course_id'] ?? null };
        expect(await client.send(cell.event, payload), name).toMatchObject(answer);
        continue;
      }
      const { event, place } = cell;
      const id = await scene.make(place);
      const before = await scene.journalLength(id);
      const answer = await client.send(event, payloadOf(event, place, id));
      expect(answer, name).toMatchObject({ ok: true, session_id: id });
      const attached = event === 'startAttendanceSession' && before > 0;
      const entries = await readEntries(scene.server.storage, id as SessionId, 0, 100);
      expect(entries.length - before, name).toBe(WRITES.has(event) && !attached ? 1 : 0);
      if (entries.length > before) {
        const person = await scene.server.storage.people.findPersonByUid(cell.role);
        expect(entries.at(-1)?.actor, name).toEqual({ user_id: person?.user_id, name: person?.name });
      }
    }
  });
}

test('[RIGHT-8] what an admin does is recorded under the admin’s own name', async () => {
  const server = await startServer({}, schoolOf(2));
  const admin = await server.connect('root');
  const student = await server.connect('s-1');
  const session_id = 'session-1';
  const started = await admin.send('startAttendanceSession', { session_id });
  expect(started).toMatchObject({ session: { teacher_name: 'Ada Osei', teacher_id: 'teacher-ada' } });
  await student.send('joinAttendanceSession', { session_id });
  const marked = await admin.send('markStudentPresent', { session_id, student_id: 'student-1' });
  expect(marked).toMatchObject({ attendanceRecord: { marked_by: 'Office' } });
  expect(await student.next('attendanceUpdated')).toMatchObject({ updated_by: 'Office' });
  await admin.send('endAttendanceSession', { session_id });
  expect(await student.next('attendanceSessionEnded')).toMatchObject({ ended_by: 'Office', reason: 'admin' });
  const data = await admin.send('getAttendanceSessionData', { session_id, since_seq: 0 });
  expect(data['changes']).toMatchObject([
    { type: 'started', actor: { name: 'Office' } },
    { type: 'checked_in', actor: { name: 'Student 1' } },
    { type: 'marked', actor: { name: 'Office' } },
    { type: 'ended', actor: { name: 'Office' } },
  ]);
});

test('[RIGHT-1] a session that is made by a start belongs to a course’s own teachers', async () => {
  const server = await startServer({}, schoolOf(2));
  const start = async (uid: string, course_id: string) => {
    const client = await server.connect(uid);
    const session_id = freshId('new');
    const { ok, error } = await client.send('startAttendanceSession', { session_id, course_id });
    const stored = await readEntries(server.storage, session_id as SessionId, 0, 10);
    expect(stored).toHaveLength(ok ? 1 : 0);
    return ok ? 'ok' : error?.code;
  };
  expect(await start('ada', 'course-1')).toBe('ok');
  expect(await start('cyd', 'course-1')).toBe('ok');
  expect(await start('root', 'course-1')).toBe('ok');
  expect(await start('eve', 'course-1')).toBe('NOT_SESSION_TEACHER');
  expect(await start('ada', 'course-2')).toBe('NOT_SESSION_TEACHER');
  expect(await start('s-1', 'course-1')).toBe('NOT_A_TEACHER');
  expect(await start('ada', 'course-3')).toBe('COURSE_NOT_FOUND');
});

test('[RIGHT-4] an approval counts without a restart', async () => {
  const server = await startServer({}, schoolOf(1));
  const teacher = await server.connect('ada');
  const session_id = 'session-1';
  await teacher.send('startAttendanceSession', { session_id });
  const pending = await server.connect('pending');
  const refused = await pending.send('joinAttendanceSession', { session_id });
  expect(refused.error?.code).toBe('NOT_ENROLLED');
  const approved = [{ course_id: 'course-1', student_id: 'student-pending', status: 'approved' as const }];
  const school = schoolOf(1);
  await server.storage.school.importSchool({ ...school, sessions: [], enrollments: approved }, { dryRun: false });
  expect(await pending.send('joinAttendanceSession', { session_id })).toMatchObject({ ok: true });
});

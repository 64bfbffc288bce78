import type { AttendanceStatus, SessionId } from '@rollcall/protocol';
import { describe, expect, test } from 'vitest';
import { readJournal } from '../register/read-journal.js';
import type { School } from '../storage/port.js';
import { schoolOf, student } from '../testing/school.js';
import { startServer, type TestServer } from '../testing/server.js';
import { commitsOf, databases, projectedUpTo } from './databases.test.support.js';
import { lineOfStored, linesOfJournal, Picture, registerText } from './picture.test.support.js';

const TEACHERS = 16;
const CLASS = 10;
const STATUSES: readonly AttendanceStatus[] = ['present', 'late', 'excused', 'absent'];

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Sixteen teachers, each with a course, a class of ten and a session of their own. */
function schoolOfSixteen(): School {
  const { teachers, courses, sessions } = schoolOf(0);
  const [teacher, course, session] = [teachers[0], courses[0], sessions[0]];
  if (!teacher || !course || !session) throw new Error('the school has a teacher, a course and a session');
  const all = numbers(TEACHERS);
  const students = numbers(TEACHERS * CLASS).map(student);
  return {
    teachers: all.map((t) => ({ ...teacher, id: `teacher-${t}`, uid: `t-${t}`, name: `Teacher ${t}` })),
    students,
    admins: [],
    courses: all.map((t) => ({ ...course, id: `course-${t}`, teacher_id: `teacher-${t}`, co_teacher_ids: [] })),
    enrollments: students.map(({ id }, index) => ({
      course_id: `course-${Math.floor(index / CLASS) + 1}`,
      student_id: id,
      status: 'approved',
    })),
    sessions: all.map((t) => ({ ...session, id: `session-${t}`, course_id: `course-${t}` })),
  };
}

interface RunningClass {
  readonly session: SessionId;
  readonly teacher: Picture;
  readonly students: readonly Picture[];
  readonly numbers: readonly number[];
}

async function begin(server: TestServer, t: number): Promise<RunningClass> {
  const session = `session-${t}` as SessionId;
  const teacher = await Picture.connect(server.url, `t-${t}`, session);
  await teacher.command('startAttendanceSession');
  const ofClass = numbers(CLASS).map((n) => (t - 1) * CLASS + n);
  const students = await Promise.all(ofClass.map((n) => Picture.connect(server.url, `s-${n}`, session)));
  await Promise.all(students.map((one) => one.command('joinAttendanceSession')));
  return { session, teacher, students, numbers: ofClass };
}

/** Every student four times without waiting for an answer, the whole class at once in between, and the end. */
async function teach({ teacher, numbers: ofClass }: RunningClass): Promise<void> {
  const marks = (round: number) =>
    ofClass.map((n) => {
      const status = STATUSES[(n + round) % STATUSES.length] ?? 'absent';
      return teacher.command('markStudentAttendance', { student_id: `student-${n}`, status, remarks: `${round}` });
    });
  const attendanceUpdates = ofClass.map((n) => ({ student_id: `student-${n}`, status: 'late', remarks: 'all' }));
  const bulk = () => teacher.command('bulkUpdateAttendance', { attendanceUpdates });
  await Promise.all([...marks(1), ...marks(2), bulk(), ...marks(3), ...marks(4)]);
  await teacher.command('endAttendanceSession');
}

async function expectConverged(server: TestServer, { session, teacher, students }: RunningClass): Promise<void> {
  const clients = [teacher, ...students];
  await Promise.all(clients.map((client) => client.ended()));
  const entries = (await readJournal(server.storage, session, 0)).entries;
  // Started, a check-in each, five rounds of marks that change every student, ended.
  const last = 1 + CLASS + 5 * CLASS + 1;
  expect(entries.map(({ seq }) => seq)).toEqual(numbers(last));
  const register = registerText(linesOfJournal(entries));
  for (const client of clients) {
    expect(client.errors, client.uid).toEqual([]);
    expect(client.register, client.uid).toBe(register);
    expect(client.ending, client.uid).toEqual({ register, seq: last, truncated: false });
  }
  expect(teacher.received).toEqual(numbers(last).slice(1));
  for (const { uid, received } of students) {
    expect(received, uid).toEqual(numbers(last).slice(1 + CLASS));
  }
  await projectedUpTo(server.storage, session, last);
  expect(registerText((await server.storage.projection.readRecords(session)).map(lineOfStored))).toBe(register);
}

describe.each(databases)('races on $title', ({ missing, fresh }) => {
  test.skipIf(missing)(
    '[START-3] [START-17] 1,000 students are put on the register in one commit, however many devices start at once',
    { timeout: 120_000 },
    async () => {
      const session = 'session-1' as SessionId;
      const database = await fresh();
      const server = await startServer({ DATABASE_URL: database }, schoolOf(1_000));
      const uids = ['ada', 'ada', 'cyd', 'ada', 'cyd', 'root'];
      const devices = await Promise.all(uids.map((uid) => Picture.connect(server.url, uid, session)));
      const answers = await Promise.all(devices.map((device) => device.command('startAttendanceSession')));

      expect(await commitsOf(database, session)).toEqual([[1, 1]]);
      const [started, ...more] = (await readJournal(server.storage, session, 0)).entries;
      expect(more).toEqual([]);
      if (started?.type !== 'started') throw new Error(`the journal begins with ${started?.type}`);
      expect(new Set(started.roster.map(({ student }) => student.student_id)).size).toBe(1_000);
      const register = registerText(linesOfJournal([started]));
      for (const answer of answers) expect(answer).toMatchObject({ totalStudents: 1_000, seq: 1 });
      for (const device of devices) expect(device.register, device.uid).toBe(register);
      await projectedUpTo(server.storage, session, 1);
      expect(registerText((await server.storage.projection.readRecords(session)).map(lineOfStored))).toBe(register);
    },
  );

  test.skipIf(missing)(
    '[SEQ-1] [SEQ-4] [MARK-17] 16 teachers mark in 16 sessions at once and every client ends with its own register',
    { timeout: 120_000 },
    async () => {
      const server = await startServer({ DATABASE_URL: await fresh() }, schoolOfSixteen());
      const classes = await Promise.all(numbers(TEACHERS).map((t) => begin(server, t)));
      await Promise.all(classes.map(teach));
      for (const one of classes) await expectConverged(server, one);
    },
  );
});

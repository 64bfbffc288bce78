import type { AttendanceStatus, SessionId } from '@rollcall/protocol';
import { describe, expect, test } from 'vitest';
import { rollcall } from '../cli/rollcall.test.support.js';
import type { Entry } from '../journal/entries.js';
import { readJournal } from '../register/read-journal.js';
import { schoolOf } from '../testing/school.js';
import { environment, startServer, temporaryFolder } from '../testing/server.js';
import { databases, projectedUpTo, rawRows } from './databases.test.support.js';
import { type Line, lineOfStored, linesOfJournal, Picture, registerText } from './picture.test.support.js';

const STUDENTS = 300;
const MARKS = 60;
const SESSION = 'session-1' as SessionId;
const STATUSES: readonly AttendanceStatus[] = ['present', 'late', 'excused', 'absent'];

const statusOf = (n: number): AttendanceStatus => STATUSES[n % STATUSES.length] ?? 'absent';
const numbers = (count: number, from = 1): number[] => Array.from({ length: count }, (_, index) => from + index);

/** Everyone joins, while the teacher marks those at the front. */
async function join(url: string, teacher: Picture): Promise<Picture[]> {
  const students: Picture[] = [];
  for (const first of numbers(STUDENTS / 50).map((group) => (group - 1) * 50 + 1)) {
    const uids = numbers(50, first).map((n) => `s-${n}`);
    const group = await Promise.all(uids.map((uid) => Picture.connect(url, uid, SESSION)));
    const marking = teacher.command('markStudentPresent', { student_id: `student-${first}`, remarks: 'at the door' });
    await Promise.all([marking, ...group.map((student) => student.command('joinAttendanceSession'))]);
    students.push(...group);
  }
  return students;
}

/** Two devices at once: one by one, all in bulk, and again one by one; where they disagree the last one counts. */
async function mark(one: Picture, other: Picture): Promise<void> {
  const single = (device: Picture, n: number, salt: number) =>
    device.command('markStudentAttendance', { student_id: `s-${n}`, status: statusOf(n + salt), remarks: `n ${salt}` });
  await Promise.all([
    ...numbers(MARKS).map((n) => single(one, n, 1)),
    ...numbers(MARKS, MARKS / 2).map((n) => single(other, n, 2)),
  ]);
  const rows = (count: number, salt: number) =>
    numbers(count).map((n) => ({ student_id: `student-${n}`, status: statusOf(n + salt) }));
  await Promise.all([
    one.command('bulkUpdateAttendance', { attendanceUpdates: rows(STUDENTS, 3) }),
    other.command('bulkUpdateAttendance', { attendanceUpdates: rows(100, 4) }),
    ...numbers(MARKS, 50).map((n) => single(other, n, 5)),
  ]);
}

/** A client gets the changes of others from the moment of its own join, each once and in order. */
function expectNothingMissed(student: Picture, entries: readonly Entry[]): void {
  const due = entries.filter(({ type, seq }) => seq > student.seqOfJoin && (type === 'marked' || type === 'ended'));
  expect(student.received, student.uid).toEqual(due.map(({ seq }) => seq));
}

describe.each(databases)('a class of 300 on $title', ({ name, missing, fresh }) => {
  test.skipIf(missing)(
    '[SEQ-4] [MARK-8] [MARK-9] [VERIFY-1] every client, the journal, the records and verify agree at the end',
    { timeout: 240_000 },
    async () => {
      const database = await fresh();
      const server = await startServer({ DATABASE_URL: database }, schoolOf(STUDENTS));
      const [front, back] = [
        await Picture.connect(server.url, 'ada', SESSION),
        await Picture.connect(server.url, 'ada', SESSION),
      ];
      const started = await front.command('startAttendanceSession');
      expect(started['totalStudents']).toBe(STUDENTS);
      expect((await back.command('startAttendanceSession'))['seq']).toBe(1);
      const students = await join(server.url, front);
      await mark(front, back);
      const { finalData } = await back.command('endAttendanceSession');
      const clients = [front, back, ...students];
      await Promise.all(clients.map((client) => client.ended()));

      const entries = (await readJournal(server.storage, SESSION, 0)).entries;
      const last = entries.length;
      expect(entries.map(({ seq }) => seq)).toEqual(numbers(last));
      expect(entries.filter(({ type }) => type === 'checked_in')).toHaveLength(STUDENTS);
      const expected = registerText(linesOfJournal(entries));
      expect(finalData).toMatchObject({ seq: last, session: { status: 'completed' } });

      for (const client of clients) {
        expect(client.errors, client.uid).toEqual([]);
        expect(client.register, client.uid).toBe(expected);
        expect(client.ending, client.uid).toEqual({ register: expected, seq: last, truncated: false });
      }
      for (const teacher of [front, back]) expect(teacher.received).toEqual(numbers(last - 1, 2));
      for (const student of students) expectNothingMissed(student, entries);

      await projectedUpTo(server.storage, SESSION, last);
      const records = await server.storage.projection.readRecords(SESSION);
      expect(registerText(records.map(lineOfStored))).toBe(expected);
      if (name === 'MongoDB') {
        const rows = await rawRows(database, 'attendancerecords');
        expect(registerText(rows.map(lineOfDocument))).toBe(expected);
        expect(await rawRows(database, 'classsessions', { _id: SESSION })).toMatchObject([
          { status: 'completed', projected_seq: last, ended_at: new Date(entries.at(-1)?.at ?? 0) },
        ]);
      }
      const verify = await rollcall(
        await temporaryFolder(),
        ['verify', '--json'],
        environment({ DATABASE_URL: database }),
      );
      expect(verify.stderr).toBe('');
      expect(JSON.parse(verify.stdout)).toEqual({
        access: { entries: 0, removed: 0, differences: [] },
        sessions: 1,
        entries: last,
        records: STUDENTS,
        behind: [],
        unchained: [],
        removed: [],
        differences: [],
      });
      expect(verify.code).toBe(0);
    },
  );
});

/** A document of attendancerecords, which has no field where there is nothing to say. */
function lineOfDocument(row: Record<string, unknown>): Line {
  const text = (field: string) => (row[field] === undefined ? null : String(row[field]));
  const time = (field: string) => {
    const value = row[field];
    if (value === undefined || value === null) return null;
    if (!(value instanceof Date)) throw new Error(`${field} is not a Date: ${String(value)}`);
    return value.toISOString();
  };
  return {
    record_id: String(row['_id']),
    student_id: String(row['student_id']),
    status: String(row['status']),
    remarks: text('remarks'),
    checked_in_at: time('checked_in_at'),
    marked_at: time('marked_at'),
    marked_by: text('marked_by'),
    seq: Number(row['seq']),
  };
}

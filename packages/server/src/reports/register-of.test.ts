import type { AttendanceStatus, CourseId, SessionId, StudentId } from '@rollcall/protocol';
import { courseRegister, sessionRegister, studentHistory } from '@rollcall/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SessionRecord } from '../storage/port.js';
import { historyOf } from './history-of.js';
import {
  type AnyCourse,
  anyCourse,
  rosterStudent,
  sessionRecord,
  storedSession,
} from './plain-register.test.support.js';
import { type Amendment, registerOf } from './register-of.js';
import { CODE_SETS } from './report-codes.js';
import { type DatedSession, EVERYTHING, inOrder, type Range } from './session-days.js';
import { sessionRegisterOf } from './session-register-of.js';

const zone = 'Europe/Berlin';
const course = { _id: 'c' as CourseId, title: 'Databases', course_code: null };

function registerFrom({ sessions, students, records }: AnyCourse, range: Range = EVERYTHING) {
  const ordered = inOrder(sessions, zone, range);
  const none = { amendments: [], unreadable: new Set<SessionId>() };
  return registerOf({ course, range, zone, codes: null, sessions: ordered, students, records, ...none });
}

/** The same figures, counted the long way round. */
function plainly(records: readonly SessionRecord[], starts: ReadonlyMap<SessionId, number>) {
  const of = (status: AttendanceStatus) => records.filter((record) => record.status === status);
  const attended = of('present').length + of('late').length;
  const minutes = of('late').map(({ session_id, checked_in_at }) => {
    if (checked_in_at === null) return 0;
    const late = checked_in_at - (starts.get(session_id) ?? 0);
    return late < 0 ? 0 : Math.floor(late / 60_000);
  });
  return {
    present: of('present').length,
    late: of('late').length,
    excused: of('excused').length,
    absent: of('absent').length,
    records: records.length,
    rate: records.length === 0 ? null : Number(((attended / records.length) * 100).toFixed(2)),
    late_minutes: minutes.reduce((sum, each) => sum + each, 0),
  };
}

/** Of the letters of a student's statuses in order, the longest stretch of `a`. */
const longestRun = (statuses: readonly (string | null)[]): number =>
  Math.max(
    0,
    ...(
      statuses
        .flatMap((status) => status?.[0] ?? [])
        .join('')
        .match(/a+/g) ?? []
    ).map((run) => run.length),
  );

const days: fc.Arbitrary<string | null> = fc.option(
  fc.integer({ min: 0, max: 90 }).map((day) => new Date(Date.UTC(2026, 9, 15 + day)).toISOString().slice(0, 10)),
);

test('[REPORT-3] a register counts what a plain model counts, per student, session and week and in all', () => {
  fc.assert(
    fc.property(anyCourse, days, days, (any, from, to) => {
      const register = registerFrom(any, { from, to });
      expect(courseRegister.parse(JSON.parse(JSON.stringify(register)))).toEqual(register);
      const inside = any.sessions.filter(
        ({ date }) => date !== null && (from === null || date >= from) && (to === null || date <= to),
      );
      expect(register.sessions.map(({ session_id }) => session_id).sort()).toEqual(
        inside.map(({ session_id }) => session_id).sort(),
      );
      const dates = register.sessions.map(({ date }) => String(date));
      expect(dates).toEqual(dates.toSorted());
      const starts = new Map(any.sessions.map(({ session_id, started_at }) => [session_id, started_at ?? 0]));
      const ids = new Set(register.sessions.map(({ session_id }) => session_id));
      const counted = any.records.filter(({ session_id }) => ids.has(session_id));
      expect(register.summary).toEqual({
        students: any.students.length,
        sessions: inside.length,
        ...plainly(counted, starts),
      });
      for (const session of register.sessions) {
        const own = counted.filter(({ session_id }) => session_id === session.session_id);
        expect(session).toMatchObject(plainly(own, starts));
      }
      for (const week of register.weeks) {
        const ofWeek = register.sessions.filter((session) => session.week === week.week);
        const own = counted.filter((record) => ofWeek.some(({ session_id }) => session_id === record.session_id));
        expect(week).toEqual({ week: week.week, sessions: ofWeek.length, ...plainly(own, starts) });
      }
      expect(register.rows.map(({ student_id }) => student_id)).toEqual(
        any.students.map(({ student_id }) => student_id).reverse(),
      );
      for (const row of register.rows) {
        const own = counted.filter(({ student_id }) => student_id === row.student_id);
        expect(row).toMatchObject(plainly(own, starts));
        const inRow = register.sessions.map(({ session_id, column }) => {
          const status = own.find((record) => record.session_id === session_id)?.status ?? null;
          expect(row.statuses[column]).toBe(status);
          return status;
        });
        expect(Object.keys(row.statuses)).toHaveLength(register.sessions.length);
        expect(row.longest_absence).toBe(longestRun(inRow));
        const letters = inRow.flatMap((status) => status?.[0] ?? []).join('');
        expect(row.current_absence).toBe(/a*$/.exec(letters)?.[0].length);
      }
    }),
    { numRuns: 200 },
  );
});

test('[REPORT-4] a history counts what the register’s row counts, the newest session first', () => {
  fc.assert(
    fc.property(anyCourse, (any) => {
      const register = registerFrom(any);
      const sessions = inOrder(any.sessions, zone, EVERYTHING);
      for (const student of any.students) {
        const records = any.records.filter(({ student_id }) => student_id === student.student_id);
        const { student_id } = student;
        const history = historyOf({ student_id, range: EVERYTHING, zone, sessions, records, amendments: [], student });
        expect(studentHistory.parse(JSON.parse(JSON.stringify(history)))).toEqual(history);
        const found = register.rows.find((row) => row.student_id === student_id);
        if (!found) throw new Error(`${student_id} has no row`);
        const { statuses, roll: _, name: __, student_id: ___, ...figures } = found;
        expect(history.summary).toEqual({ sessions: records.length, ...figures });
        const columns = register.sessions.map(({ column }) => column).filter((column) => statuses[column] !== null);
        expect(history.rows.map(({ column }) => column)).toEqual(columns.reverse());
      }
    }),
    { numRuns: 100 },
  );
});

test('[REPORT-5] a column is called by day and hours, and no two are called the same', () => {
  const columns = (...sessions: Parameters<typeof inOrder>[0][number][]) =>
    inOrder(sessions, zone, EVERYTHING).map(({ column }) => column);
  expect(
    columns(
      storedSession('e', { date: null }),
      storedSession('d', { date: '2026-11-24', start_time: null, started_at: 5 }),
      storedSession('c', { end_time: null, start_time: '12:00' }),
      storedSession('b'),
      storedSession('a'),
      storedSession('f', { date: null, started_at: Date.parse('2026-11-30T23:30:00Z'), start_time: null }),
    ),
  ).toEqual([
    '2026-11-23 09:00–10:30',
    '2026-11-23 09:00–10:30 (2)',
    '2026-11-23 12:00',
    '2026-11-24',
    // 00:30 in Berlin.
    '2026-12-01',
    'e',
  ]);
  // An instant, as other applications hold days: midnight in Berlin is the day before in UTC.
  const [dated] = inOrder([storedSession('x', { date: '2026-11-22T23:00:00.000Z' })], zone, EVERYTHING);
  expect(dated).toMatchObject({ date: '2026-11-23', week: '2026-W48' });
});

test('[REPORT-6] late minutes count from the start of the session, else from the time that it was scheduled for', () => {
  const at = (time: string) => Date.parse(`2026-10-26T${time}:00Z`);
  const session = storedSession('s', { date: '2026-10-26' });
  const records = [
    sessionRecord('s', 'a', 'late', { checked_in_at: at('08:12') }),
    sessionRecord('s', 'b', 'present', { checked_in_at: at('08:30') }),
    sessionRecord('s', 'd', 'late'),
    sessionRecord('s', 'e', 'late', { checked_in_at: at('07:50') }),
  ];
  const students = ['a', 'b', 'd', 'e'].map((id) => rosterStudent(id));
  const minutes = (started_at: number | null) => {
    const parts = { sessions: [{ ...session, started_at }], students, records };
    return registerFrom(parts).rows.map((row) => row.late_minutes);
  };
  // 09:00 on the day after clocks went back is 08:00 UTC.
  expect(minutes(null)).toEqual([12, 0, 0, 0]);
  expect(minutes(at('08:10'))).toEqual([2, 0, 0, 0]);
});

const amended = (session: string, student: string, at: number, more: Partial<Amendment> = {}): Amendment => ({
  session_id: session as SessionId,
  student_id: student as StudentId,
  previous_status: 'absent',
  status: 'excused',
  by: 'Ada Osei',
  at,
  reason: 'a letter',
  ...more,
});

test('[REPORT-7] amendments keep both values, who, when and why, in order of time; an unreadable journal says so', () => {
  const sessions = inOrder([storedSession('s'), storedSession('t', { date: '2026-11-24' })], zone, EVERYTHING);
  const students = [rosterStudent('a')];
  const amendments = [
    amended('t', 'a', 2_000, { previous_status: null, reason: null }),
    amended('s', 'a', 1_000),
    amended('elsewhere', 'a', 1_500),
  ];
  const unreadable = new Set(['t' as SessionId]);
  const parts = { course, range: EVERYTHING, zone, sessions, students, records: [], amendments, unreadable };
  const register = registerOf({ ...parts, codes: null });
  expect(register.amendments).toEqual([
    {
      session_id: 's',
      column: '2026-11-23 09:00–10:30',
      student_id: 'a',
      name: 'Student a',
      previous_status: 'absent',
      status: 'excused',
      amended_by: 'Ada Osei',
      amended_at: '1970-01-01T00:00:01.000Z',
      reason: 'a letter',
    },
    expect.objectContaining({ session_id: 't', previous_status: null, reason: null }),
  ]);
  expect(register.sessions.map((session) => session.amendments)).toEqual([1, null]);
});

test('[REPORT-8] a code set stands in for statuses everywhere, and is named', () => {
  const sessions = inOrder([storedSession('s')], zone, EVERYTHING);
  const dated = sessions[0] as DatedSession;
  const students = ['a', 'b', 'd', 'e', 'f'].map((id) => rosterStudent(id));
  const statuses = ['present', 'late', 'excused', 'absent'] as const;
  const records = statuses.map((status, i) => sessionRecord('s', students[i]?.student_id ?? '', status));
  const amendments = [amended('s', 'a', 1)];
  const parts = { zone, students, records, amendments };
  const whole = { ...parts, course, range: EVERYTHING, sessions, unreadable: new Set<SessionId>() };
  const register = registerOf({ ...whole, codes: CODE_SETS.edfi });
  expect(register.codes).toEqual(CODE_SETS.edfi);
  expect(register.rows.map((row) => Object.values(row.statuses)[0])).toEqual([
    'In Attendance',
    'Tardy',
    'Excused Absence',
    'Unexcused Absence',
    null,
  ]);
  expect(register.amendments[0]).toMatchObject({ previous_status: 'Unexcused Absence', status: 'Excused Absence' });
  expect(register.summary).toMatchObject({ present: 1, late: 1, excused: 1, absent: 1, rate: 50 });
  const one = sessionRegisterOf({ ...parts, dated, codes: CODE_SETS.england, isReadable: true });
  expect(sessionRegister.parse(JSON.parse(JSON.stringify(one)))).toEqual(one);
  expect(one.rows.map(({ status }) => status)).toEqual(['/', 'L', 'C', 'O', null]);
  expect(one.session).toMatchObject({ records: 4, rate: 50, amendments: 1 });
});

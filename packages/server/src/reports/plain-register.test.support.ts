import type { AttendanceStatus, CourseId, SessionId, StudentId } from '@rollcall/protocol';
import fc from 'fast-check';
import type { RosterStudent } from '../journal/entries.js';
import type { SessionRecord, StoredSession } from '../storage/port.js';

export const HOUR = 3_600_000;

export function storedSession(id: string, more: Partial<StoredSession> = {}): StoredSession {
  return {
    session_id: id as SessionId,
    course_id: 'c' as CourseId,
    course: null,
    date: '2026-11-23',
    start_time: '09:00',
    end_time: '10:30',
    topic: null,
    description: null,
    teacher_id: null,
    teacher_name: 'Ada Osei',
    status: 'completed',
    started_at: null,
    ended_at: null,
    projected_seq: 1,
    ...more,
  };
}

export function rosterStudent(id: string, more: Partial<RosterStudent> = {}): RosterStudent {
  return {
    student_id: id as StudentId,
    user_id: null,
    uid: null,
    name: `Student ${id}`,
    email: null,
    roll: null,
    section: null,
    profile_picture: null,
    ...more,
  };
}

export function sessionRecord(
  session: string,
  student: string,
  status: AttendanceStatus,
  more: Partial<SessionRecord> = {},
): SessionRecord {
  return {
    session_id: session as SessionId,
    student_id: student as StudentId,
    record_id: '0'.repeat(24),
    status,
    remarks: null,
    checked_in_at: null,
    marked_at: null,
    marked_by: null,
    created_at: 0,
    updated_at: 0,
    seq: 1,
    ...more,
  };
}

/** A class over some days: for each session and student a record, or none. */
export interface AnyCourse {
  readonly sessions: readonly StoredSession[];
  readonly students: readonly RosterStudent[];
  readonly records: readonly SessionRecord[];
}

const status = fc.constantFrom<AttendanceStatus>('present', 'late', 'excused', 'absent');

/** Days over the change of a clock and the change of a year. */
export const anyCourse: fc.Arbitrary<AnyCourse> = fc
  .record({ sessions: fc.integer({ min: 0, max: 6 }), students: fc.integer({ min: 0, max: 5 }) })
  .chain(({ sessions, students }) =>
    fc.record({
      days: fc.array(fc.integer({ min: 0, max: 90 }), { minLength: sessions, maxLength: sessions }),
      times: fc.array(fc.option(fc.integer({ min: 0, max: 23 })), { minLength: sessions, maxLength: sessions }),
      cells: fc.array(fc.option(fc.tuple(status, fc.option(fc.integer({ min: -10, max: 100 })))), {
        minLength: sessions * students,
        maxLength: sessions * students,
      }),
      students: fc.constant(students),
    }),
  )
  .map(({ days, times, cells, students }) => {
    const sessions = days.map((day, i) => {
      const date = new Date(Date.UTC(2026, 9, 15) + day * 24 * HOUR).toISOString().slice(0, 10);
      const hour = times[i];
      const start_time = hour === null || hour === undefined ? null : `${String(hour).padStart(2, '0')}:00`;
      const started_at = Date.parse(`${date}T${start_time ?? '12:00'}:30Z`);
      return storedSession(`s-${i}`, { date, start_time, started_at });
    });
    const people = Array.from({ length: students }, (_, i) => rosterStudent(`st-${i}`, { roll: String(students - i) }));
    const records = cells.flatMap((cell, i) => {
      const [session, student] = [sessions[i % sessions.length], people[Math.floor(i / sessions.length)]];
      if (!cell || !session || !student) return [];
      const [what, minutes] = cell;
      const checked_in_at = minutes === null ? null : (session.started_at ?? 0) + minutes * 60_000 + 59_000;
      return [sessionRecord(session.session_id, student.student_id, what, { checked_in_at })];
    });
    return { sessions, students: people, records };
  });

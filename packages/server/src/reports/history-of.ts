import type {
  AttendanceStatus,
  CourseId,
  CourseSummary,
  HistoryRow,
  StudentHistory,
  StudentId,
} from '@rollcall/protocol';
import type { RosterStudent } from '../journal/entries.js';
import type { SessionRecord } from '../storage/port.js';
import { lateMinutesOf, runsOf, Tally } from './figures.js';
import { type Amendment, reportedAmendments } from './register-of.js';
import type { DatedSession, Range } from './session-days.js';

export interface HistoryParts {
  readonly student_id: StudentId;
  readonly range: Range;
  readonly zone: string;
  /** In order: those of which the student has a record, and maybe others. */
  readonly sessions: readonly DatedSession[];
  /** The student's own. */
  readonly records: readonly SessionRecord[];
  readonly amendments: readonly Amendment[];
  readonly student: RosterStudent | undefined;
}

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** What a student's records say over all their courses: pure. */
export function historyOf(parts: HistoryParts): StudentHistory {
  const { student_id, range, zone, sessions, student } = parts;
  const records = new Map(parts.records.map((record) => [record.session_id, record]));
  const rows: HistoryRow[] = [];
  const all = new Group(null);
  const courses = new Map<CourseId | null, Group>();
  for (const { session, date, week, start, column } of sessions) {
    const record = records.get(session.session_id);
    if (record === undefined) continue;
    const late_minutes = lateMinutesOf(record, start);
    const group = courses.get(session.course_id) ?? new Group(session.course);
    courses.set(session.course_id, group);
    for (const each of [group, all]) each.add(record.status, late_minutes);
    const { session_id, course_id, start_time, end_time, topic } = session;
    rows.push({
      session_id,
      course_id,
      column,
      date,
      week,
      start_time,
      end_time,
      topic,
      session_status: session.status,
      status: record.status,
      checked_in_at: isoOrNull(record.checked_in_at),
      marked_at: isoOrNull(record.marked_at),
      late_minutes,
      remarks: record.remarks,
    });
  }
  const own = parts.amendments.filter((amendment) => amendment.student_id === student_id);
  return {
    student_id,
    from: range.from,
    to: range.to,
    time_zone: zone,
    rows: rows.reverse(),
    courses: [...courses.values()].map((group) => ({ course: group.course, ...group.figures })),
    summary: all.figures,
    amendments: reportedAmendments(own, sessions, student ? [student] : [], null),
  };
}

/** The records of one course, or of all. */
class Group {
  readonly #tally = new Tally();
  readonly #statuses: AttendanceStatus[] = [];

  constructor(readonly course: CourseSummary | null) {}

  add(status: AttendanceStatus, lateMinutes: number | null): void {
    this.#tally.add(status, lateMinutes);
    this.#statuses.push(status);
  }

  get figures() {
    return { sessions: this.#statuses.length, ...this.#tally.figures, ...runsOf(this.#statuses) };
  }
}

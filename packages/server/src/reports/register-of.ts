import type {
  AttendanceStatus,
  CourseRegister,
  CourseSummary,
  RegisterRow,
  RegisterWeek,
  ReportedAmendment,
  ReportedSession,
  SessionId,
  StudentId,
} from '@rollcall/protocol';
import type { RosterStudent } from '../journal/entries.js';
import { byRoll } from '../journal/roster-order.js';
import type { SessionRecord } from '../storage/port.js';
import { lateMinutesOf, runsOf, Tally } from './figures.js';
import { type CodeSet, coded } from './report-codes.js';
import type { DatedSession, Range } from './session-days.js';

/** Of a record, what a register counts. */
export type RegisterRecord = Pick<SessionRecord, 'session_id' | 'student_id' | 'status' | 'checked_in_at'>;

/** A change of a record after the end of its session, as the journal has it. */
export interface Amendment {
  readonly session_id: SessionId;
  readonly student_id: StudentId;
  readonly previous_status: AttendanceStatus | null;
  readonly status: AttendanceStatus;
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly reason: string | null;
}

/** What is made of a register, whatever course it is of. */
export interface RegisterSettings {
  readonly zone: string;
  readonly codes: CodeSet | null;
}

export interface RegisterParts extends RegisterSettings {
  readonly course: CourseSummary;
  readonly range: Range;
  /** In order. */
  readonly sessions: readonly DatedSession[];
  /** Whoever is enrolled, has a record or was amended. A student with neither is a row without figures. */
  readonly students: readonly RosterStudent[];
  readonly records: Iterable<RegisterRecord>;
  readonly amendments: readonly Amendment[];
  /** Sessions whose journal can't be read. */
  readonly unreadable: ReadonlySet<SessionId>;
}

/** The register of a course: pure. Records of sessions that aren't listed are passed over. */
export function registerOf(parts: RegisterParts): CourseRegister {
  const { course, range, zone, codes, sessions, students } = parts;
  const places = new Map(sessions.map(({ session }, place) => [session.session_id, place]));
  const lines = new Map<StudentId, Line>(
    students.toSorted(byRoll).map((student) => [student.student_id, { student, statuses: [], tally: new Tally() }]),
  );
  const perSession = sessions.map(() => new Tally());
  const perWeek = new Map<string | null, { sessions: number; tally: Tally }>();
  for (const { week } of sessions) {
    const entry = perWeek.get(week) ?? { sessions: 0, tally: new Tally() };
    entry.sessions += 1;
    perWeek.set(week, entry);
  }
  const all = new Tally();
  for (const record of parts.records) {
    const place = places.get(record.session_id);
    const line = lines.get(record.student_id);
    const dated = place === undefined ? undefined : sessions[place];
    if (place === undefined || dated === undefined || line === undefined) continue;
    const late = lateMinutesOf(record, dated.start);
    line.statuses[place] = record.status;
    for (const tally of [line.tally, perSession[place], perWeek.get(dated.week)?.tally, all]) {
      tally?.add(record.status, late);
    }
  }
  const amendments = reportedAmendments(parts.amendments, sessions, students, codes);
  return {
    course,
    from: range.from,
    to: range.to,
    time_zone: zone,
    codes,
    sessions: sessions.map((dated, place) =>
      reportedSession(dated, perSession[place] ?? new Tally(), amendments, parts.unreadable),
    ),
    rows: [...lines.values()].map((line) => rowOf(line, sessions, codes)),
    weeks: [...perWeek].map(
      ([week, entry]): RegisterWeek => ({ week, sessions: entry.sessions, ...entry.tally.figures }),
    ),
    summary: { students: lines.size, sessions: sessions.length, ...all.figures },
    amendments,
  };
}

interface Line {
  readonly student: RosterStudent;
  /** By the place of each session; a hole without a record. */
  readonly statuses: AttendanceStatus[];
  readonly tally: Tally;
}

function rowOf(
  { student, statuses, tally }: Line,
  sessions: readonly DatedSession[],
  codes: CodeSet | null,
): RegisterRow {
  const inPlace = sessions.map((_, place) => statuses[place] ?? null);
  return {
    student_id: student.student_id,
    roll: student.roll,
    name: student.name,
    statuses: Object.fromEntries(
      sessions.map(({ column }, place) => {
        const status = inPlace[place] ?? null;
        return [column, status === null ? null : coded(status, codes)];
      }),
    ),
    ...tally.figures,
    ...runsOf(inPlace),
  };
}

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export function reportedSession(
  { session, column, date, week }: DatedSession,
  tally: Tally,
  amendments: readonly ReportedAmendment[],
  unreadable: ReadonlySet<SessionId>,
): ReportedSession {
  const { session_id, start_time, end_time, topic, teacher_name, status } = session;
  const ownAmendments = amendments.filter((one) => one.session_id === session_id).length;
  return {
    session_id,
    column,
    date,
    week,
    start_time,
    end_time,
    topic,
    teacher_name,
    status,
    started_at: isoOrNull(session.started_at),
    ended_at: isoOrNull(session.ended_at),
    ...tally.figures,
    amendments: unreadable.has(session_id) ? null : ownAmendments,
  };
}

/** In order of time. */
export function reportedAmendments(
  amendments: readonly Amendment[],
  sessions: readonly DatedSession[],
  students: readonly RosterStudent[],
  codes: CodeSet | null,
): ReportedAmendment[] {
  const columns = new Map(sessions.map(({ session, column }) => [session.session_id, column]));
  const names = new Map(students.map(({ student_id, name }) => [student_id, name]));
  return amendments
    .toSorted((a, b) => a.at - b.at)
    .flatMap(({ session_id, student_id, previous_status, status, by, at, reason }) => {
      const column = columns.get(session_id);
      if (column === undefined) return [];
      return {
        session_id,
        column,
        student_id,
        name: names.get(student_id) ?? student_id,
        previous_status: previous_status === null ? null : coded(previous_status, codes),
        status: coded(status, codes),
        amended_by: by,
        amended_at: new Date(at).toISOString(),
        reason,
      };
    });
}

import { type CourseId, type CourseSummary, RollcallError, type SessionId, type StudentId } from '@rollcall/protocol';
import type { RosterStudent } from '../journal/entries.js';
import type { Reports, StoredSession } from '../storage/port.js';
import { amendmentsOf } from './amendments.js';
import type { HistoryParts } from './history-of.js';
import type { RegisterParts, RegisterRecord, RegisterSettings } from './register-of.js';
import { EVERYTHING, inOrder, type Range } from './session-days.js';
import type { SessionParts } from './session-register-of.js';

/*
 * Reads what reports are made of. Everything comes in pieces that take a few milliseconds each to hand over, so that
 * the event loop has time for others between them.
 */

/** Records that are read at once, about. */
const RECORDS_AT_ONCE = 2_000;
/** Cells of a register: with more the report would not fit into memory, nor on anybody's screen. */
export const CELLS_MAX = 3_000_000;

export interface CourseReading extends Omit<RegisterParts, 'records'> {
  /** In pages; `students` is complete only when all are read. */
  readonly records: AsyncIterable<readonly RegisterRecord[]>;
  readonly students: RosterStudent[];
}

const isHeld = ({ status }: StoredSession): boolean => status === 'active' || status === 'completed';

/**
 * The register of a course: its sessions that were held or run now.
 * @throws {RollcallError} COURSE_NOT_FOUND; BAD_REQUEST for a register that is too large
 */
export async function readCourse(
  reports: Reports,
  courseId: CourseId,
  range: Range,
  settings: RegisterSettings,
): Promise<CourseReading> {
  const found = await reports.findCourse(courseId);
  if (!found) throw new RollcallError('COURSE_NOT_FOUND');
  const course: CourseSummary = { _id: courseId, title: found.title, course_code: found.course_code };
  const held = (await reports.sessionsOfCourse(courseId)).filter(isHeld);
  const sessions = inOrder(held, settings.zone, range);
  const sessionIds = sessions.map(({ session }) => session.session_id);
  const students = await reports.listRoster(courseId);
  refuseTooLarge(students.length * sessions.length);
  const { amendments, unreadable } = await amendmentsOf(reports, sessionIds);
  return {
    ...settings,
    course,
    range,
    sessions,
    students,
    amendments,
    unreadable,
    records: recordPages(reports, sessionIds, students),
  };
}

/** Pages of records; who isn't among the students yet is added to them. */
async function* recordPages(
  reports: Reports,
  sessionIds: readonly SessionId[],
  students: RosterStudent[],
): AsyncGenerator<readonly RegisterRecord[]> {
  const known = new Set(students.map(({ student_id }) => student_id));
  for (let from = 0, some = 1, read = 0; from < sessionIds.length; ) {
    const page = await reports.recordsOfSessions(sessionIds.slice(from, from + some));
    const unknown = new Set(page.map(({ student_id }) => student_id).filter((id) => !known.has(id)));
    if (unknown.size > 0) {
      students.push(...(await studentsOf(reports, unknown)));
      for (const id of unknown) known.add(id);
      refuseTooLarge(students.length * sessionIds.length);
    }
    yield page.map(({ session_id, student_id, status, checked_in_at }) => ({
      session_id,
      student_id,
      status,
      checked_in_at,
    }));
    from += some;
    read += page.length;
    some = Math.max(1, Math.min(50, Math.round(RECORDS_AT_ONCE / Math.max(1, read / from))));
  }
}

function refuseTooLarge(cells: number): void {
  if (cells <= CELLS_MAX) return;
  const message = `from and to span a register of more than ${CELLS_MAX} cells: ask for fewer days`;
  throw new RollcallError('BAD_REQUEST', { message, details: { field: 'from' } });
}

/** Also those of whom nothing is left but the id. */
async function studentsOf(reports: Reports, ids: Iterable<StudentId>): Promise<RosterStudent[]> {
  const wanted = [...ids];
  const found = await reports.findStudents(wanted);
  return wanted.map((student_id) => {
    const student = found.get(student_id);
    // Another student may have as user id or uid what was the profile id of one who is gone.
    return student?.student_id === student_id ? student : whoIsGone(student_id);
  });
}

const whoIsGone = (student_id: StudentId): RosterStudent => ({
  student_id,
  user_id: null,
  uid: null,
  name: student_id,
  email: null,
  roll: null,
  section: null,
  profile_picture: null,
});

/** @throws {RollcallError} SESSION_NOT_FOUND */
export async function readSession(
  reports: Reports,
  sessionId: SessionId,
  settings: RegisterSettings,
): Promise<SessionParts> {
  const [session] = await reports.sessions([sessionId]);
  const [dated] = session ? inOrder([session], settings.zone, EVERYTHING) : [];
  if (!session || !dated) throw new RollcallError('SESSION_NOT_FOUND');
  const records = await reports.recordsOfSessions([sessionId]);
  // A session that is over had in it whom its records name; those enrolled since were not.
  const expected =
    session.status === 'scheduled' && session.course_id !== null ? await reports.listRoster(session.course_id) : [];
  const known = new Set(expected.map(({ student_id }) => student_id));
  const others = records.map(({ student_id }) => student_id).filter((id) => !known.has(id));
  const { amendments, unreadable } = await amendmentsOf(reports, [sessionId]);
  return {
    ...settings,
    dated,
    students: [...expected, ...(await studentsOf(reports, others))],
    records,
    amendments,
    isReadable: !unreadable.has(sessionId),
  };
}

/** What a student's records say, over all courses. A student of whom nothing is known has no records. */
export async function readHistory(
  reports: Reports,
  student_id: StudentId,
  range: Range,
  zone: string,
): Promise<HistoryParts> {
  const records = await reports.recordsOfStudent(student_id);
  const sessions = inOrder(await reports.sessions(records.map(({ session_id }) => session_id)), zone, range);
  const [student] = await studentsOf(reports, [student_id]);
  const sessionIds = sessions.map(({ session }) => session.session_id);
  const { amendments } = await amendmentsOf(reports, sessionIds);
  return { student_id, range, zone, sessions, records, amendments, student };
}

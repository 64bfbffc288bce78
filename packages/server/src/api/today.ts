import type { AttendanceRecord, CourseId, Session, SessionId, SessionStatus, Statistics } from '@rollcall/protocol';
import type { Services } from '../commands/command.js';
import { recordOf, sessionOfState } from '../commands/present.js';
import { noCourse, teachesCourse } from '../commands/rights.js';
import { statisticsOf } from '../register/fold.js';
import type { LiveSession } from '../register/live-session.js';
import { noCounts } from '../register/session-state.js';
import { dayOf } from '../school-time.js';
import type { Person, StoredRecord, StoredSession } from '../storage/port.js';
import { daysOf } from './inputs.js';
import { sessionNow } from './timetable.js';

/** What may be done with a session now, by whoever asks. */
export interface Can {
  readonly start: boolean;
  /** To look at its register. */
  readonly open: boolean;
  readonly change: boolean;
  readonly cancel: boolean;
  readonly end: boolean;
  readonly check_in: boolean;
}

export interface TodaySession {
  readonly session: Session;
  readonly role: 'teacher' | 'student';
  readonly state: SessionStatus;
  /** For teachers: how many there are and how they are marked. Null for students. */
  readonly counts: Statistics | null;
  /** A student's own record, where there is one. Null for teachers. */
  readonly record: AttendanceRecord | null;
  readonly can: Can;
}

export interface Today {
  /** The day by a clock at the school. */
  readonly date: string;
  readonly time_zone: string;
  /** By the time at which they begin. */
  readonly sessions: readonly TodaySession[];
}

const NOTHING: Can = { start: false, open: false, change: false, cancel: false, end: false, check_in: false };

/** The sessions of today as a teacher or student of them, and those that run, whatever their day. */
export async function readToday(person: Person, services: Services): Promise<Today> {
  const date = dayOf(services.now(), services.timeZone);
  const taught = await sessionsTaught(person, date, services);
  const attended = await sessionsAttended(person, date, services);
  // Who teaches a session and is enrolled in it as well is its teacher.
  for (const id of taught.keys()) attended.delete(id);
  const sessions = [...(await asTeacher(taught, services)), ...(await asStudent(person, attended, services))];
  return { date, time_zone: services.timeZone, sessions: sessions.toSorted(byTime) };
}

/** One that is in memory alone has not been written to the database yet. */
type Found = Map<SessionId, StoredSession | LiveSession>;

const isLive = (found: StoredSession | LiveSession): found is LiveSession => 'state' in found;

async function sessionsTaught(person: Person, date: string, services: Services): Promise<Found> {
  const { teacher, user_id } = person;
  const found: Found = new Map();
  if (!teacher) return found;
  const { index, storage, timeZone } = services;
  const stored = await storage.timetable.sessionsOfTeacher(
    teacher.teacher_id,
    daysOf({ from: date, to: date }, timeZone),
  );
  for (const one of stored) found.set(one.session_id, one);
  const ofCourses = (await coursesTaughtNow(person, services)).flatMap((id) => [...index.ofCourse(id)]);
  const started = [...index.startedBy(user_id)].filter((live) => live.state.facts.course_id === null);
  for (const live of [...ofCourses, ...index.naming(teacher.teacher_id), ...started]) found.set(live.session_id, live);
  return found;
}

/** Of the courses with an active session those that this person teaches. */
async function coursesTaughtNow(person: Person, { directory, index }: Services): Promise<CourseId[]> {
  const courses = await Promise.all(
    [...index.courses].map((id) => directory.courseNow(id) ?? directory.course(id).catch(noCourse)),
  );
  return courses.flatMap((course) => (course && teachesCourse(person, course) ? [course.course_id] : []));
}

async function sessionsAttended({ student }: Person, date: string, services: Services): Promise<Found> {
  const found: Found = new Map();
  if (!student) return found;
  const { sessions, storage, timeZone } = services;
  const stored = await storage.timetable.sessionsOfStudent(
    student.student_id,
    daysOf({ from: date, to: date }, timeZone),
  );
  for (const one of stored) found.set(one.session_id, one);
  for (const live of sessions.activeAttendanceSessions.values()) {
    if (live.state.line(student.student_id)) found.set(live.session_id, live);
  }
  return found;
}

const sessionOf = (found: StoredSession | LiveSession, services: Services): Session =>
  isLive(found) ? sessionOfState(found.state) : sessionNow(found, services);

async function asTeacher(found: Found, services: Services): Promise<TodaySession[]> {
  const { storage, sessions } = services;
  const stored = [...found.values()].flatMap((one) => (isLive(one) || sessions.active(one.session_id) ? [] : [one]));
  const scheduled = stored.filter(({ status }) => status === 'scheduled');
  const [records, enrolled] = await Promise.all([
    storage.timetable.countRecords(stored.map(({ session_id }) => session_id)),
    storage.catalogue.countEnrolled([...new Set(scheduled.flatMap(({ course_id }) => course_id ?? []))]),
  ]);
  const countsOf = (one: StoredSession | LiveSession): Statistics => {
    const live = isLive(one) ? one : sessions.active(one.session_id);
    if (live) return live.statistics;
    const { session_id, status, course_id } = one as StoredSession;
    const expected = status === 'scheduled' && course_id !== null ? (enrolled.get(course_id) ?? 0) : 0;
    return statisticsOf(records.get(session_id) ?? { ...noCounts(), absent: expected }, 0);
  };
  return [...found.values()].map((one) => {
    const session = sessionOf(one, services);
    const state = session.status;
    const isScheduled = state === 'scheduled';
    const can = {
      ...{ start: isScheduled, change: isScheduled, cancel: isScheduled },
      ...{ open: state === 'active' || state === 'completed', end: state === 'active', check_in: false },
    };
    return { session, role: 'teacher', state, counts: countsOf(one), record: null, can };
  });
}

async function asStudent({ student }: Person, found: Found, services: Services): Promise<TodaySession[]> {
  if (!student) return [];
  const { storage, sessions } = services;
  const { student_id } = student;
  const stored = await storage.timetable.recordsOfStudent(student_id, [...found.keys()]);
  const ownRecord = (id: SessionId, record: StoredRecord | undefined): AttendanceRecord | null =>
    record ? recordOf(id, { ...record, student }, 'everyone') : null;
  return [...found].map(([id, one]) => {
    const session = sessionOf(one, services);
    const live = isLive(one) ? one : sessions.active(id);
    const line = live?.state.line(student_id);
    const record = line ? recordOf(id, line, 'everyone') : live ? null : ownRecord(id, stored.get(id));
    const check_in = live !== undefined && (line === undefined || line.checked_in_at === null);
    return { session, role: 'student', state: session.status, counts: null, record, can: { ...NOTHING, check_in } };
  });
}

/** Sessions without a time come last. */
function byTime({ session: one }: TodaySession, { session: other }: TodaySession): number {
  const [a, b] = [one.start_time ?? '~', other.start_time ?? '~'];
  if (a !== b) return a < b ? -1 : 1;
  return one._id < other._id ? -1 : 1;
}

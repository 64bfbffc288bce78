import { RollcallError, type SessionId, type StudentId } from '@rollcall/protocol';
import type { RosterStudent, SessionFacts } from '../journal/entries.js';
import type { LiveSession } from '../register/live-session.js';
import type { FoundSession } from '../register/live-sessions.js';
import type { SessionState } from '../register/session-state.js';
import type { Course, Person } from '../storage/port.js';
import type { Services } from './command.js';

/** Who may do what: the cells of the table in SPEC.md under RIGHT, and which refusal each gives. */

/** @throws {RollcallError} NOT_A_TEACHER */
export function requireTeacher(person: Person): void {
  if (!person.is_admin && !person.teacher) throw new RollcallError('NOT_A_TEACHER');
}

/** @throws {RollcallError} NOT_A_STUDENT */
export function requireStudent(person: Person): RosterStudent {
  if (!person.student) throw new RollcallError('NOT_A_STUDENT');
  return person.student;
}

export function teachesCourse(person: Person, course: Course | undefined): boolean {
  const id = person.teacher?.teacher_id;
  return id !== undefined && course !== undefined && (course.teacher_id === id || course.co_teacher_ids.includes(id));
}

/** True for the session's own teacher and those of its course; not for an admin who isn't one of them. */
export function teachesSession(person: Person, facts: SessionFacts, course: Course | undefined): boolean {
  const id = person.teacher?.teacher_id;
  return id !== undefined && (facts.teacher_id === id || teachesCourse(person, course));
}

/**
 * True for a student whom a mark has put on the roster of a running session, as a walk-in is: they are in it by their
 * teacher's word, and by no enrolment. Who put themselves on it by a check-in was enrolled.
 */
export function wasPutOnRoster(state: SessionState, studentId: StudentId): boolean {
  const line = state.line(studentId);
  return line !== undefined && line.created_at > state.started_at && line.created_at !== line.checked_in_at;
}

/** What a teacher tried, in the seed's words: `Only the session teacher can …`. */
export type TeacherAction =
  | 'start attendance'
  | 'mark attendance'
  | 'update attendance'
  | 'amend attendance'
  | 'view attendance data'
  | 'end attendance';

export const notSessionTeacher = (action: TeacherAction): RollcallError =>
  new RollcallError('NOT_SESSION_TEACHER', { message: `Only the session teacher can ${action}` });

export const factsOf = (found: FoundSession): SessionFacts => {
  if (found.kind === 'live') return found.live.state.facts;
  return found.kind === 'ended' ? found.state.facts : found.stored;
};

/** A session's course as the directory has it; undefined without one, or where it was deleted meanwhile. */
export async function courseOf(facts: SessionFacts, services: Services): Promise<Course | undefined> {
  if (facts.course_id === null) return undefined;
  return services.directory.courseNow(facts.course_id) ?? services.directory.course(facts.course_id).catch(noCourse);
}

/** A course that was deleted meanwhile is none. */
export function noCourse(error: unknown): undefined {
  if (error instanceof RollcallError && error.code === 'COURSE_NOT_FOUND') return undefined;
  throw error;
}

/**
 * Finds a session for one of its teachers, whatever its state.
 * @throws {RollcallError} NOT_A_TEACHER, SESSION_NOT_FOUND, NOT_SESSION_TEACHER
 */
export async function sessionForTeacher(
  person: Person,
  sessionId: SessionId,
  action: TeacherAction,
  services: Services,
): Promise<FoundSession> {
  requireTeacher(person);
  const found = await services.sessions.find(sessionId);
  if (!found) throw new RollcallError('SESSION_NOT_FOUND');
  await requireSessionTeacher(person, factsOf(found), action, services);
  return found;
}

/** @throws {RollcallError} NOT_SESSION_TEACHER */
export async function requireSessionTeacher(
  person: Person,
  facts: SessionFacts,
  action: TeacherAction,
  services: Services,
): Promise<void> {
  if (person.is_admin || teachesSession(person, facts, undefined)) return;
  if (!teachesSession(person, facts, await courseOf(facts, services))) throw notSessionTeacher(action);
}

/**
 * The active session for one of its teachers. Without waiting where everything is known, as it is for marks in a row.
 * @throws {RollcallError} as sessionForTeacher, and SESSION_NOT_ACTIVE for a scheduled one, SESSION_ENDED for one that is over
 */
export async function activeForTeacher(
  person: Person,
  sessionId: SessionId,
  action: TeacherAction,
  services: Services,
): Promise<LiveSession> {
  const found = await sessionForTeacher(person, sessionId, action, services);
  if (found.kind === 'live') return found.live;
  throw notActive(found);
}

export function notActive(found: FoundSession): RollcallError {
  const scheduled = found.kind === 'stored' && found.stored.status === 'scheduled';
  return new RollcallError(scheduled ? 'SESSION_NOT_ACTIVE' : 'SESSION_ENDED');
}

/** The session, when it is in memory and this person's right to it needs no look-up; undefined otherwise. */
export function activeForTeacherNow(person: Person, sessionId: SessionId, services: Services): LiveSession | undefined {
  const live = services.sessions.active(sessionId);
  if (!live || (!person.teacher && !person.is_admin)) return undefined;
  const { facts } = live.state;
  const course = facts.course_id === null ? undefined : services.directory.courseNow(facts.course_id);
  return person.is_admin || teachesSession(person, facts, course) ? live : undefined;
}

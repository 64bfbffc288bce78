import { RollcallError, type Session, type SessionId } from '@rollcall/protocol';
import type { Services } from '../commands/command.js';
import { sessionOfState, sessionOfStored } from '../commands/present.js';
import { courseOf, factsOf, teachesSession } from '../commands/rights.js';
import type { FoundSession } from '../register/live-sessions.js';
import type { Page, Person, SchoolChange, SessionChange, StoredSession } from '../storage/port.js';
import { checked, daysOf, type Input, saidOf } from './inputs.js';
import { courseForTeacher, courseWithPart, requireDone } from './rights.js';

/** A session as it is now: what runs is ahead of what is stored. */
export function sessionNow(stored: StoredSession, { sessions }: Pick<Services, 'sessions'>): Session {
  const live = sessions.active(stored.session_id);
  return live ? sessionOfState(live.state) : sessionOfStored(stored);
}

/** For whoever has a part in the course. @throws {RollcallError} COURSE_NOT_FOUND, BAD_REQUEST */
export async function listSessions(
  person: Person,
  input: Input<'sessions'>,
  services: Services,
): Promise<Page<Session>> {
  const { course_id, from, to, ...page } = checked('sessions', input);
  const days = daysOf({ from, to }, services.timeZone);
  await courseWithPart(person, course_id, services);
  const { items, next } = await services.storage.timetable.listSessions(course_id, days, page);
  return { items: items.map((stored) => sessionNow(stored, services)), next };
}

/**
 * Schedules a session of a course, under a fresh id where none is given. For its teachers and admins.
 * @throws {RollcallError} COURSE_NOT_FOUND, FORBIDDEN, ALREADY_EXISTS, BAD_REQUEST
 */
export async function scheduleSession(
  person: Person,
  input: Input<'newSession'>,
  services: Services,
): Promise<Session> {
  const { session_id: given, ...fields } = checked('newSession', input);
  await courseForTeacher(person, fields.course_id, services);
  const session_id = given ?? (services.newRecordId() as SessionId);
  return changed(session_id, await services.storage.timetable.scheduleSession({ ...fields, session_id }), services);
}

/**
 * Changes what is said of a session that is scheduled. For its teachers and admins.
 * @throws {RollcallError} SESSION_NOT_FOUND, FORBIDDEN, SESSION_BEGUN, SESSION_ENDED, BAD_REQUEST
 */
export async function changeSession(
  person: Person,
  input: Input<'changedSession'>,
  services: Services,
): Promise<Session> {
  const { session_id, ...fields } = checked('changedSession', input);
  refuseUnscheduled(await sessionForItsTeacher(person, session_id, services));
  const change = saidOf(fields, input) as SessionChange;
  return changed(session_id, await services.storage.timetable.changeScheduled(session_id, change), services);
}

/**
 * Cancels a session that is scheduled; one that is cancelled stays so. For its teachers and admins.
 * @throws {RollcallError} SESSION_NOT_FOUND, FORBIDDEN, SESSION_BEGUN, SESSION_ENDED, BAD_REQUEST
 */
export async function cancelSession(person: Person, input: Input<'session'>, services: Services): Promise<Session> {
  const { session_id } = checked('session', input);
  const found = await sessionForItsTeacher(person, session_id, services);
  if (found.kind !== 'stored' || found.stored.status !== 'cancelled') refuseUnscheduled(found);
  return changed(session_id, await services.storage.timetable.cancelScheduled(session_id), services);
}

async function changed(sessionId: SessionId, change: SchoolChange, services: Services): Promise<Session> {
  requireDone(change);
  const stored = await services.storage.projection.findSession(sessionId);
  if (!stored) throw new RollcallError('SESSION_NOT_FOUND');
  return sessionNow(stored, services);
}

/**
 * One may not know of sessions of other courses, so that they aren't there.
 * @throws {RollcallError} SESSION_NOT_FOUND; FORBIDDEN for its students
 */
async function sessionForItsTeacher(person: Person, sessionId: SessionId, services: Services): Promise<FoundSession> {
  const found = await services.sessions.find(sessionId);
  if (!found) throw new RollcallError('SESSION_NOT_FOUND');
  const facts = factsOf(found);
  if (person.is_admin || teachesSession(person, facts, await courseOf(facts, services))) return found;
  const { student } = person;
  const isEnrolled =
    student !== null &&
    facts.course_id !== null &&
    (await services.directory.isEnrolled(facts.course_id, student.student_id));
  throw new RollcallError(isEnrolled ? 'FORBIDDEN' : 'SESSION_NOT_FOUND');
}

/** What the storage refuses too, told apart. @throws {RollcallError} SESSION_BEGUN, SESSION_ENDED */
function refuseUnscheduled(found: FoundSession): void {
  const status = found.kind === 'stored' ? found.stored.status : found.kind === 'live' ? 'active' : 'completed';
  if (status === 'active') throw new RollcallError('SESSION_BEGUN');
  if (status !== 'scheduled') throw new RollcallError('SESSION_ENDED');
}

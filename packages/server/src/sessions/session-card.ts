import { type AttendanceRecord, type Policy, RollcallError, type Session, type SessionId } from '@rollcall/protocol';
import type { Services } from '../commands/command.js';
import { recordOf, sessionOfState, sessionOfStored } from '../commands/present.js';
import { courseOf, factsOf, teachesSession } from '../commands/rights.js';
import type { FoundSession } from '../register/live-sessions.js';
import type { Person } from '../storage/port.js';

/** Which class this is, for whoever may be in it: nobody else's data. */
export interface SessionCard
  extends Pick<
    Session,
    'session_id' | 'course' | 'topic' | 'date' | 'start_time' | 'end_time' | 'teacher_name' | 'status' | 'started_at'
  > {
  readonly check_in: Policy['check_in'] | null;
  readonly late_after_minutes: number | null;
  /** Of the person themselves; null where they have none. */
  readonly record: AttendanceRecord | null;
}

/**
 * The card of a session for a student of it, a teacher of it or an admin.
 * @throws {RollcallError} SESSION_NOT_FOUND, also for a session that the person may not know of
 */
export async function sessionCard(person: Person, sessionId: SessionId, services: Services): Promise<SessionCard> {
  const found = await services.sessions.find(sessionId);
  if (!found || !(await mayKnowOf(person, found, services))) throw new RollcallError('SESSION_NOT_FOUND');
  const session = found.kind === 'stored' ? sessionOfStored(found.stored) : sessionOfState(stateOf(found));
  const { course, topic, date, start_time, end_time, teacher_name, status, started_at, policy } = session;
  return {
    session_id: sessionId,
    course,
    topic,
    date,
    start_time,
    end_time,
    teacher_name,
    status,
    check_in: policy?.check_in ?? null,
    late_after_minutes: policy?.late_after_minutes ?? null,
    started_at,
    record: await ownRecord(person, found, services),
  };
}

type WithState = Exclude<FoundSession, { readonly kind: 'stored' }>;
const stateOf = (found: WithState) => (found.kind === 'live' ? found.live.state : found.state);

async function mayKnowOf(person: Person, found: FoundSession, services: Services): Promise<boolean> {
  const facts = factsOf(found);
  if (person.is_admin || teachesSession(person, facts, await courseOf(facts, services))) return true;
  const { student } = person;
  if (!student) return false;
  if (found.kind !== 'stored' && stateOf(found).line(student.student_id)) return true;
  // Without a course any student may join.
  if (facts.course_id === null) return true;
  return services.directory.isEnrolled(facts.course_id, student.student_id);
}

async function ownRecord(
  { student }: Person,
  found: FoundSession,
  { storage }: Services,
): Promise<AttendanceRecord | null> {
  if (!student) return null;
  const { session_id } = factsOf(found);
  if (found.kind !== 'stored') {
    const line = stateOf(found).line(student.student_id);
    return line ? recordOf(session_id, line, 'everyone') : null;
  }
  const stored = (await storage.projection.readRecords(session_id)).find(
    ({ student_id }) => student_id === student.student_id,
  );
  return stored ? recordOf(session_id, { ...stored, student }, 'everyone') : null;
}

import type { Change, StudentId } from '@rollcall/protocol';
import { answerOf } from '../commands/answers.js';
import { callerOf } from '../commands/carry-out.js';
import { defineCommand, extraOf, type Services } from '../commands/command.js';
import { changeOf, positionOf } from '../commands/present.js';
import { requireStudent } from '../commands/rights.js';
import { type Entry, givesStatus, type RosterStudent } from '../journal/entries.js';
import type { Caller, OffRosterStudent } from '../register/command.js';
import type { LiveSession } from '../register/live-session.js';
import { ticketIn } from './check-in-ticket.js';
import { liveSession } from './live-session.js';

export const joinAttendanceSession = defineCommand({
  name: 'joinAttendanceSession',
  async handle(call, services) {
    const { session_id, since_seq, since_chain, code } = call.input;
    const enter = call.connection?.joining(session_id);
    const profile = requireStudent(call.person);
    const live = services.sessions.active(session_id) ?? (await liveSession(session_id, services));
    const student = await newcomer(live, profile, services);
    if (since_seq !== undefined) await call.chargeFor(live.state.seq - since_seq);
    // The client has heard of more than this node has.
    if (since_seq !== undefined && since_seq > live.state.seq) await live.readJournalNow();
    const answering = callerOf<'check_in'>(call, services);
    const caller: Caller<'check_in'> = {
      ...answering,
      answer: (outcome, register, publication) => {
        enter?.(live, outcome.line.student.student_id);
        if (since_seq === undefined) answering.answer(outcome, register, publication);
      },
    };
    // Whoever sends a code wants that one judged.
    const ticket = code ? undefined : ticketIn(call.cookie, session_id, services);
    const submitted = live.submit({ type: 'check_in', student, code, ticket }, caller);
    // One catch-up of a socket at a time.
    if (since_seq === undefined) call.proceed();
    const outcome = await submitted;
    if (since_seq === undefined) return;
    const { snapshots } = services;
    const { event, payload } = answerOf(outcome, { register: live, publication: { entries: [] }, snapshots });
    const missed = await missedBy(live, profile.student_id, since_seq, since_chain);
    call.answer(event, { ...payload, ...missed }, { ...extraOf(outcome), seq: missed.seq });
  },
});

/** What a rejoin tells a student of the time they were away. */
interface Missed {
  readonly changes?: Change[];
  readonly reset?: true;
  readonly seq: number;
  readonly chain: string;
}

/** Whoever is on the roster needs no look-up: a storm of 1,000 joins must not become 1,000 queries. */
function newcomer(
  live: LiveSession,
  student: RosterStudent,
  services: Services,
): OffRosterStudent | Promise<OffRosterStudent> {
  const { facts } = live.state;
  if (facts.course_id === null || live.state.line(student.student_id)) return { student, enrolled: false };
  return services.directory.isEnrolled(facts.course_id, student.student_id).then((enrolled) => ({ student, enrolled }));
}

/** What a student may see of the entries after `since`: marks, their own alone where visibility is private. */
async function missedBy(
  live: LiveSession,
  studentId: StudentId,
  since: number,
  chain: string | undefined,
): Promise<Missed> {
  const all = live.state.policy.visibility === 'participants';
  const seen = (entry: Entry): boolean => {
    if (givesStatus(entry)) return all || entry.student_id === studentId;
    return entry.type === 'ended' || (entry.type === 'checked_in' && entry.student_id === studentId);
  };
  // What is committed while the journal is read arrives live, so the answer must not claim to hold it.
  const position = positionOf(live.state);
  const entries = await live.history.entriesSince(since, chain);
  if (!entries) return { ...position, reset: true };
  const changes = entries.filter((entry) => entry.seq <= position.seq && seen(entry)).map(changeOf);
  return { ...position, changes };
}

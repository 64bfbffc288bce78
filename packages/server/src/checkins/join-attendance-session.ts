import { type Change, RollcallError, type StudentId } from '@rollcall/protocol';
import { carryOut } from '../commands/carry-out.js';
import { defineCommand, extraOf, type Services } from '../commands/command.js';
import { changeOf, isoOf, positionOf, recordOf } from '../commands/present.js';
import { requireStudent } from '../commands/rights.js';
import type { Entry, RosterStudent } from '../journal/entries.js';
import type { CodeVerdict } from '../register/check-in-codes.js';
import type { OutcomeOf, Stranger } from '../register/decide.js';
import type { LiveSession } from '../register/live-session.js';
import { ticketIn } from './check-in-ticket.js';
import { liveSession } from './live-session.js';

export const joinAttendanceSession = defineCommand({
  name: 'joinAttendanceSession',
  async handle(call, services) {
    const { session_id, op_id, since_seq, since_chain, code } = call.input;
    const enter = call.connection?.joining(session_id);
    const profile = requireStudent(call.person);
    const live = services.sessions.active(session_id) ?? (await liveSession(session_id, services));
    const student = await newcomer(live, profile, services);
    const present = (outcome: OutcomeOf<'check_in'>, missed: Missed) => {
      const { line } = outcome;
      const payload = {
        session_id,
        message: 'Joined attendance session',
        student_id: line.student.student_id,
        record: recordOf(session_id, line, 'everyone'),
        checked_in_at: line.checked_in_at === null ? null : isoOf(line.checked_in_at),
        seq: outcome.seq,
        ...(outcome.seq === live.state.seq && positionOf(live.state)),
        ...missed,
      };
      call.answer('attendanceSessionJoined', payload, { ...extraOf(outcome), seq: payload.seq });
    };
    let caughtUp: Promise<void> | undefined;
    if (since_seq !== undefined) await call.chargeFor(live.state.seq - since_seq);
    // The client has heard of more than this node has.
    if (since_seq !== undefined && since_seq > live.state.seq) await live.lookUp();
    // One catch-up of a socket at a time.
    const proceed = () => since_seq === undefined && call.proceed();
    const by = { event: call.event, actor: call.actor, op_id, proceed };
    const verdict = verdictOn(code, live, profile, services);
    // Whoever sends a code wants that one judged.
    const ticket = code ? undefined : ticketIn(call.cookie, session_id, services);
    const checkIn = { type: 'check_in', student, code: verdict, ticket } as const;
    const done = carryOut({ kind: 'live', live }, checkIn, by, services, (outcome) => {
      enter?.(live, outcome.line.student.student_id);
      if (since_seq === undefined) present(outcome, {});
      else
        caughtUp = missedBy(live, profile.student_id, since_seq, since_chain).then((missed) =>
          present(outcome, missed),
        );
    });
    await (verdict === 'wrong' ? counted(done, live, profile, services) : done);
    await caughtUp;
  },
});

/** What a rejoin tells a student of the time they were away. */
interface Missed {
  readonly changes?: Change[];
  readonly reset?: true;
  readonly seq?: number;
  readonly chain?: string;
}

/** Whoever has checked in needs no code again, and can't get one wrong. */
function verdictOn(
  code: string | undefined,
  live: LiveSession,
  { student_id }: RosterStudent,
  services: Services,
): CodeVerdict | undefined {
  if (!live.codes || (live.state.line(student_id)?.checked_in_at ?? null) !== null) return undefined;
  return live.codes.judge(student_id, code, services.now());
}

/**
 * A wrong code counts from the moment it was judged, so that no burst of them gets through; unless it turns out that
 * none was needed, since the student had checked in on another node, or that the student may not join at all.
 */
async function counted(
  done: Promise<void>,
  live: LiveSession,
  { student_id }: RosterStudent,
  services: Services,
): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (error instanceof RollcallError && error.code === 'CODE_INVALID') services.wrongCode(live, student_id);
    else live.codes?.forgive(student_id);
    throw error;
  }
  live.codes?.forgive(student_id);
}

/** Whoever is on the roster needs no look-up: a storm of 1,000 joins must not become 1,000 queries. */
function newcomer(live: LiveSession, student: RosterStudent, services: Services): Stranger | Promise<Stranger> {
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
    if (entry.type === 'marked') return all || entry.student_id === studentId;
    return entry.type === 'ended' || (entry.type === 'checked_in' && entry.student_id === studentId);
  };
  // What is committed while the journal is read arrives live, so the answer must not claim to hold it.
  const position = positionOf(live.state);
  const entries = await live.history.entriesSince(since, chain);
  if (!entries) return { ...position, reset: true };
  const changes = entries.filter((entry) => entry.seq <= position.seq && seen(entry)).map(changeOf);
  return { ...position, changes };
}

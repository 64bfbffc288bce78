import { type ClientEventName, RollcallError } from '@rollcall/protocol';
import type { Caller, Command, CommandType, OffRosterStudent, Outcome, OutcomeOf } from '../register/command.js';
import { repetition } from '../register/decide.js';
import { RecordConflict } from '../register/decide-marks.js';
import type { FoundSession } from '../register/live-sessions.js';
import { answerOf } from './answers.js';
import { type Call, extraOf, type Services } from './command.js';
import { recordOf } from './present.js';
import { notActive } from './rights.js';

/** The call as the register sees it: it is answered with the event and the payload that the outcome has in the table. */
export function callerOf<Kind extends Outcome['kind']>(
  call: Call<Exclude<ClientEventName, 'refreshToken'>>,
  { snapshots }: Pick<Services, 'snapshots'>,
): Caller<Kind> {
  return {
    actor: call.actor,
    op_id: call.input.op_id,
    event: call.event,
    answer: (outcome, register, publication) => {
      const { event, payload } = answerOf(outcome, { register, publication, snapshots });
      call.answer(event, payload, extraOf(outcome));
    },
  };
}

/**
 * Puts a change into the session's register, which answers the caller in the turn in which the change became visible.
 * A session that is over takes amendments, and still answers the repeat of what was done before.
 * @throws {RollcallError} the refusal
 */
export async function carryOut<Type extends CommandType>(
  found: FoundSession,
  command: Command<Type>,
  call: Call<Exclude<ClientEventName, 'refreshToken'>>,
  services: Services,
): Promise<OutcomeOf<Type>> {
  const caller = callerOf<Type>(call, services);
  if (found.kind === 'stored') throw notActive(found);
  const isLate = found.kind === 'ended' && command.type !== 'amend';
  if (isLate && !repetition(found.state, caller)) throw notActive(found);
  const submitted = found.live.submit(command, caller);
  call.proceed();
  try {
    return await submitted;
  } catch (error) {
    if (!(error instanceof RecordConflict)) throw error;
    const record = recordOf(found.live.session_id, error.line, 'everyone');
    throw new RollcallError('CONFLICT', { details: { record } });
  }
}

const NOBODY: ReadonlyMap<string, OffRosterStudent> = new Map();

/** Looks up those who aren't on the roster; without waiting where all are. */
export function offRosterStudents(
  found: FoundSession,
  refs: readonly string[],
  services: Services,
): ReadonlyMap<string, OffRosterStudent> | Promise<ReadonlyMap<string, OffRosterStudent>> {
  if (found.kind === 'stored') return NOBODY;
  const state = found.kind === 'live' ? found.live.state : found.state;
  const unknown = refs.filter((ref) => state.resolve(ref) === undefined);
  if (unknown.length === 0) return NOBODY;
  return services.directory.offRosterStudents([...new Set(unknown)], state.facts.course_id);
}

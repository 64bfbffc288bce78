import type { ClientEventName } from '@rollcall/protocol';
import { type Command, type OutcomeOf, repetition, type Stranger } from '../register/decide.js';
import type { FoundSession } from '../register/live-sessions.js';
import { olderEntriesOf, repeatedOutcome } from '../register/repeat.js';
import type { Call, Services } from './command.js';
import { notActive } from './rights.js';

/**
 * Puts a change into the session's register and presents what came of it, in the turn in which it became visible.
 * A session that is over still answers the repeat of what was done before.
 * @throws {RollcallError} the refusal
 */
export async function carryOut<C extends Command>(
  found: FoundSession,
  command: C,
  call: Pick<Call<ClientEventName>, 'event' | 'actor' | 'proceed'> & { readonly op_id: string | undefined },
  services: Services,
  present: (outcome: OutcomeOf<C['type']>) => void,
): Promise<void> {
  const options = {
    actor: call.actor,
    op_id: call.op_id,
    event: call.event,
    answer: (outcome: { readonly kind: string }) => {
      if (outcome.kind !== command.type) throw new TypeError(`${command.type} came out as ${outcome.kind}`);
      present(outcome as OutcomeOf<C['type']>);
    },
  };
  if (found.kind === 'live') {
    const submitted = found.live.submit(command, options);
    call.proceed();
    return submitted;
  }
  const repeated = found.kind === 'ended' ? repetition(found.state, options) : undefined;
  if (found.kind !== 'ended' || !repeated) throw notActive(found);
  const { state } = found;
  const older = olderEntriesOf(state, services.storage);
  const source = { state, entriesFrom: (seq: number, count: number) => older.from(seq, count) };
  options.answer(await repeatedOutcome(source, command, options, repeated.seq));
}

const NOBODY: ReadonlyMap<string, Stranger> = new Map();

/** Looks up those who aren't on the roster; without waiting where all are. */
export function strangersTo(
  found: FoundSession,
  refs: readonly string[],
  services: Services,
): ReadonlyMap<string, Stranger> | Promise<ReadonlyMap<string, Stranger>> {
  if (found.kind === 'stored') return NOBODY;
  const state = found.kind === 'live' ? found.live.state : found.state;
  const unknown = refs.filter((ref) => state.resolve(ref) === undefined);
  return unknown.length === 0 ? NOBODY : services.directory.strangers([...new Set(unknown)], state.facts.course_id);
}

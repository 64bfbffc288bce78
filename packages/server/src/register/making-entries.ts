import { RollcallError, type StudentId } from '@rollcall/protocol';
import type { Actor, CheckedInEntry, Entry, MarkedEntry, RosterRow, RosterStudent } from '../journal/entries.js';
import type { Circumstances, Command, CommandType, Decision, Issuer } from './command.js';
import { type FoldTarget, type Line, type Operation, operationKey, type SessionView } from './fold.js';

/** What decide writes to. */
export interface DecisionTarget extends FoldTarget {
  /** Keeps the operation of a command that changed nothing. */
  rememberNoOp(key: string, operation: Operation): void;
}

/** Decides the commands of one type, where the session's state allows them. */
export type Decide<Type extends CommandType> = (
  draft: DecisionTarget,
  command: Command<Type>,
  head: Head,
  by: Circumstances,
) => Decision<Type>;

export type Head = Pick<Entry, 'at' | 'actor' | 'op_id' | 'op_event'>;

/** An entry that isn't in the journal yet. Made field by field: what spreads make is several times slower to use. */
export type InTheMaking<E extends Entry> = { -readonly [Field in keyof E]: E[Field] };

export function named(entry: InTheMaking<CheckedInEntry | MarkedEntry>, { op_id, op_event }: Head): void {
  if (op_id !== undefined) entry.op_id = op_id;
  if (op_event !== undefined) entry.op_event = op_event;
}

/** What an entry keeps of the command's op_id. */
export const opId = ({ op_id, event }: Pick<Issuer, 'op_id' | 'event'>): Pick<Entry, 'op_id' | 'op_event'> => ({
  ...(op_id === undefined ? {} : { op_id }),
  ...(op_id === undefined || event === undefined ? {} : { op_event: event }),
});

/** A line for a student who is put on the roster now. */
export const newRow = (student: RosterStudent, at: number, recordId: string): RosterRow => ({
  record_id: recordId,
  student,
  status: 'absent',
  remarks: null,
  checked_in_at: null,
  marked_at: null,
  marked_by: null,
  created_at: at,
  updated_at: at,
});

/** Who acts when nobody does. */
export const SYSTEM: Actor = { user_id: null, name: 'system' };

/** What a check-in is worth under auto_mark: late from late_after_minutes after the start, where that isn't 0. */
export function statusOfCheckIn(view: Pick<SessionView, 'policy' | 'started_at'>, at: number): 'present' | 'late' {
  const { late_after_minutes } = view.policy;
  return late_after_minutes > 0 && at - view.started_at >= late_after_minutes * 60_000 ? 'late' : 'present';
}

/** Keeps the op_id of a command that changed nothing, so that its repeat changes nothing either. */
export function remember(draft: DecisionTarget, { actor, op_id, event }: Issuer): void {
  if (op_id !== undefined) draft.rememberNoOp(operationKey(actor.user_id, op_id), { event, seq: draft.seq });
}

export function lineAfter(view: SessionView, studentId: StudentId): Line {
  const line = view.line(studentId);
  if (!line) throw new RollcallError('STUDENT_NOT_FOUND');
  return line;
}

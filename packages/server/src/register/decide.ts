import { type ErrorCode, RollcallError } from '@rollcall/protocol';
import type { CheckedInEntry, Entry } from '../journal/entries.js';
import type { CodeVerdict } from './check-in-codes.js';
import type { Circumstances, Command, CommandType, Decision, Issuer, Repeated } from './command.js';
import { amend, bulk, clear, mark } from './decide-marks.js';
import { fold, operationKey, type SessionView, ticketKey } from './fold.js';
import {
  type Decide,
  type DecisionTarget,
  type Head,
  type InTheMaking,
  lineAfter,
  named,
  newRow,
  opId,
  remember,
  SYSTEM,
  statusOfCheckIn,
} from './making-entries.js';

/**
 * State + command → entries, folded into the draft as they are decided; or a refusal, and then the draft is as it was.
 * Pure but for writing to `draft`, and for what the judge of check-in codes remembers.
 * @throws {RollcallError}
 */
export function decide<Type extends CommandType>(
  draft: DecisionTarget,
  command: Command<Type>,
  circumstances: Circumstances,
): Decision<Type> | Repeated {
  const repeated = repetition(draft, circumstances);
  if (repeated) return repeated;
  const refusal = OVER[command.type];
  if (draft.ending && refusal) throw new RollcallError(refusal);
  const head = { at: circumstances.at, actor: circumstances.actor, ...opId(circumstances) };
  return DECIDERS[command.type](draft, command, head, circumstances);
}

/** What a session that is over answers to each command; undefined for the one that it takes. */
const OVER = {
  check_in: 'SESSION_NOT_ACTIVE',
  mark: 'SESSION_ENDED',
  clear: 'SESSION_ENDED',
  bulk: 'SESSION_ENDED',
  end: 'SESSION_NOT_ACTIVE',
  amend: undefined,
} as const satisfies Record<CommandType, ErrorCode | undefined>;

/** @throws {RollcallError} BAD_REQUEST when the op_id came with another event before. */
export function repetition(view: SessionView, { actor, op_id, event }: Issuer): Repeated | undefined {
  if (op_id === undefined) return undefined;
  const before = view.operation(operationKey(actor.user_id, op_id));
  if (!before) return undefined;
  if (before.event !== event) {
    throw new RollcallError('BAD_REQUEST', {
      message: 'op_id: was used for another command',
      details: { field: 'op_id' },
    });
  }
  return { repeated: { seq: before.seq } };
}

function checkIn(
  draft: DecisionTarget,
  { student: { student, enrolled }, code, ticket }: Command<'check_in'>,
  head: Head,
  by: Circumstances,
): Decision<'check_in'> {
  const before = draft.line(student.student_id);
  if (before && before.checked_in_at !== null) {
    remember(draft, by);
    return { entries: [], outcome: { kind: 'check_in', line: before, seq: draft.seq, duplicate: false } };
  }
  if (!before && draft.facts.course_id !== null && !enrolled) throw new RollcallError('NOT_ENROLLED');
  const verdict = draft.policy.check_in === 'code' ? by.judge(student.student_id, code) : undefined;
  // Whoever is blocked for their wrong codes stays so.
  const byTicket = verdict === 'missing' && ticket !== undefined && !draft.operation(ticketKey(ticket));
  if (verdict !== undefined && !byTicket) requireRightCode(verdict);
  const checkedIn: InTheMaking<CheckedInEntry> = {
    type: 'checked_in',
    seq: draft.seq + 1,
    at: head.at,
    actor: head.actor,
    student_id: student.student_id,
  };
  named(checkedIn, head);
  if (!before) checkedIn.added = newRow(student, by.at, by.newRecordId());
  if (byTicket) checkedIn.ticket = ticket;
  fold(draft, checkedIn);
  const entries: Entry[] = [checkedIn];
  const line = lineAfter(draft, student.student_id);
  // A teacher's own mark is never overruled by a late check-in.
  if (draft.policy.auto_mark && line.status === 'absent' && line.marked_at === null) {
    const marked: Entry = {
      type: 'marked',
      seq: draft.seq + 1,
      at: by.at,
      actor: SYSTEM,
      student_id: student.student_id,
      status: statusOfCheckIn(draft, by.at),
      remarks: line.remarks,
      previous_status: line.status,
    };
    fold(draft, marked);
    entries.push(marked);
  }
  const after = lineAfter(draft, student.student_id);
  return { entries, outcome: { kind: 'check_in', line: after, seq: draft.seq, duplicate: false } };
}

const WITHOUT_RIGHT_CODE = {
  missing: 'CODE_REQUIRED',
  expired: 'CODE_EXPIRED',
  wrong: 'CODE_INVALID',
} as const satisfies Record<string, ErrorCode>;

/** @throws {RollcallError} CODE_REQUIRED, CODE_EXPIRED, CODE_INVALID, RATE_LIMITED */
function requireRightCode(code: CodeVerdict): void {
  if (code === 'right') return;
  if (typeof code === 'object') {
    throw new RollcallError('RATE_LIMITED', { message: 'Too many wrong check-in codes', details: code });
  }
  throw new RollcallError(WITHOUT_RIGHT_CODE[code]);
}

function end(draft: DecisionTarget, { reason }: Command<'end'>, head: Head): Decision<'end'> {
  const entry: Entry = { type: 'ended', seq: draft.seq + 1, ...head, reason };
  fold(draft, entry);
  return { entries: [entry], outcome: { kind: 'end', seq: draft.seq, duplicate: false } };
}

const DECIDERS: { readonly [Type in CommandType]: Decide<Type> } = { check_in: checkIn, mark, clear, bulk, end, amend };

import {
  type AttendanceStatus,
  type ClientEventName,
  type EndReason,
  type ErrorCode,
  errorRegistry,
  type FailedRow,
  RollcallError,
  type StudentId,
} from '@rollcall/protocol';
import type { Actor, CheckedInEntry, Entry, MarkedEntry, RosterRow, RosterStudent } from '../journal/entries.js';
import type { CodeVerdict } from './check-in-codes.js';
import { type FoldTarget, fold, type Line, type Operation, operationKey, type SessionView, ticketKey } from './fold.js';

/** A known student who isn't on the roster. */
export interface Stranger {
  readonly student: RosterStudent;
  /** An approved enrolment in the session's course. */
  readonly enrolled: boolean;
}

export interface MarkRow {
  /** Position in the request, from 0. */
  readonly index: number;
  /** Profile id, user id or uid, as sent. */
  readonly ref: string;
  readonly status: AttendanceStatus;
  /** undefined keeps the remark that is there; an empty one clears it. */
  readonly remarks: string | undefined;
}

export type Command =
  | {
      readonly type: 'check_in';
      readonly student: Stranger;
      /** Of the code that came with it, where the session asks for one. */
      readonly code?: CodeVerdict | undefined;
      /** Of a browser that scanned the code before its user signed in: counts as the right code, once. */
      readonly ticket?: string | undefined;
    }
  | {
      readonly type: 'mark';
      readonly row: MarkRow;
      readonly walk_in: boolean;
      readonly strangers: ReadonlyMap<string, Stranger>;
    }
  | {
      readonly type: 'bulk';
      readonly rows: readonly MarkRow[];
      /** Rows that were refused before they got here; they count like those that decide refuses. */
      readonly failed: readonly FailedRow[];
      readonly partial: boolean;
      readonly walk_in: boolean;
      readonly strangers: ReadonlyMap<string, Stranger>;
    }
  | { readonly type: 'end'; readonly reason: EndReason };

/** What decide can't make itself: time, identity and randomness. */
export interface Circumstances {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly actor: Actor;
  readonly op_id: string | undefined;
  /** The event that carried op_id. */
  readonly event: ClientEventName | undefined;
  /** A fresh id of 24 hex digits. */
  readonly newRecordId: () => string;
}

interface OutcomeHead {
  /** seq of the command's last entry, or of the session where nothing changed. */
  readonly seq: number;
  /** True when this op_id was carried out before; nothing was done again. */
  readonly duplicate: boolean;
}

export type Outcome =
  | (OutcomeHead & { readonly kind: 'check_in'; readonly line: Line })
  | (OutcomeHead & { readonly kind: 'mark'; readonly line: Line })
  | (OutcomeHead & { readonly kind: 'bulk'; readonly lines: readonly Line[]; readonly failed: readonly FailedRow[] })
  | (OutcomeHead & { readonly kind: 'end' });

export type OutcomeOf<Kind extends Outcome['kind']> = Extract<Outcome, { kind: Kind }>;

/** The command was carried out before under the same op_id; its first answer ends at `seq`. */
export interface Repeated {
  readonly kind: 'repeated';
  readonly seq: number;
}

/** What decide writes to. */
export interface DecisionTarget extends FoldTarget {
  /** Keeps the operation of a command that changed nothing. */
  setIdle(key: string, operation: Operation): void;
}

export interface Decision {
  readonly entries: readonly Entry[];
  readonly outcome: Outcome | Repeated;
}

/**
 * State + command → entries, folded into the draft as they are decided; or a refusal, and then the draft is as it was.
 * Pure but for writing to `draft`.
 * @throws {RollcallError}
 */
export function decide(draft: DecisionTarget, command: Command, circumstances: Circumstances): Decision {
  const repeated = repetition(draft, circumstances);
  if (repeated) return { entries: [], outcome: repeated };
  if (draft.ending) throw new RollcallError(OVER[command.type]);
  const head = { at: circumstances.at, actor: circumstances.actor, ...opId(circumstances) };
  switch (command.type) {
    case 'check_in':
      return checkIn(draft, command, head, circumstances);
    case 'mark':
      return mark(draft, command, head, circumstances);
    case 'bulk':
      return bulk(draft, command, head, circumstances);
    case 'end': {
      const entry: Entry = { type: 'ended', seq: draft.seq + 1, ...head, reason: command.reason };
      fold(draft, entry);
      return { entries: [entry], outcome: { kind: 'end', seq: draft.seq, duplicate: false } };
    }
  }
}

/** What a session that is over answers to each command. */
const OVER = {
  check_in: 'SESSION_NOT_ACTIVE',
  mark: 'SESSION_ENDED',
  bulk: 'SESSION_ENDED',
  end: 'SESSION_NOT_ACTIVE',
} as const satisfies Record<Command['type'], ErrorCode>;

type Head = Pick<Entry, 'at' | 'actor' | 'op_id' | 'op_event'>;

/** An entry that isn't in the journal yet. Made field by field: what spreads make is several times slower to use. */
type InTheMaking<E extends Entry> = { -readonly [Field in keyof E]: E[Field] };

function named(entry: InTheMaking<CheckedInEntry | MarkedEntry>, { op_id, op_event }: Head): void {
  if (op_id !== undefined) entry.op_id = op_id;
  if (op_event !== undefined) entry.op_event = op_event;
}

/** What an entry keeps of the command's op_id. */
export const opId = ({ op_id, event }: Pick<Circumstances, 'op_id' | 'event'>): Pick<Entry, 'op_id' | 'op_event'> => ({
  ...(op_id === undefined ? {} : { op_id }),
  ...(op_id === undefined || event === undefined ? {} : { op_event: event }),
});

/** @throws {RollcallError} BAD_REQUEST when the op_id came with another event before. */
export function repetition(
  view: SessionView,
  { actor, op_id, event }: Pick<Circumstances, 'actor' | 'op_id' | 'event'>,
): Repeated | undefined {
  if (op_id === undefined) return undefined;
  const before = view.operation(operationKey(actor.user_id, op_id));
  if (!before) return undefined;
  if (before.event !== event) {
    throw new RollcallError('BAD_REQUEST', {
      message: 'op_id: was used for another command',
      details: { field: 'op_id' },
    });
  }
  return { kind: 'repeated', seq: before.seq };
}

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

function checkIn(
  draft: DecisionTarget,
  { student: { student, enrolled }, code = 'missing', ticket }: Extract<Command, { type: 'check_in' }>,
  head: Head,
  by: Circumstances,
): Decision {
  const before = draft.line(student.student_id);
  if (before && before.checked_in_at !== null) {
    remember(draft, by);
    return { entries: [], outcome: { kind: 'check_in', line: before, seq: draft.seq, duplicate: false } };
  }
  if (!before && draft.facts.course_id !== null && !enrolled) throw new RollcallError('NOT_ENROLLED');
  const needsCode = draft.policy.check_in === 'code';
  // Whoever is blocked for their wrong codes stays so.
  const byTicket = needsCode && code === 'missing' && ticket !== undefined && !draft.operation(ticketKey(ticket));
  if (needsCode && !byTicket) requireRightCode(code);
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

/** Who acts when nobody does. */
export const SYSTEM: Actor = { user_id: null, name: 'system' };

/** What a check-in is worth under auto_mark: late from late_after_minutes after the start, where that isn't 0. */
export function statusOfCheckIn(view: Pick<SessionView, 'policy' | 'started_at'>, at: number): 'present' | 'late' {
  const { late_after_minutes } = view.policy;
  return late_after_minutes > 0 && at - view.started_at >= late_after_minutes * 60_000 ? 'late' : 'present';
}

function mark(
  draft: DecisionTarget,
  { row, walk_in, strangers }: Extract<Command, { type: 'mark' }>,
  head: Head,
  by: Circumstances,
): Decision {
  const target = targetOf(draft, row.ref, walk_in, strangers);
  const entry = markEntry(draft, row, target, head, by);
  if (entry) fold(draft, entry);
  else remember(draft, by);
  const line = lineAfter(draft, target.student_id);
  return { entries: entry ? [entry] : [], outcome: { kind: 'mark', line, seq: draft.seq, duplicate: false } };
}

function bulk(
  draft: DecisionTarget,
  command: Extract<Command, { type: 'bulk' }>,
  head: Head,
  by: Circumstances,
): Decision {
  const failed = [...command.failed];
  const rows = new Map<StudentId, { row: MarkRow; target: Target }>();
  for (const row of command.rows) {
    try {
      const target = targetOf(draft, row.ref, command.walk_in, command.strangers);
      // The last row wins where a student is named twice, whatever they were called.
      rows.set(target.student_id, { row, target });
    } catch (error) {
      if (!(error instanceof RollcallError)) throw error;
      failed.push({ index: row.index, student_id: row.ref, code: error.code, message: error.message });
    }
  }
  failed.sort((a, b) => a.index - b.index);
  if (failed.length > 0 && !command.partial) throw refusedRows(failed);
  const group = draft.seq + 1;
  const entries: InTheMaking<MarkedEntry>[] = [];
  const unchanged: StudentId[] = [];
  for (const { row, target } of rows.values()) {
    const entry = markEntry(draft, row, target, head, by);
    if (!entry) {
      unchanged.push(target.student_id);
      continue;
    }
    entry.group = group;
    fold(draft, entry);
    entries.push(entry);
  }
  const [first] = entries;
  if (first && unchanged.length > 0) first.unchanged = unchanged;
  if (!first) remember(draft, by);
  const lines = [...rows.keys()].map((id) => lineAfter(draft, id));
  return { entries, outcome: { kind: 'bulk', lines, failed, seq: draft.seq, duplicate: false } };
}

/** One error for all bad rows: malformed ones first, then whatever the first row says. */
export function refusedRows(rows: readonly FailedRow[]): RollcallError {
  const worst = rows.find((row) => row.code === 'BAD_REQUEST') ?? rows[0];
  const code = worst?.code ?? 'BAD_REQUEST';
  const field = `attendanceUpdates[${worst?.index ?? 0}]`;
  return new RollcallError(code, {
    message: code === 'BAD_REQUEST' ? (worst?.message ?? field) : errorRegistry[code].message,
    details: { field, rows },
  });
}

interface Target {
  readonly student_id: StudentId;
  /** Set when the student must be put on the roster. */
  readonly stranger: RosterStudent | undefined;
}

function targetOf(view: SessionView, ref: string, walkIn: boolean, strangers: ReadonlyMap<string, Stranger>): Target {
  const known = view.resolve(ref);
  if (known !== undefined) return { student_id: known, stranger: undefined };
  const stranger = strangers.get(ref);
  if (!stranger) throw new RollcallError('STUDENT_NOT_FOUND');
  if (view.facts.course_id !== null && !stranger.enrolled && !walkIn) throw new RollcallError('NOT_ENROLLED');
  return { student_id: stranger.student.student_id, stranger: stranger.student };
}

/** The entry that brings a line to what the row says; undefined when it says so already. */
function markEntry(
  view: SessionView,
  row: MarkRow,
  target: Target,
  head: Head,
  by: Circumstances,
): InTheMaking<MarkedEntry> | undefined {
  const before = view.line(target.student_id);
  const added = before || !target.stranger ? undefined : newRow(target.stranger, by.at, by.newRecordId());
  const current = before ?? added;
  if (!current) throw new RollcallError('STUDENT_NOT_FOUND');
  const remarks = row.remarks === undefined ? current.remarks : row.remarks || null;
  // Absent because nobody has said anything isn't yet absent because a teacher has said so.
  const unmarked = before?.status === 'absent' && before.marked_at === null;
  if (before && !unmarked && before.status === row.status && before.remarks === remarks) return undefined;
  const entry: InTheMaking<MarkedEntry> = {
    type: 'marked',
    seq: view.seq + 1,
    at: head.at,
    actor: head.actor,
    student_id: target.student_id,
    status: row.status,
    remarks,
    previous_status: before?.status ?? null,
  };
  named(entry, head);
  if (added) entry.added = added;
  return entry;
}

/** Keeps the op_id of a command that changed nothing, so that its repeat changes nothing either. */
function remember(draft: DecisionTarget, { actor, op_id, event }: Circumstances): void {
  if (op_id !== undefined) draft.setIdle(operationKey(actor.user_id, op_id), { event, seq: draft.seq });
}

function lineAfter(view: SessionView, studentId: StudentId): Line {
  const line = view.line(studentId);
  if (!line) throw new RollcallError('STUDENT_NOT_FOUND');
  return line;
}

import { errorRegistry, type FailedRow, RollcallError, type StudentId } from '@rollcall/protocol';
import type { AmendedEntry, ClearedEntry, MarkedEntry, RosterStudent } from '../journal/entries.js';
import type { Amendment, Circumstances, Command, Decision, MarkRow, OffRosterStudent } from './command.js';
import { fold, type Line, type SessionView } from './fold.js';
import {
  type DecisionTarget,
  type Head,
  type InTheMaking,
  lineAfter,
  named,
  newRow,
  remember,
  SYSTEM,
  statusOfCheckIn,
} from './making-entries.js';

export function mark(
  draft: DecisionTarget,
  { row, walk_in, offRoster }: Command<'mark'>,
  head: Head,
  by: Circumstances,
): Decision<'mark'> {
  const target = targetOf(draft, row.ref, walk_in, offRoster);
  requireUnchanged(draft.line(target.student_id), row.expected_seq);
  const entry = markEntry(draft, row, target, head, by);
  if (entry) fold(draft, entry);
  else remember(draft, by);
  const line = lineAfter(draft, target.student_id);
  return { entries: entry ? [entry] : [], outcome: { kind: 'mark', line, seq: draft.seq, duplicate: false } };
}

export function bulk(draft: DecisionTarget, command: Command<'bulk'>, head: Head, by: Circumstances): Decision<'bulk'> {
  const failed = [...command.failed];
  const rows = new Map<StudentId, { row: MarkRow; target: Target }>();
  for (const row of command.rows) {
    try {
      const target = targetOf(draft, row.ref, command.walk_in, command.offRoster);
      requireUnchanged(draft.line(target.student_id), row.expected_seq);
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

/** Takes a mark back. Nobody's word is then left of the record but the check-in's. */
export function clear(
  draft: DecisionTarget,
  { ref, expected_seq }: Command<'clear'>,
  head: Head,
  by: Circumstances,
): Decision<'clear'> {
  const before = onRoster(draft, ref);
  requireUnchanged(before, expected_seq);
  const { student_id } = before.student;
  // What auto_mark gives to a check-in, whichever came first, the check-in or the mark that is taken back.
  const counts = draft.policy.auto_mark && before.checked_in_at !== null;
  const status = counts ? statusOfCheckIn(draft, before.checked_in_at ?? by.at) : 'absent';
  const byCheckIn = before.marked_by === SYSTEM.name && before.marked_at === before.checked_in_at;
  if ((before.marked_at === null || byCheckIn) && before.status === status && before.remarks === null) {
    remember(draft, by);
    return { entries: [], outcome: { kind: 'clear', line: before, seq: draft.seq, duplicate: false } };
  }
  const entry: ClearedEntry = {
    type: 'cleared',
    seq: draft.seq + 1,
    ...head,
    student_id,
    status,
    previous_status: before.status,
  };
  fold(draft, entry);
  const line = lineAfter(draft, student_id);
  return { entries: [entry], outcome: { kind: 'clear', line, seq: draft.seq, duplicate: false } };
}

/** Changes a record after the end. */
export function amend(
  draft: DecisionTarget,
  { row, reason }: Command<'amend'>,
  head: Head,
  by: Circumstances,
): Decision<'amend'> {
  if (!draft.ending) throw new RollcallError('SESSION_ACTIVE');
  const before = onRoster(draft, row.ref);
  requireUnchanged(before, row.expected_seq);
  const remarks = row.remarks === undefined ? before.remarks : row.remarks || null;
  if (before.marked_at !== null && before.status === row.status && before.remarks === remarks) {
    remember(draft, by);
    const amendment = nothingAmended(before, reason, head, draft.seq);
    return { entries: [], outcome: { kind: 'amend', amendment, seq: draft.seq, duplicate: false } };
  }
  const entry: AmendedEntry = {
    type: 'amended',
    seq: draft.seq + 1,
    ...head,
    student_id: before.student.student_id,
    status: row.status,
    remarks,
    previous_status: before.status,
    reason,
  };
  fold(draft, entry);
  return { entries: [entry], outcome: { kind: 'amend', amendment: entry, seq: draft.seq, duplicate: false } };
}

/** The amendment of a record that says so already. */
export const nothingAmended = (
  { student, status }: Line,
  reason: string,
  { actor, at }: Pick<Head, 'actor' | 'at'>,
  seq: number,
): Amendment => ({ student_id: student.student_id, status, previous_status: status, reason, actor, at, seq });

/** @throws {RollcallError} STUDENT_NOT_FOUND */
function onRoster(view: SessionView, ref: string): Line {
  const studentId = view.resolve(ref);
  return lineAfter(view, studentId ?? (ref as StudentId));
}

/** A record isn't as the client that wants to change it knows it. Who answers it adds the record. */
export class RecordConflict extends RollcallError {
  constructor(readonly line: Line) {
    super('CONFLICT');
  }
}

/** @throws {RecordConflict} */
function requireUnchanged(line: Line | undefined, expectedSeq: number | undefined): void {
  if (line && expectedSeq !== undefined && line.seq > expectedSeq) throw new RecordConflict(line);
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
  readonly newcomer: RosterStudent | undefined;
}

function targetOf(
  view: SessionView,
  ref: string,
  walkIn: boolean,
  offRoster: ReadonlyMap<string, OffRosterStudent>,
): Target {
  const known = view.resolve(ref);
  if (known !== undefined) return { student_id: known, newcomer: undefined };
  const found = offRoster.get(ref);
  if (!found) throw new RollcallError('STUDENT_NOT_FOUND');
  if (view.facts.course_id !== null && !found.enrolled && !walkIn) throw new RollcallError('NOT_ENROLLED');
  return { student_id: found.student.student_id, newcomer: found.student };
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
  const added = before || !target.newcomer ? undefined : newRow(target.newcomer, by.at, by.newRecordId());
  const current = before ?? added;
  if (!current) throw new RollcallError('STUDENT_NOT_FOUND');
  const remarks = row.remarks === undefined ? current.remarks : row.remarks || null;
  // Absent because nobody has said anything isn't yet absent because a teacher has said so.
  const unmarked = before?.marked_at === null;
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

import type {
  AttendanceStatus,
  ClientEventName,
  EndReason,
  Policy,
  Statistics,
  StudentId,
  UserId,
} from '@rollcall/protocol';
import type { Actor, CheckedInEntry, Entry, RosterRow, SessionFacts, StatusEntry } from '../journal/entries.js';

/** A student's line in the register: what it says now, and the seq of the entry that last changed it. */
export interface Line extends RosterRow {
  readonly seq: number;
}

/** Running counts, so that statistics never walk the roster. */
export interface Counts extends Record<AttendanceStatus, number> {
  checked_in: number;
}

export interface Ending {
  readonly at: number;
  readonly by: Actor;
  readonly reason: EndReason;
}

/** What a repeated op_id refers to. `seq` is that of the command's last entry. */
export interface Operation {
  readonly event: ClientEventName | undefined;
  readonly seq: number;
}

/** What may be asked of a session, whether committed (SessionState) or as it will be after a pending batch (Draft). */
export interface SessionView {
  readonly facts: SessionFacts;
  readonly policy: Policy;
  readonly started_at: number;
  readonly ending: Ending | null;
  readonly seq: number;
  /** When the last entry was written, milliseconds since the epoch. */
  readonly last_at: number;
  readonly counts: Readonly<Counts>;
  line(studentId: StudentId): Line | undefined;
  /** The student on the roster whose profile id, user id or uid this is. */
  resolve(ref: string): StudentId | undefined;
  operation(key: string): Operation | undefined;
}

/** What fold writes to. */
export interface FoldTarget extends SessionView {
  seq: number;
  last_at: number;
  readonly counts: Counts;
  ending: Ending | null;
  setLine(line: Line): void;
  setOperation(key: string, operation: Operation): void;
}

/** op_ids are scoped to the session and its user: nobody can use up another's. */
export const operationKey = (userId: UserId | null, opId: string): string => JSON.stringify([userId, opId]);

/** A ticket is used up by whoever checks in with it. A list of one is no key of an op_id. */
export const ticketKey = (ticket: string): string => JSON.stringify([ticket]);

function put(target: FoldTarget, line: Line, before: Line | undefined): void {
  const { counts } = target;
  if (before?.status !== line.status) {
    if (before) counts[before.status] -= 1;
    counts[line.status] += 1;
  }
  if (line.checked_in_at !== null && (before?.checked_in_at ?? null) === null) counts.checked_in += 1;
  target.setLine(line);
}

/**
 * State + entry → state. The only place that knows what an entry does. Pure but for writing to `target`.
 * @throws {RangeError} when the entry isn't the next one, or names a student who is not on the roster: the journal is damaged.
 */
export function fold(target: FoldTarget, entry: Entry): void {
  if (entry.seq !== target.seq + 1) throw new RangeError(`expected entry ${target.seq + 1}, got ${entry.seq}`);
  switch (entry.type) {
    case 'started':
    case 'adopted':
      for (const row of entry.roster) {
        put(target, lineOf(row, row.checked_in_at, row.updated_at, entry.seq), target.line(row.student.student_id));
      }
      break;
    case 'checked_in': {
      const before = target.line(entry.student_id);
      put(target, lineOf(rowOf(before, entry), entry.at, entry.at, entry.seq), before);
      if (entry.ticket !== undefined) {
        target.setOperation(ticketKey(entry.ticket), { event: 'joinAttendanceSession', seq: entry.seq });
      }
      break;
    }
    case 'marked':
    case 'cleared':
    case 'amended': {
      const before = target.line(entry.student_id);
      const { record_id, student, checked_in_at, created_at } = rowOf(before, entry);
      const cleared = entry.type === 'cleared';
      // This is the hottest place of the register: a spread with replacements costs several times that.
      const line: Line = {
        record_id,
        student,
        status: entry.status,
        remarks: cleared ? null : entry.remarks,
        checked_in_at,
        marked_at: cleared ? null : entry.at,
        marked_by: cleared ? null : entry.actor.name,
        created_at,
        updated_at: entry.at,
        seq: entry.seq,
      };
      put(target, line, before);
      break;
    }
    case 'ended':
      target.ending = { at: entry.at, by: entry.actor, reason: entry.reason };
      break;
    default:
      // Whoever doesn't know what an entry does must not go on as if it had done nothing.
      throw new RangeError(`entry ${(entry as Entry).seq} is of an unknown type ${(entry as Entry).type}`);
  }
  target.seq = entry.seq;
  target.last_at = entry.at;
  if (entry.op_id !== undefined) {
    target.setOperation(operationKey(entry.actor.user_id, entry.op_id), { event: entry.op_event, seq: entry.seq });
  }
}

/** Field by field, as below: a spread makes a slower object, and a roster has thousands. */
function lineOf(row: RosterRow, checkedInAt: number | null, updatedAt: number, seq: number): Line {
  const { record_id, student, status, remarks, marked_at, marked_by, created_at } = row;
  return {
    record_id,
    student,
    status,
    remarks,
    checked_in_at: checkedInAt,
    marked_at,
    marked_by,
    created_at,
    updated_at: updatedAt,
    seq,
  };
}

function rowOf(line: Line | undefined, entry: CheckedInEntry | StatusEntry): RosterRow {
  const row = ('added' in entry ? entry.added : undefined) ?? line;
  if (!row) throw new RangeError(`student ${entry.student_id} is not on the roster`);
  return row;
}

/** A student's line as it stood right after a mark or such, from the line as it stands now. */
export function lineAsOf(line: Line, entry: StatusEntry): Line {
  // Nothing came after it; a clock that was set back in between then has no say.
  if (line.seq === entry.seq) return line;
  const cleared = entry.type === 'cleared';
  return {
    record_id: line.record_id,
    student: line.student,
    status: entry.status,
    remarks: cleared ? null : entry.remarks,
    checked_in_at: line.checked_in_at !== null && line.checked_in_at <= entry.at ? line.checked_in_at : null,
    marked_at: cleared ? null : entry.at,
    marked_by: cleared ? null : entry.actor.name,
    created_at: line.created_at,
    updated_at: entry.at,
    seq: entry.seq,
  };
}

const round2 = (value: number): number => Math.round(value * 100) / 100;

/** @param onlineCount students with a socket in the session, from presence, which is no part of the journal. */
export function statisticsOf(counts: Readonly<Counts>, onlineCount: number): Statistics {
  const { present, absent, late, excused } = counts;
  const totalStudents = present + absent + late + excused;
  return {
    totalStudents,
    presentCount: present,
    absentCount: absent,
    lateCount: late,
    excusedCount: excused,
    attendanceRate: totalStudents === 0 ? 0 : round2(((present + late) / totalStudents) * 100),
    checkedInCount: counts.checked_in,
    onlineCount,
  };
}

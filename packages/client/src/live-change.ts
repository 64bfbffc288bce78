import type { AttendanceRecord, Change, ServerPayload } from '@rollcall/protocol';
import type { AttendanceChanges } from './events.js';

/** A journal entry as it reached this client, live or in the answer to a catch-up. */
export interface LiveChange extends Omit<Change, 'student_id'> {
  readonly student_id?: string | undefined;
  /** The record after the change, as far as this client knows it. */
  readonly record?: AttendanceRecord;
}

/** Notices name who did it; their user id is in the journal only. */
const by = (name: string) => ({ user_id: null, name });

export function changeOfUpdate(update: ServerPayload<'attendanceUpdated'>): LiveChange {
  return {
    seq: update.seq,
    type: update.attendanceRecord.marked_at === null ? 'cleared' : 'marked',
    at: update.updated_at,
    actor: by(update.updated_by),
    student_id: update.student_id,
    status: update.status,
    previous_status: update.previous_status,
    remarks: update.attendanceRecord.remarks,
    record: update.attendanceRecord,
  };
}

/**
 * One change per record that the bulk marked. One that it left as it was keeps the seq of another change, a check-in
 * perhaps, by which it is known: it was applied before, or is still to come. The notice has no previous_status: it is
 * what the register knows when the change's turn comes.
 */
export const changesOfBulk = (bulk: ServerPayload<'attendanceBulkUpdated'>): LiveChange[] =>
  bulk.updatedRecords
    .filter(({ seq, marked_at }) => seq <= bulk.seq && marked_at === bulk.updated_at)
    .map((record) => ({
      seq: record.seq,
      type: 'marked',
      at: bulk.updated_at,
      actor: by(bulk.updated_by),
      student_id: record.student_id,
      status: record.status,
      remarks: record.remarks,
      record,
    }));

export const changesOfBatch = ({ changes }: AttendanceChanges): LiveChange[] =>
  changes.map(({ updated_by, updated_at, cleared, ...change }) => ({
    type: cleared ? 'cleared' : 'marked',
    ...change,
    at: updated_at,
    actor: by(updated_by),
  }));

/** The check-in that a notice tells of; none where the student only came back. */
export function changesOfJoin(joined: ServerPayload<'studentJoinedAttendance'>): LiveChange[] {
  const { seq, student_id, checked_in_at, user_id, student_name } = joined;
  if (seq === undefined) return [];
  return [{ seq, type: 'checked_in', at: checked_in_at, actor: { user_id, name: student_name }, student_id }];
}

export const changeOfEnd = (ended: ServerPayload<'attendanceSessionEnded'>): LiveChange => ({
  seq: ended.finalData.seq,
  type: 'ended',
  at: ended.ended_at,
  actor: by(ended.ended_by),
  reason: ended.reason,
});

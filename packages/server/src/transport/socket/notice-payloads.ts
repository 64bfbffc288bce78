import type { StudentId } from '@rollcall/protocol';
import { isoOf } from '../../commands/present.js';
import type { RosterStudent, StatusEntry } from '../../journal/entries.js';
import type { Line } from '../../register/fold.js';
import type { LiveSession } from '../../register/live-session.js';

/**
 * What waits for its turn in a large room is in order within a course: what is told of a course and what is told of its
 * sessions must not overtake each other. Ids may hold any character, and an id of the one may be one of the other.
 */
export const queueOf = ({ session_id, state }: LiveSession): string =>
  state.facts.course_id === null ? `session ${session_id}` : `course ${state.facts.course_id}`;

/** A mark as those see it who get a commit in one frame. */
export const batchedChangeOf = (entry: StatusEntry) => ({
  seq: entry.seq,
  student_id: entry.student_id,
  status: entry.status,
  previous_status: entry.previous_status,
  remarks: entry.type === 'cleared' ? null : entry.remarks,
  ...(entry.type === 'cleared' && { cleared: true as const }),
  updated_by: entry.actor.name,
  updated_at: isoOf(entry.at),
});

/** A shipped app reads the camelCase names. */
const idsOf = ({ session_id }: LiveSession, student_id: StudentId) => ({
  session_id,
  sessionId: session_id,
  student_id,
  studentId: student_id,
});

/** A student has checked in for the first time (with its seq), or is back. */
export const joinedOf = (live: LiveSession, { student, checked_in_at }: Line, at: number, seq: number | undefined) => ({
  ...idsOf(live, student.student_id),
  student_name: student.name,
  roll: student.roll,
  profile_picture: student.profile_picture,
  user_id: student.user_id,
  joined_at: isoOf(at),
  checked_in_at: isoOf(checked_in_at ?? at),
  seq,
});

export const leftOf = (live: LiveSession, student: RosterStudent, at: number) => ({
  ...idsOf(live, student.student_id),
  student_name: student.name,
  roll: student.roll,
  profile_picture: student.profile_picture,
  disconnected_at: isoOf(at),
  remaining_online_count: live.presence.count,
});

/** `attendanceUpdated`, but for its record. */
export const updateHeadOf = (live: LiveSession, entry: StatusEntry) => ({
  ...idsOf(live, entry.student_id),
  status: entry.status,
  updated_by: entry.actor.name,
  updated_at: isoOf(entry.at),
  seq: entry.seq,
  previous_status: entry.previous_status,
});

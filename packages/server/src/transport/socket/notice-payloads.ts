import type { StudentId } from '@rollcall/protocol';
import { isoOf } from '../../commands/present.js';
import type { StatusEntry } from '../../journal/entries.js';
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
export const idsOf = ({ session_id }: LiveSession, student_id: StudentId) => ({
  session_id,
  sessionId: session_id,
  student_id,
  studentId: student_id,
});

import type { StudentId } from '@rollcall/protocol';
import type { RosterRow, RosterStudent } from '../journal/entries.js';
import { inRosterOrder } from '../journal/roster-order.js';
import type { Storage, StoredSession } from '../storage/port.js';
import { newRow } from './making-entries.js';

/**
 * The lines a session begins with: one for each approved enrolment of its course, and what records the database has
 * already, with their ids and marks as found: also of students who are in the database no more, since they were in
 * the class all the same.
 */
export async function rosterOf(
  storage: Storage,
  session: Pick<StoredSession, 'session_id' | 'course_id'>,
  at: number,
  newRecordId: () => string,
): Promise<RosterRow[]> {
  const [enrolled, records] = await Promise.all([
    session.course_id === null ? [] : storage.courses.listRoster(session.course_id),
    storage.projection.readRecords(session.session_id),
  ]);
  const students = new Map(enrolled.map((student) => [student.student_id, student]));
  const offRoster = records.filter(({ student_id }) => !students.has(student_id));
  if (offRoster.length > 0) {
    const found = await storage.people.findStudents(offRoster.map(({ student_id }) => student_id));
    for (const { student_id } of offRoster) {
      const student = found.get(student_id);
      // Another student may have as user id or uid what was the profile id of one who is gone.
      students.set(student_id, student?.student_id === student_id ? student : whoIsGone(student_id));
    }
  }
  const existing = new Map(records.map((record) => [record.student_id, record]));
  const inOrder = offRoster.length === 0 ? enrolled : inRosterOrder([...students.values()]);
  return inOrder.map((student) => {
    const record = existing.get(student.student_id);
    if (!record) return newRow(student, at, newRecordId());
    const { student_id: _, seq: __, ...row } = record;
    return { ...row, student };
  });
}

/** A student of whom nothing is left but the id. */
const whoIsGone = (student_id: StudentId): RosterStudent => ({
  student_id,
  user_id: null,
  uid: null,
  name: student_id,
  email: null,
  roll: null,
  section: null,
  profile_picture: null,
});

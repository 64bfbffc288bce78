import type { Storage } from '../storage/port.js';
import type { SchoolReading } from './school-reading.js';

/** An enrolment that is stored and that the bundle, which names the whole of its course, no longer names. */
export interface Missing {
  readonly course_id: string;
  readonly student_id: string;
  readonly name: string;
}

export interface Withdrawals {
  /** Enrolments that the import rejects. */
  withdrawn: number;
  readonly missing: Missing[];
}

const COURSES_AT_ONCE = 100;

/**
 * Compares what a bundle names with what is stored: enrolments that it deletes become rejected and users that it
 * deletes disabled, where there are any, as further rows of the reading. What it no longer names is told.
 * @param withdrawMissing whether that is rejected as well
 */
export async function addWithdrawals(
  reading: SchoolReading,
  storage: Storage,
  withdrawMissing: boolean,
): Promise<Withdrawals> {
  const found: Withdrawals = { withdrawn: 0, missing: [] };
  await disableDeleted(reading, storage);
  if (!reading.bulk.isWhole) return found;
  const courses = [...reading.bulk.courses];
  for (let from = 0; from < courses.length; from += COURSES_AT_ONCE) {
    await withdrawFrom(courses.slice(from, from + COURSES_AT_ONCE), { reading, storage, withdrawMissing, found });
  }
  return found;
}

const NOWHERE = { file: '', line: 0 };

/** A user who is to be deleted loses their sign-in. Their profile and their marks stay. */
async function disableDeleted(reading: SchoolReading, storage: Storage): Promise<void> {
  const { bulk } = reading;
  const profiles = bulk.deletedUsers.size === 0 ? [] : await storage.school.findProfiles([...bulk.deletedUsers]);
  const people = bulk.deletedUids.size === 0 ? [] : await storage.people.findPeopleByUid([...bulk.deletedUids]);
  const found = new Map(profiles.map((profile) => [`${profile.list}\n${profile.id}`, profile]));
  for (const { uid, name, teacher, student } of people.values()) {
    if (teacher) {
      const id = teacher.teacher_id;
      found.set(`teachers\n${id}`, { list: 'teachers', id, uid, name });
    }
    if (student) {
      const id = student.student_id;
      found.set(`students\n${id}`, { list: 'students', id, uid, name });
    }
  }
  for (const { list, id, uid, name } of found.values()) {
    // The same person under another sourcedId, or another one under this.
    if (bulk.idOfUid.has(uid) || reading.has(list, id)) continue;
    const unsaid = { email: null, department: null, profile_picture: null };
    const person = { ...unsaid, id, uid, name, disabled: true };
    if (list === 'teachers') reading.add('teachers', { ...person, designation: null }, NOWHERE);
    else reading.add('students', { ...person, roll: null, section: null, semester: null }, NOWHERE);
  }
}

interface Comparison {
  readonly reading: SchoolReading;
  readonly storage: Storage;
  readonly withdrawMissing: boolean;
  readonly found: Withdrawals;
}

async function withdrawFrom(courses: readonly string[], comparison: Comparison): Promise<void> {
  const { reading, storage, withdrawMissing, found } = comparison;
  const { bulk } = reading;
  const stored = await storage.school.approvedEnrollments(courses);
  const unnamed = stored.filter(({ course_id, student_id }) => !reading.enrols(course_id, student_id));
  if (unnamed.length === 0) return;
  const students = await storage.people.findStudents(unnamed.map(({ student_id }) => student_id));
  for (const { course_id, student_id } of unnamed) {
    const student = students.get(student_id);
    // A student who is gone is on no roster.
    if (student?.student_id !== student_id) continue;
    // Who signed in before the first import has a profile of another id than the bundle has for them.
    const id = student.uid === null ? undefined : bulk.idOfUid.get(student.uid);
    if (id !== undefined && reading.enrols(course_id, id)) continue;
    const deleted = bulk.deletes(course_id, student_id) || (id !== undefined && bulk.deletes(course_id, id));
    if (!deleted) found.missing.push({ course_id, student_id, name: student.name });
    if (!deleted && !withdrawMissing) continue;
    found.withdrawn += 1;
    const days = { begins: null, ends: null };
    reading.add('enrollments', { course_id, student_id, status: 'rejected', ...days }, NOWHERE);
  }
}

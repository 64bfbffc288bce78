import type { CourseId, StudentId } from '@rollcall/protocol';
import type { CourseChange, NewCourse, NewEnrollment, SchoolChange } from '../port.js';
import { setChanged } from './account-writes.js';
import { namesOf } from './catalogue.js';
import type { Collections } from './collections.js';
import { isDuplicateKey } from './connection.js';
import { derivedId, findTeachers } from './people.js';
import { anyOf, asHeld, type Row, readId, readIds, storedId, withoutNulls } from './stored-values.js';

export const missing = (field: string, value: string): SchoolChange => ({ outcome: 'missing', field, value });

const courseRow = (c: Collections, id: string): Promise<Row | null> => c.courses.findOne({ _id: anyOf([id]) });

/** The first of the teachers whom nobody knows by the id of their profile. */
async function unknownTeacher(
  c: Collections,
  { teacher_id, co_teacher_ids = [] }: CourseChange,
): Promise<SchoolChange | undefined> {
  const ids = [...(teacher_id ? [teacher_id] : []), ...co_teacher_ids];
  const rows = await c.teachers.find({ _id: anyOf(ids) }, { projection: { _id: 1 } }).toArray();
  const known = new Set(rows.map((row) => readId(row._id)));
  if (teacher_id && !known.has(teacher_id)) return missing('teacher_id', teacher_id);
  const unknown = co_teacher_ids.find((id) => !known.has(id));
  return unknown === undefined ? undefined : missing('co_teacher_ids', unknown);
}

async function references(c: Collections, change: CourseChange): Promise<Record<string, unknown>> {
  const { teacher_id, co_teacher_ids } = change;
  const held = await asHeld(c.teachers, [teacher_id ?? null, ...(co_teacher_ids ?? [])]);
  return {
    teacher_id: teacher_id && held(teacher_id),
    co_teacher_ids: co_teacher_ids?.map(held),
  };
}

export async function createCourse(c: Collections, course: NewCourse): Promise<SchoolChange> {
  const { course_id, title, course_code, credit } = course;
  const taken: SchoolChange = { outcome: 'taken', field: 'course_id' };
  if (await courseRow(c, course_id)) return taken;
  const unknown = await unknownTeacher(c, course);
  if (unknown) return unknown;
  const now = new Date();
  const fields = { title, course_code, credit, ...(await references(c, course)) };
  try {
    await c.courses.insertOne({ _id: storedId(course_id), ...withoutNulls(fields), createdAt: now, updatedAt: now });
  } catch (error) {
    if (isDuplicateKey(error)) return taken;
    throw error;
  }
  return { outcome: 'added', id: course_id };
}

export async function changeCourse(c: Collections, courseId: CourseId, change: CourseChange): Promise<SchoolChange> {
  const row = await courseRow(c, courseId);
  if (!row) return missing('course_id', courseId);
  const unknown = await unknownTeacher(c, change);
  if (unknown) return unknown;
  const { title, course_code, credit } = change;
  // Compared by profile, as the change says them: a row that names the same teachers by their users stays as it is.
  const refs = [readId(row['teacher_id']) ?? [], readIds(row['co_teacher_ids'])].flat();
  const profiles = await findTeachers(c, refs);
  const profileId = (ref: string): string => readId(profiles.get(ref)?._id) ?? ref;
  const own = readId(row['teacher_id']);
  const asProfiles: Row = {
    ...row,
    teacher_id: own && profileId(own),
    co_teacher_ids: readIds(row['co_teacher_ids']).map(profileId),
  };
  const fields = { title, course_code, credit, ...(await references(c, change)) };
  const changed = await setChanged(c.courses, asProfiles, fields);
  return { outcome: changed ? 'changed' : 'left', id: courseId };
}

/** The row of a student in a course, which may name the profile or its user; of two the first made. */
async function enrollmentRow(c: Collections, courseId: string, studentId: string): Promise<Row | null> {
  const student_id = anyOf(await namesOf(c.students, studentId));
  return c.enrollments.findOne({ course_id: anyOf([courseId]), student_id }, { sort: { _id: 1 } });
}

export async function putEnrollment(c: Collections, enrollment: NewEnrollment): Promise<SchoolChange> {
  const { course_id, student_id, status, begins, ends } = enrollment;
  const course = await courseRow(c, course_id);
  if (!course) return missing('course_id', course_id);
  const student = await c.students.findOne({ _id: anyOf([student_id]) }, { projection: { _id: 1 } });
  if (!student) return missing('student_id', student_id);
  const row = await enrollmentRow(c, course_id, student_id);
  if (row) {
    const changed = await setChanged(c.enrollments, row, { status, begins, ends });
    return { outcome: changed ? 'changed' : 'left', id: student_id };
  }
  const now = new Date();
  const fields = { course_id: course._id, student_id: student._id, status, begins, ends };
  // The id that an import would give the row, so that of two at once one makes it.
  const _id = derivedId('enrollment', JSON.stringify([course_id, student_id]));
  try {
    await c.enrollments.insertOne({ _id, ...withoutNulls(fields), createdAt: now, updatedAt: now });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    // Somebody else has made it in the same moment, and this one comes after.
    const made = await c.enrollments.findOne({ _id });
    if (made) await setChanged(c.enrollments, made, { status, begins, ends });
    return { outcome: 'changed', id: student_id };
  }
  return { outcome: 'added', id: student_id };
}

export async function withdraw(c: Collections, courseId: CourseId, studentId: StudentId): Promise<SchoolChange> {
  const row = await enrollmentRow(c, courseId, studentId);
  if (!row) return missing('student_id', studentId);
  const changed = await setChanged(c.enrollments, row, { status: 'rejected' });
  return { outcome: changed ? 'changed' : 'left', id: studentId };
}

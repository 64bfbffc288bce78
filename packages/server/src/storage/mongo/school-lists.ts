import type { mongo } from 'mongoose';
import type { School, StoredEnrollment } from '../port.js';
import type { Collections } from './collections.js';
import type { ImportPlan } from './import-plan.js';
import type { Journal } from './journal.js';
import { findTeachers, studentIdsOf } from './people.js';
import type { Known } from './school-references.js';
import {
  anyOf,
  asHeld,
  inParts,
  type Row,
  readId,
  readIds,
  type StoredId,
  storedDate,
  storedId,
} from './stored-values.js';

const rowsById = async (collection: mongo.Collection<Row>, ids: readonly string[]): Promise<Map<string, Row>> => {
  const rows = await inParts(new Set(ids), (_id) => collection.find({ _id }).toArray());
  return new Map(rows.map((row) => [readId(row._id) ?? '', row]));
};

/** The rows with teachers named by profile id, as the school names them, so that they can be compared. */
async function withTeacherProfiles(c: Collections, rows: ReadonlyMap<string, Row>): Promise<Map<string, Row>> {
  const refs = [...rows.values()].flatMap((row) => readIds([row['teacher_id'], ...readIds(row['co_teacher_ids'])]));
  const profiles = await findTeachers(c, refs);
  const profileId = (ref: string): string => readId(profiles.get(ref)?._id) ?? ref;
  return new Map(
    [...rows].map(([id, row]) => {
      const teacher = readId(row['teacher_id']);
      const co_teacher_ids = readIds(row['co_teacher_ids']).map(profileId);
      return [id, { ...row, teacher_id: teacher && profileId(teacher), co_teacher_ids }];
    }),
  );
}

/** How rows name teachers: by profile, in the form in which the profile's row has its id. */
async function teacherReferences(
  c: Collections,
  known: Known,
  refs: readonly string[],
): Promise<(ref: string) => StoredId> {
  const profileId = (ref: string): string => known.teachers.get(ref) ?? ref;
  const held = await asHeld(c.teachers, refs.map(profileId));
  return (ref) => held(profileId(ref));
}

export async function planCourses(c: Collections, school: School, known: Known, plan: ImportPlan): Promise<void> {
  const found = await withTeacherProfiles(
    c,
    await rowsById(
      c.courses,
      school.courses.map((row) => row.id),
    ),
  );
  const teacherIds = school.courses.flatMap((row) => [row.teacher_id ?? [], row.co_teacher_ids].flat());
  const profile = await teacherReferences(c, known, teacherIds);
  for (const { id, title, course_code, credit, teacher_id, co_teacher_ids, teacher_gone } of school.courses) {
    const fields = {
      title,
      course_code,
      credit,
      teacher_id: teacher_id === null ? null : profile(teacher_id),
      co_teacher_ids: co_teacher_ids.map(profile),
    };
    const row = found.get(id);
    if (!row) plan.insert(c.courses, storedId(id), fields);
    const whole = teacher_gone === true && teacher_id === null ? { teacher_id: null } : {};
    plan.count('courses', !row ? 'added' : plan.update(c.courses, row, fields, whole) ? 'changed' : 'left');
  }
}

export async function planEnrollments(c: Collections, school: School, known: Known, plan: ImportPlan): Promise<void> {
  const courseIds = new Set(school.enrollments.map((row) => row.course_id));
  const rows = await inParts(courseIds, (course_id) => c.enrollments.find({ course_id }).toArray());
  const key = (course: string | null, student: string | null) => JSON.stringify([course, student]);
  const found = new Map(rows.map((row) => [key(readId(row['course_id']), readId(row['student_id'])), row]));
  const courseId = await asHeld(c.courses, courseIds);
  const studentId = await asHeld(
    c.students,
    school.enrollments.map((row) => known.students.get(row.student_id)?.student_id ?? row.student_id),
  );
  for (const { course_id, student_id, status, begins = null, ends = null } of school.enrollments) {
    const student = known.students.get(student_id) ?? { student_id, user_id: null };
    const row = found.get(key(course_id, student.student_id)) ?? found.get(key(course_id, student.user_id));
    if (row) {
      // Said as a whole: an enrolment without days is one without bounds, whatever was said before.
      const changed = plan.update(c.enrollments, row, { status }, { begins, ends });
      plan.count('enrollments', changed ? 'changed' : 'left');
      continue;
    }
    const fields = { course_id: courseId(course_id), student_id: studentId(student.student_id), status, begins, ends };
    const pair = key(course_id, student.student_id);
    found.set(pair, plan.insert(c.enrollments, plan.newId('enrollment', pair), fields));
    plan.count('enrollments', 'added');
  }
}

/** The approved enrolments of courses, with students named by profile id, also where an application names the user. */
export async function approvedEnrollments(c: Collections, courseIds: readonly string[]): Promise<StoredEnrollment[]> {
  const rows = await c.enrollments
    .find({ course_id: anyOf(courseIds), status: 'approved' }, { projection: { course_id: 1, student_id: 1 } })
    .toArray();
  const students = await studentIdsOf(
    c,
    rows.flatMap((row) => readId(row['student_id']) ?? []),
  );
  return rows.flatMap((row) => {
    const [course_id, ref] = [readId(row['course_id']), readId(row['student_id'])];
    return course_id === null || ref === null ? [] : [{ course_id, student_id: students.get(ref) ?? ref }];
  });
}

export async function planSessions(
  c: Collections,
  journal: Journal,
  school: School,
  known: Known,
  plan: ImportPlan,
): Promise<void> {
  const ids = school.sessions.map((row) => row.id);
  const journalled = await journal.withJournal(ids);
  const found = await withTeacherProfiles(c, await rowsById(c.sessions, ids));
  const courseId = await asHeld(
    c.courses,
    school.sessions.map((row) => row.course_id),
  );
  const profile = await teacherReferences(
    c,
    known,
    school.sessions.flatMap((row) => row.teacher_id ?? []),
  );
  for (const { id, course_id, teacher_id, date, ...rest } of school.sessions) {
    const row = found.get(id);
    // What Rollcall runs or ran, and what another application runs, is not the import's to alter.
    if (journalled.has(id) || row?.['status'] === 'active') {
      plan.count('sessions', 'left');
      continue;
    }
    const { start_time, end_time, topic, description, status } = rest;
    const fields = {
      course_id: course_id && courseId(course_id),
      teacher_id: teacher_id && profile(teacher_id),
      date: storedDate(date),
      start_time,
      end_time,
      topic,
      description,
      status,
    };
    if (!row) plan.insert(c.sessions, storedId(id), fields);
    plan.count('sessions', !row ? 'added' : plan.update(c.sessions, row, fields) ? 'changed' : 'left');
  }
}

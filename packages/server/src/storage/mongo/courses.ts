import type { CourseId, StudentId, TeacherId } from '@rollcall/protocol';
import type { RosterStudent } from '../../journal/entries.js';
import type { Course } from '../port.js';
import type { Collections } from './collections.js';
import { findTeachers, studentsOfReferences } from './people.js';
import { anyOf, readId, readIds, readText } from './stored-values.js';

export const COURSE_FIELDS = { title: 1, course_code: 1, teacher_id: 1, co_teacher_ids: 1 };

export async function findCourse(c: Collections, courseId: string): Promise<Course | null> {
  const row = await c.courses.findOne({ _id: anyOf([courseId]) }, { projection: COURSE_FIELDS });
  if (!row) return null;
  const own = readId(row['teacher_id']);
  const others = readIds(row['co_teacher_ids']);
  const profiles = await findTeachers(c, own === null ? others : [own, ...others]);
  const profileId = (ref: string): TeacherId | null => readId(profiles.get(ref)?._id) as TeacherId | null;
  return {
    course_id: courseId as CourseId,
    title: readText(row['title']),
    course_code: readText(row['course_code']),
    teacher_id: own === null ? null : profileId(own),
    co_teacher_ids: [...new Set(others.flatMap((ref) => profileId(ref) ?? []))],
  };
}

export async function isEnrolled(c: Collections, courseId: CourseId, studentId: StudentId): Promise<boolean> {
  const approved = (refs: readonly string[]) =>
    c.enrollments.findOne(
      { course_id: anyOf([courseId]), student_id: anyOf(refs), status: 'approved' },
      { projection: { _id: 1 } },
    );
  if (await approved([studentId])) return true;
  // Some applications enrol the user and not the student profile.
  const profile = await c.students.findOne({ _id: anyOf([studentId]) }, { projection: { user_id: 1 } });
  const userId = readId(profile?.['user_id']);
  return userId !== null && (await approved([userId])) !== null;
}

export async function listRoster(c: Collections, courseId: CourseId): Promise<RosterStudent[]> {
  const enrolled = await c.enrollments
    .find({ course_id: anyOf([courseId]), status: 'approved' }, { projection: { student_id: 1 } })
    .toArray();
  const students = await studentsOfReferences(
    c,
    enrolled.flatMap((row) => readId(row['student_id']) ?? []),
  );
  return students.sort(byRollThenName);
}

const plainOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function byRollThenName(a: RosterStudent, b: RosterStudent): number {
  if (a.roll !== b.roll) {
    if (a.roll === null) return 1;
    if (b.roll === null) return -1;
    return plainOrder(a.roll, b.roll);
  }
  return plainOrder(a.name, b.name);
}

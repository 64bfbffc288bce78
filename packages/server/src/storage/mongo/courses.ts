import type { CourseId, StudentId, TeacherId } from '@rollcall/protocol';
import type { RosterStudent } from '../../journal/entries.js';
import type { Course } from '../port.js';
import type { Collections } from './collections.js';
import { findTeachers, studentsOfReferences } from './people.js';
import { anyOf, inParts, readId, readIds, readText } from './stored-values.js';

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

/** Those of the students with an approved enrolment, which may name the profile or, in some applications, its user. */
export async function areEnrolled(
  c: Collections,
  courseId: CourseId,
  studentIds: readonly StudentId[],
): Promise<Set<StudentId>> {
  const approved = async (refs: Iterable<string>): Promise<Set<string>> => {
    const rows = await inParts(refs, (student_id) =>
      c.enrollments
        .find({ course_id: anyOf([courseId]), student_id, status: 'approved' }, { projection: { student_id: 1 } })
        .toArray(),
    );
    return new Set(rows.flatMap((row) => readId(row['student_id']) ?? []));
  };
  const asked = new Set(studentIds);
  const byProfile = await approved(asked);
  const left = [...asked].filter((id) => !byProfile.has(id));
  const profiles = await inParts(left, (_id) =>
    c.students.find({ _id }, { projection: { user_id: 1 } }).toArray(),
  );
  const userOf = new Map(profiles.map((row) => [readId(row._id), readId(row['user_id'])]));
  const byUser = await approved([...userOf.values()].filter((userId) => userId !== null));
  return new Set([...asked].filter((id) => byProfile.has(id) || byUser.has(userOf.get(id) ?? '')));
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

import type { CourseId, StudentId, TeacherId } from '@rollcall/protocol';
import type { RosterStudent } from '../../journal/entries.js';
import { inRosterOrder } from '../../journal/roster-order.js';
import type { Course } from '../port.js';
import { today } from '../today.js';
import type { Collections } from './collections.js';
import { enabledStudentsOf, findTeachers } from './people.js';
import { anyOf, inParts, type Row, readId, readIds, readText } from './stored-values.js';

export const COURSE_FIELDS = { title: 1, course_code: 1, teacher_id: 1, co_teacher_ids: 1 };

const DAYS = { begins: 1, ends: 1 };

/** Days are text that an import wrote. A field of that name that holds anything else is the application's own. */
export function countsOn(row: Row, day: string): boolean {
  const { begins, ends } = row as { begins?: unknown; ends?: unknown };
  return !(typeof begins === 'string' && begins > day) && !(typeof ends === 'string' && ends !== '' && ends <= day);
}

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
  const day = today();
  const approved = async (refs: Iterable<string>): Promise<Set<string>> => {
    const rows = await inParts(refs, (student_id) =>
      c.enrollments
        .find(
          { course_id: anyOf([courseId]), student_id, status: 'approved' },
          { projection: { student_id: 1, ...DAYS } },
        )
        .toArray(),
    );
    return new Set(rows.flatMap((row) => (countsOn(row, day) ? (readId(row['student_id']) ?? []) : [])));
  };
  const asked = new Set(studentIds);
  const byProfile = await approved(asked);
  const left = [...asked].filter((id) => !byProfile.has(id));
  const profiles = await inParts(left, (_id) => c.students.find({ _id }, { projection: { user_id: 1 } }).toArray());
  const userOf = new Map(profiles.map((row) => [readId(row._id), readId(row['user_id'])]));
  const byUser = await approved([...userOf.values()].filter((userId) => userId !== null));
  return new Set([...asked].filter((id) => byProfile.has(id) || byUser.has(userOf.get(id) ?? '')));
}

export async function listRoster(c: Collections, courseId: CourseId): Promise<RosterStudent[]> {
  const enrolled = await c.enrollments
    .find({ course_id: anyOf([courseId]), status: 'approved' }, { projection: { student_id: 1, ...DAYS } })
    .toArray();
  const day = today();
  const students = await enabledStudentsOf(
    c,
    enrolled.filter((row) => countsOn(row, day)).flatMap((row) => readId(row['student_id']) ?? []),
  );
  return inRosterOrder(students);
}

import type { CourseId, StudentId, TeacherId } from '@rollcall/protocol';
import { pageIn, pageOf } from '../page.js';
import type { CourseEntry, CoursePart, Enrollment, EnrollmentStatus, Page, PageQuery } from '../port.js';
import { today } from '../today.js';
import type { Collections } from './collections.js';
import { COURSE_FIELDS, countsOn, listRoster } from './courses.js';
import { rowsBehind } from './pages.js';
import { findStudents, findTeachers, studentIdsOf, teacherNames } from './people.js';
import { anyOf, inParts, type Row, readId, readIds, readText } from './stored-values.js';

const FIELDS = { ...COURSE_FIELDS, credit: 1 };
const STATUSES: ReadonlySet<unknown> = new Set<EnrollmentStatus>(['pending', 'approved', 'rejected']);

export async function listCourses(
  c: Collections,
  part: CoursePart | null,
  query: PageQuery,
): Promise<Page<CourseEntry>> {
  if (part === null) {
    const rows = await rowsBehind(c.courses, query, { field: '_id', projection: FIELDS });
    const { items, next } = pageOf(rows, query.limit, (row) => readId(row._id) ?? '');
    return { items: await describeCourses(c, items), next };
  }
  const ids = new Set([...(await coursesTaught(c, part.teacher_id)), ...(await coursesAttended(c, part.student_id))]);
  const page = pageIn([...ids], query, (id) => id);
  const rows = await inParts(page.items, (_id) => c.courses.find({ _id }, { projection: FIELDS }).toArray());
  const courses = new Map((await describeCourses(c, rows)).map((course) => [course.course_id as string, course]));
  return { items: page.items.flatMap((id) => courses.get(id) ?? []), next: page.next };
}

/** Ids of the courses that name the teacher, or the teacher's user. */
export async function coursesTaught(c: Collections, teacherId: TeacherId | null): Promise<string[]> {
  if (teacherId === null) return [];
  const refs = anyOf(await namesOf(c.teachers, teacherId));
  const rows = await c.courses
    .find({ $or: [{ teacher_id: refs }, { co_teacher_ids: refs }] }, { projection: { _id: 1 } })
    .toArray();
  return rows.flatMap((row) => readId(row._id) ?? []);
}

/** Ids of the courses in which the student has an approved enrolment that counts today. */
export async function coursesAttended(c: Collections, studentId: StudentId | null): Promise<string[]> {
  if (studentId === null) return [];
  const rows = await c.enrollments
    .find(
      { student_id: anyOf(await namesOf(c.students, studentId)), status: 'approved' },
      { projection: { course_id: 1, begins: 1, ends: 1 } },
    )
    .toArray();
  const day = today();
  return [...new Set(rows.flatMap((row) => (countsOn(row, day) ? (readId(row['course_id']) ?? []) : [])))];
}

/** Ids by which rows may name a profile: its own, and that of its user. */
export async function namesOf(profiles: Collections['students'], id: string): Promise<string[]> {
  const row = await profiles.findOne({ _id: anyOf([id]) }, { projection: { user_id: 1 } });
  const userId = readId(row?.['user_id']);
  return userId === null ? [id] : [id, userId];
}

export async function readCourse(c: Collections, courseId: CourseId): Promise<CourseEntry | null> {
  const row = await c.courses.findOne({ _id: anyOf([courseId]) }, { projection: FIELDS });
  return row && ((await describeCourses(c, [row]))[0] ?? null);
}

async function describeCourses(c: Collections, rows: readonly Row[]): Promise<CourseEntry[]> {
  const refs = rows.flatMap((row) => [readId(row['teacher_id']) ?? [], readIds(row['co_teacher_ids'])].flat());
  const profiles = await findTeachers(c, [...new Set(refs)]);
  const names = await teacherNames(c, [...profiles.values()]);
  const profileId = (ref: string): TeacherId | null => readId(profiles.get(ref)?._id) as TeacherId | null;
  return rows.map((row) => {
    const own = readId(row['teacher_id']);
    const teacher_id = own === null ? null : profileId(own);
    const credit = row['credit'];
    return {
      course_id: (readId(row._id) ?? '') as CourseId,
      title: readText(row['title']),
      course_code: readText(row['course_code']),
      credit: credit === null || credit === undefined || Number.isNaN(Number(credit)) ? null : Number(credit),
      teacher_id,
      teacher_name: teacher_id === null ? null : (names.get(teacher_id) ?? null),
      co_teacher_ids: [...new Set(readIds(row['co_teacher_ids']).flatMap((ref) => profileId(ref) ?? []))].sort(),
    };
  });
}

/** All enrolments of the course are looked at, since rows may name a student by two ids: there are as many as students. */
export async function listEnrollments(c: Collections, courseId: CourseId, query: PageQuery): Promise<Page<Enrollment>> {
  const rows = await c.enrollments
    .find({ course_id: anyOf([courseId]) }, { projection: { student_id: 1, status: 1, begins: 1, ends: 1 } })
    .sort({ _id: -1 })
    .toArray();
  const ids = await studentIdsOf(c, new Set(rows.flatMap((row) => readId(row['student_id']) ?? [])));
  // Of two rows of one student the first made counts.
  const byStudent = new Map(rows.flatMap((row) => [[ids.get(readId(row['student_id']) ?? ''), row] as const]));
  const all = [...byStudent].flatMap(([id, row]) => (id === undefined ? [] : [{ id, row }]));
  const page = pageIn(all, query, ({ id }) => id);
  const students = await findStudents(
    c,
    page.items.map(({ id }) => id),
  );
  const items = page.items.flatMap(({ id, row }) => {
    const student = students.get(id);
    return student ? [{ student, ...enrollmentOf(row) }] : [];
  });
  return { items, next: page.next };
}

function enrollmentOf(row: Row): Omit<Enrollment, 'student'> {
  const { status, begins, ends } = row as { status?: unknown; begins?: unknown; ends?: unknown };
  return {
    status: STATUSES.has(status) ? (status as EnrollmentStatus) : 'pending',
    begins: typeof begins === 'string' && begins !== '' ? begins : null,
    ends: typeof ends === 'string' && ends !== '' ? ends : null,
  };
}

export async function countEnrolled(c: Collections, courseIds: readonly CourseId[]): Promise<Map<CourseId, number>> {
  const counts = await Promise.all(
    [...new Set(courseIds)].map(async (id) => [id, (await listRoster(c, id)).length] as const),
  );
  return new Map(counts);
}

import type { CourseId, TeacherId } from '@rollcall/protocol';
import { pageOf } from '../page.js';
import type { Catalogue, CourseEntry, Enrollment, EnrollmentStatus } from '../port.js';
import { today } from '../today.js';
import { COUNTS_TODAY } from './courses.js';
import { STUDENT, toStudent } from './people.js';
import { jsonOf, type Queries } from './queries.js';

const COURSE = `c.course_id, c.title, c.course_code, c.credit, c.teacher_id, u.name,
  json((SELECT json_group_array(o.teacher_id ORDER BY o.teacher_id) FROM course_teachers AS o
    WHERE o.course_id = c.course_id))`;
const COURSE_JOINS = `
  LEFT JOIN teachers AS t ON t.teacher_id = c.teacher_id
  LEFT JOIN users AS u ON u.user_id = t.user_id`;

const coursesOfIds = (ids: string): string => `
  SELECT json_group_array(json_array(${COURSE}) ORDER BY c.course_id)
  FROM (${ids}) AS page JOIN courses AS c ON c.course_id = page.course_id ${COURSE_JOINS}`;

/** ?1: the id before the page, ?2: today, ?3: how many. */
export const LIST_COURSES = coursesOfIds(
  'SELECT course_id FROM courses WHERE course_id > ?1 AND ?2 IS NOT NULL ORDER BY course_id LIMIT ?3',
);

/** ?4: the teacher, ?5: the student; a null one has no part in any course. */
export const LIST_COURSES_OF = coursesOfIds(`
  SELECT course_id FROM (
    SELECT course_id FROM courses WHERE teacher_id = ?4
    UNION SELECT course_id FROM course_teachers WHERE teacher_id = ?4
    UNION SELECT e.course_id FROM enrollments AS e
      WHERE e.student_id = ?5 AND e.status = 'approved' AND ${COUNTS_TODAY}) AS mine
  WHERE course_id > ?1 ORDER BY course_id LIMIT ?3`);

export const READ_COURSE = `
  SELECT json_group_array(json_array(${COURSE})) FROM courses AS c ${COURSE_JOINS} WHERE c.course_id = ?1`;

function toCourse(row: readonly unknown[]): CourseEntry {
  const [course_id, title, course_code, credit, teacher_id, teacher_name, co_teacher_ids] = row as [
    ...[CourseId, string | null, string | null, number | null],
    ...[TeacherId | null, string | null, TeacherId[]],
  ];
  return { course_id, title, course_code, credit, teacher_id, teacher_name, co_teacher_ids };
}

/** ?1: the course, ?2: the student before the page, ?3: how many. A student who isn't there has no place in a list. */
export const LIST_ENROLLMENTS = `
  SELECT json_group_array(json_array(page.status, page.begins, page.ends, ${STUDENT}) ORDER BY page.student_id)
  FROM (
    SELECT e.student_id, e.status, e.begins, e.ends
    FROM enrollments AS e CROSS JOIN students AS x ON x.student_id = e.student_id
    WHERE e.course_id = ?1 AND e.student_id > ?2 ORDER BY e.student_id LIMIT ?3) AS page
  JOIN students AS s ON s.student_id = page.student_id
  LEFT JOIN users AS u ON u.user_id = s.user_id`;

const toEnrollment = ([status, begins, ends, ...student]: readonly unknown[]): Enrollment => ({
  student: toStudent(student),
  status: status as EnrollmentStatus,
  begins: begins as string | null,
  ends: ends as string | null,
});

/** ?1: the courses as a JSON array, ?2: today. */
export const COUNT_ENROLLED = `
  SELECT json_group_array(json_array(r.value, (
    SELECT count(*) FROM enrollments AS e
    JOIN students AS s ON s.student_id = e.student_id
    LEFT JOIN users AS u ON u.user_id = s.user_id
    WHERE e.course_id = r.value AND e.status = 'approved' AND ${COUNTS_TODAY} AND coalesce(u.disabled, 0) = 0)))
  FROM json_each(?1) AS r`;

export const catalogueOf = (queries: Queries): Catalogue => ({
  async listCourses(part, { after, limit }) {
    const page = [after ?? '', today(), limit + 1] as const;
    const rows =
      part === null
        ? await queries.rows(LIST_COURSES, page)
        : await queries.rows(LIST_COURSES_OF, [...page, part.teacher_id, part.student_id]);
    return pageOf(rows.map(toCourse), limit, (course) => course.course_id as string);
  },

  readCourse(courseId) {
    return queries.first(READ_COURSE, [courseId], toCourse);
  },

  createCourse(course) {
    return queries.call('createCourse', course);
  },

  changeCourse(courseId, change) {
    return queries.call('changeCourse', courseId, change);
  },

  async listEnrollments(courseId, { after, limit }) {
    const rows = await queries.rows(LIST_ENROLLMENTS, [courseId, after ?? '', limit + 1]);
    return pageOf(rows.map(toEnrollment), limit, ({ student }) => student.student_id as string);
  },

  putEnrollment(enrollment) {
    return queries.call('putEnrollment', enrollment);
  },

  withdraw(courseId, studentId) {
    return queries.call('withdraw', courseId, studentId);
  },

  async countEnrolled(courseIds) {
    const rows = await queries.rows(COUNT_ENROLLED, [jsonOf(courseIds), today()]);
    return new Map(rows.map(([id, count]) => [id as CourseId, Number(count)]));
  },
});

import type { CourseId, StudentId, TeacherId } from '@rollcall/protocol';
import type { RosterStudent } from '../../journal/entries.js';
import { inRosterOrder } from '../../journal/roster-order.js';
import type { Course, Courses } from '../port.js';
import { today } from '../today.js';
import { STUDENT, toStudent } from './people.js';
import { jsonOf, type Queries } from './queries.js';

/** ?2 is today. An enrolment no longer counts on the day on which it ends. */
export const COUNTS_TODAY = '(e.begins IS NULL OR e.begins <= ?2) AND (e.ends IS NULL OR e.ends > ?2)';

export const LIST_ROSTER = `
  SELECT json_group_array(json_array(${STUDENT}))
  FROM enrollments AS e
  JOIN students AS s ON s.student_id = e.student_id
  LEFT JOIN users AS u ON u.user_id = s.user_id
  WHERE e.course_id = ?1 AND e.status = 'approved' AND ${COUNTS_TODAY} AND coalesce(u.disabled, 0) = 0`;

export const IS_ENROLLED = `
  SELECT json_group_array(json_array(e.status)) FROM enrollments AS e
  WHERE e.course_id = ?1 AND e.student_id = ?3 AND e.status = 'approved' AND ${COUNTS_TODAY}`;

/** ?1: the course, ?3: the students as a JSON array. */
export const ARE_ENROLLED = `
  SELECT json_group_array(json_array(e.student_id))
  FROM json_each(?3) AS r
  JOIN enrollments AS e ON e.course_id = ?1 AND e.student_id = r.value
  WHERE e.status = 'approved' AND ${COUNTS_TODAY}`;

export const FIND_COURSE = `
  SELECT json_group_array(json_array(course_id, title, course_code, teacher_id,
    json((SELECT json_group_array(t.teacher_id ORDER BY t.teacher_id) FROM course_teachers AS t
      WHERE t.course_id = c.course_id))))
  FROM courses AS c WHERE course_id = ?`;

function toCourse(row: readonly unknown[]): Course {
  const [course_id, title, course_code, teacher_id, co_teacher_ids] = row as [
    CourseId,
    string | null,
    string | null,
    TeacherId | null,
    TeacherId[],
  ];
  return { course_id, title, course_code, teacher_id, co_teacher_ids };
}

export const coursesOf = (queries: Queries): Courses => ({
  async findCourse(courseId: CourseId): Promise<Course | null> {
    return queries.first(FIND_COURSE, [courseId], toCourse);
  },

  async isEnrolled(courseId: CourseId, studentId: StudentId): Promise<boolean> {
    return (await queries.rows(IS_ENROLLED, [courseId, today(), studentId])).length > 0;
  },

  async areEnrolled(courseId: CourseId, studentIds: readonly StudentId[]): Promise<Set<StudentId>> {
    if (studentIds.length === 0) return new Set();
    const rows = await queries.rows(ARE_ENROLLED, [courseId, today(), jsonOf(studentIds)]);
    return new Set(rows.map(([id]) => id as StudentId));
  },

  async listRoster(courseId: CourseId): Promise<RosterStudent[]> {
    return inRosterOrder((await queries.rows(LIST_ROSTER, [courseId, today()])).map(toStudent));
  },
});

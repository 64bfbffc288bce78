import type { CourseId, StudentId, TeacherId } from '@rollcall/protocol';
import type { RosterStudent } from '../../journal/entries.js';
import type { Course, Courses } from '../port.js';
import { STUDENT, toStudent } from './people.js';
import type { Queries } from './queries.js';

export const LIST_ROSTER = `
  SELECT json_group_array(json_array(${STUDENT}) ORDER BY s.roll IS NULL, s.roll, u.name)
  FROM enrollments AS e
  JOIN students AS s ON s.student_id = e.student_id
  LEFT JOIN users AS u ON u.user_id = s.user_id
  WHERE e.course_id = ? AND e.status = 'approved'`;

export const IS_ENROLLED = `
  SELECT json_group_array(json_array(status)) FROM enrollments
  WHERE course_id = ? AND student_id = ? AND status = 'approved'`;

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
    return (await queries.rows(IS_ENROLLED, [courseId, studentId])).length > 0;
  },

  async listRoster(courseId: CourseId): Promise<RosterStudent[]> {
    return (await queries.rows(LIST_ROSTER, [courseId])).map(toStudent);
  },
});

import type { CourseId, StudentId, TeacherId } from '@rollcall/protocol';
import type { RosterStudent } from '../../journal/entries.js';

/** Courses and who is enrolled in them. */
export interface Courses {
  findCourse(courseId: CourseId): Promise<Course | null>;
  /** True for an approved enrolment. */
  isEnrolled(courseId: CourseId, studentId: StudentId): Promise<boolean>;
  /** Students with an approved enrolment, ordered by roll, then name. */
  listRoster(courseId: CourseId): Promise<RosterStudent[]>;
}

export interface Course {
  readonly course_id: CourseId;
  readonly title: string | null;
  readonly course_code: string | null;
  /** Profile id of the course's teacher; null when it has none. */
  readonly teacher_id: TeacherId | null;
  readonly co_teacher_ids: readonly TeacherId[];
}

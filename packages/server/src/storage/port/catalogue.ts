import type { CourseId, StudentId, TeacherId } from '@rollcall/protocol';
import type { RosterStudent } from '../../journal/entries.js';
import type { Course } from './courses.js';
import type { Page, PageQuery, SchoolChange } from './pages.js';

/** Courses and their enrolments, as lists and as an admin changes them. */
export interface Catalogue {
  /** Courses in order of id: all, or those in which somebody has a part. */
  listCourses(part: CoursePart | null, page: PageQuery): Promise<Page<CourseEntry>>;
  readCourse(courseId: CourseId): Promise<CourseEntry | null>;
  createCourse(course: NewCourse): Promise<SchoolChange>;
  /** Changes what is said: what is absent stays. */
  changeCourse(courseId: CourseId, change: CourseChange): Promise<SchoolChange>;

  /** Enrolments of every status, on whatever days they count, in order of student id. */
  listEnrollments(courseId: CourseId, page: PageQuery): Promise<Page<Enrollment>>;
  /** Status and days are said as a whole: without a day there is no bound. */
  putEnrollment(enrollment: NewEnrollment): Promise<SchoolChange>;
  /** Rejects an enrolment, whatever its status. `missing` where there is none. */
  withdraw(courseId: CourseId, studentId: StudentId): Promise<SchoolChange>;
  /** How many students the roster of each of these courses has today. */
  countEnrolled(courseIds: readonly CourseId[]): Promise<Map<CourseId, number>>;
}

/** Somebody's part in courses: as a teacher or co-teacher, as an approved student whose enrolment counts today, or both. */
export interface CoursePart {
  readonly teacher_id: TeacherId | null;
  readonly student_id: StudentId | null;
}

export interface CourseEntry extends Course {
  readonly credit: number | null;
  readonly teacher_name: string | null;
}

export interface NewCourse {
  readonly course_id: string;
  readonly title: string;
  readonly course_code: string | null;
  readonly credit: number | null;
  readonly teacher_id: string | null;
  readonly co_teacher_ids: readonly string[];
}

export type CourseChange = { readonly [Field in keyof Omit<NewCourse, 'course_id'>]?: NewCourse[Field] | undefined };

export type EnrollmentStatus = 'pending' | 'approved' | 'rejected';

export interface Enrollment {
  readonly student: RosterStudent;
  /** A status of another application that isn't known reads as pending: it gives no right. */
  readonly status: EnrollmentStatus;
  /** The first day on which it counts, and the first on which it no longer does. */
  readonly begins: string | null;
  readonly ends: string | null;
}

export interface NewEnrollment {
  readonly course_id: string;
  readonly student_id: string;
  readonly status: EnrollmentStatus;
  readonly begins: string | null;
  readonly ends: string | null;
}

import type { AttendanceStatus } from '@rollcall/protocol';
import {
  courseId,
  type SchoolSize,
  studentId,
  studentName,
  studentRoll,
  studentUid,
  teacherId,
  teacherName,
} from '../school.js';
import type { SessionRow, StoredRow, Student } from './payloads.js';

/** The school as the arms without a database have it: made up from numbers, and nothing of a session kept. */
export class RememberedSchool {
  readonly #size: SchoolSize;
  readonly #made = Date.now();

  constructor(size: SchoolSize) {
    this.#size = size;
  }

  student(n: number): Student {
    return {
      student_id: studentId(n),
      user_id: studentUid(n),
      name: studentName(n),
      email: `${studentUid(n)}@school.example`,
      roll: studentRoll(n),
      section: 'A',
      profile_picture: null,
    };
  }

  studentsOf(course: number): Student[] {
    const { studentsPerCourse } = this.#size;
    return Array.from({ length: studentsPerCourse }, (_, index) => this.student(course * studentsPerCourse + index));
  }

  session(session_id: string, course: number, at: number): SessionRow {
    return {
      session_id,
      course_id: courseId(course),
      title: `Course ${course}`,
      course_code: `CSE-${course}`,
      teacher_id: teacherId(course),
      teacher_name: teacherName(course),
      status: 'active',
      started_at: at,
    };
  }

  row(status: AttendanceStatus, marked: { at: number; by: string } | null): StoredRow {
    return {
      _id: '68a1b2c3d4e5f60718293a4b',
      status,
      remarks: null,
      marked_at: marked?.at ?? null,
      marked_by: marked?.by ?? null,
      created_at: this.#made,
      updated_at: marked?.at ?? this.#made,
    };
  }
}

/** `course-7`, `student-7`, `t-7`, `s-7` → 7 */
export const numberOf = (id: string): number => Number(id.slice(id.lastIndexOf('-') + 1));

/** The user whom a token names, taken at its word: these arms check nothing. */
export function uidOf(token: unknown): string {
  const claims: unknown = JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString());
  return (claims as { uid: string }).uid;
}

import type { School } from '../../packages/server/dist/storage/port.js';

export type { School };

/** Every course has a teacher of its own and students of its own, so that a course is a session that meets no other. */
export interface SchoolSize {
  readonly courses: number;
  readonly studentsPerCourse: number;
}

export const SECRET = 'a secret for the benchmark alone, 32 bytes and more';

export const courseId = (course: number): string => `course-${course}`;
export const teacherUid = (course: number): string => `t-${course}`;
export const teacherId = (course: number): string => `teacher-${course}`;
export const teacherName = (course: number): string => `Teacher ${course}`;
/** @param n counted through the whole school: student i of course c is c × studentsPerCourse + i */
export const studentId = (n: number): string => `student-${n}`;
export const studentUid = (n: number): string => `s-${n}`;
export const studentName = (n: number): string => `Student ${n}`;
export const studentRoll = (n: number): string => String(1_907_000 + n);

export function schoolOf({ courses, studentsPerCourse }: SchoolSize): School {
  const each = Array.from({ length: courses }, (_, course) => course);
  const students = Array.from({ length: courses * studentsPerCourse }, (_, n) => n);
  return {
    admins: [],
    sessions: [],
    teachers: each.map((course) => ({
      id: teacherId(course),
      uid: teacherUid(course),
      name: teacherName(course),
      email: `${teacherUid(course)}@school.example`,
      department: 'CSE',
      designation: 'Lecturer',
      profile_picture: null,
    })),
    students: students.map((n) => ({
      id: studentId(n),
      uid: studentUid(n),
      name: studentName(n),
      email: `${studentUid(n)}@school.example`,
      roll: studentRoll(n),
      section: 'A',
      department: 'CSE',
      semester: '3',
      profile_picture: null,
    })),
    courses: each.map((course) => ({
      id: courseId(course),
      title: `Course ${course}`,
      course_code: `CSE-${course}`,
      credit: 3,
      teacher_id: teacherId(course),
      co_teacher_ids: [],
    })),
    enrollments: students.map((n) => ({
      course_id: courseId(Math.floor(n / studentsPerCourse)),
      student_id: studentId(n),
      status: 'approved',
    })),
  };
}

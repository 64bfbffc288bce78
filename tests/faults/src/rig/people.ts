import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '../experiment.js';
import type { Database } from './database.js';
import { rollcall } from './server-process.js';

export interface SchoolSize {
  readonly students: number;
  /** Co-teachers besides `ada` and `cyd`: t-1, t-2 … */
  readonly teachers?: number;
  /** So many of the students are in course-2 as well, which `bo` teaches. */
  readonly beside?: number;
}

/** `ada` teaches course-1 with `cyd` and t-1 … as co-teachers; its students are s-1 … with the profiles student-1 … */
function schoolOf({ students, teachers = 0, beside = 0 }: SchoolSize) {
  const others = Array.from({ length: teachers }, (_, n) => `t-${n + 1}`);
  const people = Array.from({ length: students }, (_, n) => n + 1);
  const teacher = (uid: string) => ({ id: `teacher-${uid}`, uid, name: `Teacher ${uid}` });
  return {
    teachers: ['ada', 'cyd', ...others, ...(beside ? ['bo'] : [])].map(teacher),
    students: people.map((n) => ({
      id: `student-${n}`,
      uid: `s-${n}`,
      name: `Student ${n}`,
      roll: String(100_000 + n),
    })),
    courses: [
      {
        id: 'course-1',
        title: 'Databases',
        course_code: 'CSE-301',
        teacher_id: 'teacher-ada',
        co_teacher_ids: ['cyd', ...others].map((uid) => `teacher-${uid}`),
      },
      ...(beside
        ? [{ id: 'course-2', title: 'Beside', course_code: 'CSE-302', teacher_id: 'teacher-bo', co_teacher_ids: [] }]
        : []),
    ],
    enrollments: [
      ...people.map((n) => ({ course_id: 'course-1', student_id: `student-${n}`, status: 'approved' })),
      ...people
        .slice(0, beside)
        .map((n) => ({ course_id: 'course-2', student_id: `student-${n}`, status: 'approved' })),
    ],
  };
}

/** So many students, each of them enrolled in each of so many courses. None of them is in a school of `importSchool`. */
export function schoolOfCourses(students: number, courses: number) {
  const each = <Row>(count: number, row: (n: number) => Row) => Array.from({ length: count }, (_, n) => row(n + 1));
  return {
    teachers: each(courses, (n) => ({ id: `many-t-${n}`, uid: `many-t-${n}`, name: `Teacher ${n}` })),
    students: each(students, (n) => ({ id: `many-s-${n}`, uid: `many-s-${n}`, name: `Student ${n}`, roll: String(n) })),
    courses: each(courses, (n) => ({
      id: `many-${n}`,
      title: `Course ${n}`,
      course_code: `MANY-${n}`,
      teacher_id: `many-t-${n}`,
      co_teacher_ids: [],
    })),
    enrollments: each(courses, (course) =>
      each(students, (n) => ({ course_id: `many-${course}`, student_id: `many-s-${n}`, status: 'approved' })),
    ).flat(),
  };
}

/** Puts a school into a database by `rollcall import`. */
export async function importSchool(lab: Lab, { url }: Database, size: SchoolSize): Promise<void> {
  const folder = await lab.folder();
  const file = join(folder, 'school.json');
  await writeFile(file, JSON.stringify(schoolOf(size)));
  const { code, stderr } = await rollcall(folder, ['import', file], { DATABASE_URL: url });
  if (code !== 0) throw new Error(`the school could not be imported: ${stderr}`);
}

import type { ImportReport, School, SchoolList } from '../port.js';
import type { Collections } from './collections.js';
import { findStudents, findTeachers } from './people.js';
import { anyOf, readId } from './stored-values.js';

/** What the references of a school lead to. */
export interface Known {
  /** From a reference to the profile id it stands for. The school's own rows join while they are planned. */
  readonly teachers: Map<string, string>;
  readonly students: Map<string, KnownStudent>;
  readonly courses: Set<string>;
}

export interface KnownStudent {
  readonly student_id: string;
  /** Enrolments may name the student by it. */
  readonly user_id: string | null;
}

/** Looks up every reference, and names those that lead nowhere. */
export async function resolveReferences(
  c: Collections,
  school: School,
): Promise<{ known: Known; unresolved: ImportReport['unresolved'] }> {
  const teacherIds = new Set(school.teachers.map((row) => row.id));
  const studentIds = new Set(school.students.map((row) => row.id));
  const courseIds = new Set(school.courses.map((row) => row.id));
  const references = referencesOf(school);
  const outside = (to: 'teachers' | 'students' | 'courses', own: ReadonlySet<string>) => [
    ...new Set(references.filter((ref) => ref.to === to && !own.has(ref.value)).map((ref) => ref.value)),
  ];
  const [teachers, students, courses] = await Promise.all([
    findTeachers(c, outside('teachers', teacherIds)),
    findStudents(c, outside('students', studentIds)),
    c.courses.find({ _id: anyOf(outside('courses', courseIds)) }, { projection: { _id: 1 } }).toArray(),
  ]);
  const known: Known = {
    teachers: new Map([...teachers].map(([ref, row]) => [ref, readId(row._id) ?? ref])),
    students: new Map(students),
    courses: new Set([...courses.flatMap((row) => readId(row._id) ?? []), ...courseIds]),
  };
  const leads = {
    teachers: (ref: string) => teacherIds.has(ref) || known.teachers.has(ref),
    students: (ref: string) => studentIds.has(ref) || known.students.has(ref),
    courses: (ref: string) => known.courses.has(ref),
  };
  const unresolved = references
    .filter(({ to, value }) => !leads[to](value))
    .map(({ list, index, field, value }) => ({ list, index, field, value }));
  return { known, unresolved };
}

interface Reference {
  readonly to: 'teachers' | 'students' | 'courses';
  readonly list: SchoolList;
  readonly index: number;
  readonly field: string;
  readonly value: string;
}

function referencesOf(school: School): Reference[] {
  const found: Reference[] = [];
  const add = (to: Reference['to'], list: SchoolList, index: number, field: string, value: string | null) => {
    if (value !== null) found.push({ to, list, index, field, value });
  };
  for (const [index, row] of school.courses.entries()) {
    add('teachers', 'courses', index, 'teacher_id', row.teacher_id);
    for (const value of row.co_teacher_ids) add('teachers', 'courses', index, 'co_teacher_ids', value);
  }
  for (const [index, row] of school.enrollments.entries()) {
    add('courses', 'enrollments', index, 'course_id', row.course_id);
    add('students', 'enrollments', index, 'student_id', row.student_id);
  }
  for (const [index, row] of school.sessions.entries()) {
    add('courses', 'sessions', index, 'course_id', row.course_id);
    add('teachers', 'sessions', index, 'teacher_id', row.teacher_id);
  }
  return found;
}

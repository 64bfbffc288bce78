import type { CourseChange, NewCourse, NewEnrollment, SchoolChange } from '../port.js';
import { setSaid } from './account-writes.js';
import type { Connection } from './connection.js';

/*
 * Inside a transaction of the caller. What is taken or missing is found before anything is written.
 */

export const missing = (field: string, value: string): SchoolChange => ({ outcome: 'missing', field, value });

const hasCourse = (db: Connection, id: string): boolean =>
  db.row('SELECT 1 FROM courses WHERE course_id = ?', [id]) !== undefined;

/** The first of the teachers whom nobody knows. */
function unknownTeacher(db: Connection, { teacher_id, co_teacher_ids }: CourseChange): SchoolChange | undefined {
  const isUnknown = (id: string) => !db.row('SELECT 1 FROM teachers WHERE teacher_id = ?', [id]);
  if (teacher_id && isUnknown(teacher_id)) return missing('teacher_id', teacher_id);
  const unknown = co_teacher_ids?.find(isUnknown);
  return unknown === undefined ? undefined : missing('co_teacher_ids', unknown);
}

export function createCourse(db: Connection, course: NewCourse): SchoolChange {
  const { course_id, title, course_code, credit, teacher_id, co_teacher_ids } = course;
  if (hasCourse(db, course_id)) return { outcome: 'taken', field: 'course_id' };
  const unknown = unknownTeacher(db, course);
  if (unknown) return unknown;
  db.run('INSERT INTO courses (course_id, title, course_code, credit, teacher_id) VALUES (?, ?, ?, ?, ?)', [
    ...[course_id, title, course_code, credit, teacher_id],
  ]);
  setCoTeachers(db, course_id, co_teacher_ids);
  return { outcome: 'added', id: course_id };
}

export function changeCourse(db: Connection, courseId: string, change: CourseChange): SchoolChange {
  if (!hasCourse(db, courseId)) return missing('course_id', courseId);
  const unknown = unknownTeacher(db, change);
  if (unknown) return unknown;
  const { co_teacher_ids, title, course_code, credit, teacher_id } = change;
  const changed = [
    setSaid(db, 'courses', { course_id: courseId }, { title, course_code, credit, teacher_id }),
    co_teacher_ids !== undefined && setCoTeachers(db, courseId, co_teacher_ids),
  ];
  return { outcome: changed.includes(true) ? 'changed' : 'left', id: courseId };
}

function setCoTeachers(db: Connection, courseId: string, ids: readonly string[]): boolean {
  const before = new Set(
    db.rows('SELECT teacher_id FROM course_teachers WHERE course_id = ?', [courseId]).map(([id]) => String(id)),
  );
  const after = new Set(ids);
  const gone = [...before].filter((id) => !after.has(id));
  const added = [...after].filter((id) => !before.has(id));
  for (const id of gone) db.run('DELETE FROM course_teachers WHERE course_id = ? AND teacher_id = ?', [courseId, id]);
  for (const id of added) db.run('INSERT INTO course_teachers (course_id, teacher_id) VALUES (?, ?)', [courseId, id]);
  return gone.length + added.length > 0;
}

export function putEnrollment(db: Connection, enrollment: NewEnrollment): SchoolChange {
  const { course_id, student_id, status, begins, ends } = enrollment;
  if (!hasCourse(db, course_id)) return missing('course_id', course_id);
  if (!db.row('SELECT 1 FROM students WHERE student_id = ?', [student_id])) return missing('student_id', student_id);
  const key = { course_id, student_id };
  if (setSaid(db, 'enrollments', key, { status, begins, ends })) return { outcome: 'changed', id: student_id };
  const made = db.run(
    `INSERT INTO enrollments (course_id, student_id, status, begins, ends) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
    [course_id, student_id, status, begins, ends],
  );
  return { outcome: made > 0 ? 'added' : 'left', id: student_id };
}

export function withdraw(db: Connection, courseId: string, studentId: string): SchoolChange {
  const key = { course_id: courseId, student_id: studentId };
  if (setSaid(db, 'enrollments', key, { status: 'rejected' })) return { outcome: 'changed', id: studentId };
  const known = db.row('SELECT 1 FROM enrollments WHERE course_id = ? AND student_id = ?', [courseId, studentId]);
  return known ? { outcome: 'left', id: studentId } : missing('student_id', studentId);
}

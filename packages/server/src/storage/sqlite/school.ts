import type { ImportReport, School, Schools, StoredEnrollment, StoredProfile } from '../port.js';
import type { Connection } from './connection.js';
import { jsonOf, type Queries } from './queries.js';

/** ?1 is a JSON array of course ids. */
export const APPROVED_ENROLLMENTS = `
  SELECT json_group_array(json_array(e.course_id, e.student_id))
  FROM json_each(?1) AS r JOIN enrollments AS e ON e.course_id = r.value
  WHERE e.status = 'approved'`;

const profiles = (table: 'teachers' | 'students', key: 'teacher_id' | 'student_id'): string => `
  SELECT json_group_array(json_array('${table}', p.${key}, u.uid, u.name))
  FROM json_each(?1) AS r JOIN ${table} AS p ON p.${key} = r.value JOIN users AS u ON u.user_id = p.user_id`;

/** ?1 is a JSON array of profile ids. */
export const TEACHERS_OF_IDS = profiles('teachers', 'teacher_id');
export const STUDENTS_OF_IDS = profiles('students', 'student_id');

export const SCHOOL_CHANGES = 'SELECT json_group_array(json_array(number)) FROM school_changes';

/** For running servers, which look for it: inside the transaction that changes the school. */
export function noteSchoolChange(db: Connection): void {
  db.run('UPDATE school_changes SET number = number + 1', []);
}

export const schoolOf = (queries: Queries): Schools => ({
  importSchool(school: School, { dryRun }: { dryRun: boolean }): Promise<ImportReport> {
    return queries.call('importSchool', school, dryRun);
  },

  async changes(): Promise<number> {
    return (await queries.first(SCHOOL_CHANGES, [], ([number]) => Number(number))) ?? 0;
  },

  async approvedEnrollments(courseIds: readonly string[]): Promise<StoredEnrollment[]> {
    const rows = await queries.rows(APPROVED_ENROLLMENTS, [jsonOf(courseIds)]);
    return rows.map(([course_id, student_id]) => ({ course_id: String(course_id), student_id: String(student_id) }));
  },

  async findProfiles(ids: readonly string[]): Promise<StoredProfile[]> {
    const both = await Promise.all([TEACHERS_OF_IDS, STUDENTS_OF_IDS].map((sql) => queries.rows(sql, [jsonOf(ids)])));
    return both.flat().map(([list, id, uid, name]) => ({
      list: list === 'teachers' ? 'teachers' : 'students',
      id: String(id),
      uid: String(uid),
      name: String(name),
    }));
  },
});

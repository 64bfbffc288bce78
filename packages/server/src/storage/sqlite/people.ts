import { randomBytes } from 'node:crypto';
import type { StudentId, TeacherId, UserId } from '@rollcall/protocol';
import type { RosterStudent } from '../../journal/entries.js';
import { type NewPerson, type People, type Person, StorageError } from '../port.js';
import type { Connection } from './connection.js';
import { jsonOf, type Queries } from './queries.js';

// A student whose user is gone still has a name to be called by.
export const STUDENT = `s.student_id, u.user_id, u.uid, coalesce(u.name, s.student_id), u.email, s.roll, s.section,
  u.profile_picture`;

/** ?1 is a JSON array of uids, each once. */
export const FIND_PEOPLE = `
  SELECT json_group_array(json_array(u.user_id, u.uid, u.name, u.email, u.profile_picture, u.is_admin,
    t.teacher_id, t.department, t.designation, s.student_id, s.roll, s.section))
  FROM json_each(?1) AS r
  JOIN users AS u ON u.uid = r.value
  LEFT JOIN teachers AS t ON t.user_id = u.user_id
  LEFT JOIN students AS s ON s.user_id = u.user_id`;

type PersonRow = [
  UserId,
  string,
  string,
  string | null,
  string | null,
  number,
  TeacherId | null,
  string | null,
  string | null,
  StudentId | null,
  string | null,
  string | null,
];

function toPerson(row: readonly unknown[]): Person {
  const [user_id, uid, name, email, profile_picture, admin, teacher_id, department, designation, ...student] =
    row as PersonRow;
  const [student_id, roll, section] = student;
  return {
    user_id,
    uid,
    name,
    email,
    profile_picture,
    is_admin: admin === 1,
    teacher: teacher_id === null ? null : { teacher_id, department, designation },
    student: student_id === null ? null : { student_id, user_id, uid, name, email, roll, section, profile_picture },
  };
}

/** ?1 is a JSON array of references. Each row starts with the reference. */
export const FIND_STUDENTS = `
  SELECT json_group_array(json_array(r.value, ${STUDENT}))
  FROM json_each(?1) AS r
  JOIN students AS s ON s.student_id = coalesce(
    (SELECT student_id FROM students WHERE student_id = r.value),
    (SELECT student_id FROM students WHERE user_id = r.value),
    (SELECT student_id FROM students WHERE user_id = (SELECT user_id FROM users WHERE uid = r.value)))
  LEFT JOIN users AS u ON u.user_id = s.user_id`;

type StudentRow = [
  StudentId,
  UserId | null,
  string | null,
  string,
  string | null,
  string | null,
  string | null,
  string | null,
];

export function toStudent(row: readonly unknown[]): RosterStudent {
  const [student_id, user_id, uid, name, email, roll, section, profile_picture] = row as StudentRow;
  return { student_id, user_id, uid, name, email, roll, section, profile_picture };
}

export const IS_EMPTY = 'SELECT json_array(json_array(NOT EXISTS (SELECT 1 FROM users)))';

/** The person's uid where no other profile of that table is called so. */
function freeProfileId(db: Connection, table: 'teachers' | 'students', uid: string): string {
  const column = table === 'teachers' ? 'teacher_id' : 'student_id';
  const taken = db.row(`SELECT 1 FROM ${table} WHERE ${column} = ?`, [uid]);
  return taken ? randomBytes(12).toString('hex') : uid;
}

/** Inside a transaction of the caller. A user's id is their uid, as an import would make it. */
export function provision(db: Connection, { uid, name, email, role }: NewPerson): void {
  const made = db.run(
    'INSERT INTO users (user_id, uid, name, email, is_admin) VALUES (?1, ?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING',
    [uid, name, email, role === 'admin' ? 1 : 0],
  );
  if (made === 0) return;
  if (role === 'teacher') {
    db.run('INSERT INTO teachers (teacher_id, user_id) VALUES (?, ?)', [freeProfileId(db, 'teachers', uid), uid]);
  } else if (role === 'student') {
    db.run('INSERT INTO students (student_id, user_id) VALUES (?, ?)', [freeProfileId(db, 'students', uid), uid]);
  }
}

export function peopleOf(queries: Queries): People {
  const people: People = {
    async findPersonByUid(uid: string): Promise<Person | null> {
      return (await people.findPeopleByUid([uid])).get(uid) ?? null;
    },

    async findPeopleByUid(uids: readonly string[]): Promise<Map<string, Person>> {
      const rows = await queries.rows(FIND_PEOPLE, [jsonOf(uids)]);
      return new Map(rows.map(toPerson).map((person) => [person.uid, person]));
    },

    async findStudents(refs: readonly string[]): Promise<Map<string, RosterStudent>> {
      if (refs.length === 0) return new Map();
      const rows = await queries.rows(FIND_STUDENTS, [jsonOf(refs)]);
      return new Map(rows.map(([ref, ...student]) => [String(ref), toStudent(student)]));
    },

    async provisionPerson(person: NewPerson): Promise<Person> {
      await queries.call('provision', person);
      const made = await people.findPersonByUid(person.uid);
      if (!made) throw new StorageError('a person was provisioned and is not there');
      return made;
    },

    async isEmpty(): Promise<boolean> {
      return queries.first(IS_EMPTY, [], ([empty]) => empty === 1).then(Boolean);
    },
  };
  return people;
}

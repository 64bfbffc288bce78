import type { ImportReport, School, SchoolList } from '../port.js';
import type { Connection, SqlRow } from './connection.js';

type Outcome = 'added' | 'changed' | 'left';
type Counts = Record<SchoolList, number>;
type Unresolved = ImportReport['unresolved'][number];

const noCounts = (): Counts => ({ teachers: 0, students: 0, admins: 0, courses: 0, enrollments: 0, sessions: 0 });

/** Thrown to undo the transaction when the report is all that is wanted. */
class Undo extends Error {}

/** Upserts a school in one transaction; undoes it for a dry run and for references that lead nowhere. */
export function importSchool(db: Connection, school: School, dryRun: boolean): ImportReport {
  const work = new SchoolImport(db, school);
  try {
    db.transaction(() => {
      work.write();
      if (dryRun || work.unresolved.length > 0) throw new Undo();
    });
  } catch (error) {
    if (!(error instanceof Undo)) throw error;
  }
  const { unresolved } = work;
  if (unresolved.length > 0) return { added: noCounts(), changed: noCounts(), left: noCounts(), unresolved };
  return { added: work.added, changed: work.changed, left: work.left, unresolved };
}

type UserFields = Pick<School['students'][number], 'uid' | 'name' | 'email' | 'disabled'> & {
  readonly profile_picture?: string | null;
};

interface ProfileTable {
  readonly table: 'teachers' | 'students';
  readonly key: 'teacher_id' | 'student_id';
  readonly columns: readonly string[];
}

const TEACHERS: ProfileTable = { table: 'teachers', key: 'teacher_id', columns: ['department', 'designation'] };
const STUDENTS: ProfileTable = {
  table: 'students',
  key: 'student_id',
  columns: ['roll', 'section', 'department', 'semester'],
};

const SESSION_COLUMNS = [
  'course_id',
  'teacher_id',
  'date',
  'start_time',
  'end_time',
  'topic',
  'description',
  'status',
] as const;

type Wanted = string | number | null | undefined;

/** What a row is to hold: null in a school says nothing, so it erases nothing. */
const filled = (wanted: readonly Wanted[], row: SqlRow | undefined): SqlRow =>
  wanted.map((value, i) => value ?? row?.[i] ?? null);
const same = (row: SqlRow, wanted: SqlRow): boolean => wanted.every((value, i) => value === row[i]);

class SchoolImport {
  readonly added = noCounts();
  readonly changed = noCounts();
  readonly left = noCounts();
  readonly unresolved: Unresolved[] = [];
  readonly #db: Connection;
  readonly #school: School;
  /** Profile ids of the import whose person has had another one already, for instance since they signed in before. */
  readonly #teacherIds = new Map<string, string>();
  readonly #studentIds = new Map<string, string>();
  /** A person listed twice (a teacher who is an admin) is described by the list that comes first. */
  readonly #described = new Set<string>();

  constructor(db: Connection, school: School) {
    this.#db = db;
    this.#school = school;
  }

  write(): void {
    const { teachers, students, admins, courses, enrollments, sessions } = this.#school;
    const teacherIds = new Set(teachers.map((row) => row.id));
    const studentIds = new Set(students.map((row) => row.id));
    for (const row of teachers) {
      const values = [row.department, row.designation];
      this.#count('teachers', this.#profile(TEACHERS, row, values, teacherIds, this.#teacherIds));
    }
    for (const row of students) {
      const values = [row.roll, row.section, row.department, row.semester];
      this.#count('students', this.#profile(STUDENTS, row, values, studentIds, this.#studentIds));
    }
    for (const row of admins) this.#count('admins', this.#admin(row));
    for (const [index, row] of courses.entries()) this.#count('courses', this.#course(row, index));
    for (const [index, row] of enrollments.entries()) this.#count('enrollments', this.#enrollment(row, index));
    for (const [index, row] of sessions.entries()) this.#count('sessions', this.#session(row, index));
  }

  #count(list: SchoolList, outcome: Outcome): void {
    this[outcome][list]++;
  }

  /** The user of a uid, made where missing: their id is the uid. Answers whether anything was written. */
  #user(row: UserFields) {
    const found = this.#db.row('SELECT user_id, name, email, profile_picture, disabled FROM users WHERE uid = ?', [
      row.uid,
    ]);
    const disabled = row.disabled == null ? null : Number(row.disabled);
    const first = !this.#described.has(row.uid);
    this.#described.add(row.uid);
    if (!found) {
      const values = [row.uid, row.name, row.email, row.profile_picture, disabled ?? 0];
      this.#db.run(
        'INSERT INTO users (user_id, uid, name, email, profile_picture, disabled) VALUES (?1, ?1, ?2, ?3, ?4, ?5)',
        values,
      );
      return { userId: row.uid, written: true };
    }
    const wanted = filled([row.name, row.email, row.profile_picture, disabled], found.slice(1));
    const differs = first && !same(found.slice(1), wanted);
    if (differs) {
      this.#db.run('UPDATE users SET name = ?, email = ?, profile_picture = ?, disabled = ? WHERE uid = ?', [
        ...wanted,
        row.uid,
      ]);
    }
    return { userId: String(found[0]), written: differs };
  }

  #profile(
    { table, key, columns }: ProfileTable,
    row: UserFields & { id: string },
    values: readonly (string | null)[],
    listed: ReadonlySet<string>,
    idOf: Map<string, string>,
  ): Outcome {
    const { userId, written } = this.#user(row);
    const find = `SELECT user_id, ${columns.join(', ')} FROM ${table} WHERE ${key} = ?`;
    const own = this.#db.row(`SELECT ${key} FROM ${table} WHERE user_id = ?`, [userId])?.[0];
    let id = row.id;
    let found = this.#db.row(find, [id]);
    if (typeof own === 'string' && own !== id) {
      if (found || listed.has(own)) {
        // The profile they had is another person's from now on, or nobody's.
        this.#db.run(`UPDATE ${table} SET user_id = NULL WHERE ${key} = ?`, [own]);
      } else {
        idOf.set(id, own);
        id = own;
        found = this.#db.row(find, [id]);
      }
    }
    const wanted = filled([userId, ...values], found);
    if (!found) {
      const places = ['?', ...wanted.map(() => '?')].join(', ');
      this.#db.run(`INSERT INTO ${table} (${key}, user_id, ${columns.join(', ')}) VALUES (${places})`, [id, ...wanted]);
      return 'added';
    }
    if (same(found, wanted)) return written ? 'changed' : 'left';
    const sets = ['user_id', ...columns].map((column) => `${column} = ?`).join(', ');
    this.#db.run(`UPDATE ${table} SET ${sets} WHERE ${key} = ?`, [...wanted, id]);
    return 'changed';
  }

  #admin(row: School['admins'][number]): Outcome {
    const before = this.#db.row('SELECT is_admin FROM users WHERE uid = ?', [row.uid]);
    const { written } = this.#user(row);
    if (before?.[0] === 1) return written ? 'changed' : 'left';
    this.#db.run('UPDATE users SET is_admin = 1 WHERE uid = ?', [row.uid]);
    return 'added';
  }

  #course(row: School['courses'][number], index: number): Outcome {
    const at = { list: 'courses', index } as const;
    const teacherId = row.teacher_id === null ? null : this.#teacher(row.teacher_id, { ...at, field: 'teacher_id' });
    const coTeachers = row.co_teacher_ids.map((id) => this.#teacher(id, { ...at, field: 'co_teacher_ids' }));
    const found = this.#db.row('SELECT title, course_code, credit, teacher_id FROM courses WHERE course_id = ?', [
      row.id,
    ]);
    const gone = row.teacher_gone === true && teacherId === null;
    const wanted = [
      ...filled([row.title, row.course_code, row.credit], found),
      gone ? null : (teacherId ?? found?.[3] ?? null),
    ];
    const listed = this.#db.rows('SELECT teacher_id FROM course_teachers WHERE course_id = ?', [row.id]);
    const before = new Set(listed.map(([id]) => id));
    const after = new Set(coTeachers);
    if (found && same(found, wanted) && before.size === after.size && [...after].every((id) => before.has(id))) {
      return 'left';
    }
    this.#db.run(
      `INSERT INTO courses (course_id, title, course_code, credit, teacher_id) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (course_id) DO UPDATE SET title = excluded.title, course_code = excluded.course_code,
         credit = excluded.credit, teacher_id = excluded.teacher_id`,
      [row.id, ...wanted],
    );
    this.#db.run('DELETE FROM course_teachers WHERE course_id = ?', [row.id]);
    for (const id of after) this.#db.run('INSERT INTO course_teachers VALUES (?, ?)', [row.id, id]);
    return found ? 'changed' : 'added';
  }

  #enrollment(row: School['enrollments'][number], index: number): Outcome {
    const at = { list: 'enrollments', index } as const;
    this.#checkCourse(row.course_id, { ...at, field: 'course_id' });
    const studentId = this.#student(row.student_id, { ...at, field: 'student_id' });
    const key = [row.course_id, studentId];
    // Said as a whole: an enrolment without days is one without bounds, whatever was said before.
    const wanted = [row.status, row.begins ?? null, row.ends ?? null];
    const find = 'SELECT status, begins, ends FROM enrollments WHERE course_id = ? AND student_id = ?';
    const found = this.#db.row(find, key);
    if (found && same(found, wanted)) return 'left';
    this.#db.run(
      `INSERT INTO enrollments (course_id, student_id, status, begins, ends) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (course_id, student_id)
       DO UPDATE SET status = excluded.status, begins = excluded.begins, ends = excluded.ends`,
      [...key, ...wanted],
    );
    return found ? 'changed' : 'added';
  }

  #session(row: School['sessions'][number], index: number): Outcome {
    const at = { list: 'sessions', index } as const;
    if (row.course_id !== null) this.#checkCourse(row.course_id, { ...at, field: 'course_id' });
    const teacherId = row.teacher_id === null ? null : this.#teacher(row.teacher_id, { ...at, field: 'teacher_id' });
    const found = this.#db.row(`SELECT ${SESSION_COLUMNS.join(', ')} FROM class_sessions WHERE session_id = ?`, [
      row.id,
    ]);
    const journal = this.#db.row('SELECT 1 FROM journals WHERE session_id = ?', [row.id]);
    if (journal || found?.[SESSION_COLUMNS.indexOf('status')] === 'active') return 'left';
    const wanted = filled(
      SESSION_COLUMNS.map((column) => (column === 'teacher_id' ? teacherId : row[column])),
      found,
    );
    if (found && same(found, wanted)) return 'left';
    const sets = SESSION_COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ');
    this.#db.run(
      `INSERT INTO class_sessions (session_id, ${SESSION_COLUMNS.join(', ')}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (session_id) DO UPDATE SET ${sets}`,
      [row.id, ...wanted],
    );
    return found ? 'changed' : 'added';
  }

  #teacher(id: string, at: Omit<Unresolved, 'value'>): string {
    const teacherId = this.#teacherIds.get(id) ?? id;
    if (!this.#db.row('SELECT 1 FROM teachers WHERE teacher_id = ?', [teacherId])) {
      this.unresolved.push({ ...at, value: id });
    }
    return teacherId;
  }

  #student(id: string, at: Omit<Unresolved, 'value'>): string {
    const studentId = this.#studentIds.get(id) ?? id;
    if (!this.#db.row('SELECT 1 FROM students WHERE student_id = ?', [studentId])) {
      this.unresolved.push({ ...at, value: id });
    }
    return studentId;
  }

  #checkCourse(id: string, at: Omit<Unresolved, 'value'>): void {
    // A course of this import that has an error of its own is in the table all the same: one report per error.
    if (!this.#db.row('SELECT 1 FROM courses WHERE course_id = ?', [id])) this.unresolved.push({ ...at, value: id });
  }
}

import { randomBytes } from 'node:crypto';
import type { ImportReport, School, SchoolList } from '../port.js';
import type { Connection, SqlRow } from './connection.js';
import { applyAll, dropChanges, stageChanges } from './import-changes.js';
import { noteSchoolChange } from './school.js';
import { inParts, SCHOOL_TABLES, same, TableRows } from './school-tables.js';
import { encodeText, parseRows } from './text.js';

type Outcome = 'added' | 'changed' | 'left';
type Counts = Record<SchoolList, number>;
type Unresolved = ImportReport['unresolved'][number];

const noCounts = (): Counts => ({ teachers: 0, students: 0, admins: 0, courses: 0, enrollments: 0, sessions: 0 });

const SESSION_COLUMNS = SCHOOL_TABLES.class_sessions.columns;

/** Positions in rows, which begin with their key. */
const STATUS_AT = 1 + SESSION_COLUMNS.indexOf('status');
const IS_ADMIN_AT = 1 + SCHOOL_TABLES.users.columns.indexOf('is_admin');

type UserFields = Pick<School['students'][number], 'uid' | 'name' | 'email' | 'disabled'> & {
  readonly profile_picture?: string | null;
};

type Wanted = string | number | null | undefined;

/** What a row is to hold: null in a school says nothing, so it erases nothing. */
const filled = (wanted: readonly Wanted[], row: SqlRow | undefined): SqlRow =>
  wanted.map((value, i) => value ?? row?.[i] ?? null);

/**
 * What an import will do, worked out in memory from the rows that it may touch: comparing reads, and nothing else.
 * The tables hold the changes, and the counts tell of them.
 */
export class SchoolPlan {
  readonly added = noCounts();
  readonly changed = noCounts();
  readonly left = noCounts();
  readonly unresolved: Unresolved[] = [];
  readonly #users = new TableRows(SCHOOL_TABLES.users);
  readonly #teachers = new TableRows(SCHOOL_TABLES.teachers);
  readonly #students = new TableRows(SCHOOL_TABLES.students);
  readonly #courses = new TableRows(SCHOOL_TABLES.courses);
  readonly #courseTeachers = new TableRows(SCHOOL_TABLES.course_teachers);
  readonly #enrollments = new TableRows(SCHOOL_TABLES.enrollments);
  readonly #sessions = new TableRows(SCHOOL_TABLES.class_sessions);
  readonly #coTeachers = new Map<string, ReadonlySet<string>>();
  #journalled: ReadonlySet<string> = new Set();
  /** Profile ids of the import whose person has had another one already, for instance since they signed in before. */
  readonly #teacherIds = new Map<string, string>();
  readonly #studentIds = new Map<string, string>();
  /** A person listed twice (a teacher who is an admin) is described by the list that comes first. */
  readonly #described = new Set<string>();

  /** Reads what the import may touch, at one moment of the database, and plans. */
  static of(db: Connection, school: School): SchoolPlan {
    const plan = new SchoolPlan();
    plan.#load(db, school);
    plan.#carryOut(school);
    return plan;
  }

  private constructor() {}

  /** In the order in which they are written. */
  get tables(): readonly TableRows[] {
    const people = [this.#users, this.#teachers, this.#students];
    return [...people, this.#courses, this.#courseTeachers, this.#enrollments, this.#sessions];
  }

  /** Nothing of an import is kept where a reference leads nowhere, and so nothing is counted. */
  get report(): ImportReport {
    const { unresolved } = this;
    if (unresolved.length > 0) return { added: noCounts(), changed: noCounts(), left: noCounts(), unresolved };
    return { added: this.added, changed: this.changed, left: this.left, unresolved };
  }

  #load(db: Connection, { teachers, students, admins, courses, enrollments, sessions }: School): void {
    const uids = [...teachers, ...students, ...admins].map((row) => row.uid);
    this.#users.load(db, 'uid', uids);
    this.#users.load(db, 'user_id', uids);
    const userIds = [...this.#users.values()].map(([id]) => id ?? null);
    const teacherRefs = [
      ...courses.flatMap((row) => [row.teacher_id, ...row.co_teacher_ids]),
      ...sessions.map(teacherOf),
    ];
    this.#teachers.load(db, 'teacher_id', [...teachers.map(idOf), ...teacherRefs]);
    if (teachers.length > 0) this.#teachers.load(db, 'user_id', userIds);
    this.#students.load(db, 'student_id', [...students.map(idOf), ...enrollments.map((row) => row.student_id)]);
    if (students.length > 0) this.#students.load(db, 'user_id', userIds);
    this.#courses.load(db, 'course_id', [
      ...courses.map(idOf),
      ...enrollments.map(courseOf),
      ...sessions.map(courseOf),
    ]);
    this.#courseTeachers.load(db, 'course_id', courses.map(idOf));
    for (const [course, id] of this.#courseTeachers.values()) {
      const others = this.#coTeachers.get(String(course)) ?? [];
      this.#coTeachers.set(String(course), new Set([...others, String(id)]));
    }
    this.#enrollments.load(db, 'course_id', enrollments.map(courseOf));
    this.#sessions.load(db, 'session_id', sessions.map(idOf));
    this.#journalled = new Set(sessions.length === 0 ? [] : journalled(db, sessions.map(idOf)));
  }

  #carryOut({ teachers, students, admins, courses, enrollments, sessions }: School): void {
    const teacherIds = new Set(teachers.map(idOf));
    const studentIds = new Set(students.map(idOf));
    for (const row of teachers) {
      const values = [row.department, row.designation];
      this.#count('teachers', this.#profile(this.#teachers, row, values, teacherIds, this.#teacherIds));
    }
    for (const row of students) {
      const values = [row.roll, row.section, row.department, row.semester];
      this.#count('students', this.#profile(this.#students, row, values, studentIds, this.#studentIds));
    }
    for (const row of admins) this.#count('admins', this.#admin(row));
    for (const [index, row] of courses.entries()) this.#count('courses', this.#course(row, index));
    for (const [index, row] of enrollments.entries()) this.#count('enrollments', this.#enrollment(row, index));
    for (const [index, row] of sessions.entries()) this.#count('sessions', this.#session(row, index));
  }

  #count(list: SchoolList, outcome: Outcome): void {
    this[outcome][list]++;
  }

  /** The user of a uid, made where missing: their id is the uid. Answers whether anything is to be written. */
  #user(row: UserFields) {
    const disabled = row.disabled == null ? null : Number(row.disabled);
    const found = this.#users.byUnique(row.uid);
    const first = !this.#described.has(row.uid);
    this.#described.add(row.uid);
    if (!found) {
      const userId = this.#users.get(row.uid) ? randomBytes(12).toString('hex') : row.uid;
      this.#users.put([userId, row.uid, row.name, row.email, row.profile_picture ?? null, 0, disabled ?? 0]);
      return { userId, written: true };
    }
    const [userId = null, , ...stored] = found;
    const wanted = filled([row.name, row.email, row.profile_picture, undefined, disabled], stored);
    const differs = first && !same(stored, wanted);
    if (differs) this.#users.put([userId, row.uid, ...wanted]);
    return { userId: String(userId), written: differs };
  }

  #profile(
    profiles: TableRows,
    row: UserFields & { readonly id: string },
    values: readonly (string | null)[],
    listed: ReadonlySet<string>,
    ids: Map<string, string>,
  ): Outcome {
    const { userId, written } = this.#user(row);
    const own = profiles.byUnique(userId);
    let id = row.id;
    let found = profiles.get(id);
    if (own && own[0] !== id) {
      const ownId = String(own[0]);
      if (found || listed.has(ownId)) {
        // The profile they had is another person's from now on, or nobody's.
        profiles.put([ownId, null, ...own.slice(2)]);
      } else {
        ids.set(id, ownId);
        id = ownId;
        found = own;
      }
    }
    const wanted = filled([id, userId, ...values], found);
    if (found && same(found, wanted)) return written ? 'changed' : 'left';
    profiles.put(wanted);
    return found ? 'changed' : 'added';
  }

  #admin(row: School['admins'][number]): Outcome {
    const wasAdmin = this.#users.byUnique(row.uid)?.[IS_ADMIN_AT] === 1;
    const { written } = this.#user(row);
    if (wasAdmin) return written ? 'changed' : 'left';
    const found = this.#users.byUnique(row.uid);
    if (found) this.#users.put(found.with(IS_ADMIN_AT, 1));
    return 'added';
  }

  #course(row: School['courses'][number], index: number): Outcome {
    const at = { list: 'courses', index } as const;
    const teacherId = row.teacher_id === null ? null : this.#teacher(row.teacher_id, { ...at, field: 'teacher_id' });
    const coTeachers = row.co_teacher_ids.map((id) => this.#teacher(id, { ...at, field: 'co_teacher_ids' }));
    const found = this.#courses.get(row.id);
    const gone = row.teacher_gone === true && teacherId === null;
    const wanted = [
      ...filled([row.id, row.title, row.course_code, row.credit], found),
      gone ? null : (teacherId ?? found?.[4] ?? null),
    ];
    const before = this.#coTeachers.get(row.id) ?? new Set();
    const after = new Set(coTeachers);
    if (found && same(found, wanted) && before.size === after.size && [...after].every((id) => before.has(id))) {
      return 'left';
    }
    this.#courses.put(wanted);
    for (const id of before) if (!after.has(id)) this.#courseTeachers.remove(row.id, id);
    for (const id of after) this.#courseTeachers.put([row.id, id]);
    this.#coTeachers.set(row.id, after);
    return found ? 'changed' : 'added';
  }

  #enrollment(row: School['enrollments'][number], index: number): Outcome {
    const at = { list: 'enrollments', index } as const;
    this.#checkCourse(row.course_id, { ...at, field: 'course_id' });
    const studentId = this.#studentIds.get(row.student_id) ?? row.student_id;
    if (!this.#students.get(studentId)) this.unresolved.push({ ...at, field: 'student_id', value: row.student_id });
    const found = this.#enrollments.get(row.course_id, studentId);
    // Said as a whole: an enrolment without days is one without bounds, whatever was said before.
    const wanted = [row.course_id, studentId, row.status, row.begins ?? null, row.ends ?? null];
    if (found && same(found, wanted)) return 'left';
    this.#enrollments.put(wanted);
    return found ? 'changed' : 'added';
  }

  #session(row: School['sessions'][number], index: number): Outcome {
    const at = { list: 'sessions', index } as const;
    if (row.course_id !== null) this.#checkCourse(row.course_id, { ...at, field: 'course_id' });
    const teacherId = row.teacher_id === null ? null : this.#teacher(row.teacher_id, { ...at, field: 'teacher_id' });
    const found = this.#sessions.get(row.id);
    if (this.#journalled.has(row.id) || found?.[STATUS_AT] === 'active') return 'left';
    const said = SESSION_COLUMNS.map((column) => (column === 'teacher_id' ? teacherId : row[column]));
    const wanted = filled([row.id, ...said], found);
    if (found && same(found, wanted)) return 'left';
    this.#sessions.put(wanted);
    return found ? 'changed' : 'added';
  }

  #teacher(id: string, at: Omit<Unresolved, 'value'>): string {
    const teacherId = this.#teacherIds.get(id) ?? id;
    if (!this.#teachers.get(teacherId)) this.unresolved.push({ ...at, value: id });
    return teacherId;
  }

  #checkCourse(id: string, at: Omit<Unresolved, 'value'>): void {
    // A course of this import that has an error of its own is in the table all the same: one report per error.
    if (!this.#courses.get(id)) this.unresolved.push({ ...at, value: id });
  }
}

const idOf = (row: { readonly id: string }): string => row.id;
const courseOf = (row: { readonly course_id: string | null }): string | null => row.course_id;
const teacherOf = (row: { readonly teacher_id: string | null }): string | null => row.teacher_id;

/** Those of the sessions that run or ran here. */
function* journalled(db: Connection, ids: readonly string[]): Generator<string> {
  const sql = `SELECT json_group_array(json_array(j.session_id))
    FROM json_each(?1) AS r CROSS JOIN main.journals AS j ON j.session_id = r.value`;
  for (const part of inParts(ids)) {
    for (const [id] of parseRows(db.text(sql, [JSON.stringify(part.map(encodeText))]))) yield String(id);
  }
}

/** Imports a school in one transaction, on the connection that everything else uses: for a database in memory. */
export function importSchool(db: Connection, school: School, dryRun: boolean): ImportReport {
  return db.transaction(() => {
    const plan = SchoolPlan.of(db, school);
    if (!dryRun && plan.unresolved.length === 0) {
      const changes = stageChanges(db, plan.tables);
      try {
        applyAll(db, changes);
        if (changes.length > 0) noteSchoolChange(db);
      } finally {
        dropChanges(db, changes);
      }
    }
    return plan.report;
  });
}

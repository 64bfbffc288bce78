import { type CsvRow, readTable } from './csv-table.js';
import type { OneRosterClass, OneRosterClasses } from './oneroster-classes.js';
import { standingOf, type Table } from './oneroster-rows.js';
import type { OneRosterUser, OneRosterUsers } from './oneroster-users.js';
import type { SchoolReading } from './school-reading.js';

interface Context {
  readonly users: OneRosterUsers;
  readonly classes: OneRosterClasses;
  /** The day for which enrolments count. */
  readonly day: string;
}

/** Whether an enrolment counts on a day. Of two rows that enrol the same student, the one that is further on here counts. */
const STATES = ['ended', 'not_begun', 'now'] as const;
type State = (typeof STATES)[number];

const stateOf = (begins: string | null, ends: string | null, day: string): State =>
  ends !== null && ends <= day ? 'ended' : begins !== null && begins > day ? 'not_begun' : 'now';

/** Notes the teachers of each class, and adds the enrolments of students, each pair once. */
export function readEnrollments({ file, bytes }: Table, context: Context, reading: SchoolReading): void {
  if (!bytes) return;
  const rows = new Enrollments(context, reading);
  const reader = { required: ['classSourcedId', 'userSourcedId', 'role'], row: (row: CsvRow) => rows.read(row) };
  // What a table that can't be read no longer names isn't known.
  reading.bulk.isWhole = readTable(bytes, file, reader, reading);
  for (const { begins = null, ends = null } of reading.school.enrollments) {
    const state = stateOf(begins, ends, context.day);
    if (state !== 'now') reading.count(state);
  }
}

const DATES_MAX = 10_000;

class Enrollments {
  readonly #users: OneRosterUsers;
  readonly #classes: OneRosterClasses;
  readonly #day: string;
  readonly #reading: SchoolReading;
  /** The few dates that a table has, each kept once; null for what is no date. */
  readonly #dates = new Map<string, string | null>([['', '']]);

  constructor({ users, classes, day }: Context, reading: SchoolReading) {
    this.#users = users;
    this.#classes = classes;
    this.#day = day;
    this.#reading = reading;
  }

  read(row: CsvRow): void {
    const reading = this.#reading;
    const [userId, classId] = [row.cell('userSourcedId'), row.cell('classSourcedId')];
    const role = row.cell('role').toLowerCase();
    const standing = standingOf(row, reading);
    if (standing === 'refused') return;
    if (standing === 'deleted') {
      this.#delete(role, classId, userId);
      return;
    }
    if (role !== 'teacher' && role !== 'student') {
      reading.ignore(`enrolments as ${role || 'nothing'}`);
      return;
    }
    if (this.#classes.isDeleted(classId) || this.#users.isDeleted(userId)) {
      this.#delete(role, classId, userId);
      reading.ignore('enrolments of deleted users or classes');
      return;
    }
    const [user, course] = [this.#users.rows.get(userId), this.#classes.rows.get(classId)];
    if (user && course) this.#enrol(row, role, user, course);
    else if (this.#users.isMissing(userId)) reading.refuse(row, `userSourcedId "${userId}" is not in users.csv`);
    else if (this.#classes.isMissing(classId)) reading.refuse(row, `classSourcedId "${classId}" is not in classes.csv`);
  }

  #delete(role: string, classId: string, userId: string): void {
    if (role === 'student') this.#reading.bulk.deleteEnrollment(classId, userId);
    const course = role === 'teacher' ? this.#classes.rows.get(classId) : undefined;
    if (course) course.teacherGone = true;
  }

  #enrol(row: CsvRow, role: 'teacher' | 'student', user: OneRosterUser, course: OneRosterClass): void {
    const [begins, ends] = [this.#date(row, 'beginDate'), this.#date(row, 'endDate')];
    if (begins === undefined || ends === undefined) return;
    const state = stateOf(begins, ends, this.#day);
    if (role === 'teacher') {
      if (state !== 'now') {
        this.#reading.count(state);
        if (state === 'ended') course.teacherGone = true;
        return;
      }
      const primary = /^(true|1)$/i.test(row.cell('primary'));
      course.teachers.push({ id: user.id, primary });
    } else {
      const enrollment = { course_id: course.id, student_id: user.id, status: 'approved' as const, begins, ends };
      this.#reading.addEnrollment(enrollment, row, (first) => {
        const before = stateOf(first.begins ?? null, first.ends ?? null, this.#day);
        return STATES.indexOf(state) >= STATES.indexOf(before);
      });
    }
    // Who teaches or attends a class has the profile for it, whatever their main role: an administrator may teach.
    user.roles.add(role);
  }

  /** A date, null where none is given, undefined where it is none, which is told. */
  #date(row: CsvRow, column: string): string | null | undefined {
    const given = row.cell(column);
    let known = this.#dates.get(given);
    if (known === undefined) {
      const date = /^(\d{4}-\d\d-\d\d)(T.*)?$/.exec(given)?.[1];
      known = date !== undefined && !Number.isNaN(Date.parse(date)) ? date : null;
      if (this.#dates.size < DATES_MAX) this.#dates.set(given, known);
    }
    if (known !== null) return known || null;
    this.#reading.refuse(row, `${column} is "${given}"; it must be a date such as 2026-11-23 or empty`);
    return undefined;
  }
}

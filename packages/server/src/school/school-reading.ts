import type { ImportReport, School, SchoolList } from '../storage/port.js';
import { visible } from '../visible-text.js';
import { Bulk } from './bulk.js';
import { explain, referredList, schoolKeys, schoolRows } from './school-rows.js';

/** Where a row stands: the file as it was named, and the line from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface Problem extends Place {
  readonly what: string;
  /** It makes a whole file or list useless. */
  readonly isCause?: true;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Rows = { [List in SchoolList]: Array<Mutable<School[List][number]>> };
type Enrollment = Mutable<School['enrollments'][number]>;

/** Problems after which reading stops: nobody reads more, and a file may have millions. */
export const PROBLEMS_MAX = 10_000;

/** People and enrolments that the import brings and that are on no roster today. */
export interface OffRoster {
  ended: number;
  not_begun: number;
  disabled: number;
}

const perList = <T>(make: () => T): Record<SchoolList, T> => ({
  teachers: make(),
  students: make(),
  admins: make(),
  courses: make(),
  enrollments: make(),
  sessions: make(),
});

/** What was read from a school file or a OneRoster bundle: the good rows, where each stands, and what is wrong. */
export class SchoolReading {
  readonly problems: Problem[] = [];
  /** How many there are, also beyond those that are kept. */
  faults = 0;
  /** There are so many that what follows isn't read. */
  get isFull(): boolean {
    return this.faults >= PROBLEMS_MAX;
  }
  /** What was left out on purpose, in words, with its number. */
  readonly ignored: Record<string, number> = {};
  readonly offRoster: OffRoster = { ended: 0, not_begun: 0, disabled: 0 };
  readonly bulk = new Bulk();

  readonly #rows: Rows = { teachers: [], students: [], admins: [], courses: [], enrollments: [], sessions: [] };
  /** Where each row stands. Two plain lists, since there may be millions. */
  readonly #files = perList((): string[] => []);
  readonly #lines = perList((): number[] => []);
  readonly #seen = new Map<string, number>();
  /** The places of enrolments in their list, by course and student. */
  readonly #enrolled = new Map<string, Map<string, number>>();
  /** Ids of rows that are wrong: a reference to one is not a fault of its own. */
  readonly #spoilt = new Set<string>();
  readonly #spoiltLists = new Set<SchoolList>();

  get school(): School {
    return this.#rows;
  }

  /** Adds a good row, unless the list has it already. */
  add<List extends SchoolList>(list: List, row: Rows[List][number], place: Place): void {
    const twice =
      list === 'enrollments'
        ? this.#enrolledTwice(row as Enrollment)
        : this.#duplicate(list, row as Readonly<Record<string, unknown>>, place);
    if (twice !== null) this.refuse(place, twice);
    else this.#append(list, row, place);
  }

  /** Adds a row as a school file would have it, with what a school file can't say, or says what is wrong with it. */
  check(
    list: SchoolList,
    candidate: Readonly<Record<string, unknown>>,
    place: Place,
    more: { readonly teacher_gone?: boolean } = {},
  ): void {
    const checked = schoolRows[list].safeParse(candidate);
    if (checked.success) this.add(list, { ...checked.data, ...more }, place);
    else {
      this.refuse(place, explain(checked.error));
      this.spoil(list, candidate['id']);
    }
  }

  /** Adds an enrolment. One of the same student in the same course is replaced where `betterThan` says so. */
  addEnrollment(row: Enrollment, place: Place, betterThan: (first: Enrollment) => boolean): void {
    const index = this.#enrolled.get(row.course_id)?.get(row.student_id);
    const first = index === undefined ? undefined : this.#rows.enrollments[index];
    if (index === undefined || first === undefined) this.#append('enrollments', row, place);
    else if (betterThan(first)) {
      this.#rows.enrollments[index] = row;
      this.#lines.enrollments[index] = place.line;
    }
  }

  /** Whether a row of this id is among those that were read. */
  has(list: SchoolList, id: string): boolean {
    return this.#seen.has(`${list}\nid\n${id}`);
  }

  /** Whether an enrolment is among those that were read. */
  enrols(courseId: string, studentId: string): boolean {
    return this.#enrolled.get(courseId)?.has(studentId) === true;
  }

  refuse(place: Place, what: string): void {
    this.#tell({ file: place.file, line: place.line, what });
  }

  /** Says what is wrong with a file, or a list of one, as a whole: a cause that is told before all others. */
  refuseAll(place: Place, what: string): void {
    this.#tell({ file: place.file, line: place.line, what, isCause: true });
  }

  #tell(problem: Problem): void {
    this.faults += 1;
    if (this.problems.length < PROBLEMS_MAX || problem.isCause) this.problems.push(problem);
  }

  /** Remembers that a row of this id exists, though it can't be used. */
  spoil(list: SchoolList, id: unknown): void {
    if (typeof id === 'string') this.#spoilt.add(`${list}\n${id}`);
  }

  /** Remembers that a list can't be used: what refers to it can't be judged. */
  spoilList(list: SchoolList): void {
    this.#spoiltLists.add(list);
  }

  ignore(what: string): void {
    this.ignored[what] = (this.ignored[what] ?? 0) + 1;
  }

  count(what: keyof OffRoster): void {
    this.offRoster[what] += 1;
  }

  /**
   * One person in two lists (a teacher who is an admin, a student who teaches) is one user: what one row leaves out
   * is taken from the other, and where they contradict each other the later is refused, since every import would
   * change the user twice.
   */
  reconcilePeople(): void {
    const users = new Map<string, { row: Person; place: Place }>();
    for (const list of ['teachers', 'students', 'admins'] as const) {
      for (const [index, row] of this.#rows[list].entries()) {
        const place = this.#place(list, index);
        const first = users.get(row.uid);
        if (!first) {
          users.set(row.uid, { row, place });
          continue;
        }
        for (const field of ['name', 'email', 'profile_picture', 'disabled'] as const) {
          this.#agree(first, { row, place }, field);
        }
      }
    }
  }

  /** Problems for the references that lead neither to a row nor to the database, in the order of the file. */
  addUnresolved(unresolved: ImportReport['unresolved']): void {
    for (const { list, index, field, value } of unresolved) {
      const referred = referredList[field];
      if (referred !== undefined && this.#isSpoilt(referred, value)) continue;
      this.refuse(this.#place(list, index), `${field} "${value}" is neither in the file nor in the database`);
    }
  }

  #isSpoilt(list: SchoolList, id: string): boolean {
    return this.#spoiltLists.has(list) || this.#spoilt.has(`${list}\n${id}`);
  }

  /** Each as `file:LINE: what`, in order, causes first. */
  problemLines(): string[] {
    const byPlace = (a: Problem, b: Problem) =>
      Number(b.isCause ?? false) - Number(a.isCause ?? false) ||
      (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line);
    return this.problems.toSorted(byPlace).map(({ file, line, what }) => visible(`${file}:${line}: ${what}`));
  }

  #append<List extends SchoolList>(list: List, row: Rows[List][number], place: Place): void {
    const rows = this.#rows[list] as Array<Rows[List][number]>;
    if (list === 'enrollments') {
      const { course_id, student_id } = row as Enrollment;
      const students = this.#enrolled.get(course_id);
      if (students) students.set(student_id, rows.length);
      else this.#enrolled.set(course_id, new Map([[student_id, rows.length]]));
    }
    rows.push(row);
    this.#files[list].push(place.file);
    this.#lines[list].push(place.line);
  }

  #place(list: SchoolList, index: number): Place {
    return { file: this.#files[list][index] ?? '', line: this.#lines[list][index] ?? 1 };
  }

  #enrolledTwice({ course_id, student_id }: Enrollment): string | null {
    const index = this.#enrolled.get(course_id)?.get(student_id);
    if (index === undefined) return null;
    const { line } = this.#place('enrollments', index);
    return `course_id and student_id "${course_id}", "${student_id}" is already in line ${line}`;
  }

  #duplicate(list: SchoolList, row: Readonly<Record<string, unknown>>, place: Place): string | null {
    let twice: string | null = null;
    for (const field of schoolKeys[list]) {
      const value = row[field];
      const key = `${list}\n${field}\n${value}`;
      const first = this.#seen.get(key);
      if (first === undefined) this.#seen.set(key, place.line);
      else twice ??= `${field} "${value}" is already in line ${first}`;
    }
    return twice;
  }

  #agree(first: { row: Person; place: Place }, second: { row: Person; place: Place }, field: keyof Person): void {
    const [one, other] = [first.row[field], second.row[field]];
    if (one === undefined || other === undefined || one === other) return;
    if (one === null) first.row[field] = other as never;
    else if (other === null) second.row[field] = one as never;
    else this.refuse(second.place, `uid "${first.row.uid}" has another ${field} in line ${first.place.line}`);
  }
}

interface Person {
  uid: string;
  name: string;
  email: string | null;
  profile_picture?: string | null;
  disabled?: boolean | null;
}

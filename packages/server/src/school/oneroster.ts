import type { SchoolList } from '../storage/port.js';
import { type Bundle, type CsvRow, readTable } from './oneroster-bundle.js';
import type { SchoolReading } from './school-reading.js';
import { explain, schoolRows } from './school-rows.js';

type Version = '1.1' | '1.2';

/** A user of users.csv with the roles that users.csv, roles.csv and enrollments.csv give them. */
interface OneRosterUser {
  readonly row: CsvRow;
  readonly roles: Set<string>;
}

interface OneRosterClass {
  readonly row: CsvRow;
  /** sourcedIds of teachers, the primary ones first. */
  readonly teachers: { primary: boolean; id: string }[];
}

/**
 * Reads a OneRoster 1.1 or 1.2 CSV bundle into `reading`: classes become courses, users with the role of teacher or
 * student become people, enrolments of teachers the courses' teachers and those of students approved enrolments.
 * Whatever is wrong becomes a problem of its line.
 */
export async function readOneRoster(bundle: Bundle, reading: SchoolReading): Promise<void> {
  const manifest = await readManifest(bundle, reading);
  // Without all its files a bundle would only yield references that lead nowhere.
  if (manifest === null || reading.problems.length > 0) return;
  const { version, tables } = manifest;
  const table = (name: string, required: readonly string[]) => {
    const bytes = tables.get(name);
    return bytes ? living(readTable(bytes, bundle.nameOf(name), required, reading), reading) : NOTHING;
  };

  const userRows = table('users.csv', ['sourcedId', 'username', 'givenName', 'familyName', ...roleColumn(version)]);
  const roleRows = version === '1.2' ? table('roles.csv', ['userSourcedId', 'role']) : NOTHING;
  const classRows = table('classes.csv', ['sourcedId', 'title']);
  const enrollmentRows = table('enrollments.csv', ['classSourcedId', 'userSourcedId', 'role']);

  const users = readUsers(userRows.rows, reading);
  if (version === '1.2') readRoles(roleRows.rows, users, userRows.deleted, reading);
  else for (const { row, roles } of users.values()) roles.add(row.cell('role').toLowerCase());
  const classes = bySourcedId(classRows.rows, reading, (row): OneRosterClass => ({ row, teachers: [] }));

  const deleted = (row: CsvRow) =>
    classRows.deleted.has(row.cell('classSourcedId')) || userRows.deleted.has(row.cell('userSourcedId'));
  const enrolled = readEnrollments(enrollmentRows.rows, users, classes, deleted, reading);

  addPeople(users, reading);
  addCourses(classes, reading);
  for (const row of enrolled) {
    add('enrollments', { course_id: row.cell('classSourcedId'), student_id: row.cell('userSourcedId') }, row, reading);
  }
}

/** The roles of 1.1 and 1.2, in lower case as all roles are compared. */
const ROLES: ReadonlySet<string> = new Set(
  (
    'administrator aide counselor districtadministrator guardian parent principal proctor relative ' +
    'siteadministrator student systemadministrator teacher'
  ).split(' '),
);

const NOTHING: Living = { rows: [], deleted: new Set() };
const roleColumn = (version: Version) => (version === '1.1' ? ['role'] : []);

interface Manifest {
  readonly version: Version;
  /** The files that the manifest names, by file name. */
  readonly tables: ReadonlyMap<string, Uint8Array>;
}

async function readManifest(bundle: Bundle, reading: SchoolReading): Promise<Manifest | null> {
  const file = bundle.nameOf('manifest.csv');
  const bytes = await bundle.read('manifest.csv');
  if (bytes === null) {
    reading.refuse({ file, line: 1 }, 'is missing; a OneRoster bundle has one');
    return null;
  }
  const tables = new Map<string, Uint8Array>();
  let version: Version | null = null;
  const rows = readTable(bytes, file, ['propertyName', 'value'], reading);
  for (const row of rows) {
    const [property, value] = [row.cell('propertyName'), row.cell('value')];
    if (property === 'oneroster.version') {
      const known = /^1\.[12](?=\.|$)/.exec(value)?.[0];
      if (known === '1.1' || known === '1.2') version = known;
      else reading.refuse(row, `OneRoster ${value} is not supported, only 1.1 and 1.2`);
    } else if (property.startsWith('file.')) {
      await readNamedFile(`${property.slice('file.'.length)}.csv`, value.toLowerCase(), row);
    }
  }

  async function readNamedFile(name: string, kind: string, row: CsvRow): Promise<void> {
    if (kind === 'absent' || kind === '') return;
    if (kind === 'delta') return reading.refuse(row, `${name} is a delta file; only bulk files can be imported`);
    if (kind !== 'bulk') return reading.refuse(row, `${name} is "${kind}"; it must be bulk or absent`);
    const content = await bundle.read(name);
    if (content === null) return reading.refuse(row, `${name} is named here and is missing`);
    tables.set(name, content);
  }

  if (version === null && reading.problems.length === 0)
    reading.refuse({ file, line: 1 }, 'names no oneroster.version');
  const users = rows.find((row) => row.cell('propertyName') === 'file.users');
  if (version === '1.2' && tables.has('users.csv') && !tables.has('roles.csv') && reading.problems.length === 0) {
    reading.refuse(users ?? { file, line: 1 }, 'names users.csv without roles.csv, which has the roles in 1.2');
  }
  return version === null ? null : { version, tables };
}

interface Living {
  readonly rows: CsvRow[];
  /** sourcedIds of the rows that are to be deleted. */
  readonly deleted: ReadonlySet<string>;
}

/** Leaves out the rows that their school has given up. */
function living(all: readonly CsvRow[], reading: SchoolReading): Living {
  const deleted = new Set<string>();
  const rows = all.filter((row) => {
    const status = row.cell('status').toLowerCase();
    if (status === 'tobedeleted') {
      reading.ignore('rows to be deleted');
      deleted.add(row.cell('sourcedId'));
      return false;
    }
    if (status === '' || status === 'active') return true;
    reading.refuse(row, `status is "${status}"; it must be active, tobedeleted or empty`);
    return false;
  });
  return { rows, deleted };
}

function bySourcedId<T>(rows: readonly CsvRow[], reading: SchoolReading, make: (row: CsvRow) => T): Map<string, T> {
  const found = new Map<string, T>();
  const lines = new Map<string, number>();
  for (const row of rows) {
    const id = row.cell('sourcedId');
    const first = lines.get(id);
    if (id === '') reading.refuse(row, 'sourcedId is empty');
    else if (first !== undefined) reading.refuse(row, `sourcedId "${id}" is already in line ${first}`);
    else {
      found.set(id, make(row));
      lines.set(id, row.line);
    }
  }
  return found;
}

const readUsers = (rows: readonly CsvRow[], reading: SchoolReading): Map<string, OneRosterUser> =>
  bySourcedId(rows, reading, (row) => ({ row, roles: new Set() }));

function readRoles(
  rows: readonly CsvRow[],
  users: ReadonlyMap<string, OneRosterUser>,
  deletedUsers: ReadonlySet<string>,
  reading: SchoolReading,
): void {
  for (const row of rows) {
    const id = row.cell('userSourcedId');
    const user = users.get(id);
    if (user) user.roles.add(row.cell('role').toLowerCase());
    else if (deletedUsers.has(id)) reading.ignore('roles of deleted users');
    else reading.refuse(row, `userSourcedId "${id}" is not in users.csv`);
  }
}

/** Notes the teachers of each class; answers the rows that enrol a student, each pair once. */
function readEnrollments(
  rows: readonly CsvRow[],
  users: ReadonlyMap<string, OneRosterUser>,
  classes: ReadonlyMap<string, OneRosterClass>,
  deleted: (row: CsvRow) => boolean,
  reading: SchoolReading,
): CsvRow[] {
  const pairs = new Map<string, CsvRow>();
  for (const row of rows) {
    const role = row.cell('role').toLowerCase();
    const [user, course] = [users.get(row.cell('userSourcedId')), classes.get(row.cell('classSourcedId'))];
    if (role !== 'teacher' && role !== 'student') reading.ignore(`enrolments as ${role || 'nothing'}`);
    else if (deleted(row)) reading.ignore('enrolments of deleted users or classes');
    else if (!user || !course) {
      const field = user ? 'classSourcedId' : 'userSourcedId';
      reading.refuse(row, `${field} "${row.cell(field)}" is not in ${user ? 'classes.csv' : 'users.csv'}`);
    } else {
      // Who teaches or attends a class has the profile for it, whatever their main role: an administrator may teach.
      user.roles.add(role);
      const id = row.cell('userSourcedId');
      const primary = /^(true|1)$/i.test(row.cell('primary'));
      if (role === 'teacher') course.teachers.push({ id, primary });
      else pairs.set(JSON.stringify([row.cell('classSourcedId'), id]), row);
    }
  }
  return [...pairs.values()];
}

function addPeople(users: ReadonlyMap<string, OneRosterUser>, reading: SchoolReading): void {
  const lines = new Map<string, number>();
  for (const [id, { row, roles }] of users) {
    const person = {
      id,
      uid: row.cell('username'),
      name: nameOf(row),
      email: row.cell('email'),
    };
    const isPerson = roles.has('teacher') || roles.has('student');
    // Who is enrolled is a person all the same, but a role that is not of OneRoster may be a slip in the export.
    const unknown = [...roles].filter((role) => role !== '' && !ROLES.has(role));
    if (isPerson) for (const role of unknown) reading.ignore(`the unknown role ${role} of people who are enrolled`);
    if (!isPerson) reading.ignore(`users with the role ${[...roles].filter(Boolean).sort().join(' and ') || 'none'}`);
    else if (person.uid === '') reading.refuse(row, 'username is empty');
    else if (person.name === '') reading.refuse(row, 'givenName and familyName are empty');
    else if (lines.has(person.uid)) {
      reading.refuse(row, `username "${person.uid}" is already in line ${lines.get(person.uid)}`);
    } else {
      lines.set(person.uid, row.line);
      if (roles.has('teacher')) add('teachers', person, row, reading);
      if (roles.has('student')) add('students', { ...person, roll: row.cell('identifier') }, row, reading);
    }
  }
}

const nameOf = (row: CsvRow): string =>
  [row.cell('preferredGivenName') || row.cell('givenName'), row.cell('preferredFamilyName') || row.cell('familyName')]
    .filter(Boolean)
    .join(' ');

function addCourses(classes: ReadonlyMap<string, OneRosterClass>, reading: SchoolReading): void {
  for (const [id, { row, teachers }] of classes) {
    // Where no teacher is called primary, the first one listed is.
    const primary = (teachers.find((teacher) => teacher.primary) ?? teachers[0])?.id ?? null;
    const others = teachers.map((teacher) => teacher.id).filter((teacher) => teacher !== primary);
    const course = {
      id,
      title: row.cell('title'),
      course_code: row.cell('classCode'),
      teacher_id: primary,
      co_teacher_ids: others,
    };
    add('courses', course, row, reading);
  }
}

function add(list: SchoolList, candidate: Record<string, unknown>, row: CsvRow, reading: SchoolReading): void {
  const checked = schoolRows[list].safeParse(candidate);
  if (checked.success) reading.add(list, checked.data, row);
  else {
    reading.refuse(row, explain(checked.error));
    reading.spoil(list, candidate['id']);
  }
}

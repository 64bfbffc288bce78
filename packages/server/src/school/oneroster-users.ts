import { type CsvRow, readTable } from './csv-table.js';
import { BySourcedId, standingOf, type Table, type Version } from './oneroster-rows.js';
import type { SchoolReading } from './school-reading.js';

/** A user with the roles that users.csv, roles.csv and enrollments.csv give them, in lower case. */
export interface OneRosterUser {
  readonly id: string;
  readonly uid: string;
  readonly name: string;
  readonly email: string;
  readonly roll: string;
  readonly disabled: boolean;
  readonly line: number;
  readonly roles: Set<string>;
}

export class OneRosterUsers extends BySourcedId<OneRosterUser> {
  readonly file: string;
  /** Sign-in names of the users that are to be deleted, as far as their rows have them. */
  readonly deletedUids = new Set<string>();
  /** False where the table that has the roles was refused: then nobody's role is known. */
  rolesKnown = true;

  constructor(file: string) {
    super();
    this.file = file;
  }
}

/** The roles of 1.1 and 1.2, in lower case as all roles are compared. */
const ROLES: ReadonlySet<string> = new Set(
  (
    'administrator aide counselor districtadministrator guardian parent principal proctor relative ' +
    'siteadministrator student systemadministrator teacher'
  ).split(' '),
);

export function readUsers(table: Table, roles: Table, version: Version, reading: SchoolReading): OneRosterUsers {
  const users = new OneRosterUsers(table.file);
  const ownRole = version === '1.1';
  const reader = {
    required: ['sourcedId', 'username', 'givenName', 'familyName', ...(ownRole ? ['role'] : [])],
    row: (row: CsvRow) => {
      if (row.cell('status').toLowerCase() === 'tobedeleted') users.deletedUids.add(row.cell('username'));
      users.add(row, reading, (id) => userOf(id, row, ownRole, reading));
    },
    refused: (row: CsvRow) => users.spoil(row),
  };
  if (table.bytes) users.usable = readTable(table.bytes, table.file, reader, reading);
  if (!ownRole && roles.bytes) readRoles(roles.bytes, roles.file, users, reading);
  return users;
}

function userOf(id: string, row: CsvRow, ownRole: boolean, reading: SchoolReading): OneRosterUser {
  const enabled = row.cell('enabledUser').toLowerCase();
  if (!/^(true|false|1|0|yes|no|)$/.test(enabled)) {
    reading.refuse(row, `enabledUser is "${enabled}"; it must be true, false or empty`);
  }
  return {
    id,
    uid: row.cell('username'),
    name: nameOf(row),
    email: row.cell('email'),
    roll: row.cell('identifier'),
    disabled: /^(false|0|no)$/.test(enabled),
    line: row.line,
    roles: new Set(ownRole ? [row.cell('role').toLowerCase()] : []),
  };
}

const nameOf = (row: CsvRow): string =>
  [row.cell('preferredGivenName') || row.cell('givenName'), row.cell('preferredFamilyName') || row.cell('familyName')]
    .filter(Boolean)
    .join(' ');

function readRoles(bytes: Uint8Array, file: string, users: OneRosterUsers, reading: SchoolReading): void {
  users.rolesKnown = readTable(
    bytes,
    file,
    {
      required: ['userSourcedId', 'role'],
      row: (row) => {
        if (standingOf(row, reading) !== 'active') return;
        const id = row.cell('userSourcedId');
        const user = users.rows.get(id);
        if (user) user.roles.add(row.cell('role').toLowerCase());
        else if (users.deleted.has(id)) reading.ignore('roles of deleted users');
        else if (users.isMissing(id)) reading.refuse(row, `userSourcedId "${id}" is not in users.csv`);
      },
    },
    reading,
  );
}

/** Adds who is a teacher or a student, by a role or by an enrolment; the others are counted. */
export function addPeople(users: OneRosterUsers, reading: SchoolReading): void {
  const lines = new Map<string, number>();
  for (const { id, uid, name, email, roll, disabled, line, roles } of users.rows.values()) {
    const row = { file: users.file, line };
    const isPerson = roles.has('teacher') || roles.has('student');
    // Who is enrolled is a person all the same, but a role that is not of OneRoster may be a slip in the export.
    const unknown = [...roles].filter((role) => role !== '' && !ROLES.has(role));
    if (isPerson) for (const role of unknown) reading.ignore(`the unknown role ${role} of people who are enrolled`);
    if (!isPerson) {
      if (!users.rolesKnown) continue;
      reading.ignore(`users with the role ${[...roles].filter(Boolean).sort().join(' and ') || 'none'}`);
      continue;
    }
    const first = lines.get(uid);
    const fault =
      uid === ''
        ? 'username is empty'
        : name === ''
          ? 'givenName and familyName are empty'
          : first !== undefined
            ? `username "${uid}" is already in line ${first}`
            : null;
    if (fault !== null) {
      reading.refuse(row, `${fault}${uid === '' ? ': give each user the name by which they sign in' : ''}`);
      for (const list of ['teachers', 'students'] as const) reading.spoil(list, id);
      continue;
    }
    lines.set(uid, line);
    reading.bulk.idOfUid.set(uid, id);
    if (disabled) reading.count('disabled');
    const person = { id, uid, name, email, disabled };
    if (roles.has('teacher')) reading.check('teachers', person, row);
    if (roles.has('student')) reading.check('students', { ...person, roll }, row);
  }
  for (const id of users.deleted) if (users.isDeleted(id)) reading.bulk.deletedUsers.add(id);
  for (const uid of users.deletedUids) reading.bulk.deletedUids.add(uid);
}

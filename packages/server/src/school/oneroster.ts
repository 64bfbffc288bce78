import { readTable } from './csv-table.js';
import type { Bundle } from './oneroster-bundle.js';
import { readClasses } from './oneroster-classes.js';
import { readEnrollments } from './oneroster-enrollments.js';
import type { Table, Version } from './oneroster-rows.js';
import { addPeople, readUsers } from './oneroster-users.js';
import type { SchoolReading } from './school-reading.js';

/**
 * Reads a OneRoster 1.1 or 1.2 CSV bundle into `reading`: classes become courses, users with the role of teacher or
 * student become people, enrolments of teachers the courses' teachers and those of students approved enrolments.
 * Whatever is wrong becomes a problem of its line.
 * @param day the day for which enrolments count, as `2026-11-23`
 */
export async function readOneRoster(bundle: Bundle, reading: SchoolReading, day: string): Promise<void> {
  const manifest = await readManifest(bundle, reading);
  // Without all its files a bundle would only yield references that lead nowhere.
  if (manifest === null || reading.faults > 0) return;
  const table = (name: string): Table => ({ file: bundle.nameOf(name), bytes: manifest.tables.get(name) ?? null });

  const users = readUsers(table('users.csv'), table('roles.csv'), manifest.version, reading);
  const classes = readClasses(table('classes.csv'), reading);
  readEnrollments(table('enrollments.csv'), { users, classes, day }, reading);
  addPeople(users, reading);
  classes.addCourses(reading);
}

interface Manifest {
  readonly version: Version;
  /** The files that the manifest names, by file name. */
  readonly tables: ReadonlyMap<string, Uint8Array>;
}

/** The files without which another one says nothing. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  'enrollments.csv': ['users.csv', 'classes.csv'],
  'roles.csv': ['users.csv'],
};

async function readManifest(bundle: Bundle, reading: SchoolReading): Promise<Manifest | null> {
  const file = bundle.nameOf('manifest.csv');
  const bytes = await bundle.read('manifest.csv');
  if (bytes === null) {
    reading.refuseAll({ file, line: 1 }, 'is missing; a OneRoster bundle has one');
    return null;
  }
  const rows: Array<{ file: string; line: number; property: string; value: string }> = [];
  const table = {
    required: ['propertyName', 'value'],
    row: (row: { line: number; cell(column: string): string }) => {
      rows.push({ file, line: row.line, property: row.cell('propertyName'), value: row.cell('value') });
    },
  };
  if (!readTable(bytes, file, table, reading)) return null;

  const tables = new Map<string, Uint8Array>();
  const named = new Map<string, (typeof rows)[number]>();
  let version: Version | null = null;
  for (const row of rows) {
    if (row.property.toLowerCase() === 'oneroster.version') {
      const known = /^1\.[12](?=\.|$)/.exec(row.value)?.[0];
      if (known === '1.1' || known === '1.2') version = known;
      else reading.refuse(row, `OneRoster ${row.value} is not supported, only 1.1 and 1.2`);
    } else if (/^file\./i.test(row.property)) {
      const name = `${row.property.slice('file.'.length).toLowerCase()}.csv`;
      const content = await namedFile(name, row);
      if (content === null) continue;
      tables.set(name, content);
      named.set(name, row);
    }
  }

  async function namedFile(name: string, row: (typeof rows)[number]): Promise<Uint8Array | null> {
    const kind = row.value.toLowerCase();
    if (kind === 'absent' || kind === '') return null;
    const content = kind === 'bulk' ? await bundle.read(name) : null;
    if (kind === 'delta') reading.refuse(row, `${name} is a delta file; only bulk files can be imported`);
    else if (kind !== 'bulk') reading.refuse(row, `${name} is "${kind}"; it must be bulk or absent`);
    else if (content === null) reading.refuse(row, `${name} is named here and is missing`);
    return content;
  }

  if (reading.faults > 0) return null;
  if (version === null) {
    reading.refuse({ file, line: 1 }, 'names no oneroster.version');
    return null;
  }
  const users = named.get('users.csv');
  if (version === '1.2' && users && !tables.has('roles.csv')) {
    reading.refuse(users, 'names users.csv without roles.csv, which has the roles in 1.2');
  }
  for (const [name, row] of named) {
    const missing = (NEEDED[name] ?? []).filter((needed) => !tables.has(needed));
    if (missing.length > 0) reading.refuse(row, `names ${name} without ${missing.join(' and ')}, to which it refers`);
  }
  return { version, tables };
}

import { execFile } from 'node:child_process';
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CourseId } from '@rollcall/protocol';
import { strToU8, zipSync } from 'fflate';
import { expect, onTestFinished, test } from 'vitest';
import { SqliteStorage } from '../storage/sqlite/storage.js';
import { freshFolder, type Outcome, rollcall } from './rollcall.test.support.js';

/** What a school exports: a teacher and four students, of whom one left, one comes later and one may not sign in. */
const BUNDLE = {
  'manifest.csv': [
    'propertyName,value',
    'manifest.version,1.0',
    'oneroster.version,1.1',
    'file.users,bulk',
    'file.classes,bulk',
    'file.enrollments,bulk',
  ],
  'users.csv': [
    'sourcedId,status,enabledUser,username,givenName,familyName,role,identifier,email',
    'u-1,active,true,gil,Gil,Hart,teacher,,',
    'u-2,active,true,kim,Kim,Lee,student,7,',
    'u-3,active,true,max,Max,Nye,student,8,',
    'u-4,active,true,zoe,Zoe,Orr,student,9,',
    'u-5,active,false,ivy,Ivy,Poe,student,10,',
  ],
  'classes.csv': ['sourcedId,title,classCode', 'c-1,Networks,N1'],
  'enrollments.csv': [
    'sourcedId,status,classSourcedId,userSourcedId,role,primary,beginDate,endDate',
    'e-1,active,c-1,u-1,teacher,true,2000-08-01,2999-06-30',
    'e-2,active,c-1,u-2,student,false,2000-08-01,2999-06-30',
    'e-3,active,c-1,u-3,student,false,2000-08-01,2000-09-30',
    'e-4,active,c-1,u-4,student,false,2999-01-10,2999-06-30',
    'e-5,active,c-1,u-5,student,false,2000-08-01,2999-06-30',
  ],
};
type File = keyof typeof BUNDLE;
type Bytes = string | Uint8Array;

/** The bundle's files with some of them otherwise, and under the names that a program gave them. */
function filesOf(changed: Partial<Record<File, Bytes>>, name = (file: string) => file): [string, Bytes][] {
  return Object.entries(BUNDLE).map(([file, lines]) => [name(file), changed[file as File] ?? `${lines.join('\n')}\n`]);
}

async function importing(
  folder: string,
  changed: Partial<Record<File, Bytes>>,
  flags: readonly string[] = [],
  name?: (file: string) => string,
): Promise<Outcome> {
  await mkdir(join(folder, 'bundle'), { recursive: true });
  for (const [file, bytes] of filesOf(changed, name)) await writeFile(join(folder, 'bundle', file), bytes);
  return rollcall(folder, ['import', 'bundle', ...flags]);
}

async function rosterOf(folder: string, courseId = 'c-1'): Promise<(string | null)[]> {
  const storage = new SqliteStorage({ path: join(folder, 'data', 'rollcall.db') });
  await storage.open();
  try {
    return (await storage.courses.listRoster(courseId as CourseId)).map((student) => student.uid);
  } finally {
    await storage.close();
  }
}

async function teacherOf(folder: string): Promise<string | null | undefined> {
  const storage = new SqliteStorage({ path: join(folder, 'data', 'rollcall.db') });
  await storage.open();
  try {
    return (await storage.courses.findCourse('c-1' as CourseId))?.teacher_id;
  } finally {
    await storage.close();
  }
}

const usersWith = (...lines: string[]): string => `${[...BUNDLE['users.csv'], ...lines].join('\n')}\n`;

test('[IMPORT-100] [IMPORT-101] who left, comes later or is disabled is off the roster, and counted', async () => {
  const folder = await freshFolder();
  const { code, stdout } = await importing(folder, {});
  expect(code).toBe(0);
  expect(stdout.split('\n').filter((line) => line.startsWith('off the roster'))).toEqual([
    'off the roster: enrolments that ended: 1',
    'off the roster: enrolments that have not begun: 1',
    'off the roster: disabled users: 1',
  ]);
  expect(await rosterOf(folder)).toEqual(['kim']);
  const again = JSON.parse((await importing(folder, {}, ['--json'])).stdout);
  expect(again).toMatchObject({ off_roster: { ended: 1, not_begun: 1, disabled: 1 } });
  expect([again.added, again.changed].flatMap((counts) => Object.values(counts)).every((count) => count === 0)).toBe(
    true,
  );
  const storage = new SqliteStorage({ path: join(folder, 'data', 'rollcall.db') });
  onTestFinished(() => storage.close());
  await storage.open();
  expect(await storage.people.findPersonByUid('ivy')).toBeNull();
  expect(await storage.people.findPersonByUid('max')).not.toBeNull();
});

test('[IMPORT-102] [IMPORT-103] a deleted enrolment is rejected, one that is gone is named, and withdrawn on request', async () => {
  const folder = await freshFolder();
  const enrolled = BUNDLE['enrollments.csv'].map((line) => line.replace(',2000-09-30', ','));
  await importing(folder, {
    'enrollments.csv': enrolled.join('\n'),
    'users.csv': usersWith().replace('false,ivy', 'true,ivy'),
  });
  expect(await rosterOf(folder)).toEqual(['kim', 'max', 'ivy']);

  const dayTwo = {
    'enrollments.csv': enrolled
      .slice(0, -1)
      .map((line) => line.replace('e-3,active', 'e-3,tobedeleted'))
      .join('\n'),
    'users.csv': usersWith().replace('false,ivy', 'true,ivy'),
  };
  const dry = await importing(folder, dayTwo, ['--dry-run']);
  expect(dry.stdout).toMatch(/^to be withdrawn: enrolments: 1$/m);
  expect(await rosterOf(folder)).toEqual(['kim', 'max', 'ivy']);
  const { stdout } = await importing(folder, dayTwo);
  expect(stdout).toMatch(/^withdrawn: enrolments: 1$/m);
  expect(stdout).toMatch(
    /^no longer named: enrolments: 1 \(--withdraw-missing rejects them\)\n {2}c-1: u-5 \(Ivy Poe\)$/m,
  );
  expect(await rosterOf(folder)).toEqual(['kim', 'ivy']);

  const withdrawn = JSON.parse((await importing(folder, dayTwo, ['--withdraw-missing', '--json'])).stdout);
  expect(withdrawn).toMatchObject({
    withdrawn: 1,
    missing: [{ course_id: 'c-1', student_id: 'u-5', name: 'Ivy Poe' }],
    changed: { enrollments: 1 },
  });
  expect(await rosterOf(folder)).toEqual(['kim']);
  const repeated = JSON.parse((await importing(folder, dayTwo, ['--withdraw-missing', '--json'])).stdout);
  expect(repeated).not.toHaveProperty('missing');
  expect(repeated.changed.enrollments).toBe(0);
});

test('[IMPORT-101] a user who is to be deleted may not sign in, and may again once their row is back', async () => {
  const folder = await freshFolder();
  await importing(folder, {});
  const deleted = usersWith()
    .replace('u-2,active,true,kim', 'u-2,tobedeleted,,')
    .replace('u-1,active,true,gil', 'u-1,tobedeleted,,gil');
  expect((await importing(folder, { 'users.csv': deleted })).code).toBe(0);
  const storage = new SqliteStorage({ path: join(folder, 'data', 'rollcall.db') });
  onTestFinished(() => storage.close());
  await storage.open();
  expect([...(await storage.people.findPeopleByUid(['kim', 'gil', 'max'])).keys()]).toEqual(['max']);
  expect(await rosterOf(folder)).toEqual([]);
  await importing(folder, {});
  expect([...(await storage.people.findPeopleByUid(['kim', 'gil'])).keys()].sort()).toEqual(['gil', 'kim']);
  expect(await rosterOf(folder)).toEqual(['kim']);
});

test('[IMPORT-111] a teacher whose enrolment ended or is deleted teaches the class no more', async () => {
  const folder = await freshFolder();
  const rows = BUNDLE['enrollments.csv'].join('\n');
  const gone = [rows.replace('2999-06-30', '2000-09-30'), rows.replace('e-1,active', 'e-1,tobedeleted')];
  for (const enrollments of gone) {
    await importing(folder, {});
    expect(await teacherOf(folder)).toBe('u-1');
    expect((await importing(folder, { 'enrollments.csv': enrollments })).code).toBe(0);
    expect(await teacherOf(folder)).toBeNull();
    const repeated = JSON.parse((await importing(folder, { 'enrollments.csv': enrollments }, ['--json'])).stdout);
    expect(repeated.changed.courses).toBe(0);
  }
});

const READ: [string, Partial<Record<File, Bytes>>, ((file: string) => string)?][] = [
  ['a first line that ends otherwise than the rows', { 'users.csv': usersWith().replace('\n', '\r\n') }],
  [
    'rows that end otherwise than the first line',
    { 'users.csv': usersWith('').replace(/\n/g, '\r\n').replace('\r\n', '\n') },
  ],
  [
    'line ends of carriage returns, with quotes',
    { 'users.csv': usersWith().replace('Kim', '"Kim"').replace(/\n/g, '\r') },
  ],
  ['rows of nothing but commas', { 'users.csv': usersWith('', ',,,,,,,,', ',,,,,,,,,,,', ' , ,,,,,,,') }],
  ['columns without a name', { 'users.csv': usersWith().replace('email\n', 'email,,\n') }],
  ['names in capitals', {}, (file) => `${file[0]?.toUpperCase()}${file.slice(1, -4)}.CSV`],
  ['names with a backslash', {}, (file) => `OneRoster\\${file}`],
];

test('[IMPORT-104] line ends, blank rows, unnamed columns and names as programs write them are read', async () => {
  for (const [what, changed, name] of READ) {
    const folder = await freshFolder();
    const { code, stderr } = await importing(folder, changed, [], name);
    expect({ what, code, stderr }).toEqual({ what, code: 0, stderr: '' });
    expect(await rosterOf(folder), what).toEqual(['kim']);
  }
  for (const name of [(file: string) => `OneRoster\\${file}`, (file: string) => `./Export/${file.toUpperCase()}`]) {
    const folder = await freshFolder();
    const packed = filesOf({}, name).map(([file, bytes]) => [file, strToU8(String(bytes))]);
    await writeFile(join(folder, 'school.zip'), zipSync(Object.fromEntries(packed)));
    expect(await rollcall(folder, ['import', 'school.zip'])).toMatchObject({ code: 0, stderr: '' });
    expect(await rosterOf(folder)).toEqual(['kim']);
  }
});

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const SAVE = 'save it as UTF-8 (in Excel: "CSV UTF-8")';
const COMMAS = 'save it with commas (in Excel: "CSV UTF-8 (Comma delimited)")';
const CAUSES: [string, Partial<Record<File, Bytes>>, string][] = [
  [
    'Latin-1',
    { 'users.csv': latin1(usersWith().replace('Kim', 'René')) },
    `users.csv:3: is not UTF-8 text (byte E9 after "Ren"): ${SAVE}`,
  ],
  [
    'UTF-16',
    { 'users.csv': Buffer.from(`\ufeff${usersWith()}`, 'utf16le') },
    `users.csv:1: is not UTF-8 text but UTF-16: ${SAVE}`,
  ],
  [
    'semicolons',
    { 'users.csv': usersWith().replaceAll(',', ';') },
    `users.csv:1: its cells are separated by semicolons, not by commas: ${COMMAS}`,
  ],
  [
    'tabs',
    { 'classes.csv': BUNDLE['classes.csv'].join('\n').replaceAll(',', '\t') },
    `classes.csv:1: its cells are separated by tabs, not by commas: ${COMMAS}`,
  ],
  [
    'no username',
    { 'users.csv': usersWith().replace('max', '') },
    'users.csv:4: username is empty: give each user the name by which they sign in',
  ],
  [
    'a short row',
    { 'users.csv': usersWith().replace('zoe,Zoe,Orr,student,9,', 'zoe') },
    'users.csv:5: has 4 cells where the first line has 9',
  ],
  [
    'an unknown status',
    { 'users.csv': usersWith().replace('u-2,active', 'u-2,gone') },
    'users.csv:3: status is "gone"; it must be active, tobedeleted or empty',
  ],
  [
    'a missing column',
    { 'users.csv': usersWith().replace('username', 'login') },
    'users.csv:1: missing column username',
  ],
  [
    'a column named twice',
    { 'users.csv': usersWith().replace('email', 'UserName') },
    'users.csv:1: the column UserName is there twice, as number 4 and 9',
  ],
  ['an empty table', { 'users.csv': '' }, 'users.csv:1: the file is empty'],
  [
    'a table that is not named',
    { 'manifest.csv': BUNDLE['manifest.csv'].filter((line) => !line.includes('users')).join('\n') },
    'manifest.csv:5: names enrollments.csv without users.csv, to which it refers',
  ],
  [
    'no date',
    { 'enrollments.csv': BUNDLE['enrollments.csv'].join('\n').replace('2000-09-30', '30/09/2000') },
    'enrollments.csv:4: endDate is "30/09/2000"; it must be a date such as 2026-11-23 or empty',
  ],
];

test('[IMPORT-105] [IMPORT-106] what is wrong with a file is told once, with its cure, and without what follows from it', async () => {
  for (const [what, changed, line] of CAUSES) {
    const { code, stderr } = await importing(await freshFolder(), changed);
    const expected = `bundle/${line}\nrollcall: nothing was imported: there is 1 fault\n`;
    expect({ what, code, stderr }).toEqual({ what, code: 1, stderr: expected });
  }
});

test('[IMPORT-105] of a school file too the cause alone is told', async () => {
  const enrollments = [{ course_id: 'c', student_id: 'bo' }];
  const courses = [{ id: 'c', title: 'C' }];
  const wrong: [string | Uint8Array, string][] = [
    [
      JSON.stringify({ courses, pupils: [{ uid: 'bo', name: 'Bo' }], enrollments }),
      'school.json:1: unknown list "pupils"; ',
    ],
    [JSON.stringify({ courses, students: { bo: 1 }, enrollments }), 'school.json:1: students must be a list\n'],
    [
      latin1('{"students": [\n{"uid": "bo", "name": "Bjørn"}]}'),
      'school.json:2: is not UTF-8 text (byte F8 after "Bj"): save it as UTF-8',
    ],
  ];
  const folder = await freshFolder();
  for (const [text, line] of wrong) {
    await writeFile(join(folder, 'school.json'), text);
    const { code, stderr } = await rollcall(folder, ['import', 'school.json']);
    expect(code).toBe(1);
    expect(stderr).toContain(line);
    expect(stderr).toMatch(/\nrollcall: nothing was imported: there is 1 fault\n$/);
  }
});

test('[IMPORT-107] an empty text in an optional field says that nothing is known', async () => {
  const folder = await freshFolder();
  const school = {
    teachers: [{ id: 't-1', uid: 'ada', name: 'Ada Osei', email: '', department: '', disabled: '' }],
    students: [{ id: '', uid: 'bo', name: 'Bo Lind', roll: '' }],
    courses: [{ id: 'c-1', title: 'Databases', course_code: '', credit: '', teacher_id: '', co_teacher_ids: '' }],
    enrollments: [{ course_id: 'c-1', student_id: 'bo', status: '', begins: '', ends: '' }],
    sessions: [
      { id: 'se-1', course_id: 'c-1', teacher_id: '', date: '2026-11-23', start_time: '', end_time: '', status: '' },
      { id: 'se-2', course_id: '', teacher_id: 't-1', date: '2026-11-23', start_time: '10:30', end_time: '09:00' },
    ],
  };
  await writeFile(join(folder, 'school.json'), JSON.stringify(school));
  expect(await rollcall(folder, ['import', 'school.json'])).toMatchObject({ code: 0, stderr: '' });
  expect(await rosterOf(folder)).toEqual(['bo']);
  await writeFile(join(folder, 'school.json'), JSON.stringify({ students: [{ uid: '', name: '' }] }));
  const { code, stderr } = await rollcall(folder, ['import', 'school.json']);
  expect(code).toBe(1);
  expect(stderr).toContain('uid: expected string to have >=1 characters');
  expect(stderr).toContain('name is empty');
});

test('[CLI-100] no control character of a file, a name or the database reaches the terminal', async () => {
  const folder = await freshFolder();
  const [esc, bell, csi] = ['\u001b', '\u0007', '\u009b'];
  const bad = { uid: `x${esc}]0;owned${bell}${csi}31m`, name: 'A', [`ro${esc}[2Jll`]: 1 };
  await writeFile(join(folder, 'bad.json'), JSON.stringify({ students: [bad] }));
  await writeFile(join(folder, 'good.json'), JSON.stringify({ students: [{ ...bad, [`ro${esc}[2Jll`]: undefined }] }));
  const missing = { enrollments: [{ course_id: `c${esc}[31m\nx.json:1: forged`, student_id: 'x' }] };
  await writeFile(join(folder, 'missing.json'), JSON.stringify(missing));
  const runs = [
    ['import', 'bad.json'],
    ['import', 'good.json'],
    ['import', 'missing.json'],
    ['import', `no${esc}[31m.json`],
    ['verify', '--session', `s${csi}31m`],
    ['import', 'good.json', `--x${esc}[31m`],
  ];
  for (const args of runs) {
    const { stdout, stderr } = await rollcall(folder, args);
    for (const text of [stdout, stderr]) {
      expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
      expect(text).not.toMatch(/^x\.json:1: forged/m);
    }
  }
  expect((await rollcall(folder, ['import', 'bad.json'])).stderr).toContain('unknown field "ro\\u001b[2Jll"');
});

test('[IMPORT-108] an empty zip, and one that is no OneRoster, are told as what they are', async () => {
  const folder = await freshFolder();
  const zips: [Record<string, Uint8Array>, string][] = [
    [{}, 'the zip is empty'],
    [{ 'empty/': new Uint8Array() }, 'the zip is empty'],
    [{ 'word/document.xml': strToU8('x') }, 'is no OneRoster bundle: it has no CSV file, but word/document.xml'],
  ];
  for (const [files, what] of zips) {
    await writeFile(join(folder, 'school.zip'), zipSync(files));
    const { code, stderr } = await rollcall(folder, ['import', 'school.zip']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `rollcall: school.zip: ${what}\n` });
  }
  await writeFile(join(folder, 'school.zip'), zipSync({ 'users.csv': strToU8('sourcedId\n') }));
  const { stderr } = await rollcall(folder, ['import', 'school.zip']);
  expect(stderr).toContain('school.zip/manifest.csv:1: is missing; a OneRoster bundle has one\n');
});

test('[IMPORT-109] a path that is neither file nor folder is refused at once', async () => {
  const folder = await freshFolder();
  await promisify(execFile)('mkfifo', [join(folder, 'pipe')]);
  await symlink('circle', join(folder, 'circle'));
  const refused = async (path: string) => (await rollcall(folder, ['import', path])).stderr;
  expect(await refused('pipe')).toBe('rollcall: pipe is a pipe, not a file or a folder\n');
  expect(await refused('/dev/zero')).toBe('rollcall: /dev/zero is a device, not a file or a folder\n');
  expect(await refused('circle')).toBe('rollcall: circle: its symbolic links lead in a circle\n');
  await mkdir(join(folder, 'bundle'));
  await promisify(execFile)('mkfifo', [join(folder, 'bundle', 'manifest.csv')]);
  expect(await refused('bundle')).toBe('rollcall: bundle/manifest.csv is a pipe, not a file\n');
});

test('[IMPORT-110] reading stops where nobody would read the faults any more', async () => {
  const rows = Array.from({ length: 20_000 }, (_, index) => `u-${index},odd,true,n${index},G,F,student,,`);
  const { code, stderr } = await importing(await freshFolder(), { 'users.csv': usersWith(...rows) });
  expect(code).toBe(1);
  expect(stderr.split('\n')).toHaveLength(10_002);
  expect(stderr).toMatch(/\nrollcall: nothing was imported: there are 10000 faults, and what follows was not read\n$/);

  const folder = await freshFolder();
  await writeFile(join(folder, 'large.json'), '{}');
  await truncate(join(folder, 'large.json'), 128 * 1024 * 1024 + 1);
  const large = await rollcall(folder, ['import', 'large.json']);
  expect(large.stderr).toBe('rollcall: large.json: has more than 128 MB: split the school into several imports\n');
});

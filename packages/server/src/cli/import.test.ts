import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CourseId, SessionId } from '@rollcall/protocol';
import { strToU8, zipSync } from 'fflate';
import { expect, onTestFinished, test } from 'vitest';
import { pastSessions, seedDemo } from '../school/demo.js';
import { SqliteStorage } from '../storage/sqlite/storage.js';
import { freshFolder, type Outcome, rollcall } from './rollcall.test.support.js';

const SCHOOL = {
  teachers: [{ id: 'teacher-1', uid: 'ada', name: 'Ada Osei', department: 'CSE', designation: 'Lecturer' }],
  students: [
    { id: 'student-1', uid: 'bo', name: 'Bo Lind', email: 'bo@school.example', roll: '1907001', profile_picture: null },
    { uid: 'cy', name: 'Cy Abel' },
  ],
  admins: [{ uid: 'root', name: 'Office', email: 'office@school.example' }],
  courses: [{ id: 'course-1', title: 'Databases', course_code: 'CSE-301', credit: 3, teacher_id: 'teacher-1' }],
  enrollments: [
    { course_id: 'course-1', student_id: 'student-1', status: 'approved' },
    { course_id: 'course-1', student_id: 'cy' },
  ],
  sessions: [{ id: 'session-1', course_id: 'course-1', date: '2026-11-23', start_time: '09:00', end_time: '10:30' }],
};
const NONE = { teachers: 0, students: 0, admins: 0, courses: 0, enrollments: 0, sessions: 0 };
const ALL = { teachers: 1, students: 2, admins: 1, courses: 1, enrollments: 2, sessions: 1 };

/** One row a line, so that the lines of a test can be counted by hand. */
const inLines = (school: object): string =>
  `{\n${Object.entries(school)
    .map(([list, rows]) => `"${list}": [\n${(rows as object[]).map((row) => JSON.stringify(row)).join(',\n')}\n]`)
    .join(',\n')}\n}\n`;

async function importing(folder: string, school: object | string, ...flags: string[]): Promise<Outcome> {
  const text = typeof school === 'string' ? school : inLines(school);
  await writeFile(join(folder, 'school.json'), text);
  return rollcall(folder, ['import', 'school.json', ...flags]);
}

async function database(folder: string): Promise<SqliteStorage> {
  const storage = new SqliteStorage({ path: join(folder, 'data', 'rollcall.db') });
  onTestFinished(() => storage.close());
  await storage.open();
  return storage;
}

const counts = ({ stdout }: Outcome) => JSON.parse(stdout);

test('[IMPORT-1] [IMPORT-7] a school file is imported and counted', async () => {
  const folder = await freshFolder();
  const outcome = await importing(folder, SCHOOL, '--json');
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  expect(counts(outcome)).toEqual({ added: ALL, changed: NONE, left: NONE });
  const storage = await database(folder);
  expect(await storage.people.findPersonByUid('ada')).toMatchObject({ teacher: { teacher_id: 'teacher-1' } });
  expect(await storage.people.findPersonByUid('root')).toMatchObject({ is_admin: true });
  expect(await storage.projection.findSession('session-1' as SessionId)).toMatchObject({
    status: 'scheduled',
    start_time: '09:00',
  });
});

test('[IMPORT-3] a second import of the same adds and changes nothing, one of a change changes that row', async () => {
  const folder = await freshFolder();
  await importing(folder, SCHOOL);
  expect(counts(await importing(folder, SCHOOL, '--json'))).toEqual({ added: NONE, changed: NONE, left: ALL });
  const courses = [{ ...SCHOOL.courses[0], title: 'Data' }];
  expect(counts(await importing(folder, { ...SCHOOL, courses }, '--json'))).toEqual({
    added: NONE,
    changed: { ...NONE, courses: 1 },
    left: { ...ALL, courses: 0 },
  });
});

test('[IMPORT-4] a dry run prints what would be done and stores nothing', async () => {
  const folder = await freshFolder();
  const dry = await importing(folder, SCHOOL, '--dry-run', '--json');
  expect(dry.code).toBe(0);
  expect(counts(dry)).toEqual({ added: ALL, changed: NONE, left: NONE });
  expect(await (await database(folder)).people.isEmpty()).toBe(true);
  const { stdout } = await importing(folder, SCHOOL, '--dry-run');
  expect(stdout).toMatch(/^A dry run: nothing was stored\.\n +to add +to change +left\n/);
  expect(stdout).toMatch(/^students +2 +0 +0$/m);
});

test('[IMPORT-5] [IMPORT-6] every bad row is named by its line, and nothing is kept', async () => {
  const folder = await freshFolder();
  const school = {
    teachers: [{ uid: 'ada', name: 'Ada Osei' }, { uid: 'kit' }, { uid: 'ada', name: 'Ada Twice' }],
    students: [{ uid: 'bo', name: 'Bo Lind', roll: 7 }, { uid: 'cy', name: 'Cy', nickname: 'C' }, 'Di'],
    courses: [
      { id: 'c1', title: 'One', teacher_id: 'kit' },
      { id: 'c2', title: 'Two', teacher_id: 'nobody', co_teacher_ids: ['ada', 'ghost'] },
    ],
    enrollments: [
      { course_id: 'c1', student_id: 'bo' },
      { course_id: 'nowhere', student_id: 'cy' },
      { course_id: 'c2', student_id: 'bo', status: 'perhaps' },
    ],
    sessions: [{ id: 's', course_id: 'c1', date: '2026-02-30', start_time: '25:00', status: 'active' }],
  };
  const { code, stdout, stderr } = await importing(folder, school);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr.split('\n')).toEqual([
    'school.json:4: name is missing',
    'school.json:5: uid "ada" is already in line 3',
    'school.json:8: roll: expected string, received number',
    'school.json:9: unknown field "nickname"',
    'school.json:10: expected object, received string',
    'school.json:14: teacher_id "nobody" is neither in the file nor in the database',
    'school.json:14: co_teacher_ids "ghost" is neither in the file nor in the database',
    'school.json:18: course_id "nowhere" is neither in the file nor in the database',
    expect.stringMatching(/^school\.json:19: status: expected one of /),
    'school.json:22: date must be a date such as 2026-11-23; start_time must be a time such as 09:00; ' +
      'status must be scheduled, completed or cancelled',
    'rollcall: nothing was imported: there are 10 faults',
    '',
  ]);
  expect(await (await database(folder)).people.isEmpty()).toBe(true);
});

test('[IMPORT-5] a file that is no school is told as what it is', async () => {
  const folder = await freshFolder();
  const wrong: [string, string][] = [
    ['', 'school.json:1: the file is empty'],
    ['{\n"students": [\n{"uid": "a",}\n]}', 'school.json:3: not JSON: property name expected'],
    ['// none\n{}', 'school.json:1: not JSON: invalid comment token'],
    ['{"students": []} {}', 'school.json:1: not JSON: end of file expected'],
    ['[]', 'school.json:1: must be an object with teachers, students, admins, courses, enrollments, sessions'],
    ['{\n"pupils": []}', 'school.json:2: unknown list "pupils"; there are teachers, students, admins, courses, '],
    ['{"students": {}}', 'school.json:1: students must be a list'],
    ['{"admins": [{"uid": "a", "name": "n"}],\n"admins": []}', 'school.json:2: admins is there twice'],
    ['{"admins": [{"uid": "a", "uid": "b", "name": "n"}]}', 'school.json:1: "uid" is there twice'],
    ['{"admins": [{"uid": "\\ud800", "name": "n"}]}', 'school.json:1: uid is not well-formed Unicode'],
    ['['.repeat(100_000), 'school.json:1: not JSON: nested too deeply'],
  ];
  for (const [text, line] of wrong) {
    const { code, stderr } = await importing(folder, text);
    expect({ text: text.slice(0, 40), code }).toEqual({ text: text.slice(0, 40), code: 1 });
    expect(stderr.startsWith(line), `${stderr} instead of ${line}`).toBe(true);
  }
});

test('[IMPORT-5] one person in two lists must be the same person', async () => {
  const folder = await freshFolder();
  const twice = await importing(folder, {
    teachers: [{ uid: 'ada', name: 'Ada Osei' }],
    admins: [{ uid: 'ada', name: 'Ada O.' }],
  });
  expect(twice.stderr).toMatch(/^school\.json:6: uid "ada" has another name in line 3\n/);
  const same = {
    teachers: [{ uid: 'ada', name: 'Ada Osei', email: 'ada@school.example' }],
    students: [{ uid: 'ada', name: 'Ada Osei' }],
  };
  expect((await importing(folder, same)).code).toBe(0);
  expect(counts(await importing(folder, same, '--json')).changed).toEqual(NONE);
  const ada = await (await database(folder)).people.findPersonByUid('ada');
  expect(ada).toMatchObject({ teacher: { teacher_id: 'ada' }, student: { student_id: 'ada' } });
});

test('[IMPORT-8] [IMPORT-9] every list is optional and an id defaults to the uid', async () => {
  const folder = await freshFolder();
  expect(await importing(folder, '{}')).toMatchObject({ code: 0 });
  expect(await importing(folder, { students: [{ uid: 'bo', name: 'Bo Lind' }] })).toMatchObject({ code: 0 });
  expect(await importing(folder, { courses: [{ id: 'c', title: 'C' }] })).toMatchObject({ code: 0 });
  // References may lead into the database.
  const enrollments = [{ course_id: 'c', student_id: 'bo' }];
  expect(await importing(folder, { enrollments })).toMatchObject({ code: 0 });
  const roster = await (await database(folder)).courses.listRoster('c' as CourseId);
  expect(roster.map((student) => student.student_id)).toEqual(['bo']);
});

test('[IMPORT-10] a session that was held is left as it is', async () => {
  const folder = await freshFolder();
  const now = new Date(2026, 10, 23, 10, 30);
  const storage = await database(folder);
  await seedDemo(storage, now);
  const id = pastSessions(now)[0]?.id ?? '';
  const before = await storage.projection.findSession(id as SessionId);
  const session = { id, course_id: 'course-3', date: '2030-01-01', topic: 'Changed', status: 'cancelled' };
  expect(counts(await importing(folder, { sessions: [session] }, '--json'))).toMatchObject({
    changed: NONE,
    left: { ...NONE, sessions: 1 },
  });
  expect(await storage.projection.findSession(id as SessionId)).toEqual(before);
});

test('[IMPORT-16] a school file may begin with a byte-order mark', async () => {
  expect((await importing(await freshFolder(), `\ufeff${inLines(SCHOOL)}`)).code).toBe(0);
});

test('[IMPORT-1] a school of 10,000 students is imported', async () => {
  const students = Array.from({ length: 10_000 }, (_, index) => ({ uid: `u${index}`, name: `Student ${index}` }));
  const outcome = await importing(await freshFolder(), { students }, '--json');
  expect(counts(outcome).added).toEqual({ ...NONE, students: 10_000 });
});

const ONEROSTER = {
  'manifest.csv': [
    'propertyName,value',
    'manifest.version,1.0',
    'oneroster.version,1.1',
    'file.classes,bulk',
    'file.enrollments,bulk',
    'file.orgs,absent',
    'file.users,bulk',
  ],
  'users.csv': [
    'sourcedId,status,role,username,givenName,familyName,identifier',
    't1,,teacher,ada,Ada,Osei,',
    's1,active,student,bo,Bo,Lind,7',
  ],
  'classes.csv': ['sourcedId,title,classCode', 'c1,Databases,CSE-301'],
  'enrollments.csv': [
    'sourcedId,classSourcedId,userSourcedId,role,primary',
    'e1,c1,t1,teacher,true',
    'e2,c1,s1,student,',
  ],
};

test('[IMPORT-2] a OneRoster folder and a zip of it are the same school', async () => {
  const folder = await freshFolder();
  await mkdir(join(folder, 'bundle'));
  const packed: Record<string, Uint8Array> = { '__MACOSX/manifest.csv': strToU8('x') };
  for (const [file, lines] of Object.entries(ONEROSTER)) {
    await writeFile(join(folder, 'bundle', file), `${lines.join('\r\n')}\r\n`);
    packed[`inside/${file}`] = strToU8(lines.join('\n'));
  }
  await writeFile(join(folder, 'roster'), zipSync(packed));
  const first = await rollcall(folder, ['import', 'bundle', '--json']);
  const all = { ...NONE, teachers: 1, students: 1, courses: 1, enrollments: 1 };
  expect(counts(first)).toEqual({ added: all, changed: NONE, left: NONE });
  const second = await rollcall(folder, ['import', 'roster', '--json']);
  expect(counts(second)).toEqual({ added: NONE, changed: NONE, left: all });
});

test('[IMPORT-5] [IMPORT-6] a bad row of OneRoster is named by file and line, in a folder and in a zip', async () => {
  const folder = await freshFolder();
  const users = [...ONEROSTER['users.csv'], 's2,,student,,Cy,Abel,'];
  const files = { ...ONEROSTER, 'users.csv': users };
  await mkdir(join(folder, 'bundle'));
  for (const [file, lines] of Object.entries(files)) await writeFile(join(folder, 'bundle', file), lines.join('\n'));
  const packed = Object.fromEntries(Object.entries(files).map(([file, lines]) => [file, strToU8(lines.join('\n'))]));
  await writeFile(join(folder, 'roster.zip'), zipSync(packed));
  for (const path of ['bundle', 'roster.zip']) {
    const { code, stderr } = await rollcall(folder, ['import', path]);
    expect(code).toBe(1);
    expect(stderr).toBe(`${path}/users.csv:4: username is empty\nrollcall: nothing was imported: there is 1 fault\n`);
  }
  expect(await (await database(folder)).people.isEmpty()).toBe(true);
});

test('[IMPORT-15] what OneRoster has and Rollcall has no use for is counted', async () => {
  const folder = await freshFolder();
  const users = [
    ...ONEROSTER['users.csv'],
    'g1,,guardian,mum,M,L,',
    'a1,,administrator,head,H,T,',
    'x,tobedeleted,student,x,X,Y,',
  ];
  const packed = Object.entries({ ...ONEROSTER, 'users.csv': users });
  await writeFile(
    join(folder, 'roster.zip'),
    zipSync(Object.fromEntries(packed.map(([file, lines]) => [file, strToU8(lines.join('\n'))]))),
  );
  const { stdout } = await rollcall(folder, ['import', 'roster.zip', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    added: { ...NONE, teachers: 1, students: 1, courses: 1, enrollments: 1 },
    ignored: { 'users with the role guardian': 1, 'users with the role administrator': 1, 'rows to be deleted': 1 },
  });
  const text = await rollcall(folder, ['import', 'roster.zip']);
  expect(text.stdout).toMatch(/^left out: users with the role guardian: 1$/m);
});

test('[IMPORT-4] a dry run makes no database', async () => {
  const folder = await freshFolder();
  await writeFile(join(folder, 'school.json'), JSON.stringify(SCHOOL));
  const { code, stdout } = await rollcall(folder, ['import', 'school.json', '--dry-run', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).added).toMatchObject({ teachers: 1, students: 2 });
  expect(await readdir(folder)).toEqual(['school.json']);
});

test('[IMPORT-6] an import that is refused makes no database', async () => {
  const folder = await freshFolder();
  const nowhere = { enrollments: [{ course_id: 'nowhere', student_id: 'nobody' }] };
  for (const school of ['# no JSON', { students: [{ uid: 'bo' }] }, nowhere]) {
    expect(await importing(folder, school)).toMatchObject({ code: 1 });
    expect(await readdir(folder)).toEqual(['school.json']);
  }
});

test('[CONF-2] import, verify and backup need no key of tokens in production', async () => {
  const folder = await freshFolder();
  await writeFile(join(folder, 'school.json'), JSON.stringify(SCHOOL));
  for (const args of [['import', 'school.json'], ['verify'], ['backup', 'copy.db']]) {
    const outcome = await rollcall(folder, args, { NODE_ENV: 'production', DATA_DIR: 'data' });
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
  }
});

test('[IMPORT-2] a CSV file of a bundle is answered with what to name instead', async () => {
  const folder = await freshFolder();
  await mkdir(join(folder, 'bundle'));
  await writeFile(join(folder, 'bundle', 'users.csv'), 'sourcedId,username\n');
  const { code, stderr } = await rollcall(folder, ['import', 'bundle/users.csv']);
  expect(code).toBe(1);
  expect(stderr).toContain('bundle/users.csv is one file of a CSV bundle; name its folder: rollcall import bundle');
});

import { strToU8, zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { readOneRoster } from './oneroster.js';
import { openZip } from './oneroster-bundle.js';
import { SchoolReading } from './school-reading.js';

const DAY = '2026-11-27';

type Files = Record<string, string | Uint8Array>;

const manifest = (version: string, ...properties: string[]): string =>
  ['propertyName,value', 'manifest.version,1.0', `oneroster.version,${version}`, ...properties].join('\n');

const BULK = ['file.users,bulk', 'file.classes,bulk', 'file.enrollments,bulk'];

const ONE_ONE: Files = {
  'manifest.csv': manifest('1.1', ...BULK),
  'users.csv': `sourcedId,status,role,username,givenName,familyName,email,identifier
t1,,teacher,ada,Ada,Osei,ada@school.example,
t2,,teacher,kit,Kit,Moro,,
s1,active,student,bo,Bo,Lind,,1907001
`,
  'classes.csv': 'sourcedId,title,classCode\nc1,Databases,CSE-301\nc2,Logic,\n',
  'enrollments.csv': `sourcedId,classSourcedId,userSourcedId,role,primary
e1,c1,t2,teacher,false
e2,c1,t1,teacher,true
e3,c1,s1,student,
`,
};

const ONE_TWO: Files = {
  ...ONE_ONE,
  'manifest.csv': manifest('1.2', ...BULK, 'file.roles,bulk'),
  'users.csv': `sourcedId,username,givenName,familyName,identifier,preferredGivenName
t1,ada,Augusta,Osei,,Ada
t2,kit,Kit,Moro,,
s1,bo,Bo,Lind,1907001,
`,
  'roles.csv':
    'sourcedId,userSourcedId,roleType,role\nr1,t1,primary,teacher\nr2,t2,primary,teacher\nr3,s1,primary,student\n',
};

async function read(files: Files): Promise<SchoolReading> {
  const packed = Object.entries(files).map(([name, text]) => [name, typeof text === 'string' ? strToU8(text) : text]);
  const reading = new SchoolReading();
  await readOneRoster(openZip(zipSync(Object.fromEntries(packed)), 'r.zip'), reading, DAY);
  return reading;
}

const problems = async (files: Files) => (await read(files)).problemLines();

test('[IMPORT-11] a class becomes a course of its sourcedId, title and classCode', async () => {
  const { school } = await read(ONE_ONE);
  expect(school.courses).toMatchObject([
    { id: 'c1', title: 'Databases', course_code: 'CSE-301' },
    { id: 'c2', title: 'Logic', course_code: null, teacher_id: null, co_teacher_ids: [] },
  ]);
});

test('[IMPORT-12] username becomes the uid, sourcedId the id of the profile', async () => {
  const { school } = await read(ONE_ONE);
  expect(school.teachers).toMatchObject([
    { id: 't1', uid: 'ada', name: 'Ada Osei', email: 'ada@school.example' },
    { id: 't2', uid: 'kit', name: 'Kit Moro', email: null },
  ]);
  expect(school.students).toMatchObject([{ id: 's1', uid: 'bo', name: 'Bo Lind', roll: '1907001' }]);
  expect(school.enrollments).toEqual([
    { course_id: 'c1', student_id: 's1', status: 'approved', begins: null, ends: null },
  ]);
});

test('[IMPORT-13] the role is in users.csv in 1.1 and in roles.csv in 1.2', async () => {
  const [older, newer] = [await read(ONE_ONE), await read(ONE_TWO)];
  expect([older.problems, newer.problems]).toEqual([[], []]);
  const ids = ({ school }: SchoolReading) => [school.teachers, school.students].map((list) => list.map(({ id }) => id));
  expect(ids(newer)).toEqual(ids(older));
  expect(newer.school.teachers[0]).toMatchObject({ name: 'Ada Osei' });
  expect(await problems({ ...ONE_ONE, 'users.csv': String(ONE_TWO['users.csv']) })).toEqual([
    'r.zip/users.csv:1: missing column role',
  ]);
  const { 'roles.csv': _, ...withoutRoles } = ONE_TWO;
  expect(await problems({ ...withoutRoles, 'manifest.csv': manifest('1.2', ...BULK) })).toEqual([
    'r.zip/manifest.csv:4: names users.csv without roles.csv, which has the roles in 1.2',
  ]);
  const roles = `${ONE_TWO['roles.csv']}r4,ghost,primary,student\n`;
  expect(await problems({ ...ONE_TWO, 'roles.csv': roles })).toEqual([
    'r.zip/roles.csv:5: userSourcedId "ghost" is not in users.csv',
  ]);
});

test('[IMPORT-13] who has both roles gets both profiles, and who teaches a class is a teacher', async () => {
  const both = await read({ ...ONE_TWO, 'roles.csv': `${ONE_TWO['roles.csv']}r4,s1,secondary,teacher\n` });
  expect(both.problems).toEqual([]);
  expect(both.school.teachers.map(({ id }) => id)).toContain('s1');
  expect(both.school.students.map(({ id }) => id)).toContain('s1');

  const users = `${ONE_ONE['users.csv']}a1,,administrator,head,Hea,Dy,,\n`;
  const enrollments = `${ONE_ONE['enrollments.csv']}e4,c2,a1,teacher,\n`;
  const { school } = await read({ ...ONE_ONE, 'users.csv': users, 'enrollments.csv': enrollments });
  expect(school.teachers).toMatchObject([{ id: 't1' }, { id: 't2' }, { id: 'a1', uid: 'head' }]);
  expect(school.courses[1]).toMatchObject({ teacher_id: 'a1' });
});

test('[IMPORT-14] the primary teacher is the teacher, others are co-teachers; without one the first is', async () => {
  expect((await read(ONE_ONE)).school.courses[0]).toMatchObject({ teacher_id: 't1', co_teacher_ids: ['t2'] });
  const enrollments = String(ONE_ONE['enrollments.csv']).replace(',true', ',');
  expect((await read({ ...ONE_ONE, 'enrollments.csv': enrollments })).school.courses[0]).toMatchObject({
    teacher_id: 't2',
    co_teacher_ids: ['t1'],
  });
});

test('[IMPORT-15] other roles, and rows to be deleted with all that hangs on them, are left out and counted', async () => {
  const reading = await read({
    ...ONE_ONE,
    'users.csv': `${ONE_ONE['users.csv']}g1,,guardian,mum,M,L,,\ng2,,guardian,,,,,\ns2,tobedeleted,student,cy,Cy,Abel,,\n`,
    'classes.csv': `sourcedId,status,title\nc1,,Databases\nc3,tobedeleted,Gone\n`,
    'enrollments.csv': `${ONE_ONE['enrollments.csv']}e4,c1,g1,guardian,\ne5,c1,s2,student,\ne6,c3,s1,student,\n`,
  });
  expect(reading.problems).toEqual([]);
  expect(reading.ignored).toEqual({
    'users with the role guardian': 2,
    'rows to be deleted': 2,
    'enrolments as guardian': 1,
    'enrolments of deleted users or classes': 2,
  });
  expect(reading.school.students).toHaveLength(1);
  expect(reading.school.enrollments).toHaveLength(1);
});

test('[IMPORT-15] a role that OneRoster does not have is counted, also where an enrolment makes it a student', async () => {
  const users = String(ONE_ONE['users.csv']).replace('s1,active,student', 's1,active,pupil');
  const reading = await read({ ...ONE_ONE, 'users.csv': `${users}s2,,pupil,cy,Cy,Abel,,\n` });
  expect(reading.problems).toEqual([]);
  expect(reading.school.students).toMatchObject([{ id: 's1' }]);
  expect(reading.ignored).toEqual({
    'the unknown role pupil of people who are enrolled': 1,
    'users with the role pupil': 1,
  });
});

test('[IMPORT-16] a byte-order mark, any order of columns, quotes and blank lines are accepted', async () => {
  const users =
    '\ufeff"familyName",username,role,givenName,sourcedId\r\nOsei,ada,teacher,Ada,t1\r\n\r\n"Moro, ""K""",kit,teacher,Kit,t2\r\nLind,bo,student,Bo,s1\r\n';
  const reading = await read({ ...ONE_ONE, 'users.csv': users });
  expect(reading.problems).toEqual([]);
  expect(reading.school.teachers[1]).toMatchObject({ name: 'Kit Moro, "K"' });
});

test('[IMPORT-17] a file that the manifest names and that is missing is an error, one it calls absent is not read', async () => {
  const { 'enrollments.csv': enrollments, ...files } = ONE_ONE;
  expect(await problems(files)).toEqual(['r.zip/manifest.csv:6: enrollments.csv is named here and is missing']);
  const orgs = manifest('1.1', ...BULK, 'file.orgs,bulk');
  expect(await problems({ ...ONE_ONE, 'manifest.csv': orgs })).toEqual([
    'r.zip/manifest.csv:7: orgs.csv is named here and is missing',
  ]);
  const absent = await read({
    ...files,
    'enrollments.csv': String(enrollments).replaceAll('c1', 'nowhere'),
    'manifest.csv': manifest('1.1', 'file.users,bulk', 'file.classes,bulk', 'file.enrollments,absent'),
  });
  expect(absent.problems).toEqual([]);
  expect(absent.school.enrollments).toEqual([]);
});

test('[IMPORT-17] a bundle without a manifest, of another version or of deltas is refused', async () => {
  const { 'manifest.csv': _, ...files } = ONE_ONE;
  expect(await problems(files)).toEqual(['r.zip/manifest.csv:1: is missing; a OneRoster bundle has one']);
  const with_ = (text: string) => problems({ ...ONE_ONE, 'manifest.csv': text });
  expect(await with_(manifest('1.0'))).toEqual([
    'r.zip/manifest.csv:3: OneRoster 1.0 is not supported, only 1.1 and 1.2',
  ]);
  expect(await with_('propertyName,value\nfile.users,bulk\n')).toEqual([
    'r.zip/manifest.csv:1: names no oneroster.version',
  ]);
  expect(await with_(manifest('1.1', 'file.users,delta'))).toEqual([
    'r.zip/manifest.csv:4: users.csv is a delta file; only bulk files can be imported',
  ]);
});

test('[IMPORT-5] every bad row of OneRoster is named by its first line', async () => {
  const files: Files = {
    ...ONE_ONE,
    'users.csv': `sourcedId,status,role,username,givenName,familyName,email
t1,,teacher,ada,Ada,"Os
ei",
t2,,teacher,,Kit,Moro,
s1,,student,bo,Bo,Lind,no-address
s1,,student,bo2,Bo,Lind,
s2,gone,student,cy,Cy,Abel,
s3,,student,ada,Di,Hart,
s4,,student
,,student,el,El,Quin,
`,
    'classes.csv': 'sourcedId,title,classCode\nc1,,CSE-301\n',
    'enrollments.csv': 'classSourcedId,userSourcedId,role\nc9,t1,teacher\nc1,ghost,student\n',
  };
  expect(await problems(files)).toEqual([
    'r.zip/classes.csv:2: title is empty',
    'r.zip/enrollments.csv:2: classSourcedId "c9" is not in classes.csv',
    'r.zip/enrollments.csv:3: userSourcedId "ghost" is not in users.csv',
    'r.zip/users.csv:4: username is empty: give each user the name by which they sign in',
    'r.zip/users.csv:5: email is not an email address',
    'r.zip/users.csv:6: sourcedId "s1" is already in line 5',
    'r.zip/users.csv:7: status is "gone"; it must be active, tobedeleted or empty',
    'r.zip/users.csv:8: username "ada" is already in line 2',
    'r.zip/users.csv:9: has 3 cells where the first line has 7',
    'r.zip/users.csv:10: sourcedId is empty',
  ]);
  expect(
    await problems({ ...ONE_ONE, 'users.csv': 'sourcedId,role,username,givenName,familyName\nt1,"teacher\n' }),
  ).toEqual([expect.stringMatching(/^r\.zip\/users\.csv:\d: not CSV: Quote Not Closed/)]);
  expect(await problems({ ...ONE_ONE, 'users.csv': Uint8Array.of(0xff, 0xfe, 0x73) })).toEqual([
    'r.zip/users.csv:1: is not UTF-8 text but UTF-16: save it as UTF-8 (in Excel: "CSV UTF-8")',
  ]);
});

test('[IMPORT-2] a zip that unpacks to too much, or is none, is refused', () => {
  const zip = zipSync({ 'manifest.csv': new Uint8Array(2 * 1024 * 1024) });
  expect(zip.length).toBeLessThan(10_000);
  expect(() => openZip(zip, 'r.zip', 1024 * 1024)).toThrow('r.zip: unpacks to more than 1 MB');
  expect(() => openZip(zip.subarray(0, 200), 'r.zip')).toThrow(/^r\.zip: /);
});

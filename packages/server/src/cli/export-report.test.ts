import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { courseRegister, sessionRegister } from '@rollcall/protocol';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { databases } from '../end-to-end/databases.test.support.js';
import { connectTo, SECRET, tokenOf } from '../testing/server.js';
import { freshFolder, rollcall, startServer } from './rollcall.test.support.js';

const SCHOOL = {
  teachers: [{ id: 'teacher-1', uid: 'ada', name: 'Ada Osei' }],
  students: [
    { id: 'student-1', uid: 'bo', name: 'محمد علي', roll: '10' },
    { id: 'student-2', uid: 'eve', name: '=1+1', roll: '9' },
  ],
  courses: [{ id: 'course-1', title: 'Databases', course_code: 'CSE-301', teacher_id: 'teacher-1' }],
  enrollments: ['student-1', 'student-2'].map((student_id) => ({
    course_id: 'course-1',
    student_id,
    status: 'approved',
  })),
  sessions: ['2026-11-23', '2026-11-24', '2026-11-30'].map((date, i) => ({
    id: `session-${i + 1}`,
    course_id: 'course-1',
    date,
    start_time: '09:00',
    end_time: '10:30',
  })),
};
const columns = SCHOOL.sessions.map(({ date }) => `${date} 09:00–10:30`);

/** A course of which two sessions were held, and how to run commands beside the server. */
async function heldCourse(databaseUrl: string) {
  const folder = await freshFolder();
  const env = { DATABASE_URL: databaseUrl, ACCESS_TOKEN_SECRET: SECRET, SCHOOL_TIME_ZONE: 'Europe/Berlin' };
  await writeFile(join(folder, 'school.json'), JSON.stringify(SCHOOL));
  expect(await rollcall(folder, ['import', 'school.json'], env)).toMatchObject({ code: 0 });
  const server = await startServer(folder, env);
  const teacher = await connectTo(server.url, 'ada', { token: await tokenOf('ada') });
  for (const session_id of ['session-1', 'session-3']) {
    await teacher.send('startAttendanceSession', { session_id });
    await teacher.send('markStudentPresent', { session_id, student_id: 'student-1' });
    await teacher.send('endAttendanceSession', { session_id });
  }
  const get = async (path: string) => {
    const headers = { authorization: `Bearer ${await tokenOf('ada')}` };
    return Buffer.from(await (await fetch(`${server.url}/api/v1${path}`, { headers })).arrayBuffer());
  };
  return { folder, get, run: (...args: string[]) => rollcall(folder, ['export', ...args], env) };
}

describe.each(databases)('$title', ({ missing, fresh }) => {
  test.skipIf(missing)(
    '[CLI-101] export course and export session write what the API gives, byte by byte, beside a running server',
    async () => {
      const { folder, get, run } = await heldCourse(await fresh());
      const wishes = [
        ['course', 'course-1', '/courses/course-1/register', ''],
        ['course', 'course-1', '/courses/course-1/register', '&from=2026-11-24&to=2026-11-30&codes=edfi'],
        ['session', 'session-1', '/sessions/session-1/register', '&codes=england'],
      ] as const;
      for (const [what, id, path, query] of wishes) {
        const options = query.split('&').flatMap((option) => (option === '' ? [] : [`--${option}`]));
        for (const format of ['json', 'csv', 'xlsx']) {
          const file = `${what}${query.length}.${format}`;
          const told = await run(what, id, '--format', format, ...options, '--out', file);
          expect(told).toEqual({ code: 0, stdout: '', stderr: '' });
          const written = await readFile(join(folder, file));
          expect(written.equals(await get(`${path}?format=${format}${query}`)), `${format}${query}`).toBe(true);
          expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
        }
      }
      const csv = await run('course', 'course-1', '--format', 'csv', '--to', '2026-11-23');
      const rows: string[][] = parse(csv.stdout, { bom: true });
      expect(rows.map((row) => row.slice(0, 4))).toEqual([
        ['student_id', 'roll', 'name', columns[0]],
        ['student-2', '9', "'=1+1", 'absent'],
        ['student-1', '10', 'محمد علي', 'present'],
      ]);
      const json = courseRegister.parse(JSON.parse((await run('course', 'course-1', '--format', 'json')).stdout));
      expect(json.sessions.map(({ column }) => column)).toEqual([columns[0], columns[2]]);
    },
  );
});

test('[CLI-102] codes may come from a file of the school', async () => {
  const { folder, run } = await heldCourse('sqlite:rollcall.db');
  await writeFile(join(folder, 'codes.json'), '{"present": "P", "absent": "A"}');
  const { stdout } = await run('session', 'session-1', '--format', 'json', '--codes', 'codes.json');
  const register = sessionRegister.parse(JSON.parse(stdout));
  expect(register.codes).toMatchObject({ name: 'own', present: 'P', late: 'late' });
  expect(register.rows.map(({ status }) => status)).toEqual(['A', 'P']);
});

test('[CLI-103] what can’t be exported is told in one line, and nothing is written or overwritten', async () => {
  const folder = await freshFolder();
  const env = { DATABASE_URL: 'sqlite:rollcall.db', ACCESS_TOKEN_SECRET: SECRET };
  await writeFile(join(folder, 'school.json'), JSON.stringify(SCHOOL));
  await rollcall(folder, ['import', 'school.json'], env);
  await writeFile(join(folder, 'taken.csv'), 'mine');
  await writeFile(join(folder, 'bad.json'), '{"here": "P"}');
  await writeFile(join(folder, 'broken.json'), '{');
  await mkdir(join(folder, 'folder'));
  const course = ['course', 'course-1', '--format', 'csv'];
  const cases: ReadonlyArray<readonly [readonly string[], number, RegExp]> = [
    [['course', 'nowhere', '--format', 'csv'], 1, /the database has no course nowhere/],
    [['session', 'nowhere', '--format', 'xlsx'], 1, /the database has no session nowhere/],
    [[...course, '--from', '2026-02-30'], 1, /--from must be a day such as 2026-11-23/],
    [[...course, '--from', '2026-11-02', '--to', '2026-11-01'], 1, /--from is later than --to/],
    [[...course, '--codes', 'france'], 1, /--codes must be one of edfi, england/],
    [[...course, '--codes', 'bad.json'], 1, /bad\.json: codes\.here/],
    [[...course, '--codes', 'broken.json'], 1, /broken\.json is no JSON/],
    [[...course, '--codes', 'missing.json'], 1, /missing\.json: no such file/],
    [[...course, '--out', 'taken.csv'], 1, /taken\.csv is there already/],
    [[...course, '--out', 'folder'], 1, /folder is a folder/],
    [[...course, '--out', 'nowhere/x.csv'], 1, /nowhere\/x\.csv cannot be written/],
    [['course', 'course-1', '--format', 'pdf'], 2, /json/],
    [['course', 'course-1'], 2, /--format/],
    [['session', 'session-1', '--format', 'journal', '--codes', 'edfi'], 1, /a journal has no codes/],
  ];
  for (const [args, code, told] of cases) {
    const outcome = await rollcall(folder, ['export', ...args], env);
    expect([outcome.code, outcome.stdout], args.join(' ')).toEqual([code, '']);
    expect(outcome.stderr, args.join(' ')).toMatch(told);
    if (code === 1) expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
  }
  expect(await readFile(join(folder, 'taken.csv'), 'utf8')).toBe('mine');
});

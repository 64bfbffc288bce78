import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionId } from '@rollcall/protocol';
import { describe, expect, test } from 'vitest';
import { databases, openBeside } from '../end-to-end/databases.test.support.js';
import { appendTo } from '../storage/contract/journal-access.js';
import { type Client, connectTo, SECRET, tokenOf } from '../testing/server.js';
import { freshFolder, rollcall, startServer } from './rollcall.test.support.js';

const session_id = 'session-1';
/** It begins a line, moves the cursor and turns a line around. */
const FORGED = 'Eve\nroot  present\u001b[2J\u009b1m\u202e';

const SCHOOL = {
  teachers: [{ id: 'teacher-1', uid: 'ada', name: 'Ada Osei' }],
  students: [
    { id: 'student-1', uid: 'bo', name: 'Bo Lind', roll: '10' },
    { id: 'student-2', uid: 'li', name: '李小龍', roll: '9' },
    { id: 'student-3', uid: 'zoe', name: 'Zoe\u0301', roll: '100' },
    { id: 'student-4', uid: 'eve', name: FORGED, roll: '11' },
  ],
  courses: [{ id: 'course-1', title: 'Databases', course_code: 'CSE-301', teacher_id: 'teacher-1' }],
  enrollments: ['student-1', 'student-2', 'student-3', 'student-4'].map((student_id) => ({
    course_id: 'course-1',
    student_id,
    status: 'approved',
  })),
  sessions: [
    {
      id: session_id,
      course_id: 'course-1',
      date: '2026-11-23',
      start_time: '09:00',
      end_time: '10:30',
      topic: 'Joins',
    },
    { id: 'session-2', course_id: 'course-1', date: '2026-11-24' },
  ],
};

/** A server that is running a class, and how to run commands beside it. */
async function runningClass(databaseUrl: string) {
  const folder = await freshFolder();
  const env = { DATABASE_URL: databaseUrl, ACCESS_TOKEN_SECRET: SECRET, TZ: 'Asia/Kolkata' };
  await writeFile(join(folder, 'school.json'), JSON.stringify(SCHOOL));
  expect(await rollcall(folder, ['import', 'school.json'], env)).toMatchObject({ code: 0 });
  const server = await startServer(folder, env);
  const [teacher, student] = (await Promise.all(
    ['ada', 'bo'].map(async (uid) => connectTo(server.url, uid, { token: await tokenOf(uid) })),
  )) as [Client, Client];
  await teacher.send('startAttendanceSession', { session_id });
  await student.send('joinAttendanceSession', { session_id });
  await teacher.send('markStudentPresent', { session_id, student_id: 'student-1' });
  await teacher.send('markStudentAttendance', {
    session_id,
    student_id: 'student-2',
    status: 'late',
    remarks: `bus\t${FORGED}`,
  });
  const show = (...args: string[]) => rollcall(folder, ['show', ...args], env);
  return { teacher, show };
}

const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;
const SEEN = String.raw`Eve\nroot  present\u001b[2J\u009b1m\u202e`;
const escaped = (text: string) => text.replace(/[\\[\]()+.]/g, '\\$&');

describe.each(databases)('$title', ({ missing, fresh }) => {
  test.skipIf(missing)(
    '[CLI-140] show prints who, status, when and by whom beside a running server, in the order of rolls',
    async () => {
      const { show } = await runningClass(await fresh());
      const { code, stdout, stderr } = await show(session_id);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const lines = stdout.split('\n');
      expect(lines[0]).toBe('Session session-1: Databases (CSE-301), 2026-11-23 09:00–10:30, Joins');
      expect(lines[1]).toMatch(new RegExp(`^active, teacher Ada Osei, started ${TIME}$`));
      expect(lines[2]).toBe('1 present, 1 late, 0 excused and 2 absent of 4; 1 checked in; 50 % attended');
      expect(lines.slice(4).map((line) => line.replace(/ {2,}/g, ' | '))).toEqual([
        'ROLL | STUDENT | STATUS | WHEN | BY | CHECKED IN | REMARKS',
        expect.stringMatching(new RegExp(`^9 \\| 李小龍 \\| late \\| ${TIME} \\| Ada Osei \\| bus`)),
        expect.stringMatching(new RegExp(`^10 \\| Bo Lind \\| present \\| ${TIME} \\| Ada Osei \\| ${TIME}$`)),
        expect.stringMatching(/^11 \| Eve.* \| absent$/),
        '100 | Zoe\u0301 | absent',
        '',
      ]);
    },
  );

  test.skipIf(missing)(
    '[CLI-140] [MARK-64] [AMEND-2] with --history it prints every change, also after the end',
    async () => {
      const { teacher, show } = await runningClass(await fresh());
      await teacher.send('clearStudentMark', { session_id, student_id: 'student-2' });
      await teacher.send('endAttendanceSession', { session_id });
      const amendment = { session_id, student_id: 'student-1', status: 'excused', reason: 'a note\tcame' };
      await teacher.send('amendAttendance', amendment);
      const { code, stdout } = await show(session_id, '--history');
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`^completed, teacher Ada Osei, started ${TIME}, ended ${TIME}$`, 'm'));
      const history = stdout.slice(stdout.indexOf('SEQ')).split('\n');
      expect(history.map((line) => line.replace(/ {2,}/g, ' | '))).toEqual([
        'SEQ | WHEN | BY | STUDENT | WHAT',
        expect.stringMatching(new RegExp(`^1 \\| ${TIME} \\| Ada Osei \\| started$`)),
        expect.stringMatching(new RegExp(`^2 \\| ${TIME} \\| Bo Lind \\| Bo Lind \\| checked in$`)),
        expect.stringMatching(new RegExp(`^3 \\| ${TIME} \\| Ada Osei \\| Bo Lind \\| absent → present$`)),
        expect.stringMatching(new RegExp(`^4 \\| ${TIME} \\| Ada Osei \\| 李小龍 \\| absent → late: bus`)),
        expect.stringMatching(new RegExp(`^5 \\| ${TIME} .* \\| late → absent: the mark was taken back$`)),
        expect.stringMatching(new RegExp(`^6 \\| ${TIME} \\| Ada Osei \\| ended \\(teacher\\)$`)),
        expect.stringContaining(String.raw`present → excused, amended after the end: a note\tcame`),
        '',
      ]);
    },
  );

  test.skipIf(missing)(
    '[CLI-141] with --json it prints what a teacher’s app is answered, and the changes',
    async () => {
      const { teacher, show } = await runningClass(await fresh());
      const answer = await teacher.send('getAttendanceSessionData', { session_id });
      const {
        statistics,
        chain: __,
        ...told
      } = answer as unknown as { statistics: Record<string, unknown>; chain: string };
      const { onlineCount: _, ...stored } = statistics;
      const { code, stdout } = await show(session_id, '--json', '--history');
      expect(code).toBe(0);
      const { changes, ...shown } = JSON.parse(stdout);
      expect({ ok: true, ...shown }).toEqual({ ...told, statistics: stored });
      const { changes: since } = await teacher.send('getAttendanceSessionData', { session_id, since_seq: 0 });
      expect(changes).toEqual(since);
      expect(JSON.parse((await show(session_id, '--json')).stdout)).toEqual(shown);
    },
  );

  test.skipIf(missing)(
    '[CLI-140] a session that never ran is shown, and one that is not there is a failure',
    async () => {
      const { show } = await runningClass(await fresh());
      const scheduled = await show('session-2', '--history');
      expect(scheduled).toMatchObject({ code: 0, stderr: '' });
      expect(scheduled.stdout).toMatch(/^Session session-2: .*\nscheduled, .*\n.*\n\nNo student has a record yet\.\n/);
      expect(scheduled.stdout).toContain('There is no history');
      expect(await show('nowhere\u001b[2J')).toEqual({
        code: 1,
        stdout: '',
        stderr: 'rollcall: the database has no session nowhere\\u001b[2J: check the id, also its case\n',
      });
      expect(await show()).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^rollcall: missing required argument/),
      });
    },
  );

  test.skipIf(missing)(
    '[CLI-143] [CLI-144] columns stand as a terminal shows them, and no text acts on it',
    async () => {
      const { show } = await runningClass(await fresh());
      const { stdout } = await show(session_id, '--history');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      const width = SEEN.length + 2;
      // 李小龍 takes six places, Zoé four in five characters.
      expect(stdout).toMatch(new RegExp(`^9     李小龍${' '.repeat(width - 6)}late`, 'm'));
      expect(stdout).toMatch(new RegExp(`^10    Bo Lind${' '.repeat(width - 7)}present`, 'm'));
      expect(stdout).toMatch(new RegExp(`^11    ${escaped(SEEN)}  absent`, 'm'));
      expect(stdout).toMatch(new RegExp(`^100   Zoe\u0301${' '.repeat(width - 3)}absent`, 'm'));
      expect(stdout).toContain(String.raw`bus\t${SEEN}`);
    },
  );
});

test('[CLI-140] a damaged journal is named, with what to do', async () => {
  const folder = await freshFolder();
  const url = `sqlite:${join(folder, 'rollcall.db')}`;
  const storage = await openBeside(url);
  const actor = { user_id: null, name: 'nobody' };
  await appendTo(storage, 'damaged' as SessionId, 0, [{ type: 'ended', seq: 1, at: 0, actor, reason: 'teacher' }]);
  await storage.close();
  const { code, stderr } = await rollcall(folder, ['show', 'damaged'], { DATABASE_URL: url });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(
      /^rollcall: the journal of session damaged can't be read: .*restore the session from a backup/,
    ),
  });
});

test('[CLI-131] show tells times by a clock at the school', async () => {
  const folder = await freshFolder();
  const env = { DATABASE_URL: 'sqlite:school.db', ACCESS_TOKEN_SECRET: SECRET, TZ: 'UTC' };
  await writeFile(join(folder, 'school.json'), JSON.stringify(SCHOOL));
  expect(await rollcall(folder, ['import', 'school.json'], env)).toMatchObject({ code: 0 });
  const server = await startServer(folder, env);
  const teacher = await connectTo(server.url, 'ada', { token: await tokenOf('ada') });
  const { session } = await teacher.send('startAttendanceSession', { session_id });
  const started = new Date((session as { started_at: string }).started_at);
  const at = async (zone: string) =>
    (await rollcall(folder, ['show', session_id], { ...env, SCHOOL_TIME_ZONE: zone })).stdout;
  const shifted = (hours: number) =>
    new Date(started.getTime() + hours * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
  expect(await at('Asia/Dhaka')).toContain(`started ${shifted(6)}`);
  expect(await at('America/Phoenix')).toContain(`started ${shifted(-7)}`);
});

test('[CLI-132] a backup of a folder says that it is one', async () => {
  const folder = await freshFolder();
  const failed = await rollcall(folder, ['backup', 'copy.db'], { DATABASE_URL: `sqlite:${folder}` });
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('is a folder: a database is a file in one');
});

import type { SessionId } from '@rollcall/protocol';
import { expect, test } from 'vitest';
import { readConfig } from '../config/config.js';
import { appendTo } from '../storage/contract/journal-access.js';
import { refusalOfConnection } from '../testing/refusals.js';
import { schoolOf } from '../testing/school.js';
import { SECRET, startServer, tokenOf } from '../testing/server.js';

const session_id = 'session-1';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly user?: string;
  readonly session_id?: string;
  readonly activeAttendanceSessions?: number;
  readonly active?: readonly string[];
  readonly data?: string;
  readonly students?: number;
  readonly online?: number;
  readonly stack?: string;
  readonly reason?: string;
  readonly times?: number;
}

/** Events that the class below sends out. */
const EMITTED = ['attendanceUpdated', 'studentJoinedAttendance', 'attendanceStatistics', 'attendanceSessionEnded'];

/** Runs a class with refusals, a fault, bad tokens and a refresh at a level. @returns the log and the tokens that were used */
async function logOfAClass(level: string) {
  const text: string[] = [];
  const server = await startServer({ LOG_LEVEL: level }, schoolOf(2), { onLog: (line) => text.push(line) });
  const tokens = await Promise.all(
    ['ada', 's-1', 'ada', 'nobody'].map((uid) => tokenOf(uid, { jti: Math.random().toString() })),
  );
  const [ada = '', bo = '', fresh = '', nobody = ''] = tokens;
  await refusalOfConnection(server.url, { auth: { token: nobody } });
  for (let times = 0; times < 3; times++) await refusalOfConnection(server.url, { auth: { token: `${nobody}x` } });
  await refusalOfConnection(server.url, { query: { token: ada } });
  const teacher = await server.connect('ada', { token: ada });
  const student = await server.connect('s-1', { auth: {}, extraHeaders: { authorization: `Bearer ${bo}` } } as never);
  await teacher.send('startAttendanceSession', { session_id });
  await student.send('joinAttendanceSession', { session_id });
  await teacher.send('markStudentPresent', { session_id, student_id: 'student-1', remarks: 'looked unwell' });
  await student.send('markStudentPresent', { session_id, student_id: 'student-1' });
  await teacher.send('refreshToken', { token: fresh });
  await teacher.send('refreshToken', { token: `${bo}x` });
  await teacher.send('refreshToken', { token: bo });
  const actor = { user_id: null, name: 'nobody' };
  const damaged = [{ type: 'ended', seq: 1, at: 0, actor, reason: 'teacher' }] as const;
  await appendTo(server.storage, 'damaged' as SessionId, 0, damaged);
  await teacher.send('getAttendanceSessionData', { session_id: 'damaged' });
  await teacher.send('endAttendanceSession', { session_id });
  student.close();
  await server.storage.close();
  await teacher.send('startAttendanceSession', { session_id: 'session-2' });
  await server.close();
  return { text: text.join(''), lines: text.map((line) => JSON.parse(line) as Line), tokens };
}

/** The debug lines of one event: what comes in, and what it was answered. */
const linesOf = (lines: readonly Line[], event: string) =>
  lines.filter(({ msg }) => msg.startsWith(`[SOCKET DEBUG] ${event} `) || msg === `[SOCKET DEBUG] ${event}`);

test('[LOG-1] at debug every event is logged with its tag, the user, the event and the session id', async () => {
  const { lines } = await logOfAClass('debug');
  const events = {
    startAttendanceSession: { user: 'ada', session_id },
    joinAttendanceSession: { user: 's-1', session_id },
    markStudentPresent: { user: 'ada', session_id },
    endAttendanceSession: { user: 'ada', session_id },
    refreshToken: { user: 'ada' },
  };
  for (const [event, facts] of Object.entries(events)) expect(linesOf(lines, event)[0], event).toMatchObject(facts);
  expect(linesOf(lines, 'markStudentPresent').map(({ user }) => user)).toEqual(['ada', 's-1']);
  expect(linesOf(lines, 'markStudentPresent')[1]).toMatchObject({ user: 's-1', code: 'NOT_A_TEACHER' });
  expect(lines.filter(({ level }) => level === 20).every(({ msg }) => msg.startsWith('[SOCKET DEBUG] '))).toBe(true);
});

test('[LOG-142] at debug one line an event says who sent it about whom, the answer, its seq, and the active sessions', async () => {
  const { lines } = await logOfAClass('debug');
  const says = (event: string) => linesOf(lines, event).map(({ msg }) => msg.replace('[SOCKET DEBUG] ', ''));
  const [started] = says('startAttendanceSession');
  expect(started).toBe(
    `startAttendanceSession ada ${session_id} → attendanceSessionStarted seq 1, 1 active, 2 students`,
  );
  expect(says('markStudentPresent')).toEqual([
    `markStudentPresent ada ${session_id} student-1 → studentMarkedPresent seq 3, 1 active, 2 students`,
    `markStudentPresent s-1 ${session_id} student-1 → refused NOT_A_TEACHER: Teacher profile not found, 1 active, 2 students`,
  ]);
  expect(says('joinAttendanceSession')).toHaveLength(1);
  expect(says('refreshToken')).toEqual([
    'refreshToken ada → ok, 1 active',
    'refreshToken ada → refused UNAUTHENTICATED: Invalid token, 1 active',
    'refreshToken ada → refused FORBIDDEN: The token belongs to another user, 1 active',
  ]);
  expect(says('endAttendanceSession')).toHaveLength(1);
});

test('[LOG-2] at debug the state of activeAttendanceSessions, the students, what was emitted and error stacks are logged', async () => {
  const { lines } = await logOfAClass('debug');
  const [marked] = linesOf(lines, 'markStudentPresent');
  expect(marked).toMatchObject({ activeAttendanceSessions: 1, active: [session_id], students: 2, online: 1, seq: 3 });
  expect(linesOf(lines, 'connected')[0]).toMatchObject({ user: 'ada', user_id: 'ada', name: 'Ada Osei' });
  for (const event of EMITTED) {
    const [emitted] = linesOf(lines, `emitted ${event}`);
    expect(emitted, event).toMatchObject({
      session_id,
      msg: expect.stringMatching(/ session-1, 1 active, 2 students$/),
    });
  }
  const [, refused] = linesOf(lines, 'markStudentPresent');
  expect(refused?.stack).toMatch(/RollcallError: Teacher profile not found\n\s+at /);
});

test('[LOG-143] what was in an event is logged at trace only, cut to 1,000 characters', async () => {
  const [debug, trace] = [await logOfAClass('debug'), await logOfAClass('trace')];
  expect(debug.lines.filter(({ data }) => data !== undefined)).toEqual([]);
  expect(debug.text).not.toContain('unwell');
  const [received] = linesOf(trace.lines, 'received markStudentPresent');
  expect(received?.data).toBe('{"session_id":"session-1","student_id":"student-1","remarks":"looked unwell"}');
  for (const event of EMITTED) {
    const [emitted] = linesOf(trace.lines, `emitted ${event}`);
    expect(emitted?.data, event).toContain(`"session_id":"${session_id}"`);
    expect(emitted?.data?.length, event).toBeLessThanOrEqual(1_001);
  }
});

test('[LOG-140] at info a line tells with ids and counts that a session started and that it ended', async () => {
  const { lines } = await logOfAClass('info');
  const course_id = 'course-1';
  expect(lines.find(({ msg }) => msg === 'a session started')).toMatchObject({ session_id, course_id, students: 2 });
  expect(lines.find(({ msg }) => msg === 'a session ended')).toMatchObject({
    session_id,
    course_id,
    reason: 'teacher',
    students: 2,
    present: 1,
    late: 0,
    absent: 1,
    excused: 0,
    seq: 4,
  });
  expect(lines.filter(({ msg }) => /^a session (started|ended)$/.test(msg))).toHaveLength(2);
});

test('[LOG-141] at info a refused sign-in is told at once with its reason, and repeats of it as one line with their number', async () => {
  const { lines } = await logOfAClass('info');
  const refused = lines.filter(({ msg }) => msg === 'a sign-in was refused');
  expect(refused.map(({ reason, times }) => [reason, times])).toEqual([
    ['User not found', 1],
    ['Invalid token', 1],
    ['Authentication error', 1],
    ['Invalid token', 2],
  ]);
});

test('[LOG-144] a text of a client begins no line of the log and sends a terminal nothing', async () => {
  const text: string[] = [];
  const forged = 'x\n{"level":30,"msg":"forged"}\u001b[31m\u009b1m\u202e';
  const school = schoolOf(2);
  const [ada, ...others] = school.teachers;
  if (!ada) throw new Error('the school has no teacher');
  const named = { ...school, teachers: [{ ...ada, name: forged }, ...others] };
  const server = await startServer({ LOG_LEVEL: 'trace' }, named, { onLog: (line) => text.push(line) });
  const teacher = await server.connect('ada');
  await teacher.send('startAttendanceSession', { session_id });
  await teacher.send('markStudentPresent', { session_id: forged, student_id: forged });
  await teacher.send('markStudentPresent', { session_id, student_id: forged });
  await server.close();
  const lines = text.map((line) => JSON.parse(line) as Line);
  const seen = 'x\\n{"level":30,"msg":"forged"}\\u001b[31m\\u009b1m\\u202e';
  expect(linesOf(lines, 'connected')[0]?.msg).toContain(`ada (${seen})`);
  expect(linesOf(lines, 'markStudentPresent').map(({ msg }) => msg.split(' → ')[0])).toEqual([
    `[SOCKET DEBUG] markStudentPresent ada ${seen} ${seen}`,
    `[SOCKET DEBUG] markStudentPresent ada ${session_id} ${seen}`,
  ]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
  for (const { msg } of lines) expect(msg).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
});

test('[LOG-3] personal data is logged at debug only', async () => {
  const { text, lines } = await logOfAClass('info');
  expect(lines.length).toBeGreaterThan(3);
  expect(lines.some(({ level }) => level >= 40)).toBe(true);
  const personal = [
    'ada',
    'Ada Osei',
    's-1',
    'Student 1',
    'student-1',
    's-1@school.example',
    '1907001',
    'unwell',
    '127.0.0.1:',
  ];
  for (const each of personal) expect(text, each).not.toContain(`"${each}`);
  expect(text).not.toMatch(/Ada Osei|Student 1|school\.example|1907001|unwell/);
});

test('[LOG-4] no token and no secret is ever logged, at whatever level', async () => {
  const { text, lines, tokens } = await logOfAClass('trace');
  expect(lines.length).toBeGreaterThan(30);
  expect(text).not.toContain(SECRET);
  for (const token of tokens) {
    for (const part of token.split('.').slice(1)) expect(text).not.toContain(part);
  }
});

test('[LOG-4] a token or a check-in code that a client sends anywhere is not logged', async () => {
  const text: string[] = [];
  const server = await startServer({ LOG_LEVEL: 'trace', CHECK_IN: 'code' }, schoolOf(2), {
    onLog: (line) => text.push(line),
  });
  const token = await tokenOf('ada');
  const teacher = await server.connect('ada', { token });
  const student = await server.connect('s-1');
  await teacher.send('startAttendanceSession', { session_id, topic: token });
  const { code } = await teacher.next('attendanceCode');
  await student.send('joinAttendanceSession', { session_id, code });
  await student.send('joinAttendanceSession', { session_id: token, token, nested: [{ deep: `Bearer ${token}` }] });
  await server.close();
  const all = text.join('');
  expect(all).toContain('received joinAttendanceSession');
  for (const part of token.split('.').slice(1)) expect(all).not.toContain(part);
  expect(all).not.toContain(`"${code}"`);
  expect(all).not.toContain(`\\"${code}\\"`);
});

test('[LOG-5] LOG_LEVEL is debug in development and info in production', () => {
  const levelOf = (env: Record<string, string>) => readConfig({ ACCESS_TOKEN_SECRET: SECRET, ...env }).log.level;
  expect(levelOf({})).toBe(process.stderr.isTTY ? 'info' : 'debug');
  expect(levelOf({ NODE_ENV: 'production' })).toBe('info');
  expect(levelOf({ NODE_ENV: 'production', LOG_LEVEL: 'debug' })).toBe('debug');
  expect(levelOf({ LOG_LEVEL: 'warn' })).toBe('warn');
});

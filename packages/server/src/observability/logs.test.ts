import type { SessionId } from '@rollcall/protocol';
import { expect, test } from 'vitest';
import { readConfig } from '../config.js';
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
}

/** Runs a class with refusals, a fault, bad tokens and a refresh at a level. @returns the log and the tokens that were used */
async function logOfAClass(level: string) {
  const text: string[] = [];
  const server = await startServer({ LOG_LEVEL: level }, schoolOf(2), { onLog: (line) => text.push(line) });
  const tokens = await Promise.all(
    ['ada', 's-1', 'ada', 'nobody'].map((uid) => tokenOf(uid, { jti: Math.random().toString() })),
  );
  const [ada = '', bo = '', fresh = '', nobody = ''] = tokens;
  await refusalOfConnection(server.url, { auth: { token: nobody } });
  await refusalOfConnection(server.url, { auth: { token: `${nobody}x` } });
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

const tagged = (lines: readonly Line[], rest: string) => lines.filter(({ msg }) => msg === `[SOCKET DEBUG] ${rest}`);

test('[LOG-1] at debug every event is logged with its tag, the user, the event and the session id', async () => {
  const { lines } = await logOfAClass('debug');
  const events = {
    startAttendanceSession: { user: 'ada', session_id },
    joinAttendanceSession: { user: 's-1', session_id },
    markStudentPresent: { user: 'ada', session_id },
    endAttendanceSession: { user: 'ada', session_id },
    refreshToken: { user: 'ada' },
  };
  for (const [event, facts] of Object.entries(events)) expect(tagged(lines, event)[0], event).toMatchObject(facts);
  expect(tagged(lines, 'markStudentPresent').map(({ user }) => user)).toEqual(['ada', 's-1']);
  for (const event of ['markStudentPresent', 'joinAttendanceSession']) {
    expect(tagged(lines, `${event} answered`).length, event).toBe(1);
  }
  expect(tagged(lines, 'markStudentPresent refused')).toMatchObject([{ user: 's-1', code: 'NOT_A_TEACHER' }]);
  expect(lines.filter(({ level }) => level === 20).every(({ msg }) => msg.startsWith('[SOCKET DEBUG] '))).toBe(true);
});

test('[LOG-2] at debug the state of activeAttendanceSessions, the students, what was emitted and error stacks are logged', async () => {
  const { lines } = await logOfAClass('debug');
  const [before] = tagged(lines, 'startAttendanceSession');
  expect(before).toMatchObject({ activeAttendanceSessions: 0 });
  const [marked] = tagged(lines, 'markStudentPresent');
  expect(marked).toMatchObject({ activeAttendanceSessions: 1, active: [session_id], students: 2, online: 1, seq: 2 });
  expect(tagged(lines, 'connected')[0]).toMatchObject({ user: 'ada', user_id: 'ada', name: 'Ada Osei' });
  for (const event of [
    'attendanceUpdated',
    'studentJoinedAttendance',
    'attendanceStatistics',
    'attendanceSessionEnded',
  ]) {
    const [emitted] = tagged(lines, `emitted ${event}`);
    expect(emitted, event).toMatchObject({ session_id, data: expect.stringContaining(`"session_id":"${session_id}"`) });
    expect(emitted?.data?.length, event).toBeLessThanOrEqual(1_001);
  }
  const [refused] = tagged(lines, 'markStudentPresent refused');
  expect(refused?.stack).toMatch(/RollcallError: Teacher profile not found\n\s+at /);
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

test('[LOG-5] LOG_LEVEL is debug in development and info in production', () => {
  const levelOf = (env: Record<string, string>) => readConfig({ ACCESS_TOKEN_SECRET: SECRET, ...env }).log.level;
  expect(levelOf({})).toBe('debug');
  expect(levelOf({ NODE_ENV: 'development' })).toBe('debug');
  expect(levelOf({ NODE_ENV: 'production' })).toBe('info');
  expect(levelOf({ NODE_ENV: 'production', LOG_LEVEL: 'debug' })).toBe('debug');
  expect(levelOf({ LOG_LEVEL: 'warn' })).toBe('warn');
});

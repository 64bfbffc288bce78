import { expect, test } from 'vitest';
import { accepted, caughtUp, journalOf, refused, startedClass } from '../testing/class.js';
import { schoolOf } from '../testing/school.js';
import { type Client, type Payload, SECRET, startServer, type TestServer } from '../testing/server.js';

const session_id = 'session-1';
const WITH_CODE = { policy: { check_in: 'code' } };
const PATIENCE = { timeout: 30_000, interval: 20 };

const join = (client: Client, extra: Payload = {}) => client.send('joinAttendanceSession', { session_id, ...extra });
const codeOf = (client: Client): Promise<Payload> => client.next('attendanceCode');
/** Six digits that aren't these. */
const otherThan = (code: unknown): string => String((Number(code) + 7) % 1_000_000).padStart(6, '0');

test('[CODE-1] a first check-in needs the code and a rejoin needs none', async () => {
  const { server, teacher, started } = await startedClass(2, WITH_CODE);
  expect(started).toMatchObject({ policy: { check_in: 'code' } });
  const student = await server.connect('s-1');
  expect(await refused(join(student))).toMatchObject({ code: 'CODE_REQUIRED', retryable: false });
  expect(await student.next('attendanceError')).toMatchObject({ code: 'CODE_REQUIRED', session_id });
  for (const nothing of ['', '   ', null])
    expect((await refused(join(student, { code: nothing }))).code).toBe('CODE_REQUIRED');
  const { code } = await codeOf(teacher);
  const first = await accepted(join(student, { code }));
  expect(first).toMatchObject({ seq: 2, record: { student_id: 'student-1', status: 'absent' } });
  for (const extra of [{}, { code: otherThan(code) }, { since_seq: 0 }]) {
    expect(await accepted(join(await server.connect('s-1'), extra))).toMatchObject({
      checked_in_at: first['checked_in_at'],
    });
  }
  // What was refused wrote nothing and was told to nobody.
  expect((await journalOf(server)).map(({ type }) => type)).toEqual(['started', 'checked_in']);
  await caughtUp(teacher);
  expect(teacher.all('studentJoinedAttendance')).toHaveLength(1);
});

test('[CODE-1] where a code is asked for, the course is told so', async () => {
  const { server } = await startedClass(1, { variables: { CHECK_IN: 'code' } });
  const student = await server.connect('s-1');
  const answer = await accepted(student.send('subscribeToCourse', { course_id: 'course-1' }));
  expect(answer).toMatchObject({ activeSessions: [{ session_id, check_in: 'code' }] });
  expect((await refused(join(student))).code).toBe('CODE_REQUIRED');
});

test('[CODE-1] a check-in that is repeated with its op_id is answered, whatever has become of its code', async () => {
  const { server, teacher } = await startedClass(1, WITH_CODE);
  const { code } = await codeOf(teacher);
  const student = await server.connect('s-1');
  const sent = { code, op_id: 'join-1' };
  const first = await accepted(join(student, sent));
  expect(await accepted(join(student, { ...sent, code: otherThan(code) }))).toMatchObject({
    duplicate: true,
    seq: first['seq'],
  });
});

test('[CODE-1] an open roster asks for the code too, and an open check-in for none', async () => {
  const { server, teacher } = await startedClass(1);
  await accepted(teacher.send('startAttendanceSession', { session_id: 'open', policy: { check_in: 'code' } }));
  const { code } = await codeOf(teacher);
  const student = await server.connect('s-1');
  expect((await refused(student.send('joinAttendanceSession', { session_id: 'open' }))).code).toBe('CODE_REQUIRED');
  await accepted(student.send('joinAttendanceSession', { session_id: 'open', code }));
  await accepted(join(student, { code: 'whatever' }));
  await caughtUp(teacher);
  expect(teacher.all('attendanceCode').map((payload) => payload['session_id'])).toEqual(['open']);
});

test('[CODE-2] [CODE-4] teachers get each new code when the one before it said', async () => {
  const { server, teacher } = await startedClass(1, { ...WITH_CODE, variables: { CODE_SECONDS: '1' } });
  const colleague = await server.connect('cyd');
  await accepted(colleague.send('watchAttendanceSession', { session_id }));
  for (const client of [teacher, colleague]) {
    await expect.poll(() => client.all('attendanceCode').length, PATIENCE).toBeGreaterThanOrEqual(3);
    const shown = client.all('attendanceCode');
    for (const [n, code] of shown.entries()) {
      const [next, until] = [code['next_at'], code['valid_until']].map((at) => Date.parse(String(at)));
      expect((until ?? 0) - (next ?? 0)).toBe(1_000);
      const after = shown[n + 1];
      // A machine that is busy may come too late for one, and never shows the same twice.
      if (after) expect(Date.parse(String(after['next_at']))).toBeGreaterThan(next ?? Number.POSITIVE_INFINITY);
    }
  }
});

test('[CODE-3] who attaches gets the code at once, after the answer, and so does who comes back', async () => {
  const { server, teacher } = await startedClass(1, WITH_CODE);
  const { code } = await codeOf(teacher);
  expect(
    teacher.events.map(({ event }) => event).filter((event) => /^attendance(SessionStarted|Code)$/.test(event)),
  ).toEqual(['attendanceSessionStarted', 'attendanceCode']);
  for (const event of ['startAttendanceSession', 'getAttendanceSessionData', 'watchAttendanceSession']) {
    const colleague = await server.connect('cyd');
    await accepted(colleague.send(event, { session_id }));
    expect(await codeOf(colleague)).toMatchObject({ session_id, code });
  }
  const reloaded = await server.connect('ada');
  expect(await codeOf(reloaded)).toMatchObject({ session_id, code });
  // Other commands attach nobody anew, and who ends the session has no use for a code.
  await accepted(reloaded.send('getOnlineStudents', { session_id }));
  await accepted(reloaded.send('markStudentPresent', { session_id, student_id: 'student-1' }));
  await accepted(reloaded.send('endAttendanceSession', { session_id }));
  expect(reloaded.all('attendanceCode')).toHaveLength(1);
});

test('[CODE-5] digits, words, the token and the whole link check a student in', async () => {
  const { server, teacher } = await startedClass(5, WITH_CODE);
  const { code, words, url } = await codeOf(teacher);
  const [one, two, three] = words as [string, string, string];
  const forms = [
    `${String(code).slice(0, 3)} ${String(code).slice(3)}`,
    `${one.toUpperCase()}-${two} ${three}`,
    new URL(String(url)).searchParams.get('code'),
    url,
    ` ${one}  ${two}-${three} `,
  ];
  for (const [n, form] of forms.entries()) {
    await accepted(join(await server.connect(`s-${n + 1}`), { code: form }));
  }
});

test('[CODE-6] a code that was good is CODE_EXPIRED, another session’s or none at all CODE_INVALID', async () => {
  const { server, teacher } = await startedClass(1, { ...WITH_CODE, variables: { CODE_SECONDS: '1' } });
  const old = await codeOf(teacher);
  await expect.poll(() => Date.now() > Date.parse(String(old['valid_until'])) + 1_000, PATIENCE).toBe(true);
  const student = await server.connect('s-1');
  const words = (old['words'] as string[]).join(' ');
  for (const code of [old['url'], words]) expect((await refused(join(student, { code }))).code).toBe('CODE_EXPIRED');
  await accepted(teacher.send('startAttendanceSession', { session_id: 'next', policy: { check_in: 'code' } }));
  await expect
    .poll(() => teacher.all('attendanceCode').some((each) => each['session_id'] === 'next'), PATIENCE)
    .toBe(true);
  const foreign = teacher.all('attendanceCode').find((each) => each['session_id'] === 'next');
  for (const code of [foreign?.['url'], 'tulip', '💚', '__proto__', 'x'.repeat(2_000)]) {
    expect(await refused(join(student, { code }))).toMatchObject({ code: 'CODE_INVALID', retryable: false });
  }
});

test('[CODE-7] who isn’t enrolled learns nothing of the code', async () => {
  const { server, teacher } = await startedClass(2, WITH_CODE);
  const { code } = await codeOf(teacher);
  const outsider = await server.connect('outsider');
  for (const sent of [code, otherThan(code), undefined]) {
    expect((await refused(join(outsider, { code: sent }))).code).toBe('NOT_ENROLLED');
  }
});

test('[CODE-8] [CODE-7] codes of who isn’t enrolled yet don’t count against them', async () => {
  const { server, teacher } = await startedClass(1, WITH_CODE);
  const { code } = await codeOf(teacher);
  const outsider = await server.connect('outsider');
  for (let n = 0; n < 12; n += 1) expect((await refused(join(outsider, { code: 'tulip' }))).code).toBe('NOT_ENROLLED');
  const walkIn = { session_id, student_id: 'outsider', status: 'late', walk_in: true };
  await accepted(teacher.send('markStudentAttendance', walkIn));
  await accepted(join(outsider, { code }));
});

test('[CODE-8] after ten wrong codes the right one is refused for a while, on every socket of the student', async () => {
  const { server, teacher } = await startedClass(2, WITH_CODE);
  const { code } = await codeOf(teacher);
  const sockets = [await server.connect('s-1'), await server.connect('s-1')];
  // At once, so that none of them is judged after the others were refused.
  const guesses = await Promise.all(
    Array.from({ length: 30 }, (_, n) => refused(join(sockets[n % 2] as Client, { code: otherThan(code) }))),
  );
  const codes = guesses.map((error) => error.code);
  expect(codes.filter((each) => each === 'CODE_INVALID')).toHaveLength(10);
  expect(codes.filter((each) => each === 'RATE_LIMITED')).toHaveLength(20);
  for (const socket of [...sockets, await server.connect('s-1')]) {
    const { code: refusal, details } = await refused(join(socket, { code }));
    expect(refusal).toBe('RATE_LIMITED');
    expect(details?.['retry_after']).toBeGreaterThan(200);
    expect(details?.['retry_after']).toBeLessThanOrEqual(300);
  }
  // The others aren't held up, and neither is the student where the teacher marks them.
  await accepted(join(await server.connect('s-2'), { code }));
  await accepted(teacher.send('markStudentPresent', { session_id, student_id: 'student-1' }));
});

test('[CODE-9] students get no code, and nobody what codes are made of', async () => {
  const school = schoolOf(1);
  const { server, teacher } = await startedClass(1, { ...WITH_CODE, school, variables: { CODE_SECONDS: '1' } });
  const { code } = await codeOf(teacher);
  const student = await server.connect('s-1');
  await accepted(student.send('subscribeToCourse', { course_id: 'course-1' }));
  for (const event of ['watchAttendanceSession', 'getAttendanceSessionData', 'startAttendanceSession']) {
    await refused(student.send(event, { session_id }));
  }
  await accepted(join(student, { code, since_seq: 0 }));
  const [opening] = await journalOf(server);
  if (opening?.type !== 'started' || !opening.codes) throw new Error('the session has no codes');
  await accepted(teacher.send('getAttendanceSessionData', { session_id, since_seq: 0 }));
  const seen = teacher.all('attendanceCode').length;
  await expect.poll(() => teacher.all('attendanceCode').length, PATIENCE).toBeGreaterThan(seen + 1);
  await accepted(teacher.send('endAttendanceSession', { session_id }));
  await student.next('attendanceSessionEnded');
  expect(student.all('attendanceCode')).toEqual([]);
  expect(JSON.stringify([student.events, teacher.events])).not.toContain(opening.codes.secret);
  const last = teacher.all('attendanceCode').length;
  // Nothing more comes after the end.
  await expect
    .poll(() => Date.now() > Date.parse(String(teacher.all('attendanceCode').at(-1)?.['next_at'])) + 500, PATIENCE)
    .toBe(true);
  await caughtUp(teacher);
  expect(teacher.all('attendanceCode')).toHaveLength(last);
});

test('[CODE-10] a server that was restarted has the same codes', async () => {
  const { server, teacher } = await startedClass(2, { ...WITH_CODE, variables: { CODE_SECONDS: '60' } });
  const before = await codeOf(teacher);
  const restarted = await server.restart();
  const back = await restarted.connect('ada');
  await accepted(join(await restarted.connect('s-1'), { code: before['code'] }));
  const after = await codeOf(back);
  if (after['next_at'] === before['next_at']) expect(after).toEqual(before);
});

test('[CODE-11] production warns of links that lead to this machine, once', async () => {
  const lines: string[] = [];
  const production = { NODE_ENV: 'production', ACCESS_TOKEN_SECRET: SECRET, LOG_LEVEL: 'info', CHECK_IN: 'code' };
  const warnings = () => lines.filter((line) => line.includes('PUBLIC_URL is not set'));
  for (const variables of [{ ...production, PUBLIC_URL: 'https://app.example' }, production]) {
    const server = await startServer(variables, schoolOf(1), { onLog: (line) => lines.push(line) });
    const teacher = await server.connect('ada');
    expect(warnings()).toEqual([]);
    for (const id of ['one', 'two']) {
      await accepted(teacher.send('startAttendanceSession', { session_id: id }));
      await codeOf(teacher);
    }
  }
  expect(warnings()).toHaveLength(1);
});

test('[CODE-11] the link leads to PUBLIC_URL, or else to this machine', async () => {
  const linkOf = async (variables: Record<string, string>, id: string): Promise<[TestServer, URL]> => {
    const { server, teacher } = await startedClass(1, { variables });
    await accepted(teacher.send('startAttendanceSession', { session_id: id, policy: { check_in: 'code' } }));
    return [server, new URL(String((await codeOf(teacher))['url']))];
  };
  const [, link] = await linkOf({ PUBLIC_URL: 'https://school.example/rollcall/' }, 'room 1/ä?');
  expect(link.origin + link.pathname).toBe(
    `https://school.example/rollcall/check-in/${encodeURIComponent('room 1/ä?')}`,
  );
  expect([...link.searchParams.keys()]).toEqual(['code']);
  const [{ port }, local] = await linkOf({}, 'room');
  expect(local.origin).toBe(`http://localhost:${port}`);
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Experiment, Lab } from '../experiment.js';
import { SqliteFile, verified } from '../rig/database.js';
import { Screen, SdkFollower } from '../rig/followers.js';
import { MarkLoad, nothingLostOrDoubled } from '../rig/mark-load.js';
import { appliedAll, converged } from '../rig/nodes.js';
import { importSchool } from '../rig/people.js';
import { Plain } from '../rig/plain.js';
import { ServerProcess } from '../rig/server-process.js';

const SESSION = 'class-1';
const STUDENTS = 20;
const HOUR_MS = 3_600_000;
const INACTIVITY_MS = 4_500;
const CODE_SECONDS = 2;
/** What a busy machine may add to the end. */
const LATE_MS = 20_000;

async function run(lab: Lab): Promise<void> {
  const clock = join(await lab.folder(), 'shift');
  await writeFile(clock, '0');
  const database = await SqliteFile.fresh(lab);
  await importSchool(lab, database, { students: STUDENTS });
  const server = await ServerProcess.start(lab, {
    database: database.url,
    variables: { ROLLCALL_FAULTS_CLOCK: clock, CODE_SECONDS: String(CODE_SECONDS) },
    preload: [new URL('../preload/shifted-clock.js', import.meta.url).href],
  });
  const { url } = server;
  const policy = { check_in: 'code' as const, inactivity_minutes: INACTIVITY_MS / 60_000, max_minutes: 30 };
  const teacher = await SdkFollower.follow(lab, url, 'ada', (client) =>
    client.openSession(SESSION, { start: { course_id: 'course-1', policy } }),
  );
  const screen = await Screen.open(lab, url, 'cyd', SESSION);
  const warnings: unknown[] = [];
  screen.plain.socket.on('attendanceSessionExpiring', (payload) => warnings.push(payload));
  const load = await MarkLoad.start(lab, { url, session_id: SESSION, students: STUDENTS, name: 'mark' });
  load.run(20);
  const jumps = lab.of(
    [HOUR_MS, -HOUR_MS],
    [1, -1, 2, -2, 1, 0, -1, 1, 0.5, 0].map((hours) => hours * HOUR_MS),
  );
  const codesAfter: number[] = [];
  for (const [n, jump] of jumps.entries()) {
    await writeFile(clock, String(jump));
    const before = load.acknowledged.size;
    server.signal('SIGUSR2');
    await lab.until(() => load.acknowledged.size > before + 20, 'marks go on');
    const entries = await database.entries(SESSION);
    const [last] = entries.slice(-1);
    lab.must(last !== undefined, 'there are entries');
    const off = Math.abs(last.at - Date.now() - jump);
    lab.must(off < 60_000, `the server’s clock has jumped (off by ${Math.round(off)} ms)`);
    codesAfter.push(await checkInByCode(lab, url, teacher, `s-${n + 1}`));
    // Longer than the limit, in which only marks keep the session alive.
    await lab.lasting(lab.of(INACTIVITY_MS + 1_000, INACTIVITY_MS * 2));
    lab.equal([teacher.live.state, screen.ended], ['live', false], 'the session goes on');
    lab.count('jumps');
  }
  await load.finish(lab);
  const lastMark = performance.now();
  await lab.until(() => warnings.length > 0, 'teachers are warned of the end', { within: INACTIVITY_MS + LATE_MS });
  // Between the warning and the end the clock jumps over it.
  await writeFile(clock, String(HOUR_MS * 3));
  server.signal('SIGUSR2');
  await lab.until(() => screen.ended, 'the session ends by itself', { within: INACTIVITY_MS + LATE_MS, every: 5 });
  const ended = performance.now() - lastMark;
  lab.must(
    ended >= INACTIVITY_MS - 1_000,
    `it ends no earlier than ${INACTIVITY_MS} ms after the last mark (${ended})`,
  );
  const entries = await database.entries(SESSION);
  nothingLostOrDoubled(lab, entries, [load]);
  lab.equal([entries.at(-1)?.type, entries.at(-1)?.reason], ['ended', 'inactivity'], 'the last entry');
  const asking = await Plain.connect(lab, url, 'ada');
  await converged(lab, SESSION, { teachers: [asking], followers: [screen], database });
  appliedAll(lab, [teacher, screen], entries.length);
  lab.equal(await server.stop(), 0, 'exit status');
  await verified(lab, database);
  const backwards = entries.filter(({ at }, n) => at < (entries[n - 1]?.at ?? 0)).length;
  lab.saw('entries, dense and in order of seq', entries.length);
  lab.saw('entries with a time before the one before', backwards);
  lab.must(backwards > 0, 'the clock went back between two entries');
  lab.saw('the next code came after a jump, ms, at most', Math.max(...codesAfter));
  lab.saw('limit of inactivity, ms', INACTIVITY_MS);
  lab.saw('end after the last mark, ms', ended);
}

/**
 * The code on the screen is of the time before the jump until the next one comes. @returns how long that took, in ms,
 * counted from when the jump was seen
 */
async function checkInByCode(lab: Lab, url: string, teacher: SdkFollower, uid: string): Promise<number> {
  const jumped = performance.now();
  const before = teacher.live.code?.code;
  await lab.until(() => teacher.live.code?.code !== before, 'the next code', {
    within: CODE_SECONDS * 1_000 + LATE_MS,
  });
  const took = performance.now() - jumped;
  const student = await Plain.connect(lab, url, uid);
  const answer = await student.ask('joinAttendanceSession', { session_id: SESSION, code: teacher.live.code?.code });
  lab.equal(answer.ok, true, 'the check-in with the next code');
  return took;
}

export const clockJumps: Experiment = {
  id: 'F12',
  fault: 'the server’s wall clock jumps by ±1 h and ±2 h during a class, and over the end between warning and end',
  promise:
    'order of seq kept; no early end; the session still ends by itself in its time; the code that comes next counts',
  needs: [],
  limits:
    'The clock is that of the server’s JavaScript, shifted by a module loaded before it; the system’s clock stays.',
  run,
};

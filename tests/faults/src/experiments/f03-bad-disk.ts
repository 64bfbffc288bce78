import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Experiment, Lab } from '../experiment.js';
import { SqliteFile, verified } from '../rig/database.js';
import { Screen } from '../rig/followers.js';
import { appliedAll, converged } from '../rig/nodes.js';
import { importSchool } from '../rig/people.js';
import { type Answer, Plain } from '../rig/plain.js';
import { ServerProcess } from '../rig/server-process.js';
import { Strace } from '../rig/strace.js';

const STUDENTS = 300;
const [BIG, SMALL] = ['class-big', 'class-small'];

interface Classes {
  readonly database: SqliteFile;
  readonly server: ServerProcess;
  readonly teacher: Plain;
  /** What a colleague sees of either class. */
  readonly screens: readonly [Screen, Screen];
}

async function startClasses(lab: Lab, folder: string): Promise<Classes> {
  const database = new SqliteFile(folder);
  await importSchool(lab, database, { students: STUDENTS });
  const server = await ServerProcess.start(lab, { database: database.url });
  const teacher = await Plain.connect(lab, server.url, 'ada');
  for (const session_id of [BIG, SMALL]) {
    await teacher.done('startAttendanceSession', { session_id, course_id: 'course-1' });
  }
  const screens = [
    await Screen.open(lab, server.url, 'cyd', BIG),
    await Screen.open(lab, server.url, 'cyd', SMALL),
  ] as const;
  return { database, server, teacher, screens };
}

let made = 0;
const mark = (teacher: Plain, session_id: string, op_id = `op-${++made}`): Promise<Answer> =>
  teacher.ask('markStudentAttendance', {
    session_id,
    student_id: 'student-1',
    status: 'present',
    remarks: op_id,
    op_id,
  });

/** A bulk whose commit is a good megabyte. */
const bulk = (teacher: Plain): Promise<Answer> =>
  teacher.ask('bulkUpdateAttendance', {
    session_id: BIG,
    attendanceUpdates: Array.from({ length: STUDENTS }, (_, n) => ({
      student_id: `student-${n + 1}`,
      status: 'excused',
      remarks: `bulk ${++made} ${'x'.repeat(450)}`,
    })),
  });

const refusedAs = (lab: Lab, { ok, error }: Answer, what: string) =>
  lab.equal([ok, error?.code, error?.retryable], [false, 'STORAGE_UNAVAILABLE', true], what);

async function whole(lab: Lab, { database, server, teacher, screens }: Classes): Promise<void> {
  for (const [index, session_id] of [BIG, SMALL].entries()) {
    const screen = screens[index] as Screen;
    await converged(lab, session_id, { teachers: [teacher], followers: [screen], database });
    appliedAll(lab, [screen], (await database.entries(session_id)).length);
  }
  lab.equal(database.integrity(), 'ok', 'integrity');
  lab.equal(await server.ready(), 200, '/readyz');
}

/** A disk without room: first for one large commit alone, then for any. */
async function fullDisk(lab: Lab): Promise<void> {
  const folder = await lab.folder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
  lab.defer(() => execFileSync('umount', ['-l', folder]));
  const classes = await startClasses(lab, folder);
  const { teacher, screens, server, database } = classes;
  const free = (): number => {
    const [, line = ''] = execFileSync('df', ['-B1', '--output=avail', folder], { encoding: 'utf8' }).split('\n');
    return Number(line.trim());
  };
  let fillers = 0;
  const fill = (bytes: number) => writeFileSync(join(folder, `filler-${++fillers}`), Buffer.alloc(bytes));

  // Room for small commits, not for the large one.
  fill(Math.max(4_096, free() - 160 * 1024));
  const before = screens[0].last;
  for (let n = 0; n < lab.of(2, 10); n += 1) {
    const [large, ...small] = await Promise.all([bulk(teacher), mark(teacher, SMALL), mark(teacher, SMALL)]);
    lab.must(large !== undefined, 'the bulk is answered');
    refusedAs(lab, large, 'a bulk without room');
    for (const answer of small) lab.must(answer.ok, `a mark of another session: ${JSON.stringify(answer)}`);
    lab.count('full disk: bulks refused');
    lab.count('full disk: marks of another session stored meanwhile', small.length);
  }
  lab.equal((await database.entries(BIG)).length, before, 'entries of the refused bulks');
  lab.equal(screens[0].last, before, 'what a colleague was told of the refused bulks');

  // No room at all.
  const rest = free();
  if (rest > 0) fill(rest);
  let refused: Answer | undefined;
  for (let n = 0; n < 5_000 && !refused; n += 1) {
    const answer = await mark(teacher, SMALL);
    // The log has some room of its own; a projection or a checkpoint may also have freed some.
    if (!answer.ok) refused = answer;
    else if (free() > 0) fill(free());
  }
  lab.must(refused !== undefined, 'a full disk refuses a mark');
  const stored = (await database.entries(SMALL)).length;
  for (let n = 0; n < lab.of(5, 50); n += 1) {
    refusedAs(lab, await mark(teacher, SMALL, `full-${n}`), 'a mark without room');
    lab.count('full disk: marks refused');
  }
  await teacher.done('getAttendanceSessionData', { session_id: SMALL });
  // A word as short as the one that /readyz writes may fit once more.
  await lab.until(async () => (await server.ready()) === 503, '/readyz says 503 on a full disk', { within: 10_000 });
  lab.equal((await database.entries(SMALL)).length, stored, 'entries of the refused marks');
  lab.equal(screens[1].last, stored, 'what a colleague was told of the refused marks');

  for (let n = 1; n <= fillers; n += 1) await rm(join(folder, `filler-${n}`));
  const again = () => mark(teacher, SMALL, 'full-0').then(({ ok }) => ok);
  lab.saw('full disk: ms until a mark is stored again', await lab.until(again, 'a mark is stored once there is room'));
  const large = await bulk(teacher);
  lab.must(large.ok, 'the bulk is stored once there is room');
  await whole(lab, classes);
  lab.equal(await server.stop(), 0, 'exit status');
  await verified(lab, database);
}

/** Every fsync of the server fails with EIO while strace is on it. */
async function failingSync(lab: Lab): Promise<void> {
  const classes = await startClasses(lab, await lab.folder());
  const { teacher, screens, server, database } = classes;
  const screen = screens[1];
  for (let round = 0; round < lab.of(1, 5); round += 1) {
    const first = await mark(teacher, SMALL);
    lab.must(first.ok, 'a mark before the fault');
    await lab.until(() => screen.last === Number(first['seq']), 'a colleague is told');
    const before = screen.last;
    const inject = ['-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:error=EIO'];
    const strace = await Strace.on(lab, server.pid, inject);
    const refused = lab.of(5, 20);
    for (let n = 0; n < refused; n += 1) {
      refusedAs(lab, await mark(teacher, SMALL, `eio-${round}-${n}`), 'a mark whose fsync fails');
    }
    lab.count('EIO on fsync: marks refused', refused);
    lab.equal(screen.last, before, 'what a colleague was told of refused marks');
    await strace.stop();
    const again = async () => (await mark(teacher, SMALL, `eio-${round}-0`)).ok;
    await lab.until(again, 'a mark is stored once fsync works again');
    const journal = await database.entries(SMALL);
    const kept = journal.filter(({ op_id = '' }) => op_id.startsWith(`eio-${round}-`)).map(({ op_id }) => op_id);
    lab.equal(new Set(kept).size, kept.length, 'entries of one op_id');
    lab.count(
      'EIO on fsync: refused marks found in the log afterwards',
      kept.filter((id) => !id?.endsWith('-0')).length,
    );
  }
  await whole(lab, classes);
  lab.equal(await server.stop(), 0, 'exit status');
  await verified(lab, database);
}

export const badDisk: Experiment = {
  id: 'F3',
  fault: 'a full disk (tmpfs of 4 MB), then EIO on every fsync by strace (SQLite)',
  promise:
    'STORAGE_UNAVAILABLE, no acknowledgement, no broadcast; other sessions go on; integrity ok; works again by itself',
  needs: ['root', 'strace'],
  limits:
    'On a disk without any room no session can go on: what goes on is what fits. The fsync of the whole process fails, not that of one session.',
  async run(lab) {
    await fullDisk(lab);
    await failingSync(lab);
  },
};

import type { Experiment, Lab } from '../experiment.js';
import { SqliteFile } from '../rig/database.js';
import { MarkLoad, nothingLostOrDoubled } from '../rig/mark-load.js';
import { importSchool } from '../rig/people.js';
import { Plain } from '../rig/plain.js';
import { ServerProcess } from '../rig/server-process.js';
import { type Call, callsOf, Strace } from '../rig/strace.js';

const SESSION = 'class-1';
const STUDENTS = 20;

const isWal = ({ text }: Call): boolean => /^\d+<[^>]*-wal>/.test(text);
const isSocket = ({ text }: Call): boolean => /^\d+<(TCP|socket)/.test(text);
const syncs = new Set(['fdatasync', 'fsync']);

/**
 * In the order in which the kernel saw it: the mark's bytes go into the log, the log is synced, and only then does
 * any socket get to hear of the mark.
 */
function order(lab: Lab, calls: readonly Call[], marks: Iterable<string>): void {
  const logged = calls.filter((call) => call.name.startsWith('pwrite') && isWal(call));
  const synced = calls.filter((call) => syncs.has(call.name) && isWal(call) && call.result.startsWith('0'));
  const told = calls.filter((call) => /^(write|writev|sendto|sendmsg)$/.test(call.name) && isSocket(call));
  // A mark may lie across two pages of the log: those of one commit are read as one text, without the four bytes at
  // the head of an overflow page and the 24 of a frame's.
  const pages = logged.filter(({ text }) => text.length > 1_000);
  const contents = pages.map(({ text }) => text.slice(text.indexOf('"') + 1, text.lastIndexOf('"')));
  const whereLogged = (mark: string): Call | undefined => {
    const inside = contents.findIndex((content) => content.includes(mark));
    if (inside >= 0) return pages[inside];
    const across = contents.findIndex((content, n) => {
      const next = (contents[n + 1] ?? '').replace(/^(\\x[0-9a-f]{2}|\\[0-7]{1,3}|\\.|.){4}/, '');
      return (content.slice(-40) + next.slice(0, 40)).includes(mark);
    });
    return pages[across + 1];
  };
  const early: string[] = [];
  for (const mark of marks) {
    const word = `"${mark}\\"`;
    const needle = word.slice(1, -2);
    // Quoted, so that m-1 isn't found in m-10. strace writes the quotes inside a text with a backslash.
    const quoted = `\\"${needle}\\"`;
    const first = told.find(({ text }) => text.includes(quoted));
    lab.must(first !== undefined, `an answer to ${mark} was traced`);
    const write = whereLogged(quoted);
    lab.must(write !== undefined, `the write of ${mark} to the log was traced`);
    const synced_between = synced.some(({ began, ended }) => began > write.ended && ended < first.began);
    if (!synced_between) early.push(mark);
    lab.count('marks whose order was checked');
  }
  lab.saw('syncs of the log', synced.length);
  lab.saw('writes to sockets', told.length);
  lab.saw('told before the sync', early.length);
  lab.equal(early, [], 'marks that were told of before the log was synced');
}

async function run(lab: Lab): Promise<void> {
  const database = await SqliteFile.fresh(lab);
  await importSchool(lab, database, { students: STUDENTS });
  const server = await ServerProcess.start(lab, { database: database.url });
  const teacher = await Plain.connect(lab, server.url, 'ada');
  await teacher.done('startAttendanceSession', { session_id: SESSION, course_id: 'course-1' });
  const student = await Plain.connect(lab, server.url, 's-1');
  await student.done('joinAttendanceSession', { session_id: SESSION });
  const load = await MarkLoad.start(lab, { url: server.url, session_id: SESSION, students: STUDENTS, name: 'm' });
  const calls = ['pwrite64', 'pwritev', 'fdatasync', 'fsync', 'write', 'writev', 'sendto', 'sendmsg'];
  const strace = await Strace.on(lab, server.pid, ['-yy', '-s', '65536', '-e', `trace=${calls.join(',')}`]);
  // One by one, and then many at once that share commits.
  for (let n = 0; n < lab.of(20, 200); n += 1) {
    load.send(1);
    await lab.until(() => load.waiting === 0, 'the mark is answered', { every: 1 });
  }
  for (let n = 0; n < lab.of(5, 40); n += 1) {
    load.send(20);
    await lab.until(() => load.waiting === 0, 'the marks are answered', { every: 1 });
  }
  // A call that hasn't come back when strace lets go isn't traced whole. An answer to anything else shows that the
  // thread that writes to sockets is past the last of the marks.
  await teacher.done('getAttendanceSessionData', { session_id: SESSION });
  const trace = callsOf(await strace.stop());
  nothingLostOrDoubled(lab, await database.entries(SESSION), [load]);
  order(lab, trace, load.acknowledged.keys());
}

export const fsyncOrder: Experiment = {
  id: 'F2',
  fault: 'strace of the writes to the log, its fdatasync and the writes to sockets (SQLite)',
  promise: 'no acknowledgement and no broadcast is sent before its commit’s fsync',
  needs: ['strace'],
  limits: 'What the disk does with an fsync is the disk’s.',
  run,
};

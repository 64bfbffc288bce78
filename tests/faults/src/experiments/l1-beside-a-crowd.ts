import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Experiment, Lab } from '../experiment.js';
import { ClassBeside, type Latencies } from '../rig/class-beside.js';
import { Crowd, frameOf } from '../rig/crowd.js';
import { SqliteFile } from '../rig/database.js';
import { importSchool } from '../rig/people.js';
import { Plain } from '../rig/plain.js';
import { ServerProcess } from '../rig/server-process.js';

const SESSION = 'crowded';
const ALONE_MS = 5_000;
/** What a class may wait for its acknowledgements beside anything, in ms. */
const ACK_P99_MS = 100;
/** Students who aren't in the class beside: on any connection they would get what it is told. */
const others = (count: number) => Array.from({ length: count }, (_, n) => `s-${n + 31}`);
const ids = (count: number, prefix: string) => Array.from({ length: count }, (_, n) => `${prefix}${n + 1}`);

interface Scene {
  readonly server: ServerProcess;
  readonly teacher: Plain;
  readonly beside: ClassBeside;
}

/** `ada` with a class of so many, and a class of thirty beside it, on a server with a gigabyte of memory. */
async function scene(lab: Lab, students: number): Promise<Scene> {
  const database = await SqliteFile.fresh(lab);
  await importSchool(lab, database, { students, beside: 30 });
  const variables = { NODE_OPTIONS: '--max-old-space-size=1024' };
  const server = await ServerProcess.start(lab, { database: database.url, variables });
  const teacher = await Plain.connect(lab, server.url, 'ada');
  await teacher.done('startAttendanceSession', { session_id: SESSION, course_id: 'course-1' });
  return { server, teacher, beside: await ClassBeside.start(lab, server.url) };
}

/** What the class beside sees of it, without and with. */
async function compare(
  lab: Lab,
  { beside, server }: Scene,
  crowded: () => Promise<unknown>,
): Promise<[Latencies, Latencies]> {
  const without = await beside.during(lab, lab.lasting(ALONE_MS));
  // Begins to count anew with each look.
  await server.metric('nodejs_eventloop_lag_max_seconds');
  const own = monitorEventLoopDelay();
  own.enable();
  const during = await beside.during(lab, crowded());
  lab.saw('event loop of the measuring process late at most, ms', own.max / 1e6);
  lab.saw('ack p99 without, ms', without.ack);
  lab.saw('ack p99 beside, ms', during.ack);
  lab.saw('ack at most beside, ms', during.worst);
  lab.saw('last recipient p99 without, ms', without.last);
  lab.saw('last recipient p99 beside, ms', during.last);
  lab.saw('marks beside', during.marks);
  lab.saw('event loop late at most, ms', 1_000 * (await server.metric('nodejs_eventloop_lag_max_seconds')));
  lab.saw('CPU of the server, s', await server.metric('process_cpu_seconds_total'));
  const limit = ACK_P99_MS;
  if (lab.long) lab.must(during.ack <= limit, `ack p99 is ${Math.round(during.ack)} ms, at most ${limit}`);
  return [without, during];
}

async function answeredAll(lab: Lab, { server }: Scene, crowd: Crowd, count: number): Promise<void> {
  let over = false;
  void server.exit.then(() => {
    over = true;
  });
  crowd.burst();
  const answered = () => {
    lab.must(!over, `the server lives: ${server.log.slice(-300)}`);
    return crowd.state.answered >= count;
  };
  await lab.until(answered, `${count} commands are answered`, { within: 240_000 });
  lab.saw('answers, MB', crowd.state.megabytes);
  lab.equal(crowd.state.lost, 0, 'connections that were cut');
}

async function reads(lab: Lab): Promise<void> {
  const count = lab.of(100, 1_000);
  const stage = await scene(lab, lab.of(1_000, 5_000));
  const frames = ids(count, '').map((n) => frameOf(Number(n), 'getAttendanceSessionData', { session_id: SESSION }));
  const crowd = await Crowd.start(lab, { url: stage.server.url, uids: ['cyd'], frames });
  await compare(lab, stage, () => answeredAll(lab, stage, crowd, count));
}

async function repeats(lab: Lab): Promise<void> {
  const count = lab.of(500, 2_000);
  const students = 500;
  const stage = await scene(lab, students);
  const { teacher } = stage;
  const mark = (n: number) => ({
    session_id: SESSION,
    student_id: `student-${(n % students) + 1}`,
    status: n % 2 ? 'late' : 'present',
    remarks: `${n}`,
    op_id: `op-${n}`,
  });
  for (let n = 0; n < count; n += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, k) => teacher.done('markStudentAttendance', mark(n + k))));
  }
  for (let n = 0; n < 9; n += 1) {
    const attendanceUpdates = ids(students, 'student-').map((student_id) => ({
      student_id,
      status: 'late',
      remarks: `${n}`,
    }));
    await teacher.done('bulkUpdateAttendance', { session_id: SESSION, attendanceUpdates });
  }
  const frames = Array.from({ length: count }, (_, n) => frameOf(n, 'markStudentAttendance', mark(n)));
  const crowd = await Crowd.start(lab, { url: stage.server.url, uids: ['ada'], frames });
  await compare(lab, stage, () => answeredAll(lab, stage, crowd, count));
}

async function manySessions(lab: Lab): Promise<void> {
  const count = lab.of(200, 2_000);
  const stage = await scene(lab, 60);
  const each = frameOf(0, 'subscribeToCourse', { course_id: 'course-1' });
  const subscribers = await Crowd.start(lab, { url: stage.server.url, uids: others(30), each, frames: [] });
  await lab.until(() => subscribers.state.answered === 30, 'all are subscribed');
  const start = (n: number) => frameOf(n, 'startAttendanceSession', { session_id: `many-${n}`, course_id: 'course-1' });
  const frames = Array.from({ length: count }, (_, n) => start(n));
  const starter = await Crowd.start(lab, { url: stage.server.url, uids: ['cyd'], frames });
  const before = subscribers.state.megabytes;
  await compare(lab, stage, () => answeredAll(lab, stage, starter, count));
  // A notice for each of the sessions, and the list as it is in the end.
  await lab.until(() => subscribers.state.events >= 30 * count, 'all subscribers are told of every start', {
    within: 240_000,
  });
  lab.saw('to each subscriber, MB', (subscribers.state.megabytes - before) / 30);
  lab.equal(subscribers.state.lost, 0, 'subscribers that were dropped');
}

async function hall(lab: Lab): Promise<void> {
  const students = lab.of(1_000, 15_000);
  const stage = await scene(lab, students + 30);
  const each = frameOf(0, 'joinAttendanceSession', { session_id: SESSION });
  const crowd = await Crowd.start(lab, { url: stage.server.url, uids: others(students), each, frames: [] });
  await lab.until(() => crowd.state.answered >= students, 'the hall is in', { within: 240_000 });
  // What they were told of each other is out.
  let before = -1;
  const quiet = () => {
    const still = crowd.state.events === before;
    before = crowd.state.events;
    return still;
  };
  await lab.until(quiet, 'the hall is quiet', { within: 240_000, every: 1_000 });
  const marking = async () => {
    const marks = lab.of(20, 100);
    for (let n = 1; n <= marks; n += 1) {
      const next = lab.lasting(100);
      const mark = { session_id: SESSION, student_id: `student-${n}`, status: 'late', op_id: `hall-${n}` };
      await stage.teacher.done('markStudentAttendance', mark);
      await next;
    }
    const told = () => crowd.state.events - before >= marks * students;
    await lab.until(told, 'the whole hall knows its marks', { within: 240_000 });
  };
  const [without, during] = await compare(lab, stage, marking);
  lab.saw('ack p99, with / without', during.ack / without.ack);
  lab.saw('last recipient p99, with / without', during.last / without.last);
  lab.equal(crowd.state.lost, 0, 'connections that were cut');
}

const PROMISE = 'the process lives in 1 GB, and a class of 30 beside it has its acknowledgements: p99 ≤ 100 ms';
const LIMITS = 'The short version is smaller, and judges no times.';

export const besideACrowd: readonly Experiment[] = [
  {
    id: 'L1',
    fault: '1,000 reads of a class of 5,000 in one write, without a limit on the rate (SQLite)',
    promise: PROMISE,
    needs: [],
    limits: LIMITS,
    run: reads,
  },
  {
    id: 'L2',
    fault: '2,000 repeats in one write of what was marked 6,500 entries ago (SQLite)',
    promise: PROMISE,
    needs: [],
    limits: LIMITS,
    run: repeats,
  },
  {
    id: 'L3',
    fault: '2,000 sessions of one course started in one write, 30 subscribers (SQLite)',
    promise: `${PROMISE}; no subscriber is dropped`,
    needs: [],
    limits: LIMITS,
    run: manySessions,
  },
  {
    id: 'L4',
    fault: 'a hall of 15,000 in which ten students a second are marked (SQLite)',
    promise: PROMISE,
    needs: [],
    limits: `${LIMITS} On two cores the hall takes one to two minutes to come in.`,
    run: hall,
  },
];

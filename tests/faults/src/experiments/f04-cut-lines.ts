import type { Experiment, Lab } from '../experiment.js';
import { SqliteFile } from '../rig/database.js';
import { Screen, SdkFollower } from '../rig/followers.js';
import { Line } from '../rig/line.js';
import { MarkLoad, nothingLostOrDoubled } from '../rig/mark-load.js';
import { appliedAll, converged } from '../rig/nodes.js';
import { importSchool } from '../rig/people.js';
import { Plain } from '../rig/plain.js';
import { ServerProcess } from '../rig/server-process.js';

const SESSION = 'class-1';
const STUDENTS = 60;

interface CutOptions {
  readonly clients: number;
  readonly cuts: number;
  readonly cutMs: number;
  readonly preload?: readonly string[];
}

/** Half of the clients are teachers with the SDK, a quarter students with it, a quarter screens on the stock library. */
export async function cutAgainAndAgain(lab: Lab, { clients, cuts, cutMs, preload = [] }: CutOptions): Promise<void> {
  const database = await SqliteFile.fresh(lab);
  await importSchool(lab, database, { students: STUDENTS, teachers: clients });
  const server = await ServerProcess.start(lab, { database: database.url, preload });
  const line = await Line.to(lab, { host: '127.0.0.1', port: server.port });
  const teacher = await Plain.connect(lab, server.url, 'ada');
  await teacher.done('startAttendanceSession', { session_id: SESSION, course_id: 'course-1' });

  const began = performance.now();
  const uids = Array.from({ length: clients }, (_, n) => n + 1);
  const dense = await Promise.all(
    uids
      .filter((n) => n % 4 !== 3)
      .map((n) =>
        n % 4 === 0
          ? Screen.open(lab, line.url, `t-${n}`, SESSION)
          : SdkFollower.follow(lab, line.url, `t-${n}`, (client) => client.openSession(SESSION)),
      ),
  );
  const students = await Promise.all(
    uids
      .filter((n) => n % 4 === 3)
      .map((n) =>
        SdkFollower.follow(lab, line.url, `s-${(n % STUDENTS) + 1}`, (client) => client.joinSession(SESSION)),
      ),
  );
  lab.saw('ms to connect all', performance.now() - began);
  const load = await MarkLoad.start(lab, { url: server.url, session_id: SESSION, students: STUDENTS, name: 'mark' });
  load.run(lab.of(20, 30));
  let slowest = 0;
  for (let cut = 1; cut <= cuts; cut += 1) {
    // Now and then a connection is first open on paper alone.
    if (cut % 3 === 0) line.state = 'answers lost';
    await lab.lasting(cut % 3 === 0 ? 300 : 0);
    await line.cut();
    await lab.lasting(cutMs);
    const missed = Math.max(...load.acknowledged.values());
    await line.restore();
    const back = () => [...dense, ...students].every(({ last }) => last >= missed);
    slowest = Math.max(slowest, await lab.until(back, `every client is up to date after cut ${cut}`));
    await lab.lasting(Math.random() * 500);
  }
  await load.finish(lab);
  const entries = await database.entries(SESSION);
  nothingLostOrDoubled(lab, entries, [load]);
  const { hash } = await converged(lab, SESSION, { teachers: [teacher], followers: dense, database });
  appliedAll(lab, dense, entries.length);
  for (const { uid, live, applied, faults, last } of students) {
    lab.equal(faults, [], `faults of ${uid}`);
    lab.must(last === entries.length, `${uid} is at ${last} of ${entries.length}`);
    lab.must(
      applied.every((seq, n) => n === 0 || seq > (applied[n - 1] ?? 0)),
      `${uid} applied out of order`,
    );
    // A student is sent every mark from the join on; what came before it, only where it changed again.
    const joinedAt = applied[0] ?? 0;
    const marks = entries.filter(({ seq, type }) => seq > joinedAt && type === 'marked').map(({ seq }) => seq);
    const isMark = new Set(marks);
    lab.equal(
      applied.filter((seq) => isMark.has(seq)),
      marks,
      `the marks that ${uid} applied`,
    );
    lab.must(live.state === 'live', `${uid} is ${live.state}`);
  }
  lab.saw('clients', dense.length + students.length);
  lab.saw('cuts', cuts);
  lab.saw('ms of each cut', cutMs);
  lab.saw('entries', entries.length);
  lab.saw('state hash of all', hash);
  lab.saw('slowest until all are up to date after a cut, ms', slowest);
}

export const cutLines: Experiment = {
  id: 'F4',
  fault: '100 clients cut for 2 s, 20 times, during a class (SQLite)',
  promise: 'each ends with 1…n applied, no gap, no duplicate',
  needs: [],
  run: (lab) => cutAgainAndAgain(lab, { clients: 100, cuts: lab.of(2, 20), cutMs: 2_000 }),
};

export const slowAuthentication: Experiment = {
  id: 'F5',
  fault:
    'the same while authentication takes 300 ms (a module in the server’s process makes the check of a token wait)',
  promise: 'each ends with 1…n applied, no gap, no duplicate',
  needs: [],
  run: async (lab: Lab) => {
    const preload = [new URL('../preload/slow-verification.js', import.meta.url).href];
    await cutAgainAndAgain(lab, {
      clients: lab.of(40, 100),
      cuts: lab.of(2, 20),
      cutMs: lab.of(1_000, 2_000),
      preload,
    });
    const took = Number(lab.figures['ms to connect all']);
    lab.must(took >= 300, `authentication took 300 ms (all were connected within ${took} ms)`);
  },
};

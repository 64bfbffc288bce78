import { Broken, type Experiment, type Lab } from '../experiment.js';
import { hashOf, SqliteFile, verified } from '../rig/database.js';
import { type Follower, Screen, SdkFollower } from '../rig/followers.js';
import { MarkLoad, nothingLostOrDoubled } from '../rig/mark-load.js';
import { appliedAll, converged } from '../rig/nodes.js';
import { importSchool } from '../rig/people.js';
import { Plain } from '../rig/plain.js';
import { ServerProcess } from '../rig/server-process.js';

const SESSION = 'class-1';
const STUDENTS = 40;
const MARKS_PER_SECOND = 500;
/** A life lasts for this many acknowledged marks at least, and then for up to so many ms more. */
const MARKS_PER_LIFE = 60;
const LIFE_MAX_MS = 250;

/** What the server said, before its port opened, that it brought back. */
function restoredBy({ log }: ServerProcess): unknown {
  const line = log.split('\n').findLast((text) => text.includes('"listening"'));
  if (line === undefined) throw new Broken('the server did not log what it restored');
  return (JSON.parse(line) as { restored?: unknown }).restored;
}

const ownOf = ({ live }: SdkFollower) =>
  [...live.records.values()].filter(({ student_id }) => student_id === 'student-1');

async function run(lab: Lab): Promise<void> {
  const crashes = lab.of(3, 100);
  const database = await SqliteFile.fresh(lab);
  await importSchool(lab, database, { students: STUDENTS });
  const server = await ServerProcess.start(lab, { database: database.url });
  const { url } = server;
  const teacher = await SdkFollower.follow(lab, url, 'ada', (client) =>
    client.openSession(SESSION, { start: { course_id: 'course-1' } }),
  );
  const student = await SdkFollower.follow(lab, url, 's-1', (client) => client.joinSession(SESSION));
  const screen = await Screen.open(lab, url, 'cyd', SESSION);
  const load = await MarkLoad.start(lab, {
    url,
    session_id: SESSION,
    students: STUDENTS,
    name: 'mark',
    repeat: 'some',
  });
  load.run(MARKS_PER_SECOND);
  let slowest = 0;
  for (let crash = 1; crash <= crashes; crash += 1) {
    const before = load.acknowledged.size;
    await lab.until(() => load.acknowledged.size - before > MARKS_PER_LIFE, `marks are acknowledged in life ${crash}`);
    await lab.lasting(Math.random() * LIFE_MAX_MS);
    const killed = performance.now();
    await server.kill();
    const promised = Math.max(...load.acknowledged.values());
    await server.start(lab);
    lab.equal(restoredBy(server), 1, `sessions restored before the port opened, after crash ${crash}`);
    for (const follower of [teacher, student, screen]) {
      await lab.until(() => follower.last >= promised, `${follower.uid} is back after crash ${crash}`);
    }
    slowest = Math.max(slowest, performance.now() - killed);
  }
  await load.finish(lab);
  const entries = await database.entries(SESSION);
  nothingLostOrDoubled(lab, entries, [load]);
  const teachers = [await Plain.connect(lab, url, 'ada')];
  const dense: Follower[] = [teacher, screen];
  await converged(lab, SESSION, { teachers, followers: dense, database });
  await lab.until(() => student.last === entries.length, 'the student is at the last entry');
  lab.equal(hashOf(student.live.own ? [student.live.own] : []), hashOf(ownOf(teacher)), 'the record of the student');
  const marks = entries.filter(({ seq, type }) => seq > (student.applied[0] ?? 0) && type === 'marked');
  lab.equal(
    student.applied.slice(1),
    marks.map(({ seq }) => seq),
    'what the student applied',
  );
  appliedAll(lab, dense, entries.length);
  lab.equal(await server.stop(), 0, 'exit status at the end');
  await verified(lab, database);
  lab.saw('crashes', crashes);
  lab.saw('committed with a lost answer and repeated', load.duplicates);
  lab.saw('slowest from kill to all clients up to date, ms', slowest);
}

export const kill: Experiment = {
  id: 'F1',
  fault: 'kill -9 at a random moment under 500 marks/s (SQLite)',
  promise:
    'every acknowledged change is stored exactly once; active sessions are restored before the port opens; clients converge',
  needs: [],
  run,
};

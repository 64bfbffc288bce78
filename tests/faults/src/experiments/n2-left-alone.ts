import type { Experiment, Lab } from '../experiment.js';
import type { Database } from '../rig/database.js';
import { startNodes, startSession } from '../rig/nodes.js';
import type { Payload, Plain } from '../rig/plain.js';

const POLICY = { inactivity_minutes: 0.06 };
const LIMIT_MS = POLICY.inactivity_minutes * 60_000;

const heard = (teacher: Plain, event: string, session_id: string): Payload[] => {
  const all: Payload[] = [];
  teacher.socket.on(event, (payload: Payload) => {
    if (payload['session_id'] === session_id) all.push(payload);
  });
  return all;
};

async function endedOnce(lab: Lab, database: Database, session_id: string): Promise<void> {
  const ends = (await database.entries(session_id)).filter(({ type }) => type === 'ended');
  lab.equal(
    ends.map(({ reason }) => reason),
    ['inactivity'],
    `ends of ${session_id}`,
  );
}

async function run(lab: Lab): Promise<void> {
  const { database, nodes } = await startNodes(lab, 3, { students: 5 });
  for (let n = 1; n <= lab.of(1, 5); n += 1) {
    const session_id = `alone-${n}`;
    const teachers = await startSession(lab, nodes, session_id, POLICY);
    const began = performance.now();
    const warned = teachers.map((teacher) => heard(teacher, 'attendanceSessionExpiring', session_id));
    const ended = teachers.map((teacher) => heard(teacher, 'attendanceSessionEnded', session_id));
    const all = () => ended.every((each) => each.length > 0);
    await lab.until(all, 'all nodes tell of the end', { within: LIMIT_MS + 30_000 });
    const ms = performance.now() - began;
    lab.must(ms >= LIMIT_MS - 2_000, `it ends no earlier than it should (${Math.round(ms)} ms)`);
    // Whatever would come twice has come once everybody is answered.
    for (const teacher of teachers) await teacher.ask('getAttendanceSessionData', { session_id });
    for (const [node, each] of ended.entries()) {
      lab.equal(
        each.map(({ reason, ended_by }) => [reason, ended_by]),
        [['inactivity', 'system']],
        `ends told by node ${node}`,
      );
      lab.must((warned[node]?.length ?? 0) >= 1, `node ${node} warned its teachers`);
      lab.equal(warned[node]?.[0]?.['reason'], 'inactivity', 'the reason of the warning');
    }
    await endedOnce(lab, database, session_id);
    lab.count('three nodes: sessions ended once, with warning and reason on each');
    lab.saw('three nodes: ms from the start to the end', ms);
    for (const { socket } of teachers) socket.disconnect();
  }

  // Nobody is there when the time comes.
  const session_id = 'alone-down';
  const teachers = await startSession(lab, nodes, session_id, POLICY);
  await Promise.all(nodes.map((node) => node.kill()));
  await lab.lasting(LIMIT_MS + 500);
  lab.equal(
    (await database.entries(session_id)).map(({ type }) => type),
    ['started'],
    'entries while nobody was there',
  );
  await Promise.all(nodes.map((node) => node.start(lab)));
  const over = async () => (await database.entries(session_id)).some(({ type }) => type === 'ended');
  await lab.until(over, 'it ends at the next start', { within: 30_000, every: 100 });
  for (const teacher of teachers) {
    await lab.until(() => teacher.socket.connected, 'teachers are back');
    const known = async () => {
      const answer = await teacher.ask('getAttendanceSessionData', { session_id });
      return (answer['session'] as Payload | undefined)?.['status'] === 'completed';
    };
    await lab.until(known, 'every node knows that it is over', { every: 200 });
    const late = await teacher.ask('markStudentPresent', { session_id, student_id: 'student-1' });
    lab.equal(late.error?.code, 'SESSION_ENDED', 'a mark afterwards');
  }
  await endedOnce(lab, database, session_id);
  lab.saw('all three nodes down at the deadline: ended once at the next start', 1);
}

export const leftAlone: Experiment = {
  id: 'N2',
  fault: 'a session is left alone on three nodes; and once more with all of them down at the deadline',
  promise: 'one node ends it, once, with its reason, and all tell of it; at the next start where nobody was there',
  needs: ['mongo', 'redis'],
  run,
};

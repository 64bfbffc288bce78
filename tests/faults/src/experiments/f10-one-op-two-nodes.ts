import type { Experiment, Lab } from '../experiment.js';
import { converged, startNodes, startSession } from '../rig/nodes.js';
import type { Plain } from '../rig/plain.js';

const SESSION = 'class-1';
const STUDENTS = 10;

async function run(lab: Lab): Promise<void> {
  const rounds = lab.of(100, 1_000);
  const { database, nodes } = await startNodes(lab, 2, { students: STUDENTS });
  // An op_id counts for its user, so both sockets are ada's.
  const teachers = await startSession(lab, nodes, SESSION);
  const here = teachers[0] as Plain;
  const there = await here.sameUserAt(lab, nodes[1]?.url ?? '');
  for (let round = 0; round < rounds; round += 1) {
    const mark = {
      session_id: SESSION,
      student_id: `student-${(round % STUDENTS) + 1}`,
      status: round % 2 ? 'present' : 'late',
      remarks: `round ${round}`,
      op_id: `op-${round}`,
    };
    const answers = await Promise.all([here, there].map((teacher) => teacher.done('markStudentAttendance', mark)));
    const seqs = answers.map(({ seq }) => seq);
    lab.equal(seqs[0], seqs[1], `the answers of two nodes to op-${round}`);
    lab.equal(answers.filter(({ duplicate }) => duplicate === true).length, 1, `repeats of op-${round}`);
  }
  const entries = await database.entries(SESSION);
  lab.equal(entries.length, rounds + 1, 'entries');
  lab.equal(new Set(entries.map(({ op_id }) => op_id)).size, rounds + 1, 'op_ids');
  const { hash } = await converged(lab, SESSION, { teachers: [here, there], followers: [], database });
  lab.saw('op_ids sent to two nodes at once', rounds);
  lab.saw('entries', rounds);
  lab.saw('answered by both with one seq', rounds);
  lab.saw('state hash of both nodes and the database', hash);
}

export const oneOpTwoNodes: Experiment = {
  id: 'F10',
  fault: 'one op_id is sent to two nodes at once, 1,000 times',
  promise: 'one entry, one seq, both answered',
  needs: ['mongo', 'redis'],
  run,
};

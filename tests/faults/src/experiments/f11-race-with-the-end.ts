import type { Experiment, Lab } from '../experiment.js';
import { hashOf, type MongoDatabase, type RecordLine } from '../rig/database.js';
import { pictureOf, startNodes, startSession } from '../rig/nodes.js';
import type { Answer, Payload, Plain } from '../rig/plain.js';

const STUDENTS = 50;
const MARKS_PER_MARKER = 100;
const END_WITHIN_MS = 40;

interface FinalData {
  readonly seq: number;
  readonly attendanceRecords: readonly RecordLine[];
}

interface Sent {
  readonly op_id: string;
  readonly student_id: string;
  readonly status: string;
  readonly answer: Promise<Answer>;
}

function mark(marker: Plain, session_id: string, n: number, name: string): Sent {
  const [op_id, student_id] = [`${name}-${n}`, `student-${((n * 7) % STUDENTS) + 1}`];
  const status = n % 2 ? 'present' : 'late';
  const payload = { session_id, student_id, status, remarks: op_id, op_id };
  return { op_id, student_id, status, answer: marker.ask('markStudentAttendance', payload) };
}

async function round(lab: Lab, session_id: string, markers: readonly Plain[], database: MongoDatabase): Promise<void> {
  const endings = markers.map(
    (marker) =>
      new Promise<FinalData>((resolve) => {
        const listen = (payload: Payload) => {
          if (payload['session_id'] !== session_id) return;
          marker.socket.off('attendanceSessionEnded', listen);
          resolve(payload['finalData'] as FinalData);
        };
        marker.socket.on('attendanceSessionEnded', listen);
      }),
  );
  const sent = markers.flatMap((marker, m) =>
    Array.from({ length: MARKS_PER_MARKER }, (_, n) => mark(marker, session_id, n + m * 13, `${session_id}-${m}`)),
  );
  await lab.lasting(Math.random() * END_WITHIN_MS);
  const ender = markers[Math.floor(Math.random() * markers.length)] as Plain;
  const end = ender.done('endAttendanceSession', { session_id });
  // In the same breath as the end, and after it.
  const late = markers.map((marker, m) => mark(marker, session_id, 900 + m, `${session_id}-late-${m}`));
  const confirmed = (await end)['finalData'] as FinalData;
  const told = await Promise.all(endings);
  const hash = hashOf(confirmed.attendanceRecords);
  for (const finalData of told) lab.equal(hashOf(finalData.attendanceRecords), hash, 'finalData of a client');

  const entries = await database.entries(session_id);
  lab.equal([entries.at(-1)?.type, entries.at(-1)?.seq], ['ended', confirmed.seq], 'the last entry');
  const seqOf = new Map(entries.map(({ op_id, seq }) => [op_id, seq]));
  const final = new Map(confirmed.attendanceRecords.map((record) => [record.student_id, record]));
  for (const { op_id, student_id, answer } of [...sent, ...late]) {
    const { ok, seq, error } = await answer;
    if (ok) {
      lab.equal(seqOf.get(op_id), seq, `the entry of ${op_id}`);
      const record = final.get(student_id);
      lab.must(record !== undefined && record.seq >= Number(seq), `${op_id} is in finalData`);
      if (record.seq === seq) lab.equal(record.remarks, op_id, `the record of ${student_id}`);
      lab.count('acknowledged, all in finalData');
    } else {
      lab.equal(error?.code, 'SESSION_ENDED', `the refusal of ${op_id}`);
      lab.equal(seqOf.get(op_id), undefined, `the entry of ${op_id}, which was refused`);
      lab.count('refused with SESSION_ENDED, none stored');
    }
  }
  for (const teacher of markers) lab.equal((await pictureOf(teacher, session_id)).hash, hash, 'the register of a node');
}

async function run(lab: Lab): Promise<void> {
  const { database, nodes } = await startNodes(lab, 2, { students: STUDENTS });
  const rounds = lab.of(4, 40);
  lab.saw('endings', rounds);
  for (let n = 1; n <= rounds; n += 1) {
    const session_id = `class-${n}`;
    const markers = await startSession(lab, [...nodes, ...nodes], session_id);
    await round(lab, session_id, markers, database);
    for (const { socket } of markers) socket.disconnect();
  }
  const [acknowledged, refused] = ['acknowledged, all in finalData', 'refused with SESSION_ENDED, none stored'];
  lab.must(Number(lab.figures[acknowledged] ?? 0) > 0, 'some marks came before the end');
  lab.must(Number(lab.figures[refused] ?? 0) > 0, 'some marks came after the end');
}

export const raceWithTheEnd: Experiment = {
  id: 'F11',
  fault: '400 marks of four markers on two nodes race the end of their session',
  promise: 'what is acknowledged is in finalData; all else is refused with SESSION_ENDED and not stored',
  needs: ['mongo', 'redis'],
  run,
};

import { D } from '../arms/letters.js';
import { measured } from '../harness/measured.js';
import { VoidRun } from '../harness/no-figures.js';
import { atMost, figureOf, type Workload } from '../harness/workload.js';
import { Classroom, CONNECTING_AT_ONCE, connectStudents } from '../load/classroom.js';
import { type Answer, Client, inParallel } from '../load/client.js';
import { until } from '../load/loops.js';
import { studentUid } from '../school.js';

const MISSED = 50;

/** Everybody is cut off, misses marks, and comes back at once with the seq they know. */
const reconnectStorm = (clients: number, quick: boolean): Workload => ({
  name: `reconnect-storm-${clients}`,
  title: `reconnect storm, ${clients.toLocaleString('en')} clients that missed ${MISSED} marks`,
  arms: [D],
  quick,
  files: 2 * clients + 500,
  school: { courses: 1, studentsPerCourse: clients },
  metrics: [
    { key: 'cpu', label: 'CPU µs/client', digits: 0 },
    { key: 'bytes', label: 'bytes/client', digits: 0 },
    { key: 'bytesPerChange', label: 'bytes/client and missed mark', digits: 0 },
    { key: 'ms', label: 'ms until all were back', digits: 0 },
  ],
  // The whole picture instead would be 450 bytes for every student of the roster.
  goals: [atMost(1_000, figureOf('bytesPerChange', 'D', 'D bytes per missed mark'))],
  async prepare(arm) {
    const everybody = Array.from({ length: clients }, (_, n) => studentUid(n));
    return {
      async round() {
        const room = await Classroom.start(arm);
        await room.join(await connectStudents(arm, clients));
        await room.mark();
        await room.complete();
        const known = room.deliveries.lastSeq;
        room.cut();
        for (let n = 0; n < MISSED; n++) await room.mark();
        const seqs = await missedSeqs(room, known);
        const { result, cpuMs, wallMs } = await measured(arm, () =>
          inParallel(everybody, CONNECTING_AT_ONCE, (uid) => comeBack(arm.port, uid, room.session_id, known, seqs)),
        );
        const bytes = result.reduce((sum, client) => sum + client.bytes, 0) / clients;
        for (const client of result) client.cut();
        await room.dismiss(arm);
        room.teacher.cut();
        return { cpu: (cpuMs / clients) * 1_000, bytes, bytesPerChange: bytes / MISSED, ms: wallMs };
      },
    };
  },
});

const marksIn = (answer: Answer): string =>
  (answer['changes'] as Array<{ seq: number; type: string }>)
    .filter(({ type }) => type === 'marked')
    .map(({ seq }) => seq)
    .join();

/** What the teacher is told that everybody missed. */
async function missedSeqs(room: Classroom, since_seq: number): Promise<string> {
  await room.complete();
  const { session_id, teacher } = room;
  const seqs = marksIn(await teacher.send('getAttendanceSessionData', { session_id, since_seq }));
  if (seqs.split(',').length !== MISSED)
    throw new VoidRun(`the journal has other marks than the ${MISSED} sent: ${seqs}`);
  return seqs;
}

async function comeBack(port: number, uid: string, session_id: string, since_seq: number, seqs: string) {
  const client = await Client.connect(port, uid);
  let told = false;
  client.on('attendanceSessionJoined', () => (told = true));
  const answer = await client.send('joinAttendanceSession', { session_id, since_seq });
  await until(() => told, `${uid} was not told of having joined`);
  const got = marksIn(answer);
  if (got !== seqs) throw new VoidRun(`${uid} came back to the changes ${got} instead of ${seqs}`);
  return client;
}

export const reconnectStorms: readonly Workload[] = [reconnectStorm(500, false), reconnectStorm(5_000, false)];

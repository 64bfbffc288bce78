import type { Arm } from '../arms/arm.js';
import { B, D } from '../arms/letters.js';
import { measured } from '../harness/measured.js';
import { Skipped } from '../harness/no-figures.js';
import { atMost, ratio, type Workload } from '../harness/workload.js';
import { Classroom, connectStudents } from '../load/classroom.js';
import { Client } from '../load/client.js';
import { burstFor } from '../load/loops.js';
import { studentUid } from '../school.js';

const LISTENERS = 500;
const BATCHED = { auth: { client: { name: 'bench', version: '1', batched: true } } };

/** Listeners that announced that they take one event a commit; those of Socket.IO alone know nothing of it. */
const batched = (name: string, bursts: readonly number[], limit: number): Workload => ({
  name: `batched-${name.replace('–', '-')}`,
  title: `batched clients, bursts of ${name}, ${LISTENERS} listeners`,
  arms: [B, D],
  quick: false,
  files: 2 * LISTENERS + 500,
  school: { courses: 1, studentsPerCourse: LISTENERS },
  metrics: [{ key: 'cpuPerDelivery', label: 'CPU µs/delivered mark', digits: 2 }],
  goals: [atMost(limit, ratio('cpuPerDelivery', 'D', 'B'))],
  async prepare(arm, { phaseMs }) {
    if (arm.kind === 'rollcall') await requireBatches(arm);
    const room = await Classroom.start(arm);
    await room.join(await connectStudents(arm, LISTENERS, BATCHED));
    return {
      async round() {
        const received = room.deliveries.received;
        const { cpuMs } = await measured(arm, () => burstFor(room, bursts, phaseMs));
        return { cpuPerDelivery: (cpuMs / (room.deliveries.received - received)) * 1_000 };
      },
    };
  },
});

/** A server without batched updates sends such a client the usual events. */
async function requireBatches(arm: Arm): Promise<void> {
  const room = await Classroom.start(arm);
  const member = await Client.connect(arm.port, studentUid(0), BATCHED);
  await room.joinOne(member);
  let built = false;
  const came = new Promise<void>((resolve) => {
    member.on('attendanceUpdated', () => resolve());
    member.on('attendanceChanges', () => {
      built = true;
      resolve();
    });
  });
  await room.mark();
  await came;
  await room.end();
  room.cut();
  room.teacher.cut();
  if (!built) throw new Skipped('not built: the handshake of a batched client yields no attendanceChanges');
}

export const batches: readonly Workload[] = [
  batched('50–100', [50, 60, 70, 80, 90, 100], 0.12),
  batched('10', [10], 0.3),
];

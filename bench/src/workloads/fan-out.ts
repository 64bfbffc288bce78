import type { ArmSpec } from '../arms/arm.js';
import { A, B, D } from '../arms/letters.js';
import { measured } from '../harness/measured.js';
import { atMost, ratio, type Workload } from '../harness/workload.js';
import { Classroom, connectStudents } from '../load/classroom.js';
import { markFor } from '../load/loops.js';

interface FanOut {
  readonly listeners: number;
  readonly arms: readonly ArmSpec[];
  readonly inFlight: number;
  readonly limit: number;
  readonly quick: boolean;
}

/** One teacher marks, and everybody in the room gets every change as an event of its own. */
const fanOut = ({ listeners, arms, inFlight, limit, quick }: FanOut): Workload => ({
  name: inFlight === 1 ? `one-in-flight-${listeners}` : `fan-out-${listeners}`,
  title: `one teacher marking, ${inFlight} in flight, ${listeners.toLocaleString('en')} listeners`,
  arms,
  quick,
  files: arms.length * listeners + 500,
  school: { courses: 1, studentsPerCourse: listeners },
  metrics: [
    { key: 'cpuPerDelivery', label: 'CPU µs/delivered change', digits: 2 },
    { key: 'cpuPerFrame', label: 'CPU µs/frame, statistics and answers included', digits: 2 },
    { key: 'deliveries', label: 'deliveries/s', digits: 0 },
  ],
  // With one in flight there is nothing to coalesce, and statistics are frames that others don't send.
  goals: [atMost(limit, ratio(inFlight === 1 ? 'cpuPerFrame' : 'cpuPerDelivery', 'D', 'B'))],
  async prepare(arm, { phaseMs }) {
    const room = await Classroom.start(arm);
    await room.join(await connectStudents(arm, listeners));
    const everybody = [room.teacher, ...room.members];
    const framesSoFar = () => everybody.reduce((sum, { frames }) => sum + frames, 0);
    return {
      async round() {
        const [received, frames] = [room.deliveries.received, framesSoFar()];
        const { cpuMs, wallMs } = await measured(arm, () => markFor([room], inFlight, phaseMs));
        const deliveries = room.deliveries.received - received;
        return {
          cpuPerDelivery: (cpuMs / deliveries) * 1_000,
          cpuPerFrame: (cpuMs / (framesSoFar() - frames)) * 1_000,
          deliveries: (deliveries / wallMs) * 1_000,
        };
      },
    };
  },
});

export const fanOuts: readonly Workload[] = [
  fanOut({ listeners: 500, arms: [A, B, D], inFlight: 16, limit: 0.4, quick: true }),
  fanOut({ listeners: 2_000, arms: [A, B, D], inFlight: 16, limit: 0.4, quick: false }),
  fanOut({ listeners: 500, arms: [B, D], inFlight: 1, limit: 1.1, quick: false }),
];

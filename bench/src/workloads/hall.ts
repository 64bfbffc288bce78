import { setTimeout as delay } from 'node:timers/promises';
import { B, D } from '../arms/letters.js';
import { percentileOf } from '../harness/statistics.js';
import { atMost, figureOf, ratio, type Workload } from '../harness/workload.js';
import { Classroom, connectStudents } from '../load/classroom.js';

const MARKS = 10;
const PAUSE_MS = 50;

/** Single marks before a very large audience: how long the server is deaf meanwhile, and when the last one knows. */
const hall = (listeners: number, quick: boolean): Workload => ({
  name: `hall-${listeners}`,
  title: `one mark, ${listeners.toLocaleString('en')} listeners`,
  arms: [B, D],
  quick,
  // One arm's at a time: both at once are more than many machines allow.
  files: listeners + 500,
  school: { courses: 1, studentsPerCourse: listeners },
  metrics: [
    { key: 'delayP99', label: 'event loop delay p99 ms', digits: 1 },
    { key: 'delayMax', label: 'event loop delay max ms', digits: 1 },
    { key: 'last', label: 'last recipient p50 ms', digits: 1 },
  ],
  goals: [atMost(50, figureOf('delayP99', 'D', 'D delay p99')), atMost(1.2, ratio('last', 'D', 'B'))],
  async prepare(arm) {
    return {
      async round() {
        const room = await Classroom.start(arm);
        await room.join(await connectStudents(arm, listeners));
        await arm.quiet();
        const lasts: number[] = [];
        await arm.ask('delay-start');
        for (let n = 0; n < MARKS; n++) {
          const sent = performance.now();
          await room.mark();
          await room.complete();
          lasts.push(room.deliveries.lastAt - sent);
          await delay(PAUSE_MS);
        }
        const { delayP99 = Number.NaN, delayMax = Number.NaN } = await arm.ask('delay-stop');
        await room.dismiss(arm);
        room.teacher.cut();
        return { delayP99, delayMax, last: percentileOf(lasts, 50) };
      },
    };
  },
});

export const halls: readonly Workload[] = [hall(2_000, false), hall(15_000, false)];

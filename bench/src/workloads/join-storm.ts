import { B, C, D } from '../arms/letters.js';
import { measured } from '../harness/measured.js';
import { atMost, ratio, type Workload } from '../harness/workload.js';
import { Classroom, CONNECTING_AT_ONCE } from '../load/classroom.js';
import { Client, inParallel } from '../load/client.js';
import { until } from '../load/loops.js';
import { studentUid } from '../school.js';

/** Students connect and check in at once, each for the first time, and the teacher is told of every one. */
/** Before anything is measured: of a few hundred joins it is V8 that would be measured, at its first look at the code. */
const WARM_UP_JOINS = 2_000;

const joinStorm = (students: number, quick: boolean): Workload => ({
  name: `join-storm-${students}`,
  title: `join storm, ${students.toLocaleString('en')} students`,
  arms: [B, C, D],
  quick,
  files: students + 500,
  school: { courses: 1, studentsPerCourse: students },
  metrics: [
    { key: 'cpuPerJoin', label: 'CPU µs/join', digits: 1 },
    { key: 'ms', label: 'ms until all were told', digits: 0 },
  ],
  goals: [atMost(1.15, ratio('cpuPerJoin', 'D', 'B')), atMost(0.7, ratio('ms', 'D', 'C'))],
  async prepare(arm) {
    const everybody = Array.from({ length: students }, (_, n) => studentUid(n));
    let teacher: Client | undefined;
    let storms = Math.ceil(WARM_UP_JOINS / students) - 1;
    return {
      async round() {
        for (; storms > 0; storms--) await storm();
        return storm();
      },
    };

    async function storm() {
      const room = await Classroom.start(arm, 0, teacher);
      teacher = room.teacher;
      const { wallMs, cpuMs } = await measured(arm, async () => {
        await inParallel(everybody, CONNECTING_AT_ONCE, async (uid) => {
          await room.joinOne(await Client.connect(arm.port, uid));
        });
        await until(() => room.checkIns === students, 'the teacher was not told of every check-in');
      });
      await room.dismiss(arm);
      return { cpuPerJoin: (cpuMs / students) * 1_000, ms: wallMs };
    }
  },
});

export const joinStorms: readonly Workload[] = [
  joinStorm(500, true),
  joinStorm(2_000, false),
  joinStorm(15_000, false),
];

import type { ArmSpec } from '../arms/arm.js';
import { C, D } from '../arms/letters.js';
import { measured } from '../harness/measured.js';
import { atMost, figureOf, type Workload } from '../harness/workload.js';
import { Classroom, connectStudents } from '../load/classroom.js';
import type { Client } from '../load/client.js';
import { until } from '../load/loops.js';

/** A session's end with everybody there, until the last member has heard of it. */
const end = (members: number, arms: readonly ArmSpec[], quick: boolean): Workload => ({
  name: `end-${members}`,
  title: `end with ${members.toLocaleString('en')} members`,
  arms,
  quick,
  files: arms.length * members + 500,
  school: { courses: 1, studentsPerCourse: members },
  metrics: [
    { key: 'ms', label: 'ms until all were told', digits: 0 },
    { key: 'cpu', label: 'server CPU ms', digits: 0 },
    { key: 'bytes', label: 'bytes sent', digits: 0 },
    { key: 'bytesEach', label: 'bytes per member and record', digits: 0 },
  ],
  // A record takes some 450 bytes, and a teacher gets all of them three times.
  goals: members < 1_000 ? [] : [atMost(3_000, figureOf('bytesEach', 'D', 'D bytes per member and record'))],
  async prepare(arm) {
    const students = await connectStudents(arm, members);
    let teacher: Client | undefined;
    return {
      async round() {
        const room = await Classroom.start(arm, 0, teacher);
        teacher = room.teacher;
        await room.join(students);
        await arm.quiet();
        let told = 0;
        for (const member of room.members) member.on('attendanceSessionEnded', () => (told += 1));
        const everybody = [teacher, ...students];
        const bytesSoFar = () => everybody.reduce((sum, { bytes }) => sum + bytes, 0);
        const before = bytesSoFar();
        const { wallMs, cpuMs } = await measured(arm, async () => {
          await room.end();
          await until(() => told >= members, 'a member was not told of the end');
        });
        await room.complete();
        const bytes = bytesSoFar() - before;
        return { ms: wallMs, cpu: cpuMs, bytes, bytesEach: bytes / (2 * members) };
      },
    };
  },
});

export const ends: readonly Workload[] = [end(300, [C, D], false), end(1_000, [C, D], false), end(5_000, [D], false)];

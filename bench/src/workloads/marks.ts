import type { ArmSpec } from '../arms/arm.js';
import { A, B, C, C_MONGO, D, D_MONGO } from '../arms/letters.js';
import { measured } from '../harness/measured.js';
import { percentileOf } from '../harness/statistics.js';
import { atLeast, type Goal, ratio, type Workload } from '../harness/workload.js';
import { Classroom } from '../load/classroom.js';
import { markFor } from '../load/loops.js';

const IN_FLIGHT = 16;

interface Marks {
  readonly name: string;
  readonly title: string;
  readonly arms: readonly ArmSpec[];
  readonly sessions: number;
  readonly goals: readonly Goal[];
  readonly quick: boolean;
}

/** Sessions in which the teacher is the only one who listens: what a mark costs by itself. */
const marks = ({ name, title, arms, sessions, goals, quick }: Marks): Workload => ({
  name,
  title,
  arms,
  goals,
  school: { courses: sessions, studentsPerCourse: 40 },
  quick,
  metrics: [
    { key: 'marksPerSecond', label: 'acked marks/s', digits: 0 },
    { key: 'cpuPerMark', label: 'CPU µs/mark', digits: 1 },
    { key: 'p50', label: 'ack p50 ms', digits: 2 },
    { key: 'p99', label: 'ack p99 ms', digits: 2 },
  ],
  async prepare(arm, { phaseMs }) {
    const courses = Array.from({ length: sessions }, (_, course) => course);
    const rooms = await Promise.all(courses.map((course) => Classroom.start(arm, course)));
    return {
      async round() {
        const { result, cpuMs } = await measured(arm, () => markFor(rooms, IN_FLIGHT, phaseMs));
        const { marks, ackedMs, latencies } = result;
        return {
          marksPerSecond: (marks / ackedMs) * 1_000,
          cpuPerMark: (cpuMs / marks) * 1_000,
          p50: percentileOf(latencies, 50),
          p99: percentileOf(latencies, 99),
        };
      },
    };
  },
});

export const marksOf16Sessions = marks({
  name: 'marks-16x16',
  title: 'marks, 16 sessions × 16 in flight',
  arms: [A, B, C, D],
  sessions: 16,
  quick: true,
  goals: [atLeast(0.9, ratio('marksPerSecond', 'D', 'B')), atLeast(5, ratio('marksPerSecond', 'D', 'C'))],
});

export const marksOfOneTeacher = marks({
  name: 'marks-1x16',
  title: 'marks, one teacher, 16 in flight',
  arms: [B, C, D],
  sessions: 1,
  quick: false,
  goals: [atLeast(3, ratio('marksPerSecond', 'D', 'C'))],
});

export const marksOverMongo = marks({
  name: 'marks-mongo',
  title: 'marks, 16 sessions × 16 in flight, over MongoDB’s wire protocol',
  arms: [C_MONGO, D_MONGO],
  sessions: 16,
  quick: true,
  goals: [atLeast(10, ratio('marksPerSecond', 'D', 'C'))],
});

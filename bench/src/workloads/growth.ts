import type { ArmSpec } from '../arms/arm.js';
import type { Seed } from '../arms/database.js';
import { D } from '../arms/letters.js';
import { seedSessions } from '../arms/stored-sessions.js';
import { measured } from '../harness/measured.js';
import { atMost, ratio, type Workload } from '../harness/workload.js';
import { Classroom } from '../load/classroom.js';
import { markFor } from '../load/loops.js';
import type { SchoolSize } from '../school.js';

const SMALL: SchoolSize = { courses: 1, studentsPerCourse: 40 };

interface Growth {
  readonly name: string;
  readonly title: string;
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly quick: boolean;
  readonly schoolOf?: (size: number) => SchoolSize;
  readonly seedOf?: (size: number) => Seed;
}

/** The same marks on a server that has little and on one that has much. */
function growth({ name, title, from, to, limit, quick, schoolOf, seedOf }: Growth): Workload {
  const armOf = (size: number): ArmSpec => ({
    ...D,
    label: `D@${size}`,
    ...(schoolOf && { school: schoolOf(size) }),
    ...(seedOf && { seed: seedOf(size) }),
  });
  const [few, many] = [armOf(from), armOf(to)];
  const cost = (key: string, what: string) => {
    const { label, of } = ratio(key, many.label, few.label);
    return atMost(limit, { label: `${what} ${label}`, of });
  };
  return {
    name,
    title,
    quick,
    arms: [few, many],
    school: SMALL,
    metrics: [
      { key: 'cpuPerMark', label: 'CPU µs/mark', digits: 1 },
      { key: 'msPerMark', label: 'ms/mark', digits: 3 },
    ],
    goals: [cost('cpuPerMark', 'CPU'), cost('msPerMark', 'time')],
    async prepare(arm, { phaseMs }) {
      const room = await Classroom.start(arm);
      return {
        async round() {
          const { result, cpuMs } = await measured(arm, () => markFor([room], 16, phaseMs));
          return { cpuPerMark: (cpuMs / result.marks) * 1_000, msPerMark: result.ackedMs / result.marks };
        },
      };
    },
  };
}

const storedSessions = (to: number, quick: boolean): Workload =>
  growth({
    name: `stored-sessions-${to}`,
    title: `cost per mark, stored sessions 1 → ${to.toLocaleString('en')}`,
    from: 1,
    to,
    limit: 1.1,
    quick,
    seedOf: (size) => seedSessions(size, SMALL),
  });

export const growths: readonly Workload[] = [
  storedSessions(5_000, false),
  storedSessions(100_000, false),
  growth({
    name: 'roster',
    title: 'cost per mark, roster 10 → 10,000, no listeners',
    from: 10,
    to: 10_000,
    limit: 1.3,
    quick: false,
    schoolOf: (studentsPerCourse) => ({ courses: 1, studentsPerCourse }),
  }),
];

import type { ArmSpec } from '../arms/arm.js';
import { B, C, C_MONGO, D, D_MONGO } from '../arms/letters.js';
import { type Measured, measured } from '../harness/measured.js';
import { spreadOf } from '../harness/statistics.js';
import { atMost, type Measure, type Metric, ratio, type Workload } from '../harness/workload.js';
import { Classroom } from '../load/classroom.js';

const METRICS: readonly Metric[] = [
  { key: 'ms', label: 'ms until answered', digits: 1 },
  { key: 'cpu', label: 'server CPU ms', digits: 1 },
];

/** Before anything is measured: a school's server has been running for a while, and V8 has seen its code. */
const WARM_UP = 8;

interface Roster {
  readonly name: string;
  /** Measured one after another in a round; what counts is their median. */
  readonly perRound: number;
  readonly arms: readonly ArmSpec[];
  readonly students: number;
  /** D/C of the time. */
  readonly limit: number;
  readonly quick: boolean;
}

const workload = (kind: string, { name, arms, students, limit, quick }: Roster) => ({
  name: `${kind}-${name}`,
  arms,
  quick,
  school: { courses: 1, studentsPerCourse: students },
  metrics: METRICS,
  goals: [atMost(limit, ratio('ms', 'D', 'C'))],
});

/** Warms the server up at first, then measures several, one after another; a round comes to their medians. */
function rounds(perRound: number, one: () => Promise<Measured<unknown>>): () => Promise<Measure> {
  let warm = false;
  return async () => {
    if (!warm) for (let n = 0; n < WARM_UP; n++) await one();
    warm = true;
    const measured: Measured<unknown>[] = [];
    for (let n = 0; n < perRound; n++) measured.push(await one());
    const medianOf = (values: number[]) => spreadOf(values).median;
    return { ms: medianOf(measured.map(({ wallMs }) => wallMs)), cpu: medianOf(measured.map(({ cpuMs }) => cpuMs)) };
  };
}

/** The start of a session with a record for every student of the course. */
const start = (roster: Roster): Workload => ({
  ...workload('start', roster),
  title: `start, ${roster.students.toLocaleString('en')} students${overMongo(roster)}`,
  async prepare(arm) {
    let before: Classroom | undefined;
    return {
      round: rounds(roster.perRound, async () => {
        const teacher = before?.teacher;
        const started = await measured(arm, () => Classroom.start(arm, 0, teacher));
        before = started.result;
        await before.end();
        return started;
      }),
    };
  },
});

/** One request that changes every row. */
const bulk = (roster: Roster): Workload => ({
  ...workload('bulk', roster),
  title: `bulk of ${roster.students.toLocaleString('en')} rows${overMongo(roster)}`,
  async prepare(arm) {
    const room = await Classroom.start(arm);
    return {
      round: rounds(roster.perRound, async () => {
        const done = await measured(arm, () => room.bulk());
        await room.complete();
        return done;
      }),
    };
  },
});

const overMongo = ({ arms }: Roster): string =>
  arms.some(({ database }) => database === 'mongo') ? ', over MongoDB’s wire protocol' : '';

const ON_SQLITE = [B, C, D];
const ON_MONGO = [C_MONGO, D_MONGO];

export const rosters: readonly Workload[] = [
  start({ perRound: 5, name: '1000', arms: ON_SQLITE, students: 1_000, limit: 1 / 20, quick: true }),
  start({ perRound: 3, name: '5000', arms: ON_SQLITE, students: 5_000, limit: 1 / 20, quick: false }),
  start({ perRound: 3, name: '1000-mongo', arms: ON_MONGO, students: 1_000, limit: 1 / 50, quick: false }),
  start({ perRound: 1, name: '5000-mongo', arms: ON_MONGO, students: 5_000, limit: 1 / 50, quick: false }),
  bulk({ perRound: 5, name: '1000', arms: ON_SQLITE, students: 1_000, limit: 1 / 16, quick: true }),
  bulk({ perRound: 3, name: '1000-mongo', arms: ON_MONGO, students: 1_000, limit: 1 / 40, quick: false }),
];

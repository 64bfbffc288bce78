import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { B, D, E } from '../arms/letters.js';
import { percentileOf } from '../harness/statistics.js';
import { atMost, type Goal, type Workload } from '../harness/workload.js';
import { Classroom } from '../load/classroom.js';

const MARKS = 100;
const PAUSE_MS = 5;
const PAGE = Buffer.alloc(4_096, 1);

/** What durability adds to one mark, in fsyncs of the same disk. */
const inFsyncs = (percent: 'p50' | 'p99'): Goal =>
  atMost(2, {
    label: `(D − E) / fsync, ${percent}`,
    of: ({ D: d = {}, E: e = {} }) =>
      ((d[percent] ?? Number.NaN) - (e[percent] ?? Number.NaN)) / (d[`fsync_${percent}`] ?? Number.NaN),
  });

/** One mark at a time on a server that has nothing else to do. */
export const idleMark: Workload = {
  name: 'idle-mark',
  title: 'single mark, idle server',
  arms: [B, D, E],
  quick: false,
  school: { courses: 1, studentsPerCourse: 40 },
  metrics: [
    { key: 'p50', label: 'ack p50 ms', digits: 3 },
    { key: 'p99', label: 'ack p99 ms', digits: 3 },
    { key: 'fsync_p50', label: 'fsync p50 ms', digits: 3 },
    { key: 'fsync_p99', label: 'fsync p99 ms', digits: 3 },
  ],
  goals: [inFsyncs('p50'), inFsyncs('p99')],
  async prepare(arm) {
    const room = await Classroom.start(arm);
    return {
      async round() {
        await arm.quiet();
        const latencies: number[] = [];
        for (let n = 0; n < MARKS; n++) {
          const sent = performance.now();
          await room.mark();
          latencies.push(performance.now() - sent);
          await delay(PAUSE_MS);
        }
        await room.complete();
        const { folder } = arm.database;
        return {
          p50: percentileOf(latencies, 50),
          p99: percentileOf(latencies, 99),
          ...(folder !== undefined && fsyncTimes(folder)),
        };
      },
    };
  },
};

/** A page appended and made durable, beside the database. */
function fsyncTimes(folder: string): Record<string, number> {
  const file = openSync(join(folder, 'fsync'), 'w');
  const times = Array.from({ length: MARKS }, () => {
    const began = performance.now();
    writeSync(file, PAGE);
    fdatasyncSync(file);
    return performance.now() - began;
  });
  closeSync(file);
  return { fsync_p50: percentileOf(times, 50), fsync_p99: percentileOf(times, 99) };
}

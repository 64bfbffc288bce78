import { setTimeout as delay } from 'node:timers/promises';
import { C, D } from '../arms/letters.js';
import { percentileOf } from '../harness/statistics.js';
import type { Workload } from '../harness/workload.js';
import { Classroom, connectStudents } from '../load/classroom.js';
import type { Client } from '../load/client.js';
import { until } from '../load/loops.js';

/** A class comes in within this time, each at a moment of their own. */
const ARRIVING_MS = 5_000;
const ARRIVING_QUICK_MS = 1_000;
const STUDENT = Buffer.from('"student_id":"');
const QUOTE = '"'.charCodeAt(0);

function studentIn(frame: Buffer): string {
  const from = frame.indexOf(STUDENT) + STUDENT.length;
  return frame.toString('latin1', from, frame.indexOf(QUOTE, from));
}

/** From a student's check-in being sent to the tick on the teacher's screen. */
const latency = (students: number, quick: boolean): Workload => ({
  name: `latency-${students}`,
  title: `check-in → tick on the teacher’s screen, ${students.toLocaleString('en')} students`,
  arms: [C, D],
  quick,
  files: 2 * students + 500,
  school: { courses: 1, studentsPerCourse: students },
  metrics: [
    { key: 'p50', label: 'p50 ms', digits: 2 },
    { key: 'p99', label: 'p99 ms', digits: 2 },
    { key: 'max', label: 'max ms', digits: 2 },
  ],
  goals: [],
  async prepare(arm, pace) {
    const members = await connectStudents(arm, students);
    const arrivingMs = pace.quick ? ARRIVING_QUICK_MS : ARRIVING_MS;
    let teacher: Client | undefined;
    return {
      async round() {
        const room = await Classroom.start(arm, 0, teacher);
        teacher = room.teacher;
        const sent = new Map<string, number>();
        const latencies: number[] = [];
        teacher.on('studentJoinedAttendance', (frame) => {
          latencies.push(performance.now() - (sent.get(studentIn(frame)) ?? Number.NaN));
        });
        await arm.quiet();
        await Promise.all(
          members.map(async (member, n) => {
            await delay(Math.random() * arrivingMs);
            sent.set(room.studentAt(n), performance.now());
            await room.joinOne(member);
          }),
        );
        await until(() => latencies.length >= students, 'the teacher was not told of every check-in');
        // Left as it is: its end would send every record to every member.
        return {
          p50: percentileOf(latencies, 50),
          p99: percentileOf(latencies, 99),
          max: percentileOf(latencies, 100),
        };
      },
    };
  },
});

export const latencies: readonly Workload[] = [latency(30, false), latency(300, false), latency(3_000, false)];

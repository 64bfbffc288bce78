import { setTimeout as delay } from 'node:timers/promises';
import type { AttendanceStatus } from '@rollcall/protocol';
import type { Seed } from '../arms/database.js';
import { D } from '../arms/letters.js';
import { residentBytes, watchPeak } from '../arms/resident.js';
import { type Past, seedSessions } from '../arms/stored-sessions.js';
import { VoidRun } from '../harness/no-figures.js';
import { percentileOf, spreadOf } from '../harness/statistics.js';
import { atMost, figureOf, type Workload } from '../harness/workload.js';
import { Classroom, connectStudents } from '../load/classroom.js';
import { type HttpAnswer, HttpClient, requireAnswer } from '../load/http-client.js';
import { markDuring } from '../load/loops.js';
import { courseId, studentId, teacherUid } from '../school.js';

const STUDENTS = 1_000;
const SESSIONS = 200;
const CLASS = 30;
const MARK_EVERY_MS = 100;
/** How long the class is marked by itself, and beside registers at least: as many marks as a p99 takes. */
const MARKED_MS = 10_000;
const MARKED_QUICK_MS = 2_000;
const DAY_MS = 86_400_000;
const MEGABYTE = 1_000_000;
const FORMATS = ['json', 'csv', 'xlsx'] as const;
type Format = (typeof FORMATS)[number];

/** Courses of a class each: those before the last one hold the students of the register. */
const COURSES = Math.ceil(STUDENTS / CLASS) + 1;
const BESIDE = COURSES - 1;

const PATTERN: readonly AttendanceStatus[] = ['present', 'present', 'absent', 'present', 'late', 'present', 'excused'];
const past: Past = {
  school: { courses: 1, studentsPerCourse: STUDENTS },
  students: STUDENTS,
  everyMs: DAY_MS,
  // Each row is another one, so that a spreadsheet is not packed better than a real one.
  statusOf: (session, student) =>
    PATTERN[(session * 31 + student * 17 + ((session * student) % 11)) % PATTERN.length] ?? 'present',
};

/** All students of the register are enrolled in the first course, which by itself has a class of them. */
const seed: Seed = async (storage) => {
  const enrollments = Array.from({ length: STUDENTS }, (_, n) => ({
    course_id: courseId(0),
    student_id: studentId(n),
    status: 'approved' as const,
  }));
  const nobody = { teachers: [], students: [], admins: [], courses: [], sessions: [] };
  await storage.school.importSchool({ ...nobody, enrollments }, { dryRun: false });
  await seedSessions(SESSIONS, past)(storage);
};

/** Registers of a large course, one after another, while a class of another course is marked. */
export const courseRegister: Workload = {
  name: `register-${STUDENTS}x${SESSIONS}`,
  title: `register of ${STUDENTS.toLocaleString('en')} students × ${SESSIONS} sessions, while a class of ${CLASS} is marked ${1_000 / MARK_EVERY_MS} times a second`,
  // The direct application makes none.
  arms: [{ ...D, seed }],
  quick: false,
  school: { courses: COURSES, studentsPerCourse: CLASS },
  metrics: [
    { key: 'json', label: 'JSON, ms', digits: 0 },
    { key: 'csv', label: 'CSV, ms', digits: 0 },
    { key: 'xlsx', label: 'XLSX, ms', digits: 0 },
    { key: 'p50_alone', label: 'ack p50 ms, the class alone', digits: 2 },
    { key: 'p50_beside', label: 'ack p50 ms, beside registers', digits: 2 },
    { key: 'p99_alone', label: 'ack p99 ms, the class alone', digits: 2 },
    { key: 'p99_beside', label: 'ack p99 ms, beside registers', digits: 2 },
    { key: 'memory', label: 'resident at most, MB above idle', digits: 0 },
  ],
  goals: [
    atMost(3_000, figureOf('csv', 'D', 'D CSV, ms')),
    atMost(3_000, figureOf('xlsx', 'D', 'D XLSX, ms')),
    atMost(120, figureOf('memory', 'D', 'D MB above idle')),
    atMost(1.5, {
      label: 'D ack p99, beside registers/alone',
      of: ({ D: d = {} }) => (d['p99_beside'] ?? Number.NaN) / (d['p99_alone'] ?? Number.NaN),
    }),
  ],
  async prepare(arm, { quick }) {
    const markedMs = quick ? MARKED_QUICK_MS : MARKED_MS;
    const room = await Classroom.start(arm, BESIDE);
    await room.join(await connectStudents(arm, CLASS, {}, BESIDE * CLASS));
    const client = new HttpClient(arm.port, teacherUid(0), 1);
    const ask = (format: Format) => client.get(`/courses/${courseId(0)}/register?format=${format}`);
    // Before the first register: what it leaves behind is above idle as well.
    await markFor(room, markedMs);
    await arm.quiet();
    const idle = residentBytes(arm.pid);
    const first = new Map<Format, HttpAnswer>();
    for (const format of FORMATS) first.set(format, await ask(format));
    requireFilled(first);
    return {
      async round() {
        await arm.quiet();
        const alone = await markFor(room, markedMs);
        await arm.quiet();
        const peak = watchPeak(arm.pid);
        const made: Array<readonly [Format, HttpAnswer]> = [];
        const beside = await markDuring(room, MARK_EVERY_MS, async () => {
          const began = performance.now();
          while (performance.now() - began < markedMs) {
            for (const format of FORMATS) made.push([format, await ask(format)]);
          }
        });
        const memory = (peak() - idle) / MEGABYTE;
        // Afterwards: comparing megabytes would keep an acknowledgement waiting.
        for (const [format, answer] of made)
          requireAnswer(`the register as ${format}`, answer, answerIn(first, format));
        const msOf = (wanted: Format) =>
          spreadOf(made.filter(([format]) => format === wanted).map(([, { ms }]) => ms)).median;
        return {
          json: msOf('json'),
          csv: msOf('csv'),
          xlsx: msOf('xlsx'),
          p50_alone: percentileOf(alone, 50),
          p50_beside: percentileOf(beside, 50),
          p99_alone: percentileOf(alone, 99),
          p99_beside: percentileOf(beside, 99),
          memory,
        };
      },
    };
  },
};

const markFor = (room: Classroom, ms: number): Promise<number[]> => markDuring(room, MARK_EVERY_MS, () => delay(ms));

function answerIn(answers: ReadonlyMap<Format, HttpAnswer>, format: Format): HttpAnswer {
  const answer = answers.get(format);
  if (!answer) throw new Error(`nobody asked for ${format}`);
  return answer;
}

/** Every student has a status of every session, and a spreadsheet is one. */
function requireFilled(answers: ReadonlyMap<Format, HttpAnswer>): void {
  for (const [format, { status, body }] of answers) {
    if (status !== 200) throw new VoidRun(`the register as ${format} was answered ${status}: ${body.subarray(0, 200)}`);
  }
  const { rows } = JSON.parse(answerIn(answers, 'json').body.toString()) as {
    rows: ReadonlyArray<{ statuses: Readonly<Record<string, string | null>> }>;
  };
  const cells = rows.flatMap(({ statuses }) => Object.values(statuses)).filter((status) => status !== null).length;
  if (cells !== STUDENTS * SESSIONS) throw new VoidRun(`the register has ${cells} of ${STUDENTS * SESSIONS} cells`);
  const lines = answerIn(answers, 'csv').body.toString().trimEnd().split('\r\n').length;
  if (lines !== STUDENTS + 1) throw new VoidRun(`the register as csv has ${lines} lines instead of ${STUDENTS + 1}`);
  const head = answerIn(answers, 'xlsx').body.toString('latin1', 0, 2);
  if (head !== 'PK') throw new VoidRun('the register as xlsx is no workbook');
}

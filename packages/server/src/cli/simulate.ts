import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import type { Config } from '../config/config.js';
import type { School } from '../storage/port.js';
import { loadConfig } from './environment.js';
import { CommandFailure, wholeNumber } from './failure.js';
import { Progress } from './progress.js';
import type { Figures } from './simulated-class.js';

const TOKEN_SECONDS = 12 * 3_600;
const ANSWER_LIMIT_MS = 5_000;
const TEACHER = 'sim-teacher';

interface SimulateOptions {
  readonly students: number;
  readonly rate: number;
  readonly url?: string;
  readonly json?: boolean;
}

export function addSimulate(program: Command): void {
  program
    .command('simulate')
    .summary('hold a live class with many real sockets and measure it')
    .description(
      'Puts a teacher, a course and students (ids sim-…) into the configured database, connects each with a socket of ' +
        'their own to the running server, holds a class (joins, marks, end), and tells what it measured. Fails if ' +
        'what a client was sent differs from the final data. The server must use the same database and secret.',
    )
    .option('--students <number>', 'students in the class', wholeNumber(1, 20_000), 30)
    .option('--url <url>', 'address of the server (default: this machine, CHAT_PORT)')
    .option('--rate <number>', 'joins a second', wholeNumber(1, 100_000), 50)
    .option('--json', 'print the figures as JSON; times are milliseconds')
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall simulate\n  rollcall simulate --students 300 --rate 100 --url http://localhost:4002 --json\n',
    )
    .action(simulate);
}

async function simulate(options: SimulateOptions): Promise<void> {
  const config = loadConfig();
  const url = options.url ?? `http://localhost:${config.port}`;
  await expectServer(url);
  const students = Array.from({ length: options.students }, (_, index) => `sim-student-${index + 1}`);
  // A course of its own for each size: the roster of a session is its course's.
  const course = `sim-course-${options.students}`;
  await importClass(config, schoolOf(course, students));

  const { tokenSigner } = await import('./sign-token.js');
  const { holdClass } = await import('./simulated-class.js');
  const sign = await tokenSigner(config);
  const progress = new Progress();
  let figures: Figures;
  try {
    figures = await holdClass({
      url,
      session_id: `sim-${new Date().toISOString().replaceAll(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`,
      course_id: course,
      teacher: await sign(TEACHER, TOKEN_SECONDS),
      students: await Promise.all(students.map(async (id) => ({ id, token: await sign(id, TOKEN_SECONDS) }))),
      joinsPerSecond: options.rate,
      onProgress: (text) => progress.show(text),
    });
  } finally {
    progress.done();
  }
  process.stdout.write(options.json ? `${JSON.stringify({ url, ...figures })}\n` : describe(url, figures));
  const differences = figures.disagreements.length + figures.more_disagreements;
  if (differences > 0) {
    const what = differences === 1 ? 'difference' : 'differences';
    throw new CommandFailure(
      `${differences} ${what} between clients and the final data, named above: this is a fault of Rollcall, please report it`,
    );
  }
}

/** Before anything is stored: nobody wants a new database because a server isn't running. */
async function expectServer(url: string): Promise<void> {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new CommandFailure(`--url ${url}: must be an http:// or https:// address`);
  }
  try {
    await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
  } catch {
    throw new CommandFailure(`no server answers at ${url}; start one with \`rollcall serve\`, or name it with --url`);
  }
}

async function importClass(config: Config, school: School): Promise<void> {
  const { openStorage } = await import('./open-storage.js');
  const storage = await openStorage(config, 'simulate');
  try {
    await storage.school.importSchool(school, { dryRun: false });
  } finally {
    await storage.close();
  }
}

function schoolOf(course: string, students: readonly string[]): School {
  const nothing = { email: null, department: null, profile_picture: null };
  return {
    teachers: [{ ...nothing, id: TEACHER, uid: TEACHER, name: 'Simulated Teacher', designation: null }],
    students: students.map((id, index) => ({
      ...nothing,
      id,
      uid: id,
      name: `Simulated Student ${index + 1}`,
      roll: String(index + 1).padStart(5, '0'),
      section: null,
      semester: null,
    })),
    admins: [],
    courses: [
      {
        id: course,
        title: `Simulated course of ${students.length}`,
        course_code: null,
        credit: null,
        teacher_id: TEACHER,
        co_teacher_ids: [],
      },
    ],
    enrollments: students.map((student_id) => ({ course_id: course, student_id, status: 'approved' })),
    sessions: [],
  };
}

function describe(url: string, figures: Figures): string {
  const times = ({ p50, p99 }: Figures['join_ms']) => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
  const { statistics } = figures;
  return `${[
    `Class ${figures.session_id} of ${figures.students} students at ${url}`,
    `joins:      ${figures.joins_per_second.toFixed(1)} a second, ack ${times(figures.join_ms)}`,
    `marks:      ${figures.marks} one by one, ack ${times(figures.mark_ms)}; ${figures.bulk_rows} in bulk`,
    `deliveries: ${figures.deliveries}, from the mark being sent: ${times(figures.delivery_ms)}`,
    `final:      ${statistics.presentCount} present, ${statistics.lateCount} late, ${statistics.absentCount} absent; rate ${statistics.attendanceRate} %`,
    ...(figures.disagreements.length === 0 ? ['Every client agrees with the final data.'] : figures.disagreements),
    ...(figures.more_disagreements > 0 ? [`and ${figures.more_disagreements} more`] : []),
  ].join('\n')}\n`;
}

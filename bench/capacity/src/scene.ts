import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { openStorage } from '../../../packages/server/dist/storage/open.js';
import type { School } from '../../../packages/server/dist/storage/port.js';
import { cpuOf, ServerProcess } from './process.js';
import { RawClient } from './raw-client.js';
import { WireCounter } from './wire-counter.js';

export const STUDENTS_PER_SESSION = 50;
const SECRET = 'the secret of a measurement on this machine';
const SETTLE_MS = 1_500;
/**
 * Commands a second: so few for each session that none share a commit or a tick of statistics, as in a real class, and
 * no more than a stand-in of a database keeps up with.
 */
const RATE = 45;

/** What a stretch of work took. */
export interface Span {
  readonly ms: number;
  readonly cpu: { readonly here: number; readonly there: number };
  readonly mongo: { readonly here: Record<string, number>; readonly there: Record<string, number> };
  readonly redis: { readonly published: number; readonly out_bytes: number; readonly cpu: number };
}

const base64 = (value: object | Buffer): string =>
  (Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))).toString('base64url');

function tokenOf(uid: string): string {
  const body = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64({ uid, exp: Math.floor(Date.now() / 1000) + 7200 })}`;
  return `${body}.${base64(createHmac('sha256', SECRET).update(body).digest())}`;
}

const courseOf = (session: number): string => `course-${session}`;
const sessionOf = (session: number): string => `session-${session}`;
const studentOf = (session: number, seat: number): string => `student-${session}-${seat}`;

/** Two nodes, `here` with everybody's sockets and `there` with nobody's, a MongoDB that is counted and a Redis. */
export class Scene {
  readonly here: ServerProcess;
  readonly there: ServerProcess;
  readonly #counters: { readonly here: WireCounter; readonly there: WireCounter };
  readonly #redis: ChildProcess;
  readonly #redisClient: ReturnType<typeof createClient>;
  /** The session to warm up with. */
  readonly #warming: number;
  readonly #students = new Map<string, RawClient>();
  readonly #teacher: RawClient;
  #warmed = 0;

  private constructor(parts: {
    here: ServerProcess;
    there: ServerProcess;
    counters: { here: WireCounter; there: WireCounter };
    redis: ChildProcess;
    redisClient: ReturnType<typeof createClient>;
    warming: number;
    teacher: RawClient;
  }) {
    this.here = parts.here;
    this.there = parts.there;
    this.#counters = parts.counters;
    this.#redis = parts.redis;
    this.#redisClient = parts.redisClient;
    this.#warming = parts.warming;
    this.#teacher = parts.teacher;
  }

  /** @param empty further sessions, without a roster */
  static async open(sessions: number, empty: number): Promise<Scene> {
    const given = process.env['MONGODB_TEST_URI'];
    if (!given) throw new Error('needs a MongoDB: set MONGODB_TEST_URI=mongodb://HOST:PORT');
    const uri = `${given.replace(/\/+$/, '')}/rollcall_capacity_${randomBytes(4).toString('hex')}`;
    const storage = await openStorage({ kind: 'mongodb', uri }, { warn: () => {} });
    await storage.school.importSchool(schoolOf(sessions, empty), { dryRun: false });
    await storage.close();
    const redisPort = await freePort();
    const redis = spawn('redis-server', ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', ''], {
      stdio: 'ignore',
    });
    const url = `redis://127.0.0.1:${redisPort}`;
    const redisClient = createClient({ url });
    redisClient.on('error', () => {});
    await redisClient.connect();
    const [one, other] = [await WireCounter.before(uri), await WireCounter.before(uri)];
    const env = {
      ACCESS_TOKEN_SECRET: SECRET,
      REDIS_URL: url,
      RATE_LIMIT_TEACHER_PER_SECOND: '0',
      INACTIVITY_MINUTES: '0',
    };
    const here = await ServerProcess.start({ ...env, DATABASE_URL: one.uri });
    const there = await ServerProcess.start({ ...env, DATABASE_URL: other.uri });
    const teacher = await RawClient.connect(here.url, tokenOf('teacher'));
    const counters = { here: one.counter, there: other.counter };
    return new Scene({ here, there, counters, redis, redisClient, warming: sessions + empty, teacher });
  }

  /** A start, joins and marks that aren't counted: code that ran often is faster. */
  async warmUp(): Promise<void> {
    const session_id = sessionOf(this.#warming);
    await this.#teacher.send('startAttendanceSession', { session_id });
    const students: RawClient[] = [];
    for (let seat = 0; seat < STUDENTS_PER_SESSION; seat += 1) {
      students.push(await RawClient.connect(this.here.url, tokenOf(studentOf(this.#warming, seat))));
    }
    for (const student of students) await student.send('joinAttendanceSession', { session_id });
    const status = () => (this.#warmed++ % 2 === 0 ? 'present' : 'late');
    for (let round = 0; round < 120; round += 1) {
      const now = status();
      for (let seat = 0; seat < STUDENTS_PER_SESSION; seat += 1) {
        const student_id = studentOf(this.#warming, seat);
        await this.#teacher.send('markStudentAttendance', { session_id, student_id, status: now });
      }
    }
    for (const student of students) student.close();
    await this.#teacher.send('endAttendanceSession', { session_id });
    await sleep(6_000);
  }

  get received(): number {
    return [...this.#students.values()].reduce((all, { received }) => all + received, 0);
  }

  /** Nothing is asked of the nodes. */
  rest(ms: number): Promise<void> {
    return sleep(ms);
  }

  async count(work: () => Promise<unknown>): Promise<Span> {
    this.#counters.here.take();
    this.#counters.there.take();
    const redis = await this.#redisFacts();
    const cpu = { here: this.here.cpu(), there: this.there.cpu() };
    const began = performance.now();
    await work();
    // Projections and the other node's reading come a moment later.
    await sleep(SETTLE_MS);
    const ms = performance.now() - began;
    const after = await this.#redisFacts();
    return {
      ms,
      cpu: { here: this.here.cpu() - cpu.here, there: this.there.cpu() - cpu.there },
      mongo: { here: this.#counters.here.take(), there: this.#counters.there.take() },
      redis: {
        published: after.published - redis.published,
        out_bytes: after.out_bytes - redis.out_bytes,
        cpu: after.cpu - redis.cpu,
      },
    };
  }

  async #redisFacts(): Promise<{ published: number; out_bytes: number; cpu: number }> {
    const [stats, commands] = [await this.#redisClient.info('stats'), await this.#redisClient.info('commandstats')];
    return {
      published: Number(/cmdstat_publish:calls=(\d+)/.exec(commands)?.[1] ?? 0),
      out_bytes: Number(/total_net_output_bytes:(\d+)/.exec(stats)?.[1] ?? 0),
      cpu: cpuOf(this.#redis.pid ?? 0),
    };
  }

  async start(from: number, to: number): Promise<void> {
    for (let session = from; session < to; session += 1) {
      await this.#teacher.send('startAttendanceSession', { session_id: sessionOf(session) });
    }
  }

  /** The students of some sessions. */
  connect(from: number, to: number): Promise<void> {
    return paced((to - from) * STUDENTS_PER_SESSION, async (index) => {
      const [session, seat] = [from + Math.floor(index / STUDENTS_PER_SESSION), index % STUDENTS_PER_SESSION];
      const student = await RawClient.connect(this.here.url, tokenOf(studentOf(session, seat)));
      this.#students.set(studentOf(session, seat), student);
    });
  }

  /** Some seats of each session. */
  join(sessions: number, from: number, to: number): Promise<void> {
    return paced(sessions * (to - from), (index) => {
      const [session, seat] = [index % sessions, from + Math.floor(index / sessions)];
      const student = this.#students.get(studentOf(session, seat));
      if (!student) throw new Error('a student who is not connected');
      return student.send('joinAttendanceSession', { session_id: sessionOf(session) });
    });
  }

  mark(from: number, to: number, status: 'present' | 'late'): Promise<void> {
    const sessions = to - from;
    return paced(sessions * STUDENTS_PER_SESSION, (index) => {
      const [session, seat] = [from + (index % sessions), Math.floor(index / sessions)];
      const mark = { session_id: sessionOf(session), student_id: studentOf(session, seat), status };
      return this.#teacher.send('markStudentAttendance', mark);
    });
  }

  async close(): Promise<void> {
    for (const student of this.#students.values()) student.close();
    this.#teacher.close();
    await Promise.all([this.here.stop(), this.there.stop()]);
    this.#counters.here.close();
    this.#counters.there.close();
    this.#redisClient.destroy();
    this.#redis.kill('SIGTERM');
    await once(this.#redis, 'exit');
  }
}

/** `count` commands, RATE a second; waits for the last answer. */
async function paced(count: number, send: (index: number) => Promise<void>): Promise<void> {
  const began = performance.now();
  const answers: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const wait = began + (index * 1000) / RATE - performance.now();
    if (wait > 1) await sleep(wait);
    const answer = send(index);
    // One that fails before the others are sent is found below.
    answer.catch(() => {});
    answers.push(answer);
  }
  await Promise.all(answers);
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** One teacher of all sessions, and students of their own for each; one session more, to warm up with. */
function schoolOf(sessions: number, empty: number): School {
  const nothing = { email: null, department: null, designation: null, section: null, semester: null };
  const all = Array.from({ length: sessions + empty + 1 }, (_, session) => session);
  const rostered = all.filter((session) => session < sessions || session === sessions + empty);
  const seats = Array.from({ length: STUDENTS_PER_SESSION }, (_, seat) => seat);
  const people = rostered.flatMap((session) => seats.map((seat) => ({ session, seat, id: studentOf(session, seat) })));
  return {
    teachers: [{ ...nothing, id: 'teacher', uid: 'teacher', name: 'Teacher', profile_picture: null }],
    students: people.map(({ session, seat, id }) => ({
      ...nothing,
      id,
      uid: id,
      name: `Student ${seat} of ${session}`,
      email: `${id}@school.example`,
      roll: String(1900000 + seat),
      profile_picture: null,
    })),
    admins: [],
    courses: all.map((session) => ({
      id: courseOf(session),
      title: `Course ${session}`,
      course_code: `C-${session}`,
      credit: 3,
      teacher_id: 'teacher',
      co_teacher_ids: [],
    })),
    enrollments: people.map(({ session, id }) => ({
      course_id: courseOf(session),
      student_id: id,
      status: 'approved',
    })),
    sessions: all.map((session) => ({
      id: sessionOf(session),
      course_id: courseOf(session),
      teacher_id: null,
      date: '2026-11-23',
      start_time: '09:00',
      end_time: '10:30',
      topic: 'Capacity',
      description: null,
      status: 'scheduled',
    })),
  };
}

import { D } from '../arms/letters.js';
import { measured } from '../harness/measured.js';
import { VoidRun } from '../harness/no-figures.js';
import { percentileOf } from '../harness/statistics.js';
import type { Workload } from '../harness/workload.js';
import { Classroom, connectStudents } from '../load/classroom.js';
import { type HttpAnswer, HttpClient, requireAnswer } from '../load/http-client.js';
import { teacherUid } from '../school.js';

const STUDENTS = 1_000;
const AT_ONCE = 8;
const NOTHING = Buffer.alloc(0);

/** One way to ask: the request, and the only answer that counts. */
interface Wish {
  readonly headers: Readonly<Record<string, string>>;
  readonly expected: Pick<HttpAnswer, 'status' | 'body'>;
}

/** A running session as its teacher reads it over HTTP: everybody is in it, and nothing changes while it is read. */
export const httpSession: Workload = {
  name: 'http-session-1000',
  title: `GET of a running session of ${STUDENTS.toLocaleString('en')} that doesn’t change meanwhile, one at a time and ${AT_ONCE} at a time`,
  // The direct application has no HTTP.
  arms: [D],
  quick: false,
  files: STUDENTS + 500,
  school: { courses: 1, studentsPerCourse: STUDENTS },
  metrics: [
    { key: 'p50', label: '200, one at a time, p50 ms', digits: 2 },
    { key: 'p99', label: '200, one at a time, p99 ms', digits: 2 },
    { key: 'perSecond', label: `200, ${AT_ONCE} at a time, requests/s`, digits: 0 },
    { key: 'cpu', label: `200, ${AT_ONCE} at a time, CPU µs/request`, digits: 0 },
    { key: 'p50_304', label: '304, one at a time, p50 ms', digits: 2 },
    { key: 'p99_304', label: '304, one at a time, p99 ms', digits: 2 },
    { key: 'perSecond_304', label: `304, ${AT_ONCE} at a time, requests/s`, digits: 0 },
    { key: 'cpu_304', label: `304, ${AT_ONCE} at a time, CPU µs/request`, digits: 0 },
    { key: 'bytes', label: 'bytes of the answer', digits: 0 },
  ],
  goals: [],
  async prepare(arm, { phaseMs }) {
    const room = await Classroom.start(arm);
    await room.join(await connectStudents(arm, STUDENTS));
    await room.bulk();
    await room.complete();
    await arm.quiet();
    const client = new HttpClient(arm.port, teacherUid(0), AT_ONCE);
    const path = `/sessions/${room.session_id}`;
    const first = await client.get(path);
    const etag = requireWhole(first);
    const whole: Wish = { headers: {}, expected: { status: 200, body: first.body } };
    const unchanged: Wish = { headers: { 'If-None-Match': etag }, expected: { status: 304, body: NOTHING } };
    const askFor = async ({ headers, expected }: Wish, atOnce: number): Promise<number[]> => {
      const times: number[] = [];
      const began = performance.now();
      const line = async (): Promise<void> => {
        while (performance.now() - began < phaseMs) {
          const answer = await client.get(path, headers);
          requireAnswer(`GET ${path}`, answer, expected);
          times.push(answer.ms);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, line));
      return times;
    };
    const figuresOf = async (wish: Wish) => {
      await arm.quiet();
      const alone = await askFor(wish, 1);
      const { result, wallMs, cpuMs } = await measured(arm, () => askFor(wish, AT_ONCE));
      return {
        p50: percentileOf(alone, 50),
        p99: percentileOf(alone, 99),
        perSecond: (result.length / wallMs) * 1_000,
        cpu: (cpuMs / result.length) * 1_000,
      };
    };
    return {
      async round() {
        const [got, not] = [await figuresOf(whole), await figuresOf(unchanged)];
        await room.complete();
        return {
          ...got,
          p50_304: not.p50,
          p99_304: not.p99,
          perSecond_304: not.perSecond,
          cpu_304: not.cpu,
          bytes: first.body.length,
        };
      },
    };
  },
};

/** The entity tag of an answer that holds everybody, each of them present. */
function requireWhole({ status, etag, body }: HttpAnswer): string {
  if (status !== 200) throw new VoidRun(`the session was answered ${status}: ${body.subarray(0, 200)}`);
  const { attendanceRecords } = JSON.parse(body.toString()) as { attendanceRecords: ReadonlyArray<{ status: string }> };
  const present = attendanceRecords.filter((record) => record.status === 'present').length;
  if (present !== STUDENTS)
    throw new VoidRun(`the session was answered with ${present} of ${STUDENTS} students present`);
  if (etag === undefined) throw new VoidRun('the session was answered without an entity tag');
  return etag;
}

import { connect, type LiveSession, type RollcallClient, RollcallClientError } from '@rollcall/client';
import {
  ATTENDANCE_STATUSES,
  type AttendanceRecord,
  type AttendanceStatus,
  type Session,
  type Statistics,
} from '@rollcall/protocol';
import { CommandFailure } from './failure.js';

const CONNECT_LIMIT_MS = 30_000;
const END_LIMIT_MS = 30_000;
const CONNECTING_AT_ONCE = 50;
const MARKS_AT_ONCE = 16;
const BULK_ROWS = 1_000;
/** So many differences are told, and the others counted; one fault tends to show everywhere. */
const DISAGREEMENTS_TOLD = 20;

export interface ClassOptions {
  readonly url: string;
  /** A new one. */
  readonly session_id: string;
  readonly course_id: string;
  /** Token of the course's teacher. */
  readonly teacher: string;
  readonly students: ReadonlyArray<{ readonly id: string; readonly token: string }>;
  readonly joinsPerSecond: number;
  readonly onProgress: (text: string) => void;
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** What a class measured. Times are milliseconds. */
export interface Figures {
  readonly session_id: string;
  readonly students: number;
  readonly joins_per_second: number;
  readonly join_ms: Percentiles;
  /** Marks one by one, from being sent to being acknowledged. */
  readonly marks: number;
  readonly mark_ms: Percentiles;
  readonly bulk_rows: number;
  readonly bulk_ms: Percentiles;
  /** Changes that reached a client, from the mark being sent. Marks that the server made by itself don't count. */
  readonly deliveries: number;
  readonly delivery_ms: Percentiles;
  readonly statistics: Statistics;
  /** The first of them. */
  readonly disagreements: readonly string[];
  /** How many there are beyond those. */
  readonly more_disagreements: number;
}

interface FinalData {
  readonly attendanceRecords: readonly AttendanceRecord[];
  readonly session: Session;
}

/** Holds a class with a socket for each person. Leaves no connection open. */
export async function holdClass(options: ClassOptions): Promise<Figures> {
  const clients: RollcallClient[] = [];
  const open = (token: string) => {
    const client = connect({ url: options.url, token, client: { name: 'rollcall simulate', version: '1' } });
    clients.push(client);
    return client;
  };
  try {
    return await new SimulatedClass(options, open).hold();
  } finally {
    for (const client of clients) client.close();
  }
}

/** Counts every difference and keeps the first: a large class with a fault has millions of them. */
class Disagreements {
  readonly told: string[] = [];
  #more = 0;

  get more(): number {
    return this.#more;
  }

  add(tell: () => string): void {
    if (this.told.length < DISAGREEMENTS_TOLD) this.told.push(tell());
    else this.#more += 1;
  }
}

/**
 * What one client has seen of the marks, compactly: a class of N students has N pictures of N lines. It begins with
 * the records that the client has when it begins to listen; of what happened before, it need not have seen more.
 */
class Picture {
  readonly live: LiveSession;
  readonly name: string;
  /** The last entry before the client began to listen. */
  readonly since: number;
  readonly seqs: Int32Array;
  readonly statuses: Uint8Array;
  readonly ended: Promise<unknown>;
  /** Notices of marks that came twice or too late. The SDK drops them, so nobody else would see them. */
  readonly faults: string[] = [];
  #lastSeq = 0;

  constructor(client: RollcallClient, live: LiveSession, name: string, size: number) {
    this.live = live;
    this.name = name;
    this.since = live.seq;
    this.seqs = new Int32Array(size);
    this.statuses = new Uint8Array(size);
    this.ended = new Promise((resolve) => {
      live.on('ended', resolve);
    });
    const only = (session_id: string, ...seqs: readonly number[]) => {
      if (session_id === live.session_id) for (const seq of seqs) this.#notice(seq);
    };
    client.on('attendanceUpdated', ({ session_id, seq }) => only(session_id, seq));
    client.on('attendanceBulkUpdated', ({ session_id, seq }) => only(session_id, seq));
    client.on('attendanceChanges', ({ session_id, changes }) => only(session_id, ...changes.map(({ seq }) => seq)));
  }

  #notice(seq: number): void {
    if (seq <= this.#lastSeq) this.faults.push(`${this.name} was told of entry ${seq} after entry ${this.#lastSeq}`);
    this.#lastSeq = Math.max(this.#lastSeq, seq);
  }
}

class SimulatedClass {
  readonly #options: ClassOptions;
  readonly #open: (token: string) => RollcallClient;
  readonly #positions: ReadonlyMap<string, number>;
  /** When the mark of each student was sent. */
  readonly #sentAt: Float64Array;
  /** The last entry of the joins. Marks up to there are the server's own, by auto_mark, and nobody sent them. */
  #joinedBy = Number.POSITIVE_INFINITY;
  readonly #joinTimes: number[] = [];
  readonly #markTimes: number[] = [];
  readonly #bulkTimes: number[] = [];
  readonly #deliveryTimes: number[] = [];

  constructor(options: ClassOptions, open: (token: string) => RollcallClient) {
    this.#options = options;
    this.#open = open;
    this.#positions = new Map(options.students.map(({ id }, index) => [id, index]));
    this.#sentAt = new Float64Array(options.students.length);
  }

  async hold(): Promise<Figures> {
    const { session_id, course_id, students, onProgress } = this.#options;
    const teacher = await this.#connected(this.#options.teacher, 'the teacher');
    onProgress(`connecting ${students.length} students`);
    const clients = await inParallel(students, CONNECTING_AT_ONCE, ({ id, token }) => this.#connected(token, id));
    const live = await teacher.openSession(session_id, { start: { course_id } });
    const pictures = [this.#watch(teacher, live, 'the teacher')];

    const joinsBegan = performance.now();
    pictures.push(...(await this.#join(clients, live)));
    const joinsTook = performance.now() - joinsBegan;
    this.#joinedBy = pictures.reduce((last, { since }) => Math.max(last, since), 0);

    const single = Math.ceil(students.length / 2);
    await this.#markOneByOne(live, single);
    await this.#markInBulk(live, single);
    onProgress('ending');
    const { finalData } = await live.end();
    await this.#allEnded(pictures);
    const disagreements = this.#disagreements(pictures, finalData);

    return {
      session_id,
      students: students.length,
      joins_per_second: (students.length / joinsTook) * 1_000,
      join_ms: percentiles(this.#joinTimes),
      marks: this.#markTimes.length,
      mark_ms: percentiles(this.#markTimes),
      bulk_rows: students.length - single,
      bulk_ms: percentiles(this.#bulkTimes),
      deliveries: this.#deliveryTimes.length,
      delivery_ms: percentiles(this.#deliveryTimes),
      statistics: finalData.statistics,
      disagreements: disagreements.told,
      more_disagreements: disagreements.more,
    };
  }

  async #connected(token: string, name: string): Promise<RollcallClient> {
    const client = this.#open(token);
    try {
      await client.ready({ signal: AbortSignal.timeout(CONNECT_LIMIT_MS) });
    } catch (error) {
      const refused = error instanceof RollcallClientError && error.code === 'UNAUTHENTICATED';
      throw new CommandFailure(
        refused
          ? `the server refuses ${name} (${error.message}): does it use the same database and ACCESS_TOKEN_SECRET?`
          : `${name} got no connection to ${this.#options.url} within ${CONNECT_LIMIT_MS / 1000} s: the server's log says why, or a proxy before it lets no websocket through`,
        { cause: error },
      );
    }
    return client;
  }

  /** Students see the code on the teacher's screen, where one is asked for. */
  async #join(clients: readonly RollcallClient[], screen: LiveSession): Promise<Picture[]> {
    const { session_id, students, joinsPerSecond, onProgress } = this.#options;
    const began = performance.now();
    let joined = 0;
    return Promise.all(
      clients.map(async (client, index) => {
        await pause(began + (index / joinsPerSecond) * 1_000 - performance.now());
        const sent = performance.now();
        const code = screen.code?.code;
        const live = await client.joinSession(session_id, code === undefined ? {} : { code });
        this.#joinTimes.push(performance.now() - sent);
        onProgress(`joined ${++joined} of ${students.length}`);
        return this.#watch(client, live, students[index]?.id ?? '');
      }),
    );
  }

  #watch(client: RollcallClient, live: LiveSession, name: string): Picture {
    const picture = new Picture(client, live, name, this.#options.students.length);
    const see = (position: number, status: AttendanceStatus, seq: number) => {
      picture.seqs[position] = seq;
      picture.statuses[position] = ATTENDANCE_STATUSES.indexOf(status);
    };
    for (const [student_id, { status, seq }] of live.records) {
      const position = this.#positions.get(student_id);
      if (position !== undefined) see(position, status, seq);
    }
    live.on('change', ({ type, student_id, status, seq }) => {
      const position = student_id === undefined ? undefined : this.#positions.get(student_id);
      if (type !== 'marked' || position === undefined || status === undefined) return;
      if (seq > this.#joinedBy) this.#deliveryTimes.push(performance.now() - (this.#sentAt[position] ?? 0));
      see(position, status, seq);
    });
    return picture;
  }

  async #markOneByOne(live: LiveSession, count: number): Promise<void> {
    const { students, onProgress } = this.#options;
    let marked = 0;
    await inParallel(students.slice(0, count), MARKS_AT_ONCE, async ({ id }, position) => {
      const sent = performance.now();
      this.#sentAt[position] = sent;
      await live.mark(id, statusOf(position));
      this.#markTimes.push(performance.now() - sent);
      onProgress(`marked ${++marked} of ${students.length}`);
    });
  }

  async #markInBulk(live: LiveSession, from: number): Promise<void> {
    const { students } = this.#options;
    for (let at = from; at < students.length; at += BULK_ROWS) {
      const sent = performance.now();
      const rows = students.slice(at, at + BULK_ROWS).map(({ id }, index) => {
        this.#sentAt[at + index] = sent;
        return { student_id: id, status: statusOf(at + index) };
      });
      await live.bulkUpdate(rows);
      this.#bulkTimes.push(performance.now() - sent);
    }
  }

  async #allEnded(pictures: readonly Picture[]): Promise<void> {
    let ended = 0;
    const limit = AbortSignal.timeout(END_LIMIT_MS);
    const tooLate = new Promise<never>((_, reject) => {
      limit.addEventListener('abort', () => {
        const missing = pictures.length - ended;
        reject(
          new CommandFailure(
            `${missing} clients were not told of the end within ${END_LIMIT_MS / 1000} s: look at the server's load and its log, or try fewer students`,
          ),
        );
      });
    });
    await Promise.race([
      Promise.all(
        pictures.map(async (picture) => {
          if (picture.live.state !== 'ended') await picture.ended;
          ended++;
        }),
      ),
      tooLate,
    ]);
  }

  #disagreements(pictures: readonly Picture[], { attendanceRecords, session }: FinalData): Disagreements {
    const disagreements = new Disagreements();
    this.#wrongMarks(attendanceRecords, disagreements);
    for (const { faults } of pictures) for (const fault of faults) disagreements.add(() => fault);
    const ownOnly = session.policy?.visibility === 'private';
    for (const picture of pictures) this.#compare(picture, attendanceRecords, ownOnly, disagreements);
    return disagreements;
  }

  /** The final data must say what the teacher said. */
  #wrongMarks(records: readonly AttendanceRecord[], disagreements: Disagreements): void {
    const byStudent = new Map(records.map((record) => [String(record.student_id), record.status]));
    for (const [position, { id }] of this.#options.students.entries()) {
      const is = byStudent.get(id);
      const should = statusOf(position);
      if (is !== should) disagreements.add(() => `final data: ${id} is ${is ?? 'missing'} and was marked ${should}`);
    }
  }

  /** What a client saw must be what the final data says, and it must have seen all that it may see. */
  #compare(
    picture: Picture,
    records: readonly AttendanceRecord[],
    ownOnly: boolean,
    disagreements: Disagreements,
  ): void {
    for (const record of records) {
      const position = this.#positions.get(record.student_id);
      // Whom nobody has marked nobody was told of.
      if (position === undefined || record.marked_at === null) continue;
      if (ownOnly && picture.live.role === 'student' && picture.name !== record.student_id) continue;
      const seq = picture.seqs[position] ?? 0;
      // Before this client came, and not in what it was given then: the marks of students who were faster.
      if (seq === 0 && record.seq <= picture.since) continue;
      const seen = ATTENDANCE_STATUSES[picture.statuses[position] ?? 0];
      if (seq === record.seq && seen === record.status) continue;
      disagreements.add(() => {
        const what = seq === 0 ? 'nothing' : `${seen} (entry ${seq})`;
        return `${picture.name} saw ${what} of ${record.student_id}: ${record.status} (entry ${record.seq})`;
      });
    }
  }
}

/** A class as it is: most are there, some late, some not. */
function statusOf(position: number): AttendanceStatus {
  if (position % 10 === 9) return 'late';
  return position % 7 === 6 ? 'absent' : 'present';
}

async function inParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, position: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [position, item] of queue) results[position] = await work(item, position);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
}

const pause = (ms: number): Promise<void> | undefined =>
  ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined;

function percentiles(times: readonly number[]): Percentiles {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

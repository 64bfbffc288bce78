import { createHash } from 'node:crypto';
import { type Received, scripted } from './scripted-server.js';

export const session_id = 'session-1';
const STUDENTS = ['student-1', 'student-2', 'student-3'];

type Entry = {
  readonly seq: number;
  readonly type: 'started' | 'checked_in' | 'marked';
  readonly at: string;
  readonly actor: { readonly user_id: string; readonly name: string };
  readonly student_id?: string;
  readonly status?: string;
  readonly previous_status?: string;
  readonly remarks?: string | null;
};

/** What a commit adds. */
export type Added =
  | { readonly type: 'checked_in'; readonly student: number }
  | { readonly type: 'marked'; readonly student: number; readonly status: string };

const emptyRecord = (student_id: string) => ({
  _id: student_id,
  session_id,
  student_id,
  status: 'absent',
  remarks: null as string | null,
  student: {
    student_id,
    user_id: null,
    name: student_id,
    roll: null,
    section: null,
    profile_picture: null,
    email: null,
  },
  checked_in_at: null as string | null,
  marked_at: null as string | null,
  marked_by: null as string | null,
  seq: 1,
  createdAt: null,
  updatedAt: null as string | null,
});

/** A session's journal as a server keeps it: commits, the chain after each, and the records that follow from them. */
export class Journal {
  #commits: Entry[][] = [];
  #chains: string[] = [];
  #clock = Date.UTC(2026, 10, 23, 9);

  constructor() {
    this.#append([{ seq: 1, type: 'started', at: this.#now(), actor: { user_id: 'ada', name: 'Ada Osei' } }]);
  }

  get entries(): Entry[] {
    return this.#commits.flat();
  }

  get seq(): number {
    return this.entries.length;
  }

  get commits(): number {
    return this.#commits.length;
  }

  /** Of the whole journal. */
  get chain(): string {
    return this.#chains.at(-1) ?? '';
  }

  /** True where a client that was told this chain at this seq has seen entries of this journal alone. */
  fits(seq: number, chain: string): boolean {
    let end = 0;
    return this.#commits.some((commit, index) => {
      end += commit.length;
      return end === seq && this.#chains[index] === chain;
    });
  }

  commit(added: readonly Added[]): Entry[] {
    const at = this.#now();
    const status = new Map([...this.records()].map(([id, record]) => [id, record.status]));
    const commit = added.map((one, index): Entry => {
      const student_id = STUDENTS[one.student % STUDENTS.length] ?? '';
      const head = { seq: this.seq + 1 + index, at, student_id };
      if (one.type === 'checked_in') return { ...head, type: 'checked_in', actor: { user_id: 'bo', name: student_id } };
      const previous_status = status.get(student_id) ?? 'absent';
      status.set(student_id, one.status);
      const actor = { user_id: 'ada', name: 'Ada Osei' };
      return { ...head, type: 'marked', actor, status: one.status, previous_status, remarks: null };
    });
    this.#append(commit);
    return commit;
  }

  /** Puts back a backup: only the first commits are there. Time goes on. */
  restore(commits: number): void {
    this.#commits = this.#commits.slice(0, Math.max(1, commits));
    this.#chains = this.#chains.slice(0, Math.max(1, commits));
  }

  /** A copy, which goes its own way. */
  copy(): Journal {
    const copy = new Journal();
    copy.#commits = [...this.#commits];
    copy.#chains = [...this.#chains];
    copy.#clock = this.#clock;
    return copy;
  }

  records() {
    const records = new Map(STUDENTS.map((id) => [id, emptyRecord(id)]));
    for (const { seq, type, at, student_id = '', status, actor } of this.entries) {
      const record = records.get(student_id);
      if (!record) continue;
      Object.assign(record, { updatedAt: at, seq });
      if (type === 'checked_in') record.checked_in_at = at;
      else Object.assign(record, { status, marked_at: at, marked_by: actor.name });
    }
    return records;
  }

  #now(): string {
    this.#clock += 1_000;
    return new Date(this.#clock).toISOString();
  }

  #append(commit: Entry[]): void {
    const hash = createHash('sha256').update(this.chain).update(JSON.stringify(commit));
    this.#commits.push(commit);
    this.#chains.push(hash.digest('hex').slice(0, 16));
  }
}

/** The event by which a commit of marks or a check-in is told to a client that announced `batched`. */
export function toldOf(commit: readonly Entry[], chain: string | undefined): [event: string, payload: object] {
  const [first] = commit;
  if (first?.type === 'checked_in') {
    const { seq, at, student_id } = first;
    const student = { student_id, student_name: student_id, roll: null, profile_picture: null, user_id: 'bo' };
    return ['studentJoinedAttendance', { session_id, ...student, joined_at: at, checked_in_at: at, seq }];
  }
  return [
    'attendanceChanges',
    {
      session_id,
      from_seq: first?.seq,
      to_seq: commit.at(-1)?.seq,
      changes: commit.map(({ type: _, at, actor, ...change }) => ({
        ...change,
        updated_by: actor.name,
        updated_at: at,
      })),
      ...(chain === undefined ? {} : { chain }),
    },
  ];
}

interface Asked {
  readonly since_seq?: number;
  readonly since_chain?: string;
}

/** How a server answers from a journal; `chained: false` as one that knows nothing of chains. */
export function answerOf(journal: Journal, { since_seq, since_chain }: Asked, chained: boolean) {
  const { seq, chain, entries } = journal;
  const head = {
    ok: true,
    session_id,
    session: { _id: session_id, status: 'active' },
    statistics: { totalStudents: STUDENTS.length, onlineCount: 0 },
    seq,
    ...(chained ? { chain } : {}),
  };
  const whole = { ...head, attendanceRecords: [...journal.records().values()] };
  if (since_seq === undefined) return whole;
  if (chained && (since_seq > seq || (since_chain !== undefined && !journal.fits(since_seq, since_chain)))) {
    return { ...whole, reset: true };
  }
  return { ...head, changes: entries.filter((entry) => entry.seq > since_seq) };
}

/** A student's. */
export function joinedOf(journal: Journal, asked: Asked, chained: boolean) {
  const [student_id = ''] = STUDENTS;
  const answer = answerOf(journal, asked, chained);
  const { attendanceRecords: _, session: _s, statistics: _t, ...head } = { attendanceRecords: [], ...answer };
  return { ...head, student_id, record: journal.records().get(student_id), checked_in_at: null, message: 'Joined' };
}

/** A real Socket.IO server whose answers come from a journal that a test commits to and puts back. */
export async function journalServer({ chained = true } = {}) {
  const journal = new Journal();
  let stale: Journal | undefined;
  const server = await scripted(({ event, payload }) => {
    if (event === 'getOnlineStudents') return { ok: true, session_id, online_students: [] };
    // Asked from beyond what it knows, a node reads the journal first.
    if (stale && Number(payload['since_seq'] ?? 0) > stale.seq) stale = undefined;
    if (event === 'joinAttendanceSession') return joinedOf(stale ?? journal, payload, chained);
    if (event === 'getAttendanceSessionData') return answerOf(stale ?? journal, payload, chained);
    return { ok: true, seq: journal.seq };
  });
  return {
    ...server,
    journal,
    /** Commits and tells everybody. */
    commit(...added: Added[]) {
      server.io.emit(...toldOf(journal.commit(added), chained ? journal.chain : undefined));
    },
    /** From now on answers are those of a node that has heard of the first commits only. */
    lag(commits: number) {
      stale = journal.copy();
      stale.restore(commits);
    },
    /** Cuts every connection; while nobody listens the database is put back and other things happen. */
    restart(meanwhile: () => void) {
      meanwhile();
      server.io.disconnectSockets(true);
    },
    asked: () =>
      server.received.flatMap(({ payload: { since_seq, since_chain } }: Received) =>
        since_seq === undefined ? [] : [{ since_seq, since_chain }],
      ),
  };
}

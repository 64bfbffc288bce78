import { connect, type LiveSession, type RollcallClient } from '@rollcall/client';
import type { Lab } from '../experiment.js';
import { hashOf, type RecordLine } from './database.js';
import { type Answer, type Payload, Plain } from './plain.js';
import { tokenOf } from './token.js';

/** A client that keeps a register and every seq that it applied. */
export interface Follower {
  readonly uid: string;
  /** Every seq in the order in which it was applied; the first is that of the snapshot. */
  readonly applied: readonly number[];
  readonly last: number;
  readonly hash: string;
  /** What it was told that can't be. */
  readonly faults: readonly string[];
}

/** A teacher or student with the SDK. */
export class SdkFollower implements Follower {
  readonly uid: string;
  readonly live: LiveSession;
  readonly client: RollcallClient;
  readonly applied: number[];
  readonly faults: string[] = [];
  /** When each seq was applied, by `performance.now()`. */
  readonly times = new Map<number, number>();

  private constructor(uid: string, client: RollcallClient, live: LiveSession) {
    this.uid = uid;
    this.client = client;
    this.live = live;
    this.applied = [live.seq];
    live.on('change', ({ seq }) => {
      this.applied.push(seq);
      this.times.set(seq, performance.now());
    });
    live.on('error', (error) => this.faults.push(String(error)));
  }

  static async follow(
    lab: Lab,
    url: string,
    uid: string,
    open: (client: RollcallClient) => Promise<LiveSession>,
  ): Promise<SdkFollower> {
    const client = connect({ url, token: () => tokenOf(uid), reconnect: { min: 20, max: 200 } });
    lab.defer(() => client.close());
    return new SdkFollower(uid, client, await open(client));
  }

  /** The seq that it knows of: for a student also what was none of their business. */
  get last(): number {
    return this.live.seq;
  }
  get hash(): string {
    return hashOf(this.live.records.values());
  }
}

interface WireChange extends RecordLine {
  readonly type: string;
}

/**
 * A teacher's screen written from the protocol alone, on the stock library: it applies what is above its last seq,
 * drops what isn't, and on a gap or a new connection asks for the changes after its last seq.
 */
export class Screen implements Follower {
  readonly uid: string;
  readonly plain: Plain;
  readonly applied: number[] = [];
  readonly faults: string[] = [];
  readonly #records = new Map<string, RecordLine>();
  readonly #sessionId: string;
  #waiting: Payload[] | undefined;
  #askAgain = false;
  last = 0;
  ended = false;

  private constructor(plain: Plain, sessionId: string) {
    this.uid = plain.uid;
    this.plain = plain;
    this.#sessionId = sessionId;
    const events = ['attendanceUpdated', 'attendanceBulkUpdated', 'studentJoinedAttendance', 'attendanceSessionEnded'];
    for (const event of events) plain.socket.on(event, (payload: Payload) => this.#receive(payload));
    plain.socket.on('connect', () => this.#catchUp());
  }

  static async open(lab: Lab, url: string, uid: string, sessionId: string): Promise<Screen> {
    const screen = new Screen(await Plain.connect(lab, url, uid), sessionId);
    screen.#waiting = [];
    const answer = await screen.plain.done('getAttendanceSessionData', { session_id: sessionId });
    for (const record of answer['attendanceRecords'] as RecordLine[]) screen.#records.set(record.student_id, record);
    screen.#advance(Number(answer['seq']));
    screen.#resume();
    return screen;
  }

  get hash(): string {
    return hashOf(this.#records.values());
  }

  #advance(seq: number): void {
    this.applied.push(seq);
    this.last = seq;
  }

  #receive(payload: Payload): void {
    if (payload['session_id'] !== this.#sessionId) return;
    if (this.#waiting) this.#waiting.push(payload);
    else this.#take(payload);
  }

  #take(payload: Payload): void {
    const final = payload['finalData'] as { readonly seq: number } | undefined;
    const seq = Number(final?.seq ?? payload['seq']);
    // A student who came back is announced without an entry.
    if (Number.isNaN(seq) || seq <= this.last) return;
    // What a bulk changed is told at once, under the seq of its last change.
    const changed = ((payload['updatedRecords'] ?? []) as RecordLine[]).filter((record) => record.seq > this.last);
    if (seq > this.last + Math.max(1, changed.length)) {
      this.#catchUp(payload);
      return;
    }
    const record = payload['attendanceRecord'] as RecordLine | undefined;
    const student_id = String(payload['student_id']);
    for (const each of changed.sort((a, b) => a.seq - b.seq)) {
      this.#records.set(each.student_id, each);
      this.#advance(each.seq);
    }
    if (changed.length > 0) return;
    if (final) this.ended = true;
    else if (record) this.#records.set(student_id, record);
    else this.#checkedIn(student_id, seq);
    this.#advance(seq);
  }

  #checkedIn(student_id: string, seq: number): void {
    const before = this.#records.get(student_id) ?? { student_id, status: 'absent', remarks: null };
    this.#records.set(student_id, { ...before, seq });
  }

  #catchUp(first?: Payload): void {
    if (this.#waiting) {
      // What is being asked for may have been answered by a connection that is gone.
      this.#askAgain = true;
      return;
    }
    this.#waiting = first ? [first] : [];
    const since = { session_id: this.#sessionId, since_seq: this.last };
    this.plain.ask('getAttendanceSessionData', since).then(
      (answer) => this.#answered(answer),
      () => this.#answered(undefined),
    );
  }

  #answered(answer: Answer | undefined): void {
    if (answer?.ok) {
      for (const change of answer['changes'] as WireChange[]) this.#apply(change);
    } else this.#askAgain = true;
    this.#resume();
    if (!this.#askAgain) return;
    this.#askAgain = false;
    if (this.plain.socket.connected) setTimeout(() => this.#catchUp(), 50);
  }

  #apply({ seq, type, student_id, status, remarks }: WireChange): void {
    if (seq <= this.last) return;
    if (seq !== this.last + 1) this.faults.push(`the changes after ${this.last} begin with ${seq}`);
    if (type === 'marked') this.#records.set(student_id, { student_id, status, remarks: remarks ?? null, seq });
    else if (type === 'checked_in') this.#checkedIn(student_id, seq);
    else if (type === 'ended') this.ended = true;
    this.#advance(seq);
  }

  #resume(): void {
    const waited = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const payload of waited) this.#receive(payload);
  }
}

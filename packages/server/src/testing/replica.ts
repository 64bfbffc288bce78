import type { Answer, Client, Payload } from './server.js';

interface Seen {
  readonly status: string;
  readonly remarks: string | null;
  readonly seq: number;
}

interface WireRecord extends Seen {
  readonly student_id: string;
}

interface WireChange {
  readonly seq: number;
  readonly type: string;
  readonly student_id?: string;
  readonly status?: string;
  readonly remarks?: string | null;
}

/**
 * A teacher's screen that follows the protocol: it applies what is above its last seq, drops what isn't, and asks
 * for the changes after its last seq on a gap. Events that come while it asks wait for the answer.
 */
export class Replica {
  readonly records = new Map<string, Seen>();
  last = 0;
  asked = 0;
  doubled = 0;
  readonly #client: Client;
  readonly #sessionId: string;
  #waiting: Payload[] | undefined;

  constructor(client: Client, sessionId: string) {
    this.#client = client;
    this.#sessionId = sessionId;
    for (const event of ['attendanceUpdated', 'studentJoinedAttendance', 'attendanceBulkUpdated']) {
      client.socket.on(event, (payload: Payload) => this.#receive(payload));
    }
  }

  /** Takes a snapshot, and lives on the events from there. */
  async attach(event = 'getAttendanceSessionData'): Promise<void> {
    this.#waiting = [];
    this.load(await this.#client.send(event, { session_id: this.#sessionId }));
    this.#resume();
  }

  load(answer: Answer): void {
    this.records.clear();
    for (const record of answer['attendanceRecords'] as WireRecord[]) this.#put(record);
    this.last = answer['seq'] as number;
  }

  #put({ student_id, status, remarks, seq }: WireRecord): void {
    this.records.set(student_id, { status, remarks, seq });
  }

  #receive(payload: Payload): void {
    if (payload['session_id'] !== this.#sessionId || payload['seq'] === undefined) return;
    if (this.#waiting) this.#waiting.push(payload);
    else this.#apply(payload);
  }

  #apply(payload: Payload): void {
    const seq = payload['seq'] as number;
    if (seq <= this.last) {
      this.doubled += 1;
      return;
    }
    const updated = payload['updatedRecords'] as WireRecord[] | undefined;
    const changed = updated?.filter((record) => record.seq > this.last && record.seq <= seq);
    const first = changed ? seq - changed.length + 1 : seq;
    if (first > this.last + 1) {
      void this.#ask();
      return;
    }
    if (changed) for (const record of changed) this.#put(record);
    else if (payload['attendanceRecord']) this.#put(payload['attendanceRecord'] as WireRecord);
    else this.#checkedIn(payload['student_id'] as string, seq);
    this.last = seq;
  }

  #checkedIn(student_id: string, seq: number): void {
    const before = this.records.get(student_id) ?? { status: 'absent', remarks: null };
    this.records.set(student_id, { ...before, seq });
  }

  async #ask(): Promise<void> {
    this.asked += 1;
    this.#waiting = [];
    const query = { session_id: this.#sessionId, since_seq: this.last };
    const answer = await this.#client.send('getAttendanceSessionData', query);
    this.applyChanges(answer);
    this.#resume();
  }

  /** The changes of an answer to `since_seq`. */
  applyChanges(answer: Answer): void {
    for (const { seq, type, student_id, status, remarks } of answer['changes'] as WireChange[]) {
      if (seq <= this.last) continue;
      if (seq !== this.last + 1) throw new Error(`change ${seq} after ${this.last}`);
      if (type === 'marked' && student_id && status) this.#put({ student_id, status, remarks: remarks ?? null, seq });
      if (type === 'checked_in' && student_id) this.#checkedIn(student_id, seq);
      this.last = seq;
    }
    this.last = answer['seq'] as number;
  }

  #resume(): void {
    const waited = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const payload of waited) this.#receive(payload);
  }
}

import type { AttendanceRecord } from '@rollcall/protocol';
import { io, type Socket } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import type { Entry } from '../journal/entries.js';
import type { StoredRecord } from '../storage/port.js';
import { type Answer, type Payload, tokenOf } from '../testing/server.js';

const PATIENCE_MS = 60_000;

/** What a line of the register says, wherever it was read from. Times are ISO 8601 strings. */
export interface Line {
  readonly student_id: string;
  readonly record_id: string;
  readonly status: string;
  readonly remarks: string | null;
  readonly checked_in_at: string | null;
  readonly marked_at: string | null;
  readonly marked_by: string | null;
  readonly seq: number;
}

/** A register as text, one line a student, so that two of them are compared at once and differences can be read. */
export const registerText = (lines: Iterable<Line>): string =>
  Array.from(lines, (line) =>
    [
      line.student_id,
      line.status,
      JSON.stringify(line.remarks),
      `entry ${line.seq}`,
      `marked ${line.marked_at} by ${line.marked_by}`,
      `in ${line.checked_in_at}`,
      line.record_id,
    ].join(' | '),
  )
    .sort()
    .join('\n');

export const lineOfRecord = ({ _id, ...record }: AttendanceRecord): Line => ({ ...record, record_id: _id });

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export const lineOfStored = (record: StoredRecord): Line => ({
  ...record,
  checked_in_at: iso(record.checked_in_at),
  marked_at: iso(record.marked_at),
});

/** The journal read to the end by the plainest of means: a second opinion on the server's own fold. */
export function linesOfJournal(entries: readonly Entry[]): Line[] {
  const lines = new Map<string, Line>();
  const lineOf = (entry: Extract<Entry, { student_id: unknown }>): Line => {
    const added = 'added' in entry ? entry.added : undefined;
    const line = added
      ? { ...lineOfStored({ ...added, student_id: entry.student_id, seq: 0 }) }
      : lines.get(entry.student_id);
    if (!line) throw new Error(`entry ${entry.seq} is about a student who is not on the roster`);
    return line;
  };
  for (const entry of entries) {
    const { seq } = entry;
    if (entry.type === 'started' || entry.type === 'adopted') {
      for (const { student, ...row } of entry.roster) {
        lines.set(student.student_id, lineOfStored({ ...row, student_id: student.student_id, seq }));
      }
    } else if (entry.type === 'checked_in') {
      lines.set(entry.student_id, { ...lineOf(entry), checked_in_at: iso(entry.at), seq });
    } else if (entry.type === 'cleared') {
      const none = { remarks: null, marked_at: null, marked_by: null };
      lines.set(entry.student_id, { ...lineOf(entry), ...none, status: entry.status, seq });
    } else if (entry.type === 'marked' || entry.type === 'amended') {
      const { status, remarks, at, actor } = entry;
      const mark = { status, remarks, marked_at: iso(at), marked_by: actor.name, seq };
      lines.set(entry.student_id, { ...lineOf(entry), ...mark });
    }
  }
  return [...lines.values()];
}

/**
 * What one client knows of one session: a real socket, and the register as it follows from the events that this
 * socket was sent, applied by seq. Keeps no payloads, so that hundreds fit into one process.
 */
export class Picture {
  readonly uid: string;
  readonly socket: Socket;
  readonly lines = new Map<string, Line>();
  /** The seq of every change that was sent, in order of arrival; of check-ins and the end too, where they are sent. */
  readonly received: number[] = [];
  readonly errors: string[] = [];
  /** The register of finalData, and its seq, once the session has ended. */
  ending: { readonly register: string; readonly seq: number; readonly truncated: boolean } | undefined;
  /** The last seq that this client knows of. */
  seq = 0;
  /** The seq from which on it was sent what happened: that of its own start or join. */
  seqOfJoin = 0;
  readonly #sessionId: string;
  readonly #ended: Promise<void>;

  private constructor(uid: string, sessionId: string, socket: Socket) {
    this.uid = uid;
    this.socket = socket;
    this.#sessionId = sessionId;
    this.#follow();
    this.#ended = new Promise((resolve) => {
      socket.once('attendanceSessionEnded', () => resolve());
    });
  }

  /** A connected socket of this user that follows the session, and ends with the test. */
  static async connect(url: string, uid: string, sessionId: string): Promise<Picture> {
    const auth = { token: await tokenOf(uid) };
    const socket = io(url, { auth, transports: ['websocket'], forceNew: true, timeout: PATIENCE_MS });
    onTestFinished(() => {
      socket.disconnect();
    });
    const picture = new Picture(uid, sessionId, socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return picture;
  }

  get register(): string {
    return registerText(this.lines.values());
  }

  /** Sends a command on the session; an answer that is a refusal rejects. */
  async command(event: string, payload: Payload = {}): Promise<Answer> {
    const answer: Answer = await this.socket
      .timeout(PATIENCE_MS)
      .emitWithAck(event, { session_id: this.#sessionId, ...payload });
    if (!answer.ok) throw new Error(`${this.uid}: ${event} was refused: ${JSON.stringify(answer.error)}`);
    return answer;
  }

  /** Resolves when this client has been told of the end. */
  async ended(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const complain = () =>
        reject(new Error(`${this.uid} was not told of the end; last entry ${this.received.at(-1)}`));
      timer = setTimeout(complain, PATIENCE_MS);
    });
    await Promise.race([this.#ended, late]).finally(() => clearTimeout(timer));
  }

  #follow(): void {
    this.socket.onAny((_event: string, { session_id }: Payload) => {
      if (typeof session_id === 'string' && session_id !== this.#sessionId) this.errors.push(`heard of ${session_id}`);
    });
    const on = (event: string, take: (payload: never) => void) =>
      this.socket.on(event, take as (payload: unknown) => void);
    on('attendanceError', (error: Payload) => this.errors.push(JSON.stringify(error)));
    on('attendanceSessionStarted', (started: { attendanceRecords: AttendanceRecord[]; seq: number }) => {
      for (const record of started.attendanceRecords) this.lines.set(record.student_id, lineOfRecord(record));
      this.seq = started.seq;
      this.seqOfJoin = started.seq;
    });
    on('attendanceSessionJoined', (joined: { record: AttendanceRecord; seq: number }) => {
      this.lines.set(joined.record.student_id, lineOfRecord(joined.record));
      this.seq = joined.seq;
      this.seqOfJoin = joined.seq;
    });
    on('studentJoinedAttendance', (joined: { student_id: string; checked_in_at: string; seq?: number }) => {
      const { student_id, checked_in_at, seq } = joined;
      const line = this.lines.get(student_id);
      if (seq !== undefined && line) this.#apply(seq, { ...line, checked_in_at, seq });
    });
    on('attendanceUpdated', (update: { attendanceRecord: AttendanceRecord; seq: number }) => {
      this.#apply(update.seq, lineOfRecord(update.attendanceRecord));
    });
    on('attendanceBulkUpdated', (bulk: { updatedRecords: AttendanceRecord[]; seq: number }) => {
      const before = this.seq;
      for (const record of bulk.updatedRecords) {
        // A record that the bulk left as it was is known by the change that made it so, here or still to come.
        if (record.seq > before && record.seq <= bulk.seq) this.#apply(record.seq, lineOfRecord(record));
        else if (record.seq <= before) this.lines.set(record.student_id, lineOfRecord(record));
      }
    });
    on('attendanceSessionEnded', ({ finalData }: { finalData: Ending }) => {
      this.#apply(finalData.seq);
      this.ending = {
        register: registerText(finalData.attendanceRecords.map(lineOfRecord)),
        seq: finalData.seq,
        truncated: finalData.truncated === true,
      };
    });
  }

  #apply(seq: number, line?: Line): void {
    this.received.push(seq);
    if (seq <= this.seq) return;
    this.seq = seq;
    if (line) this.lines.set(line.student_id, line);
  }
}

interface Ending {
  readonly attendanceRecords: AttendanceRecord[];
  readonly seq: number;
  readonly truncated?: boolean;
}

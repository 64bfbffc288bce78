import type { ServerPayload } from '@rollcall/protocol';
import { SnapshotMap, sameValue } from './snapshots.js';

/** A student with a connection to the session. */
export type OnlineStudent = Omit<ServerPayload<'onlineStudentsData'>['online_students'][number], 'socket_id'>;

type Notice =
  | { readonly joined: ServerPayload<'studentJoinedAttendance'> }
  | { readonly left: ServerPayload<'studentLeftAttendance'> };

interface PresenceOptions {
  /** Asks the server who is online. */
  ask(): Promise<readonly OnlineStudent[]>;
  /** How many are online as the server says; undefined while that needn't agree with the list. */
  count(): number | undefined;
  /** The list was read again, and is right. */
  listed(): void;
  /** The list couldn't be read again. */
  failed(error: unknown): void;
}

/** Milliseconds for which the number of students online may differ from the list before it is read again. */
const PATIENCE_MS = 1_000;

/** Who is online, from notices and, after every reconnect, from a list. */
export class Presence {
  readonly online = new SnapshotMap<string, OnlineStudent>();
  readonly #options: PresenceOptions;
  /** Notices that came while a list was under way, which may be older than they are or newer. */
  #late: Notice[] | undefined;
  #recount: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** Reads the list. */
  async list(): Promise<void> {
    this.#late = [];
    const students = await this.#options.ask();
    const listed = new Set<string>(students.map(({ student_id }) => student_id));
    for (const student_id of [...this.online.keys()]) if (!listed.has(student_id)) this.online.delete(student_id);
    for (const student of students) this.#put(student);
    const late = this.#late ?? [];
    this.#late = undefined;
    // The last notice about a student is either newer than the list or agrees with it.
    for (const notice of late) this.#apply(notice);
  }

  /** After a restart of the server students come back without a notice: only their number tells. */
  check(): void {
    if (this.#recount !== undefined || !this.#differs()) return;
    this.#recount = setTimeout(() => {
      this.#recount = undefined;
      if (this.#differs()) this.list().then(this.#options.listed, this.#options.failed);
    }, PATIENCE_MS);
  }

  /** Nothing will be read again by itself. */
  stop(): void {
    clearTimeout(this.#recount);
  }

  #differs(): boolean {
    const count = this.#options.count();
    return count !== undefined && count !== this.online.size;
  }

  take(notice: Notice): void {
    this.#late?.push(notice);
    this.#apply(notice);
  }

  #apply(notice: Notice): void {
    if ('left' in notice) {
      this.online.delete(notice.left.student_id);
      return;
    }
    const { student_id, student_name, roll, profile_picture, joined_at } = notice.joined;
    this.#put({ student_id, student_name, roll, profile_picture, joined_at });
  }

  #put(student: OnlineStudent): void {
    if (!sameValue(this.online.get(student.student_id), student)) this.online.set(student.student_id, student);
  }
}

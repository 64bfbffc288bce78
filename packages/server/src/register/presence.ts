import type { StudentId } from '@rollcall/protocol';

export interface Online {
  readonly student_id: StudentId;
  /** When the first of the sockets that are there now came, milliseconds since the epoch. */
  readonly joined_at: number;
  readonly sockets: ReadonlySet<string>;
}

interface Attendance {
  joined_at: number;
  readonly sockets: Set<string>;
  grace: NodeJS.Timeout | undefined;
}

/**
 * Who is connected to a session right now. Best effort and never stored: check-ins and marks don't depend on it.
 * A student stays online until the last socket has been gone for the grace, so that a short loss of Wi-Fi is silent.
 */
export class Presence {
  readonly #graceMs: number;
  /** Called after the grace, with when the last socket went, milliseconds since the epoch. */
  readonly #onLeft: (studentId: StudentId, at: number) => void;
  readonly #online = new Map<StudentId, Attendance>();
  /** Students who left on purpose: a new connection of theirs isn't put back. */
  readonly #left = new Set<StudentId>();
  /** Students whose going was announced, so that their coming back has to be as well. */
  readonly #announcedLeft = new Set<StudentId>();

  constructor(options: { graceMs: number; onLeft: (studentId: StudentId, at: number) => void }) {
    this.#graceMs = options.graceMs;
    this.#onLeft = options.onLeft;
  }

  /** Students online, those within their grace included. */
  get count(): number {
    return this.#online.size;
  }

  /** Students who left before this node knew the session. */
  rememberLeft(students: Iterable<StudentId>): void {
    for (const studentId of students) this.#left.add(studentId);
  }

  hasLeft(studentId: StudentId): boolean {
    return this.#left.has(studentId);
  }

  /** Ids of the student's sockets, on whatever node. */
  socketsOf(studentId: StudentId): readonly string[] {
    return [...(this.#online.get(studentId)?.sockets ?? [])];
  }

  /** @returns true when the teachers must be told: the student is back, and their going was announced. */
  enter(studentId: StudentId, socketId: string, at: number): boolean {
    this.#left.delete(studentId);
    const there = this.#online.get(studentId);
    if (there) {
      clearTimeout(there.grace);
      there.grace = undefined;
      there.sockets.add(socketId);
      return false;
    }
    this.#online.set(studentId, { joined_at: at, sockets: new Set([socketId]), grace: undefined });
    return this.#announcedLeft.delete(studentId);
  }

  /** A socket of the student is gone; on purpose when they asked to leave. */
  leave(studentId: StudentId, socketId: string, onPurpose: boolean): void {
    const there = this.#online.get(studentId);
    if (!there?.sockets.delete(socketId) || there.sockets.size > 0) return;
    if (onPurpose) this.#left.add(studentId);
    const at = Date.now();
    there.grace = setTimeout(() => {
      this.#online.delete(studentId);
      this.#announcedLeft.add(studentId);
      this.#onLeft(studentId, at);
    }, this.#graceMs).unref();
  }

  list(): Online[] {
    return [...this.#online].map(([student_id, { joined_at, sockets }]) => ({ student_id, joined_at, sockets }));
  }

  /** Forgets everybody and stops every timer: the session is over. */
  clear(): void {
    for (const { grace } of this.#online.values()) clearTimeout(grace);
    this.#online.clear();
  }
}

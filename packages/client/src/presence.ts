import type { ServerPayload } from '@rollcall/protocol';

/** A student with a connection to the session. */
export type OnlineStudent = Omit<ServerPayload<'onlineStudentsData'>['online_students'][number], 'socket_id'>;

type Notice =
  | { readonly joined: ServerPayload<'studentJoinedAttendance'> }
  | { readonly left: ServerPayload<'studentLeftAttendance'> };

/** Who is online, from notices and, after every reconnect, from a list. */
export class Presence {
  readonly online = new Map<string, OnlineStudent>();
  /** Notices that came while a list was under way, which may be older than they are or newer. */
  #late: Notice[] | undefined;

  /** A list was asked for. */
  expectList(): void {
    this.#late = [];
  }

  setList(students: readonly OnlineStudent[]): void {
    this.online.clear();
    for (const student of students) this.online.set(student.student_id, student);
    const late = this.#late ?? [];
    this.#late = undefined;
    // The last notice about a student is either newer than the list or agrees with it.
    for (const notice of late) this.#apply(notice);
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
    this.online.set(student_id, { student_id, student_name, roll, profile_picture, joined_at });
  }
}

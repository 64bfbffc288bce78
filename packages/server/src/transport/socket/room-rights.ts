import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { CourseId, StudentId } from '@rollcall/protocol';
import type { Services } from '../../commands/command.js';
import { teachesCourse, teachesSession, wasPutOnRoster } from '../../commands/rights.js';
import type { LiveSession } from '../../register/live-session.js';
import type { Person } from '../../storage/port.js';

/**
 * How often everybody in a room is looked at again, and how old what is known of them may be then, in ms. A right that
 * is taken away in the database ends after twice this at the latest, and the time of a few queries: within a minute.
 */
export const RIGHTS_EVERY_MS = 25_000;
/** How soon somebody who has entered a room is looked at, in ms: together with all who entered meanwhile. */
const SOON_MS = 200;
/** Connections between which the event loop is left to others, and students asked for in one query. */
const AT_ONCE = 500;

/** A connection that may be in rooms. */
export interface RoomMember {
  readonly uid: string;
  readonly person: Person;
  /** Sessions whose teacher room it is in. */
  readonly watching: readonly LiveSession[];
  /** Sessions that it is in as a student. */
  readonly participating: ReadonlyArray<{ readonly live: LiveSession; readonly studentId: StudentId }>;
  /** Courses whose notices it gets. */
  readonly courses: readonly CourseId[];
  unwatch(live: LiveSession): void;
  /** Leaves the session as a student, if it is in it. */
  lose(live: LiveSession): void;
  unsubscribe(courseId: CourseId): void;
}

export interface RoomRightsOptions<Member extends RoomMember> {
  readonly services: Pick<Services, 'directory' | 'storage'>;
  readonly everyMs: number;
  readonly members: () => Iterable<Member>;
  /** The user of this connection is gone or disabled. */
  readonly onUserGone: (member: Member) => void;
  /** The database can't be asked: who is in a room stays there until it can. */
  readonly onError: (error: unknown) => void;
}

/** What is to be done about those who aren't enrolled in a course any more, by student. */
type Consequences = Map<StudentId, Array<() => void>>;

/**
 * Looks again and again whether those who are in rooms still have the right to it, and soon after they entered. Who has
 * lost it leaves the room in silence. People, courses and enrolments are asked for together, for everybody at once.
 */
export class RoomRights<Member extends RoomMember> {
  readonly #options: RoomRightsOptions<Member>;
  readonly #timer: NodeJS.Timeout;
  #soon = new Set<Member>();
  #soonTimer: NodeJS.Timeout | undefined;
  #looking = false;
  /** To be looked at once more after the look that is under way. */
  #again = false;

  constructor(options: RoomRightsOptions<Member>) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#lookAtAll(), options.everyMs).unref();
  }

  /** The connection has entered a room: maybe by a right that was taken away since it was last read. */
  entered(member: Member): void {
    this.#soon.add(member);
    this.#soonTimer ??= setTimeout(() => {
      this.#soonTimer = undefined;
      const members = [...this.#soon];
      this.#soon = new Set();
      void this.#tryToLookAt(members);
    }, SOON_MS).unref();
  }

  /** What is known of people, courses and enrolments has become old: everybody is looked at now. */
  lookNow(): void {
    this.#again = this.#looking;
    void this.#lookAtAll();
  }

  close(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#soonTimer);
  }

  async #lookAtAll(): Promise<void> {
    // A database that takes so long isn't asked twice at the same time.
    if (this.#looking) return;
    this.#looking = true;
    do {
      this.#again = false;
      await this.#tryToLookAt([...this.#options.members()]);
    } while (this.#again);
    this.#looking = false;
  }

  async #tryToLookAt(members: readonly Member[]): Promise<void> {
    try {
      await this.#lookAt(members);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  async #lookAt(members: readonly Member[]): Promise<void> {
    const { services, everyMs, onUserGone } = this.#options;
    const people = await services.directory.peopleWithin(new Set(members.map(({ uid }) => uid)), everyMs);
    const toAsk = new Map<CourseId, Consequences>();
    for (const [index, member] of members.entries()) {
      if (index % AT_ONCE === AT_ONCE - 1) await endOfTurn();
      const person = people.get(member.uid);
      // Of somebody else by now, where the uid was given away.
      if (person?.user_id !== member.person.user_id) onUserGone(member);
      else await this.#lookAtRooms(member, person, toAsk);
    }
    for (const [courseId, consequences] of toAsk) await this.#ask(courseId, consequences);
  }

  async #lookAtRooms(member: Member, person: Person, toAsk: Map<CourseId, Consequences>): Promise<void> {
    for (const live of [...member.watching]) if (!(await this.#mayWatch(person, live))) member.unwatch(live);
    for (const { live, studentId } of [...member.participating]) {
      const { facts, ending } = live.state;
      if (person.student?.student_id !== studentId) member.lose(live);
      else if (!ending && facts.course_id !== null && !wasPutOnRoster(live.state, studentId)) {
        remember(toAsk, facts.course_id, studentId, () => member.lose(live));
      }
    }
    for (const courseId of [...member.courses]) {
      if (person.is_admin || teachesCourse(person, await this.#course(courseId))) continue;
      const leave = () => member.unsubscribe(courseId);
      if (person.student) remember(toAsk, courseId, person.student.student_id, leave);
      else leave();
    }
  }

  async #mayWatch(person: Person, { state: { facts } }: LiveSession): Promise<boolean> {
    if (person.is_admin || teachesSession(person, facts, undefined)) return true;
    return facts.course_id !== null && teachesCourse(person, await this.#course(facts.course_id));
  }

  #course(courseId: CourseId) {
    return this.#options.services.directory.courseWithin(courseId, this.#options.everyMs);
  }

  async #ask(courseId: CourseId, consequences: Consequences): Promise<void> {
    const students = [...consequences.keys()];
    for (let from = 0; from < students.length; from += AT_ONCE) {
      const some = students.slice(from, from + AT_ONCE);
      const enrolled = await this.#options.services.storage.courses.areEnrolled(courseId, some);
      for (const student of some) {
        if (!enrolled.has(student)) for (const leave of consequences.get(student) ?? []) leave();
      }
    }
  }
}

function remember(toAsk: Map<CourseId, Consequences>, courseId: CourseId, student: StudentId, leave: () => void): void {
  const ofCourse: Consequences = toAsk.get(courseId) ?? new Map();
  toAsk.set(courseId, ofCourse);
  ofCourse.set(student, [...(ofCourse.get(student) ?? []), leave]);
}

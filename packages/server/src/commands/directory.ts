import { type CourseId, RollcallError, type StudentId } from '@rollcall/protocol';
import { LRUCache } from 'lru-cache';
import { atEndOfTurn } from '../end-of-turn.js';
import type { Stranger } from '../register/decide.js';
import type { Course, Person, Storage } from '../storage/port.js';

const PEOPLE_MAX = 50_000;
const COURSES_MAX = 10_000;
/** How old a profile or course may be before it is read again, in ms. The old one serves while that happens. */
const FRESH_MS = 60_000;
/** How long an enrolment is believed, in ms: short, since an approval is waited for at the door. */
const ENROLMENT_FRESH_MS = 10_000;

/** A query that takes this long, in ms, keeps nobody else waiting: its connection may be dead. */
const SLOW_MS = 1_000;

interface Waiting {
  readonly resolve: (person: Person | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * People, courses and enrolments, read from the database once and kept: no event costs a look-up of its user.
 * Who or what isn't there is never remembered, so that an import takes effect at once.
 */
export class Directory {
  readonly #storage: Storage;
  readonly #people = new LRUCache<string, Person>({
    max: PEOPLE_MAX,
    ttl: FRESH_MS,
    allowStale: true,
    noDeleteOnStaleGet: true,
  });
  /** Uids to be looked up once the look-up under way is done, and who waits for each: nobody for one due again. */
  #asked = new Map<string, Waiting[]>();
  readonly #underWay = new Set<string>();
  #asking = false;
  readonly #courses: LRUCache<CourseId, Course>;
  readonly #enrolments = new LRUCache<string, true>({ max: PEOPLE_MAX, ttl: ENROLMENT_FRESH_MS });

  constructor(storage: Storage) {
    this.#storage = storage;
    this.#courses = new LRUCache({
      ttl: FRESH_MS,
      allowStale: true,
      allowStaleOnFetchRejection: true,
      ignoreFetchAbort: true,
      max: COURSES_MAX,
      fetchMethod: async (courseId) => (await storage.courses.findCourse(courseId)) ?? undefined,
    });
  }

  /** The person of a uid without waiting, where they are known; begins a refresh when that is due. */
  personNow(uid: string): Person | undefined {
    const person = this.#people.get(uid);
    if (person && this.#people.getRemainingTTL(uid) <= 0 && !this.#underWay.has(uid)) this.#lookUp(uid);
    return person;
  }

  /** Rejects when the database can't be asked. */
  async person(uid: string): Promise<Person | undefined> {
    const known = this.personNow(uid);
    return known ?? new Promise((resolve, reject) => this.#lookUp(uid, { resolve, reject }));
  }

  remember(person: Person): void {
    this.#people.set(person.uid, person);
  }

  /**
   * One query at a time, unless one takes long, for all who were asked for meanwhile: of a school that comes in at
   * once, or is due to be read again, each costs a fraction of one.
   */
  #lookUp(uid: string, waiting?: Waiting): void {
    const others = this.#asked.get(uid);
    if (!others) this.#asked.set(uid, waiting ? [waiting] : []);
    else if (waiting) others.push(waiting);
    if (this.#asking) return;
    this.#asking = true;
    atEndOfTurn(() => void this.#ask());
  }

  async #ask(): Promise<void> {
    const asked = this.#asked;
    this.#asked = new Map();
    for (const uid of asked.keys()) this.#underWay.add(uid);
    let next = () => {
      next = () => {};
      this.#asking = this.#asked.size > 0;
      if (this.#asking) atEndOfTurn(() => void this.#ask());
    };
    const slow = setTimeout(() => next(), SLOW_MS).unref();
    try {
      const found = await this.#storage.people.findPeopleByUid([...asked.keys()]);
      for (const [uid, waiting] of asked) {
        const person = found.get(uid);
        if (person) this.#people.set(uid, person);
        else this.#people.delete(uid);
        for (const { resolve } of waiting) resolve(person);
      }
    } catch (error) {
      // Whoever is known stays so, as they were.
      for (const waiting of asked.values()) for (const { reject } of waiting) reject(error);
    }
    for (const uid of asked.keys()) this.#underWay.delete(uid);
    clearTimeout(slow);
    next();
  }

  courseNow(courseId: CourseId): Course | undefined {
    const course = this.#courses.get(courseId, { allowStale: true, noDeleteOnStaleGet: true });
    if (course && this.#courses.getRemainingTTL(courseId) <= 0) void this.#courses.fetch(courseId).catch(() => {});
    return course;
  }

  /** @throws {RollcallError} COURSE_NOT_FOUND */
  async course(courseId: CourseId): Promise<Course> {
    const course = this.courseNow(courseId) ?? (await this.#courses.fetch(courseId));
    if (!course) throw new RollcallError('COURSE_NOT_FOUND');
    return course;
  }

  async isEnrolled(courseId: CourseId, studentId: StudentId): Promise<boolean> {
    // Ids may hold any character: no separator would tell them apart.
    const key = JSON.stringify([courseId, studentId]);
    if (this.#enrolments.has(key)) return true;
    const enrolled = await this.#storage.courses.isEnrolled(courseId, studentId);
    if (enrolled) this.#enrolments.set(key, true);
    return enrolled;
  }

  /** Looks up students who aren't on a roster, and whether its course has enrolled them. Unknown ones are left out. */
  async strangers(refs: readonly string[], courseId: CourseId | null): Promise<Map<string, Stranger>> {
    const strangers = new Map<string, Stranger>();
    if (refs.length === 0) return strangers;
    const found = await this.#storage.people.findStudents(refs);
    for (const [ref, student] of found) {
      const enrolled = courseId !== null && (await this.isEnrolled(courseId, student.student_id));
      strangers.set(ref, { student, enrolled });
    }
    return strangers;
  }
}

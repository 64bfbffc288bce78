import { type CourseId, RollcallError, type StudentId } from '@rollcall/protocol';
import { LRUCache } from 'lru-cache';
import { atEndOfTurn } from '../end-of-turn.js';
import type { OffRosterStudent } from '../register/command.js';
import type { Course, Person, Storage } from '../storage/port.js';

const PEOPLE_MAX = 50_000;
const COURSES_MAX = 10_000;
/** How old a profile or course may be, in ms: nobody keeps a right for longer that was taken away in the database. */
const OLDEST_MS = 60_000;
/** From which age it is read again, in ms. The old one serves while that happens. */
const FRESH_MS = 30_000;
/** How long an enrolment is believed, in ms: short, since an approval is waited for at the door. */
const ENROLMENT_FRESH_MS = 10_000;

/** People asked for in one query, where many are looked at again. */
const AT_ONCE = 500;

/** Changes of the last minutes that answers on their way may not know of. */
const CHANGES_MAX = 10_000;

/** A query that takes this long, in ms, keeps nobody else waiting: its connection may be dead. */
const SLOW_MS = 1_000;

interface Waiting {
  readonly resolve: (person: Person | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * People, courses and enrolments, read from the database and kept for a minute: no event costs a look-up of its user.
 * What is asked for again and again is read anew meanwhile, so that nobody waits for it. Who or what isn't there is never remembered, so that an import takes effect at once.
 */
export class Directory {
  readonly #storage: Storage;
  #people = peopleCache();
  /** Those that were known before the school changed: for `lastKnown` alone. */
  #before: LRUCache<string, Person> | undefined;
  /** Uids to be looked up once the look-up under way is done, and who waits for each: nobody for one due again. */
  #asked = new Map<string, Waiting[]>();
  readonly #underWay = new Set<string>();
  #asking = false;
  readonly #courses = new LRUCache<CourseId, Course>({ max: COURSES_MAX, ttl: OLDEST_MS });
  /** What was asked for before is not kept, by `performance.now()`. */
  #believedFrom = Number.NEGATIVE_INFINITY;
  /** Courses that are being read. */
  readonly #reading = new Map<CourseId, Promise<Course | undefined>>();
  readonly #enrolments = new LRUCache<string, true>({ max: PEOPLE_MAX, ttl: ENROLMENT_FRESH_MS });

  /** When people, courses and enrolments were changed through this server: an answer to an older question says nothing. */
  readonly #changed = new LRUCache<string, number>({ max: CHANGES_MAX });

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** The school has changed: nothing that was read until now is believed any more. */
  mistrust(): void {
    this.#believedFrom = performance.now();
    this.#before = this.#people;
    this.#people = peopleCache();
    this.#courses.clear();
    this.#reading.clear();
    this.#enrolments.clear();
  }

  /** A person was changed, by each uid that they had and have: what is known of them is forgotten. */
  personChanged(uid: string): void {
    this.#changed.set(personKey(uid), performance.now());
    this.#people.delete(uid);
  }

  courseChanged(courseId: CourseId): void {
    this.#changed.set(courseKey(courseId), performance.now());
    this.#courses.delete(courseId);
    this.#reading.delete(courseId);
  }

  enrollmentChanged(courseId: CourseId, studentId: StudentId): void {
    const key = enrollmentKey(courseId, studentId);
    this.#changed.set(key, performance.now());
    this.#enrolments.delete(key);
  }

  #isOutdated(key: string, asked: number): boolean {
    return asked < this.#believedFrom || asked <= (this.#changed.get(key) ?? Number.NEGATIVE_INFINITY);
  }

  /** The person of a uid without waiting, where they are known; begins a refresh when that is due. */
  personNow(uid: string): Person | undefined {
    const person = this.#people.get(uid);
    if (person && isDue(this.#people.getRemainingTTL(uid)) && !this.#underWay.has(uid)) this.#lookUp(uid);
    return person;
  }

  /** The person as they were when last read, however long that is ago: no right may follow from it. */
  lastKnown(uid: string): Person | undefined {
    return this.#people.peek(uid, { allowStale: true }) ?? this.#before?.peek(uid, { allowStale: true });
  }

  /** Rejects when the database can't be asked. */
  async person(uid: string): Promise<Person | undefined> {
    const known = this.personNow(uid);
    return known ?? new Promise((resolve, reject) => this.#lookUp(uid, { resolve, reject }));
  }

  /**
   * Many people as they are in the database, or were `maxAgeMs` ago at the most; who isn't there or is disabled is left
   * out. Rejects when the database can't be asked.
   */
  async peopleWithin(uids: Iterable<string>, maxAgeMs: number): Promise<Map<string, Person>> {
    const people = new Map<string, Person>();
    const unsure: string[] = [];
    for (const uid of uids) {
      const known = this.#people.peek(uid);
      if (known && ageOf(this.#people.getRemainingTTL(uid)) <= maxAgeMs) people.set(uid, known);
      else unsure.push(uid);
    }
    for (let from = 0; from < unsure.length; from += AT_ONCE) {
      const some = unsure.slice(from, from + AT_ONCE);
      const start = performance.now();
      const found = await this.#storage.people.findPeopleByUid(some);
      for (const uid of some) {
        const person = found.get(uid);
        this.#learn(uid, person, start);
        if (person) people.set(uid, person);
      }
    }
    return people;
  }

  #learn(uid: string, person: Person | undefined, start: number): void {
    if (this.#isOutdated(personKey(uid), start)) return;
    if (person) this.#people.set(uid, person, { start });
    else this.#people.delete(uid);
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
    // The age of an answer counts from the question.
    const start = performance.now();
    try {
      const found = await this.#storage.people.findPeopleByUid([...asked.keys()]);
      for (const [uid, waiting] of asked) {
        const person = found.get(uid);
        this.#learn(uid, person, start);
        for (const { resolve } of waiting) resolve(person);
      }
    } catch (error) {
      // Whoever is known stays so, as they were, until they are too old.
      for (const waiting of asked.values()) for (const { reject } of waiting) reject(error);
    }
    for (const uid of asked.keys()) this.#underWay.delete(uid);
    clearTimeout(slow);
    next();
  }

  courseNow(courseId: CourseId): Course | undefined {
    const course = this.#courses.get(courseId);
    if (course && isDue(this.#courses.getRemainingTTL(courseId))) void this.#readCourse(courseId).catch(() => {});
    return course;
  }

  /** @throws {RollcallError} COURSE_NOT_FOUND */
  async course(courseId: CourseId): Promise<Course> {
    const course = this.courseNow(courseId) ?? (await this.#readCourse(courseId));
    if (!course) throw new RollcallError('COURSE_NOT_FOUND');
    return course;
  }

  /** A course as it is in the database, or was `maxAgeMs` ago at the most; undefined when there is none. */
  async courseWithin(courseId: CourseId, maxAgeMs: number): Promise<Course | undefined> {
    const known = this.#courses.peek(courseId);
    if (known && ageOf(this.#courses.getRemainingTTL(courseId)) <= maxAgeMs) return known;
    return this.#askForCourse(courseId);
  }

  /** Reads a course, or joins who does. */
  #readCourse(courseId: CourseId): Promise<Course | undefined> {
    let reading = this.#reading.get(courseId);
    if (!reading) {
      const asked = this.#askForCourse(courseId).finally(() => {
        if (this.#reading.get(courseId) === asked) this.#reading.delete(courseId);
      });
      reading = asked;
      this.#reading.set(courseId, asked);
    }
    return reading;
  }

  async #askForCourse(courseId: CourseId): Promise<Course | undefined> {
    const start = performance.now();
    const course = (await this.#storage.courses.findCourse(courseId)) ?? undefined;
    if (this.#isOutdated(courseKey(courseId), start)) return course;
    if (course) this.#courses.set(courseId, course, { start });
    else this.#courses.delete(courseId);
    return course;
  }

  async isEnrolled(courseId: CourseId, studentId: StudentId): Promise<boolean> {
    const key = enrollmentKey(courseId, studentId);
    if (this.#enrolments.has(key)) return true;
    const start = performance.now();
    const enrolled = await this.#storage.courses.isEnrolled(courseId, studentId);
    if (enrolled && !this.#isOutdated(key, start)) this.#enrolments.set(key, true, { start });
    return enrolled;
  }

  /** Looks up students who aren't on a roster, and whether its course has enrolled them. Unknown ones are left out. */
  async offRosterStudents(refs: readonly string[], courseId: CourseId | null): Promise<Map<string, OffRosterStudent>> {
    const offRoster = new Map<string, OffRosterStudent>();
    if (refs.length === 0) return offRoster;
    const found = await this.#storage.people.findStudents(refs);
    const enrolled =
      courseId === null
        ? new Set()
        : await this.#storage.courses.areEnrolled(
            courseId,
            [...found.values()].map(({ student_id }) => student_id),
          );
    for (const [ref, student] of found) offRoster.set(ref, { student, enrolled: enrolled.has(student.student_id) });
    return offRoster;
  }
}

function peopleCache(): LRUCache<string, Person> {
  return new LRUCache<string, Person>({ max: PEOPLE_MAX, ttl: OLDEST_MS, noDeleteOnStaleGet: true });
}

const personKey = (uid: string): string => `person ${uid}`;
const courseKey = (courseId: CourseId): string => `course ${courseId}`;
/** Ids may hold any character: no separator would tell them apart. */
const enrollmentKey = (courseId: CourseId, studentId: StudentId): string => JSON.stringify([courseId, studentId]);

const ageOf = (remainingMs: number): number => OLDEST_MS - remainingMs;
const isDue = (remainingMs: number): boolean => ageOf(remainingMs) >= FRESH_MS;

import type { CourseId, TeacherId, UserId } from '@rollcall/protocol';
import type { LiveSession } from '../register/live-session.js';
import type { LiveSessions } from '../register/live-sessions.js';
import type { SessionWatcher } from '../register/session-watcher.js';

/** Active sessions by what they are asked for: a school has thousands, and one course or teacher has a few. */
export class SessionIndex implements SessionWatcher {
  readonly #byCourse = new Groups<CourseId>();
  readonly #byTeacher = new Groups<TeacherId>();
  readonly #byStarter = new Groups<UserId>();

  constructor(sessions: LiveSessions) {
    sessions.follow(this);
  }

  /** In the order in which they came into memory. */
  ofCourse(courseId: CourseId): Iterable<LiveSession> {
    return this.#byCourse.of(courseId);
  }

  /** Those that name this teacher, whoever started them. */
  naming(teacherId: TeacherId): Iterable<LiveSession> {
    return this.#byTeacher.of(teacherId);
  }

  startedBy(userId: UserId): Iterable<LiveSession> {
    return this.#byStarter.of(userId);
  }

  /** Courses with an active session. */
  get courses(): Iterable<CourseId> {
    return this.#byCourse.keys();
  }

  activated(live: LiveSession): void {
    const { facts, started_by } = live.state;
    this.#byCourse.add(facts.course_id, live);
    this.#byTeacher.add(facts.teacher_id, live);
    this.#byStarter.add(started_by.user_id, live);
  }

  changed(): void {}

  ended(live: LiveSession): void {
    const { facts, started_by } = live.state;
    this.#byCourse.delete(facts.course_id, live);
    this.#byTeacher.delete(facts.teacher_id, live);
    this.#byStarter.delete(started_by.user_id, live);
  }
}

class Groups<Key> {
  readonly #groups = new Map<Key, Set<LiveSession>>();

  of(key: Key): Iterable<LiveSession> {
    return this.#groups.get(key) ?? [];
  }

  keys(): Iterable<Key> {
    return this.#groups.keys();
  }

  add(key: Key | null, live: LiveSession): void {
    if (key === null) return;
    const group = this.#groups.get(key);
    if (group) group.add(live);
    else this.#groups.set(key, new Set([live]));
  }

  delete(key: Key | null, live: LiveSession): void {
    if (key === null) return;
    const group = this.#groups.get(key);
    group?.delete(live);
    if (group?.size === 0) this.#groups.delete(key);
  }
}

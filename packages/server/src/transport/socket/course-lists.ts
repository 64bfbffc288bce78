import type { CourseId } from '@rollcall/protocol';
import { LRUCache } from 'lru-cache';
import type { LiveSession } from '../../register/live-session.js';

/** What a course may be sent in a second, and what may have gathered while it was quiet: see `costOf`. */
const PER_SECOND = 2_000;
const COURSES_MAX = 10_000;

/** What a list counts for: a frame to each subscriber, and its sessions. */
const costOf = (sessions: number): number => 20 + sessions;

interface Course {
  /** What is left to be sent; below zero after a list that was longer than that. */
  left: number;
  /** When that was reckoned, by `performance.now()`. */
  at: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * When the list of a course's active sessions is sent to its room: at each start and end at once, as people start and
 * end them. Of thousands that start in a row each list would be longer than the one before and outdated by the next:
 * there it is sent as often as its length allows, as it is then, and the last state always.
 */
export class CourseLists {
  readonly #send: (courseId: CourseId, live: LiveSession) => number;
  readonly #courses = new LRUCache<CourseId, Course>({ max: COURSES_MAX });

  /** @param send sends the list as it is now, on account of this session. @returns how many sessions it holds */
  constructor(send: (courseId: CourseId, live: LiveSession) => number) {
    this.#send = send;
  }

  /** A session began or ended: the list of its course is sent before this returns, or as soon as it may be. */
  changed(live: LiveSession): void {
    const { course_id } = live.state.facts;
    if (course_id === null) return;
    const course = this.#course(course_id);
    if (course.timer) return;
    if (course.left > 0) course.left -= costOf(this.#send(course_id, live));
    else course.timer = setTimeout(() => this.#due(course, live), (-course.left / PER_SECOND) * 1_000 + 1).unref();
  }

  close(): void {
    for (const { timer } of this.#courses.values()) clearTimeout(timer);
    this.#courses.clear();
  }

  #due(course: Course, live: LiveSession): void {
    course.timer = undefined;
    this.changed(live);
  }

  #course(courseId: CourseId): Course {
    const now = performance.now();
    const course = this.#courses.get(courseId) ?? { left: PER_SECOND, at: now, timer: undefined };
    course.left = Math.min(PER_SECOND, course.left + ((now - course.at) / 1_000) * PER_SECOND);
    course.at = now;
    this.#courses.set(courseId, course);
    return course;
  }
}

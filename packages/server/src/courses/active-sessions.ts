import { type CourseId, RollcallError } from '@rollcall/protocol';
import { type Call, defineCommand, type Services } from '../commands/command.js';
import { isoOf } from '../commands/present.js';
import { noCourse, teachesCourse } from '../commands/rights.js';
import type { LiveSession } from '../register/live-session.js';
import type { Person } from '../storage/port.js';

/** A shipped app listens to the second name. */
export const ACTIVE_SESSIONS_EVENTS = ['activeSessionsData', 'currentActiveSessions'] as const;

/** `activeSessionsData` of a course, or of everything a user has a part in (null). */
export function activeSessionsData(courseId: CourseId | null, live: Iterable<LiveSession>) {
  const activeSessions = Array.from(live, ({ session_id, state }) => ({
    sessionId: session_id,
    session_id,
    course_id: state.facts.course_id,
    teacherId: state.facts.teacher_id,
    studentCount: state.counts.checked_in,
    startedAt: isoOf(state.started_at),
    topic: state.facts.topic,
    check_in: state.policy.check_in,
  }));
  const [only, ...others] = activeSessions;
  return {
    course_id: courseId,
    activeSessions,
    ...(only && others.length === 0 ? { session_id: only.session_id } : {}),
  };
}

/** @throws {RollcallError} COURSE_NOT_FOUND, FORBIDDEN */
async function requirePartInCourse(person: Person, courseId: CourseId, services: Services): Promise<void> {
  const course = await services.directory.course(courseId);
  if (person.is_admin || teachesCourse(person, course)) return;
  const { student } = person;
  if (!student || !(await services.directory.isEnrolled(courseId, student.student_id))) {
    throw new RollcallError('FORBIDDEN');
  }
}

async function liveOf(person: Person, services: Services): Promise<LiveSession[]> {
  const { activeAttendanceSessions } = services.sessions;
  if (person.is_admin) return [...activeAttendanceSessions.values()];
  const mine = new Set<LiveSession>();
  if (person.teacher) {
    for (const live of services.index.naming(person.teacher.teacher_id)) mine.add(live);
    for (const course of await taughtBy(person, services)) {
      for (const live of services.index.ofCourse(course)) mine.add(live);
    }
  }
  if (person.student) {
    const { student_id } = person.student;
    for (const live of activeAttendanceSessions.values()) if (live.state.line(student_id)) mine.add(live);
  }
  return [...mine];
}

/** Of the courses with an active session those that this person teaches. */
async function taughtBy(person: Person, services: Services): Promise<CourseId[]> {
  const { directory, index } = services;
  const courses = await Promise.all(
    [...index.courses].map((id) => directory.courseNow(id) ?? directory.course(id).catch(noCourse)),
  );
  return courses.flatMap((course) => (course && teachesCourse(person, course) ? [course.course_id] : []));
}

async function answerActiveSessions(
  call: Call<'checkActiveSessions' | 'getActiveSessions'>,
  services: Services,
): Promise<void> {
  const { course_id } = call.input;
  if (course_id !== undefined) await requirePartInCourse(call.person, course_id, services);
  const live = course_id === undefined ? await liveOf(call.person, services) : [...services.index.ofCourse(course_id)];
  await call.chargeFor(live.length);
  call.answer(ACTIVE_SESSIONS_EVENTS, activeSessionsData(course_id ?? null, live));
}

export const checkActiveSessions = defineCommand({
  name: 'checkActiveSessions',
  errorEvent: 'activeSessionsError',
  handle: answerActiveSessions,
});

export const getActiveSessions = defineCommand({
  name: 'getActiveSessions',
  errorEvent: 'activeSessionsError',
  handle: answerActiveSessions,
});

export const subscribeToCourse = defineCommand({
  name: 'subscribeToCourse',
  errorEvent: 'activeSessionsError',
  async handle(call, services) {
    const { course_id } = call.input;
    await requirePartInCourse(call.person, course_id, services);
    call.connection?.subscribe(course_id);
    const live = [...services.index.ofCourse(course_id)];
    call.answer(ACTIVE_SESSIONS_EVENTS, activeSessionsData(course_id, live));
  },
});

export const unsubscribeFromCourse = defineCommand({
  name: 'unsubscribeFromCourse',
  handle(call) {
    const { course_id } = call.input;
    call.connection?.unsubscribe(course_id);
    call.answer(undefined, { course_id });
  },
});

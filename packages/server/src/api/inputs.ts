import { courseId, parseWith, RollcallError, sessionId, studentId, userId } from '@rollcall/protocol';
import { z } from 'zod';
import { schoolFields } from '../school/school-rows.js';
import { boundsOf } from '../school-time.js';
import type { Days } from '../storage/port.js';

/** What the functions of this room take. Values of a school have to be what `rollcall import` takes. */

const { id, otherId, name, text, email, date, day, time, credit, enrollmentStatus } = schoolFields;

/** Items of a page where nothing else is said, and at the most. */
const PAGE = 50;
const PAGE_MAX = 200;

const page = {
  after: z
    .string()
    .min(1)
    .nullish()
    .transform((value) => value ?? null),
  limit: z
    .int()
    .min(1)
    .max(PAGE_MAX)
    .nullish()
    .transform((value) => value ?? PAGE),
};
const days = { from: day, to: day };

const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const ref = id.nullish().transform((value) => value ?? null);

const teacherProfile = z.object({ teacher_id: ref, department: text, designation: text });
const studentProfile = z.object({ student_id: ref, roll: text, section: text, department: text, semester: text });
const account = {
  uid: id,
  name,
  email,
  profile_picture: text,
  is_admin: flag,
  disabled: flag,
  teacher: teacherProfile.nullish().transform((value) => value ?? null),
  student: studentProfile.nullish().transform((value) => value ?? null),
};

const course = { title: name, course_code: text, credit, teacher_id: otherId, co_teacher_ids: z.array(id).max(100) };
const session = { date, start_time: time, end_time: time, topic: text, description: text };

/** Why somebody asks, in their words, and the request's own id: for the access log. */
const access = { purpose: text, request_id: text };

export const inputs = {
  page: z.object(page),
  people: z.object({
    ...page,
    query: text,
    role: z
      .enum(['teacher', 'student', 'admin'])
      .nullish()
      .transform((value) => value ?? null),
  }),
  user: z.object({ user: userId }),
  newPerson: z.object({ ...account, ...access }),
  // A flag that is null would be one that nobody has thought of: it isn't taken for false.
  changedPerson: z.object({
    user: userId,
    ...z.object({ ...account, is_admin: z.boolean(), disabled: z.boolean() }).partial().shape,
    ...access,
  }),
  course: z.object({ course_id: courseId }),
  newCourse: z.object({
    ...course,
    course_id: ref,
    co_teacher_ids: course.co_teacher_ids.nullish().transform((ids) => [...new Set(ids ?? [])]),
    ...access,
  }),
  changedCourse: z.object({ course_id: courseId, ...z.object(course).partial().shape, ...access }),
  enrollments: z.object({ course_id: courseId, ...page }),
  enrollment: z.object({ course_id: courseId, student_id: studentId }),
  putEnrollment: z.object({
    course_id: courseId,
    student_id: studentId,
    status: enrollmentStatus.nullish().transform((value) => value ?? 'approved'),
    begins: day,
    ends: day,
  }),
  sessions: z.object({ course_id: courseId, ...days, ...page }),
  session: z.object({ session_id: sessionId }),
  newSession: z.object({ course_id: courseId, session_id: sessionId.nullish(), ...session }),
  changedSession: z.object({ session_id: sessionId, ...z.object(session).partial().shape }),
  attendance: z.object({ ...days, ...page }),
  attendanceOfStudent: z.object({ course_id: courseId, student_id: studentId, ...days, ...page, ...access }),
  access: z.object({
    // A number, as a key in an address has it.
    after: z
      .union([z.int().min(0), z.string().regex(/^\d{1,15}$/, { error: 'must be the number of an entry' })])
      .nullish()
      .transform((value) => (value === null || value === undefined ? null : Number(value))),
    limit: page.limit,
    actor: ref,
    subject: ref,
    action: text,
  }),
} as const;

export type Input<Name extends keyof typeof inputs> = z.input<(typeof inputs)[Name]>;
export type Checked<Name extends keyof typeof inputs> = z.output<(typeof inputs)[Name]>;

/** @throws {RollcallError} BAD_REQUEST naming the field */
export const checked = <Name extends keyof typeof inputs>(name: Name, input: unknown): Checked<Name> =>
  parseWith<z.ZodType>(inputs[name], input) as Checked<Name>;

/**
 * Those of the fields that the input says: null and "" take a value away, and what is absent stays. Of an object
 * within, the same.
 */
export function saidOf<Fields extends object>(fields: Fields, input: unknown): Partial<Fields> {
  const given: Readonly<Record<string, unknown>> = typeof input === 'object' && input !== null ? { ...input } : {};
  const said = Object.entries(fields).flatMap(([field, value]) => {
    if (given[field] === undefined) return [];
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return [[field, isObject ? saidOf(value, given[field]) : value] as const];
  });
  return Object.fromEntries(said) as Partial<Fields>;
}

/** Days of the school as a list of sessions takes them. @throws {RollcallError} BAD_REQUEST for days in the wrong order */
export function daysOf({ from, to }: { from: string | null; to: string | null }, timeZone: string): Days {
  if (from !== null && to !== null && from > to) {
    const message = 'to: is before from';
    throw new RollcallError('BAD_REQUEST', {
      message,
      details: { field: 'to', issues: [{ field: 'to', message: 'is before from' }] },
    });
  }
  return {
    from: from === null ? null : { day: from, at: boundsOf(from, timeZone).from },
    to: to === null ? null : { day: to, until: boundsOf(to, timeZone).until },
  };
}

import { isWellFormed, studentId } from '@rollcall/protocol';
import { z } from 'zod';
import type { SchoolList } from '../storage/port.js';

/** The lists of a school in the order in which they are told to people. */
export const SCHOOL_LISTS = [
  'teachers',
  'students',
  'admins',
  'courses',
  'enrollments',
  'sessions',
] as const satisfies readonly SchoolList[];

const TEXT_MAX_LENGTH = 1_000;

// One rule for every kind of id; the brands play no part in a file.
const id = z.string().pipe(studentId).transform(String);
const text = z
  .string()
  .max(TEXT_MAX_LENGTH)
  .refine((value) => isWellFormed(value), { error: 'is not well-formed Unicode' });
const name = text.refine((value) => value.trim() !== '', { error: 'is empty' });
const optional = text.nullish().transform((value) => (value ? value : null));
const email = optional.refine((value) => value === null || /^[^\s@]+@[^\s@]+$/.test(value), {
  error: 'is not an email address',
});
const date = z.iso.date({ error: 'must be a date such as 2026-11-23' });
const day = date.nullish().transform((value) => value ?? null);
const time = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a time such as 09:00' })
  .nullish()
  .transform((value) => value ?? null);
const ownId = id.optional();
const otherId = id.nullish().transform((value) => value ?? null);
const disabled = z
  .boolean()
  .nullish()
  .transform((value) => value ?? null);

const credit = z
  .number()
  .min(0)
  .nullish()
  .transform((value) => value ?? null);
const enrollmentStatus = z.enum(['pending', 'approved', 'rejected']);

/** What the values of these rows have to be, for whoever makes or changes a part of one. Null and "" say nothing. */
export const schoolFields = { id, otherId, name, text: optional, email, date, day, time, credit, enrollmentStatus };

/** Programs that convert spreadsheets write "" for an empty cell. In an optional field that says that nothing is known. */
const optionalBlanks = <Schema extends z.ZodType>(required: readonly string[], schema: Schema) =>
  z.preprocess((row) => {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) return row;
    const fields = Object.entries(row);
    const isUnsaid = ([field, value]: [string, unknown]) => value === '' && !required.includes(field);
    return fields.some(isUnsaid) ? Object.fromEntries(fields.filter((field) => !isUnsaid(field))) : row;
  }, schema);

const withId = <Row extends { uid: string; id?: string | undefined }>(row: Row): Row & { id: string } => ({
  ...row,
  id: row.id ?? row.uid,
});

/** One row of each list, as a school file has it on the way in and as the storage port wants it on the way out. */
export const schoolRows = {
  teachers: optionalBlanks(
    ['uid', 'name'],
    z
      .strictObject({
        id: ownId,
        uid: id,
        name,
        email,
        department: optional,
        designation: optional,
        profile_picture: optional,
        disabled,
      })
      .transform(withId),
  ),
  students: optionalBlanks(
    ['uid', 'name'],
    z
      .strictObject({
        id: ownId,
        uid: id,
        name,
        email,
        roll: optional,
        section: optional,
        department: optional,
        semester: optional,
        profile_picture: optional,
        disabled,
      })
      .transform(withId),
  ),
  admins: optionalBlanks(['uid', 'name'], z.strictObject({ uid: id, name, email, disabled })),
  courses: optionalBlanks(
    ['id', 'title'],
    z.strictObject({
      id,
      title: name,
      course_code: optional,
      credit,
      teacher_id: otherId,
      co_teacher_ids: z
        .array(id)
        .nullish()
        .transform((value) => [...new Set(value ?? [])]),
    }),
  ),
  enrollments: optionalBlanks(
    ['course_id', 'student_id'],
    z.strictObject({
      course_id: id,
      student_id: id,
      status: enrollmentStatus.default('approved'),
      begins: day,
      ends: day,
    }),
  ),
  sessions: optionalBlanks(
    ['id', 'date'],
    z
      .strictObject({
        id,
        course_id: otherId,
        teacher_id: otherId,
        date,
        start_time: time,
        end_time: time,
        topic: optional,
        description: optional,
        status: z
          .enum(['scheduled', 'completed', 'cancelled'], { error: 'must be scheduled, completed or cancelled' })
          .default('scheduled'),
      })
      .refine((row) => row.course_id !== null || row.teacher_id !== null, {
        error: 'needs a course_id or a teacher_id, else nobody may start it',
      }),
  ),
} as const;

/** What makes two rows of a list the same thing twice. */
export const schoolKeys: { readonly [List in SchoolList]: readonly string[] } = {
  // Where no id is given it is the uid, and then the uid is what is there twice.
  teachers: ['uid', 'id'],
  students: ['uid', 'id'],
  admins: ['uid'],
  courses: ['id'],
  // Their pairs are known to the reading, which finds one among millions.
  enrollments: [],
  sessions: ['id'],
};

/** The list that a field of a row refers to. */
export const referredList: Readonly<Record<string, SchoolList>> = {
  teacher_id: 'teachers',
  co_teacher_ids: 'teachers',
  student_id: 'students',
  course_id: 'courses',
};

/** Says in words what is wrong with a row: `uid is missing; roll: expected string, received number`. */
export function explain(error: z.ZodError): string {
  return error.issues
    .map((issue) => {
      const at = issue.path.map(String).join('.');
      if (issue.code === 'unrecognized_keys') return `unknown field ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
      if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return `${at} is missing`;
      const message = issue.message.replace(/^(Invalid input|Invalid option|Too big|Too small): /, '');
      if (at === '') return message;
      return /^(is|must|needs) /.test(message) ? `${at} ${message}` : `${at}: ${message}`;
    })
    .join('; ');
}

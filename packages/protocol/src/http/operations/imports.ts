import { z } from 'zod';
import { operation } from '../operation.js';

const LISTS = ['teachers', 'students', 'admins', 'courses', 'enrollments', 'sessions'] as const;
const counts = z.strictObject(
  Object.fromEntries(LISTS.map((list) => [list, z.int().min(0)])) as Record<(typeof LISTS)[number], z.ZodInt>,
);

const report = z
  .strictObject({
    dry_run: z.boolean(),
    added: counts,
    changed: counts,
    left: counts.describe('Rows that were already so, and sessions that run or ran.'),
    ignored: z.record(z.string(), z.int()).optional().describe('What was left out on purpose, in words.'),
    off_roster: z
      .strictObject({ ended: z.int(), not_begun: z.int(), disabled: z.int() })
      .optional()
      .describe('Enrolments and users that are on no roster today.'),
    withdrawn: z.int().optional().describe('Enrolments that the bundle no longer names and that were rejected.'),
    missing: z
      .array(z.strictObject({ course_id: z.string(), student_id: z.string(), name: z.string() }))
      .optional()
      .describe('Enrolments that the bundle no longer names.'),
  })
  .meta({ id: 'ImportReport' });

const none = { teachers: 0, students: 0, admins: 0, courses: 0, enrollments: 0, sessions: 0 };

export const importOperations = {
  importSchool: operation({
    tag: 'Administration',
    summary: 'Imports a school file, or a zip of a OneRoster CSV bundle: all of it or, where one row is bad, nothing.',
    description:
      'The file is the body of the request, as it is. Each bad row is named under `errors`, its field being `file:LINE`. One import at a time: a second one is OVERLOADED meanwhile.',
    who: 'An admin.',
    security: 'token',
    query: z.object({
      dry_run: z.boolean().default(false).describe('True: tells what would change, and changes nothing.'),
      withdraw_missing: z
        .boolean()
        .default(false)
        .describe('True: rejects enrolments of a OneRoster class that its bundle no longer names.'),
      filename: z.string().min(1).max(200).optional().describe('As the person knows the file, for the messages.'),
    }),
    bodyMedia: ['application/json', 'application/zip', 'application/octet-stream'],
    answers: { 200: { when: 'The import is done; of a dry run, what it would do.', schema: report } },
    errors: ['FORBIDDEN', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'],
    example: {
      query: { dry_run: true },
      answer: { dry_run: true, added: { ...none, students: 40 }, changed: none, left: { ...none, courses: 3 } },
    },
  }),
} as const;

import { z } from 'zod';
import { teacherId, userId } from '../../ids.js';
import { studentSummary } from '../../objects.js';
import { operation } from '../operation.js';

const me = z
  .strictObject({
    user: z.strictObject({
      user_id: userId,
      uid: z.string(),
      name: z.string(),
      email: z.string().nullable(),
      profile_picture: z.string().nullable(),
    }),
    teacher: z
      .strictObject({
        teacher_id: teacherId,
        department: z.string().nullable(),
        designation: z.string().nullable(),
      })
      .nullable(),
    student: z.strictObject(studentSummary.shape).nullable(),
    is_admin: z.boolean(),
    time_zone: z.string().describe('The school’s, an IANA name: days and `HH:mm` of sessions are in it.'),
    features: z
      .record(z.string(), z.boolean())
      .describe('What this server can do beside the usual: `email`, `oidc`, `import`.'),
  })
  .meta({ id: 'Me' });

export const meOperations = {
  getMe: operation({
    tag: 'People',
    summary: 'Says who the caller is, and what this server can do.',
    who: 'Whoever is signed in.',
    security: 'token',
    answers: { 200: { when: 'The caller.', schema: me } },
    errors: [],
    etag: true,
    example: {
      answer: {
        user: {
          user_id: 'user-1',
          uid: 'ada',
          name: 'Ada Osei',
          email: 'ada@school.example',
          profile_picture: null,
        },
        teacher: { teacher_id: 'teacher-1', department: 'CSE', designation: 'Lecturer' },
        student: null,
        is_admin: false,
        time_zone: 'Europe/Berlin',
        features: { email: false, oidc: false },
      },
    },
  }),
} as const;

import { z } from 'zod';
import { studentId, teacherId, userId } from '../../ids.js';
import { timestamp } from '../../objects.js';
import { operation } from '../operation.js';
import { page, pageOf } from '../parts.js';
import { name, purpose, ref, TEXT_MAX, text } from './school-parts.js';

const teacherProfile = z.strictObject({
  teacher_id: teacherId,
  department: z.string().nullable(),
  designation: z.string().nullable(),
});

const studentProfile = z.strictObject({
  student_id: studentId,
  roll: z.string().nullable(),
  section: z.string().nullable(),
  department: z.string().nullable(),
  semester: z.string().nullable(),
});

const account = z
  .strictObject({
    user_id: userId,
    uid: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    profile_picture: z.string().nullable(),
    is_admin: z.boolean(),
    disabled: z.boolean().describe('True: may not sign in and is on no roster.'),
    teacher: teacherProfile.nullable(),
    student: studentProfile.nullable(),
  })
  .meta({ id: 'Account' });

const newTeacher = z.object({ teacher_id: ref.nullish(), department: text, designation: text });

const newStudent = z.object({
  student_id: ref.nullish(),
  roll: text,
  section: text,
  department: text,
  semester: text,
});

const accountFields = {
  email: z
    .string()
    .max(TEXT_MAX)
    .regex(/^[^\s@]+@[^\s@]+$/, { error: 'is not an email address' })
    .nullish(),
  profile_picture: text,
  teacher: newTeacher.nullish().describe('A teacher’s profile; null: none.'),
  student: newStudent.nullish().describe('A student’s profile; null: none.'),
  purpose,
};

const userParams = z.object({ user_id: z.string().min(1).max(128).describe('User id or uid.') });

const exampleAccount = {
  user_id: 'user-2',
  uid: 'bo',
  name: 'Bo Lind',
  email: 'bo@school.example',
  profile_picture: null,
  is_admin: false,
  disabled: false,
  teacher: null,
  student: { student_id: 'student-1', roll: '1907001', section: 'A', department: 'CSE', semester: '3' },
};

const admin = 'An admin.';

export const peopleOperations = {
  listPeople: operation({
    tag: 'People',
    summary: 'Lists users with their profiles, disabled ones among them.',
    who: admin,
    security: 'token',
    query: z.object({
      query: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .describe('Beginning of a name, of a name without its first word, of a uid, an email or a roll.'),
      role: z.enum(['teacher', 'student', 'admin']).optional(),
      ...page,
    }),
    answers: { 200: { when: 'A page of them.', schema: pageOf(account) } },
    errors: ['FORBIDDEN'],
    etag: true,
    example: { query: { query: 'lind' }, answer: { items: [exampleAccount], next: null } },
  }),
  getPerson: operation({
    tag: 'People',
    summary: 'Reads one user.',
    who: 'An admin; whoever it is about.',
    security: 'token',
    params: userParams,
    answers: { 200: { when: 'The user.', schema: account } },
    errors: ['USER_NOT_FOUND'],
    etag: true,
    example: { params: { user_id: 'bo' }, answer: exampleAccount },
  }),
  createPerson: operation({
    tag: 'People',
    summary: 'Makes a user with their profiles.',
    who: admin,
    security: 'token',
    body: z.object({
      uid: ref.describe('The name under which they sign in.'),
      name,
      is_admin: z.boolean().nullish(),
      disabled: z.boolean().nullish(),
      ...accountFields,
    }),
    answers: { 201: { when: 'The user is made.', schema: account } },
    errors: ['FORBIDDEN', 'ALREADY_EXISTS'],
    example: {
      body: { uid: 'bo', name: 'Bo Lind', student: { student_id: 'student-1', roll: '1907001' } },
      answer: exampleAccount,
    },
  }),
  changePerson: operation({
    tag: 'People',
    summary: 'Changes what is said of a user: what is left out stays, null takes a value away.',
    who: 'An admin, who can’t take that right from themselves.',
    security: 'token',
    params: userParams,
    body: z.object({
      uid: ref.optional(),
      name: name.optional(),
      is_admin: z.boolean().optional(),
      disabled: z.boolean().optional(),
      ...accountFields,
    }),
    answers: { 200: { when: 'The user as they are now.', schema: account } },
    errors: ['FORBIDDEN', 'USER_NOT_FOUND', 'ALREADY_EXISTS'],
    example: { params: { user_id: 'bo' }, body: { email: 'bo@school.example' }, answer: exampleAccount },
  }),
  listAccess: operation({
    tag: 'Administration',
    summary: 'Lists who exported, saw or changed what of others, in order.',
    who: admin,
    security: 'token',
    query: z.object({
      actor: z.string().min(1).max(128).optional().describe('A user id.'),
      subject: z.string().min(1).max(128).optional(),
      action: z.string().min(1).max(64).optional(),
      ...page,
      after: z.int().min(0).optional().describe('The `next` of the page before: entries after this number.'),
    }),
    answers: {
      200: {
        when: 'A page of the log.',
        schema: pageOf(
          z
            .strictObject({
              number: z.int().min(1),
              at: timestamp,
              actor: z.strictObject({ user_id: z.string().nullable(), name: z.string().nullable() }),
              action: z.string(),
              subject: z.string().nullable(),
              scope: z.record(z.string(), z.unknown()),
              purpose: z.string().nullable(),
              request_id: z.string().nullable(),
            })
            .meta({ id: 'AccessEntry' }),
        ),
      },
    },
    errors: ['FORBIDDEN'],
    example: {
      query: { action: 'export' },
      answer: {
        items: [
          {
            number: 1,
            at: '2026-11-23T09:00:00.000Z',
            actor: { user_id: 'user-1', name: 'Ada Osei' },
            action: 'export',
            subject: null,
            scope: { course_id: 'course-1' },
            purpose: null,
            request_id: 'req-1',
          },
        ],
        next: null,
      },
    },
  }),
} as const;

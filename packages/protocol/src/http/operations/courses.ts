import { z } from 'zod';
import { courseId, studentRef, teacherId } from '../../ids.js';
import { studentSummary } from '../../objects.js';
import { operation } from '../operation.js';
import { courseParams, day, page, pageOf } from '../parts.js';
import { name, purpose, ref, text } from './school-parts.js';

const courseEntry = z
  .strictObject({
    course_id: courseId,
    title: z.string().nullable(),
    course_code: z.string().nullable(),
    credit: z.number().nullable(),
    teacher_id: teacherId.nullable(),
    teacher_name: z.string().nullable(),
    co_teacher_ids: z.array(teacherId),
  })
  .meta({ id: 'Course' });

const courseFields = {
  course_code: text,
  credit: z.number().min(0).nullish(),
  teacher_id: ref.nullish(),
  purpose,
};

const coTeachers = z.array(ref).max(100);

const enrollment = z
  .strictObject({
    student: z.strictObject(studentSummary.shape),
    status: z.enum(['pending', 'approved', 'rejected']),
    begins: day.nullable().describe('The first day on which it counts.'),
    ends: day.nullable().describe('The first day on which it no longer does.'),
  })
  .meta({ id: 'Enrollment' });

const enrolledParams = z.object({ course_id: courseId, student_id: studentRef });

const exampleCourse = {
  course_id: 'course-1',
  title: 'Databases',
  course_code: 'CSE-301',
  credit: 3,
  teacher_id: 'teacher-1',
  teacher_name: 'Ada Osei',
  co_teacher_ids: [],
};

const exampleEnrollment = {
  student: {
    student_id: 'student-1',
    user_id: 'user-2',
    name: 'Bo Lind',
    roll: '1907001',
    section: 'A',
    profile_picture: null,
    email: 'bo@school.example',
  },
  status: 'approved',
  begins: null,
  ends: null,
};

const admin = 'An admin.';

const ofCourse = ['COURSE_NOT_FOUND', 'FORBIDDEN'] as const;

export const courseOperations = {
  listCourses: operation({
    tag: 'Courses',
    summary: 'Lists courses: all of them to admins, to others those in which they teach or are enrolled.',
    who: 'Whoever is signed in.',
    security: 'token',
    query: z.object(page),
    answers: { 200: { when: 'A page of them.', schema: pageOf(courseEntry) } },
    errors: [],
    etag: true,
    example: { query: { limit: 20 }, answer: { items: [exampleCourse], next: null } },
  }),
  getCourse: operation({
    tag: 'Courses',
    summary: 'Reads one course.',
    who: 'Its teachers and approved students, or an admin.',
    security: 'token',
    params: courseParams,
    answers: { 200: { when: 'The course.', schema: courseEntry } },
    errors: ['COURSE_NOT_FOUND'],
    etag: true,
    example: { params: { course_id: 'course-1' }, answer: exampleCourse },
  }),
  createCourse: operation({
    tag: 'Courses',
    summary: 'Makes a course, under a fresh id where none is given.',
    who: admin,
    security: 'token',
    body: z.object({ course_id: ref.nullish(), title: name, co_teacher_ids: coTeachers.nullish(), ...courseFields }),
    answers: { 201: { when: 'The course is made.', schema: courseEntry } },
    errors: ['FORBIDDEN', 'ALREADY_EXISTS'],
    example: { body: { course_id: 'course-1', title: 'Databases', teacher_id: 'teacher-1' }, answer: exampleCourse },
  }),
  changeCourse: operation({
    tag: 'Courses',
    summary: 'Changes what is said of a course: what is left out stays, null takes a value away.',
    who: admin,
    security: 'token',
    params: courseParams,
    body: z.object({ title: name.optional(), co_teacher_ids: coTeachers.optional(), ...courseFields }),
    answers: { 200: { when: 'The course as it is now.', schema: courseEntry } },
    errors: [...ofCourse],
    example: { params: { course_id: 'course-1' }, body: { credit: 3 }, answer: exampleCourse },
  }),
  listEnrollments: operation({
    tag: 'Courses',
    summary: 'Lists who is enrolled in a course, whatever the status.',
    who: 'A teacher of the course, or an admin.',
    security: 'token',
    params: courseParams,
    query: z.object(page),
    answers: { 200: { when: 'A page of enrolments.', schema: pageOf(enrollment) } },
    errors: [...ofCourse],
    etag: true,
    example: { params: { course_id: 'course-1' }, answer: { items: [exampleEnrollment], next: null } },
  }),
  putEnrollment: operation({
    tag: 'Courses',
    summary: 'Enrols a student. Status and days are said as a whole.',
    who: admin,
    security: 'token',
    params: enrolledParams,
    body: z.object({
      status: z.enum(['pending', 'approved', 'rejected']).nullish().describe('`approved` where nothing is said.'),
      begins: day.nullish(),
      ends: day.nullish(),
    }),
    answers: { 200: { when: 'The enrolment as it is now.', schema: enrollment } },
    errors: [...ofCourse, 'STUDENT_NOT_FOUND'],
    example: {
      params: { course_id: 'course-1', student_id: 'student-1' },
      body: { status: 'approved' },
      answer: exampleEnrollment,
    },
  }),
  withdrawEnrollment: operation({
    tag: 'Courses',
    summary: 'Rejects an enrolment. What was recorded of the student stays.',
    who: admin,
    security: 'token',
    params: enrolledParams,
    answers: { 204: { when: 'The student is enrolled no more.' } },
    errors: [...ofCourse, 'STUDENT_NOT_FOUND'],
    example: { params: { course_id: 'course-1', student_id: 'student-1' } },
  }),
} as const;

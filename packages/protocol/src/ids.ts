import { z } from 'zod';

/** Longest id on the wire, in UTF-16 units. */
export const ID_MAX_LENGTH = 128;

/** False for a string with a lone surrogate: UTF-8 can't hold it, so what is read back would differ. */
export const isWellFormed = (value: string): boolean => !/\p{Surrogate}/u.test(value);

/** An opaque id: a well-formed string of 1–128 characters. */
const id = z
  .string()
  .min(1)
  .max(ID_MAX_LENGTH)
  .refine((value) => isWellFormed(value), { error: 'is not well-formed Unicode' });

export const sessionId = id.brand<'SessionId'>();
export const courseId = id.brand<'CourseId'>();
export const studentId = id.brand<'StudentId'>();
export const teacherId = id.brand<'TeacherId'>();
export const userId = id.brand<'UserId'>();

export type SessionId = z.infer<typeof sessionId>;
export type CourseId = z.infer<typeof courseId>;
/** Id of a student profile, never of a user. */
export type StudentId = z.infer<typeof studentId>;
/** Id of a teacher profile, never of a user. */
export type TeacherId = z.infer<typeof teacherId>;
export type UserId = z.infer<typeof userId>;

/** A student as a client names them: profile id, user id or uid. Resolved before anything is decided. */
export const studentRef = id;
export type StudentRef = string;

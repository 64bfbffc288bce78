import { z } from 'zod';

/** Fields that people, courses and the timetable share. */

export const TEXT_MAX = 1_000;
export const text = z.string().max(TEXT_MAX).nullish();
export const name = z.string().regex(/\S/, { error: 'is empty' }).max(TEXT_MAX);
export const ref = z.string().min(1).max(128);
export const purpose = z.string().max(TEXT_MAX).nullish().describe('Why, for the access log.');

import { z } from 'zod';
import { type ErrorCode, errorRegistry } from './errors.js';
import { publicRecord } from './payload-parts.js';

export const errorCode = z.enum(Object.keys(errorRegistry) as [ErrorCode, ...ErrorCode[]]).meta({ id: 'ErrorCode' });

/** A row of a bulk request that was refused; `index` counts from 0. */
export const failedRow = z
  .strictObject({
    index: z.int().min(0).describe('Position in attendanceUpdates, from 0.'),
    student_id: z.string().nullable().describe('As it was sent, where it was a string.'),
    code: errorCode,
    message: z.string(),
  })
  .meta({ id: 'FailedRow' });

const errorDetails = z.strictObject({
  field: z.string().optional().describe('The field that a BAD_REQUEST is about.'),
  issues: z
    .array(z.strictObject({ field: z.string(), message: z.string() }))
    .optional()
    .describe('Every field that a BAD_REQUEST is about, at most 20.'),
  rows: z.array(failedRow).optional().describe('The bad rows of a bulk request.'),
  record: publicRecord.optional().describe('The record that a CONFLICT is about, as it stands.'),
  retry_after: z.number().min(0).optional().describe('Seconds until the request may succeed.'),
});

/** `error` of a refused acknowledgement. */
export const wireError = z
  .strictObject({
    code: errorCode,
    message: z.string(),
    retryable: z.boolean().describe('True where the same request may succeed later without being changed.'),
    details: errorDetails.optional(),
  })
  .meta({ id: 'Error' });

/** The acknowledgement of a command that was refused. */
export const refusedAck = z.strictObject({ ok: z.literal(false), error: wireError }).meta({ id: 'RefusedAck' });
export type RefusedAck = z.infer<typeof refusedAck>;

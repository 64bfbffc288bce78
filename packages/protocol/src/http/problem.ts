import { z } from 'zod';
import { errorCode } from '../refusals.js';

/** How an error is answered over HTTP: a problem document (RFC 9457) with the code of the registry. */
export const problem = z
  .object({
    type: z.string().describe('Address of what the code means.'),
    title: z.string().describe('What the code means, always in the same words.'),
    status: z.int(),
    code: errorCode,
    detail: z.string().describe('What was wrong with this request.'),
    retryable: z.boolean().describe('True: the same request may succeed later.'),
    request_id: z.string().describe('Also in the header X-Request-Id, and in the server’s log.'),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .describe('Fields that are wrong.'),
    details: z.record(z.string(), z.unknown()).optional().describe('More about it, as in an acknowledgement.'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problem>;

import { z } from 'zod';
import { clientEvents } from '../client-events.js';
import { courseId, sessionId, studentRef } from '../ids.js';
import { seq } from '../objects.js';

/** Parts that the operations of the API share. */

export const sessionParams = z.object({ session_id: sessionId });
export const recordParams = z.object({ session_id: sessionId, student_id: studentRef });
export const courseParams = z.object({ course_id: courseId });

/** Rows of a list that are answered at once. */
export const PAGE_MAX = 200;
const PAGE_DEFAULT = 50;

/** Lists go on by a plain key: the id of the last item that is there already. */
export const page = {
  after: z.string().min(1).max(128).optional().describe('The `next` of the page before: items after this id.'),
  limit: z.int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT).describe('Items at most.'),
};

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    items: z.array(item),
    next: z.string().nullable().describe('Sent as `after` for the next page; null on the last one.'),
  });

/** A day of the school's calendar: `2026-11-23`. */
export const day = z.iso.date({ error: 'must be a day such as 2026-11-23' });
export const range = {
  from: day.optional().describe('First day, inclusive.'),
  to: day.optional().describe('Last day, inclusive.'),
};

/** The field by which a repeat has one effect; the header Idempotency-Key says the same. */
export const opId = clientEvents.endAttendanceSession.shape.op_id;

/** What an answer to a change carries beside its payload, as an acknowledgement does. */
export const changed = {
  seq: seq.describe("The change's journal entry, or the session's last one where nothing was written."),
  duplicate: z.literal(true).optional().describe('Set where the op_id was answered before.'),
};

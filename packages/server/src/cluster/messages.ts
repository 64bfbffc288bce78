import type { SessionId, StudentId } from '@rollcall/protocol';
import { z } from 'zod';

/** What nodes tell each other, by the Socket.IO adapter's serverSideEmit. Nothing in here is the truth: the journal is. */

const sessionId = z.string().transform((id) => id as SessionId);
const studentId = z.string().transform((id) => id as StudentId);

/** A socket of a student came to a session, or went from it. */
const move = z.object({
  session_id: sessionId,
  student_id: studentId,
  socket_id: z.string(),
  move: z.enum(['in', 'out', 'left']),
});
export type Move = z.infer<typeof move>;

const content = z.discriminatedUnion('type', [
  /** "The journals of these sessions go on to these seqs." */
  z.object({ type: z.literal('hints'), hints: z.array(z.tuple([sessionId, z.number()])) }),
  /** Presence of the sender's sockets. `all`: these are all there are, forget what was said before. */
  z.object({ type: z.literal('moves'), all: z.boolean(), moves: z.array(move) }),
  /** "These students sent wrong check-in codes to these sessions", one each. */
  z.object({ type: z.literal('wrong_codes'), wrong: z.array(z.tuple([sessionId, studentId])) }),
  /** "These web sessions were closed." */
  z.object({ type: z.literal('signed_out'), sids: z.array(z.string()) }),
  /** "I live." Who hasn't heard of the sender asks it to tell all. */
  z.object({ type: z.literal('alive') }),
  /** "`to`, tell all." */
  z.object({ type: z.literal('tell'), to: z.string() }),
  /** "I stop: my sockets are gone, their users are on their way to you." */
  z.object({ type: z.literal('gone') }),
]);
export type Content = z.infer<typeof content>;

/** Sender and channel are on each message: an adapter may carry those of another installation as well. */
export const message = z.intersection(z.object({ channel: z.string(), node: z.string() }), content);
export type Message = z.infer<typeof message>;

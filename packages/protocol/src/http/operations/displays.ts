import { z } from 'zod';
import { timestamp } from '../../objects.js';
import { operation } from '../operation.js';
import { sessionParams } from '../parts.js';

const session_id = 'session-1';

export const displayOperations = {
  makeDisplayToken: operation({
    tag: 'Sessions',
    summary: 'Makes a token for a screen that shows the check-in code and the statistics of a session.',
    description:
      'A socket with the token in `auth.display` gets `attendanceCode` and `attendanceStatistics` of this session and nothing else, and may send nothing. It ends with the session.',
    who: 'A teacher of the session, or an admin.',
    security: 'token',
    params: sessionParams,
    answers: {
      201: {
        when: 'The token is made.',
        schema: z.strictObject({
          token: z.string(),
          url: z.string().describe('A page that shows it, with the token in its fragment.'),
          expires_at: timestamp,
        }),
      },
    },
    errors: [
      'NOT_A_TEACHER',
      'NOT_SESSION_TEACHER',
      'SESSION_NOT_FOUND',
      'SESSION_NOT_ACTIVE',
      'SESSION_ENDED',
      'JOURNAL_UNREADABLE',
    ],
    example: {
      params: { session_id },
      answer: {
        token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzZXNzaW9uX2lkIjoic2Vzc2lvbi0xIn0.c2lnbmF0dXJl',
        url: 'https://rollcall.example/present/session-1#eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzZXNzaW9uX2lkIjoic2Vzc2lvbi0xIn0.c2lnbmF0dXJl',
        expires_at: '2026-11-23T14:00:00.000Z',
      },
    },
  }),
  makeTicket: operation({
    tag: 'Sessions',
    summary: 'Keeps a scanned check-in link for 5 minutes, while the student signs in.',
    description:
      'The answer sets an httpOnly cookie. It counts as the code of one first check-in to this session, over a socket or over HTTP, that is sent from the same browser without a code.',
    who: 'Everybody: it takes no sign-in.',
    security: 'nothing',
    params: sessionParams,
    body: z.object({
      code: z.string().min(1).max(200).describe('The token of a check-in link. Digits and words are not taken.'),
    }),
    answers: { 204: { when: 'The cookie is set.' } },
    errors: ['SESSION_NOT_ACTIVE', 'CODE_INVALID', 'CODE_EXPIRED', 'JOURNAL_UNREADABLE'],
    example: { params: { session_id }, body: { code: 'q1Z0b3Rlcl9tYXBsZV9jbA' } },
  }),
} as const;

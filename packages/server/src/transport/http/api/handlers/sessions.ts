import { positionOf } from '../../../../commands/present.js';
import { activeForTeacherNow } from '../../../../commands/rights.js';
import { sessionCard } from '../../../../sessions/session-card.js';
import { sessionJournal } from '../../../../sessions/session-journal.js';
import type { HandlersOf } from '../api-context.js';
import { entityTag } from '../entity-tags.js';
import { idempotencyKeyOf } from '../read-request.js';
import { runCommand } from '../run-command.js';
import { putRecord } from './put-record.js';

/** Running sessions: the same commands as on the socket, and two reads beside them. */
export const sessionHandlers = {
  getSession: ({ params, query, caller, tag }, context) => {
    const { services } = context;
    const live = activeForTeacherNow(caller.person, params.session_id, services);
    if (live && query.since_seq === undefined) {
      services.touched(live);
      // All that the answer depends on: whoever has it already costs next to nothing.
      const { seq, chain } = positionOf(live.state);
      tag(entityTag(params.session_id, seq, chain, live.presence.count));
    }
    return runCommand('getAttendanceSessionData', { ...params, ...query }, caller, context);
  },
  startSession: ({ params, body, caller }, context) =>
    runCommand('startAttendanceSession', { ...body, ...params }, caller, context),
  endSession: ({ params, body, caller }, context) =>
    runCommand('endAttendanceSession', { ...body, ...params }, caller, context),
  keepSessionAlive: ({ params, body, caller }, context) =>
    runCommand('keepAttendanceSessionAlive', { ...body, ...params }, caller, context),
  checkIn: ({ params, body, caller, request }, context) =>
    runCommand('joinAttendanceSession', { ...body, ...params }, caller, context, request.headers.cookie),
  updateRecords: ({ params, body, caller }, context) =>
    runCommand('bulkUpdateAttendance', { ...body, ...params }, caller, context),
  putRecord: (call, context) => putRecord(call, context),
  clearRecord: ({ params, query, caller, request }, context) =>
    runCommand('clearStudentMark', { ...params, ...query, op_id: idempotencyKeyOf(request) }, caller, context),
  getCard: async ({ params, caller }, { services }) => ({
    body: await sessionCard(caller.person, params.session_id, services),
  }),
  getJournal: async ({ params, query, caller, charge }, { services }) => {
    await charge(query.limit);
    return { body: await sessionJournal(caller.person, params.session_id, query, services) };
  },
} satisfies Partial<HandlersOf>;

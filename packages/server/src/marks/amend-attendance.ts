import { carryOut } from '../commands/carry-out.js';
import { type Call, defineCommand, type Services } from '../commands/command.js';
import { sessionForTeacher } from '../commands/rights.js';
import type { LiveSession } from '../register/live-session.js';
import type { FoundSession } from '../register/live-sessions.js';

export const amendAttendance = defineCommand({
  name: 'amendAttendance',
  async handle(call, services) {
    const { session_id, student_id, status, remarks, reason, expected_seq } = call.input;
    const found = await withJournal(
      await sessionForTeacher(call.person, session_id, 'amend attendance', services),
      services,
    );
    const row = { index: 0, ref: student_id, status, remarks, expected_seq };
    const answering = found.kind === 'ended' ? toldOnce(call, found.live) : call;
    await carryOut(found, { type: 'amend', row, reason }, answering, services);
  },
});

/** One that was completed before Rollcall came is given a journal. */
async function withJournal(found: FoundSession, services: Services): Promise<FoundSession> {
  if (found.kind !== 'stored' || found.stored.status !== 'completed') return found;
  const live = await services.sessions.adoptCompleted(found.stored);
  return { kind: 'ended', live, state: live.state };
}

/** A caller who watches the session is told of an entry by its broadcast, and not by the answer's event as well. */
function toldOnce(call: Call<'amendAttendance'>, live: LiveSession): Call<'amendAttendance'> {
  const before = live.state.seq;
  return {
    ...call,
    answer: (events, payload, extra) => {
      const isNew = extra?.duplicate !== true && (extra?.seq ?? 0) > before;
      call.answer(isNew && call.connection?.isToldAmendmentsOf(live) ? undefined : events, payload, extra);
    },
  };
}

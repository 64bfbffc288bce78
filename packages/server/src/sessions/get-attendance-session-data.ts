import { type Call, defineCommand, type Services } from '../commands/command.js';
import {
  changeOf,
  positionOf,
  recordOf,
  type SessionData,
  sessionDataOf,
  sessionOfState,
  sessionOfStored,
  statisticsOfState,
} from '../commands/present.js';
import { activeForTeacher, sessionForTeacher } from '../commands/rights.js';
import type { Entry } from '../journal/entries.js';
import { statisticsOf } from '../register/fold.js';
import type { LiveSession } from '../register/live-session.js';
import { rosterOf } from '../register/live-sessions.js';
import { changesSince } from '../register/read-journal.js';
import { noCounts } from '../register/session-state.js';
import type { StoredSession } from '../storage/port.js';

export const getAttendanceSessionData = defineCommand({
  name: 'getAttendanceSessionData',
  async handle(call, services) {
    const { session_id, since_seq, since_chain } = call.input;
    const found = await sessionForTeacher(call.person, session_id, 'view attendance data', services);
    switch (found.kind) {
      case 'stored':
        // There is no journal that a client could have heard of.
        return answer(call, await storedData(found.stored, services), since_seq === undefined ? 'whole' : 'none');
      case 'ended': {
        const { state } = found;
        const data = { ...sessionDataOf(state, statisticsOfState(state), 'teacher'), ...positionOf(state) };
        if (since_seq === undefined) return answer(call, data, 'whole');
        await call.connection?.afford(state.seq - since_seq);
        const changes = await changesSince(services.storage, state, since_seq, since_chain);
        return answer(call, data, changes ?? 'reset');
      }
      case 'live':
        return answerLive(call, found.live);
    }
  },
});

export const watchAttendanceSession = defineCommand({
  name: 'watchAttendanceSession',
  async handle(call, services) {
    const { session_id } = call.input;
    const live = await activeForTeacher(call.person, session_id, 'view attendance data', services);
    call.connection?.watch(live);
    answer(call, wholeOf(live), 'whole');
  },
});

type DataCall = Call<'getAttendanceSessionData'> | Call<'watchAttendanceSession'>;

async function answerLive(call: Call<'getAttendanceSessionData'>, live: LiveSession): Promise<void> {
  const { since_seq, since_chain } = call.input;
  if (since_seq !== undefined) await call.connection?.afford(live.state.seq - since_seq);
  // The client has heard of more than this node has.
  if (since_seq !== undefined && since_seq > live.state.seq) await live.lookUp();
  // The room first: what is committed while the journal is read arrives live, and is told apart by its seq.
  call.connection?.watch(live);
  if (since_seq === undefined) return answer(call, wholeOf(live), 'whole');
  const head = {
    session_id: live.session_id,
    session: sessionOfState(live.state),
    statistics: live.statistics,
    ...positionOf(live.state),
  };
  const entries = await live.entriesSince(since_seq, since_chain);
  if (!entries) return answer(call, wholeOf(live), 'reset');
  answer(
    call,
    head,
    entries.filter((entry) => entry.seq <= head.seq),
  );
}

const wholeOf = (live: LiveSession): SessionData & { readonly chain: string } => ({
  ...sessionDataOf(live.state, live.statistics, 'teacher'),
  ...positionOf(live.state),
});

type Head = Omit<SessionData, 'attendanceRecords'> & Partial<SessionData>;

/** @param what the whole, the whole in place of what the client has, or the entries since what it has */
function answer(call: DataCall, data: Head, what: 'whole' | 'reset' | 'none' | readonly Entry[]): void {
  const { attendanceRecords: _, ...head } = data;
  if (what === 'whole') call.answer('attendanceSessionData', data);
  else if (what === 'reset') call.answer('attendanceSessionData', { ...data, reset: true });
  else call.answer('attendanceSessionData', { ...head, changes: what === 'none' ? [] : what.map(changeOf) });
}

/** A session without a journal: scheduled, or completed before Rollcall came. Its roster is counted, its records are as found. */
async function storedData(stored: StoredSession, services: Services): Promise<SessionData> {
  const { session_id } = stored;
  const [roster, records] = await Promise.all([
    rosterOf(services.storage, stored, services.now(), services.newRecordId),
    services.storage.projection.readRecords(session_id),
  ]);
  const existing = new Set(records.map(({ student_id }) => student_id));
  // Over for good: those enrolled since were not part of it.
  const lines =
    stored.status === 'scheduled' ? roster : roster.filter(({ student }) => existing.has(student.student_id));
  const counts = noCounts();
  for (const { status, checked_in_at } of lines) {
    counts[status] += 1;
    if (checked_in_at !== null) counts.checked_in += 1;
  }
  return {
    session_id,
    session: sessionOfStored(stored),
    attendanceRecords: lines
      .filter(({ student }) => existing.has(student.student_id))
      .map((row) => recordOf(session_id, { ...row, seq: 0 }, 'teacher')),
    statistics: statisticsOf(counts, 0),
    seq: 0,
  };
}

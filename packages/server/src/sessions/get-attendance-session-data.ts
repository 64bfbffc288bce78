import type { Statistics } from '@rollcall/protocol';
import { type Call, defineCommand, type Services } from '../commands/command.js';
import {
  changeOf,
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
import { readJournal } from '../register/journal.js';
import type { LiveSession } from '../register/live-session.js';
import { rosterOf } from '../register/live-sessions.js';
import { noCounts, type SessionState } from '../register/session-state.js';
import type { StoredSession } from '../storage/port.js';

export const getAttendanceSessionData = defineCommand({
  name: 'getAttendanceSessionData',
  async handle(call, services) {
    const { session_id, since_seq } = call.input;
    const found = await sessionForTeacher(call.person, session_id, 'view attendance data', services);
    if (found.kind === 'stored') return answer(call, await storedData(found.stored, services), since_seq, []);
    if (found.kind === 'ended') {
      const { state } = found;
      if (since_seq !== undefined) await call.chargeFor(state.seq - since_seq);
      const entries = since_seq === undefined ? [] : await readJournal(services.storage, session_id, since_seq);
      return answer(call, sessionDataOf(state, statisticsOfState(state), 'teacher'), since_seq, entries);
    }
    await answerLive(call, found.live);
  },
});

export const watchAttendanceSession = defineCommand({
  name: 'watchAttendanceSession',
  async handle(call, services) {
    const { session_id } = call.input;
    const live = await activeForTeacher(call.person, session_id, 'view attendance data', services);
    call.connection?.watch(live);
    call.answer('attendanceSessionData', sessionDataOf(live.state, live.statistics, 'teacher'));
  },
});

type DataCall = Call<'getAttendanceSessionData'>;

async function answerLive(call: DataCall, live: LiveSession): Promise<void> {
  const { since_seq } = call.input;
  if (since_seq !== undefined) await call.chargeFor(live.state.seq - since_seq);
  // The client has heard of more than this node has.
  if (since_seq !== undefined && since_seq > live.state.seq) await live.lookUp();
  // The room first: what is committed while the journal is read arrives live, and is told apart by its seq.
  call.connection?.watch(live);
  if (since_seq === undefined) {
    call.answer('attendanceSessionData', sessionDataOf(live.state, live.statistics, 'teacher'));
    return;
  }
  const head = headOf(live.state, live.statistics);
  const entries = (await live.entriesAfter(since_seq)).filter((entry) => entry.seq <= head.seq);
  answer(call, head, since_seq, entries);
}

type Head = Omit<SessionData, 'attendanceRecords'> & Partial<SessionData>;

const headOf = (state: SessionState, statistics: Statistics): Head => ({
  session_id: state.facts.session_id,
  session: sessionOfState(state),
  statistics,
  seq: state.seq,
});

function answer(call: DataCall, data: Head, since: number | undefined, entries: readonly Entry[]): void {
  const { attendanceRecords: _, ...head } = data;
  const payload = since === undefined ? data : { ...head, changes: entries.map(changeOf) };
  call.answer('attendanceSessionData', payload);
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

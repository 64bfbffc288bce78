import { type Call, defineCommand, type Services } from '../commands/command.js';
import {
  changeOf,
  recordOf,
  type SessionData,
  type SessionHead,
  sessionHeadOf,
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
    const { session_id } = call.input;
    const found = await sessionForTeacher(call.person, session_id, 'view attendance data', services);
    if (found.kind === 'live') return answerLive(call, found.live, services);
    if (found.kind === 'stored') return answerStored(call, found.stored, services);
    await answerEnded(call, found.state, services);
  },
});

export const watchAttendanceSession = defineCommand({
  name: 'watchAttendanceSession',
  async handle(call, services) {
    const { session_id } = call.input;
    const live = await activeForTeacher(call.person, session_id, 'view attendance data', services);
    await call.chargeFor(live.state.lines.size);
    call.connection?.watch(live);
    call.answer('attendanceSessionData', services.snapshots.data(live.state, live.statistics, 'teacher'));
  },
});

type DataCall = Call<'getAttendanceSessionData'>;

async function answerLive(call: DataCall, live: LiveSession, services: Services): Promise<void> {
  const { since_seq } = call.input;
  if (since_seq === undefined) {
    await call.chargeFor(live.state.lines.size);
    call.connection?.watch(live);
    call.answer('attendanceSessionData', services.snapshots.data(live.state, live.statistics, 'teacher'));
    return;
  }
  await call.chargeFor(live.state.seq - since_seq);
  // The client has heard of more than this node has.
  if (since_seq > live.state.seq) await live.lookUp();
  // The room first: what is committed while the journal is read arrives live, and is told apart by its seq.
  call.connection?.watch(live);
  const head = sessionHeadOf(live.state, live.statistics);
  const entries = (await live.entriesAfter(since_seq)).filter((entry) => entry.seq <= head.seq);
  answerChanges(call, head, entries);
}

async function answerEnded(call: DataCall, state: SessionState, services: Services): Promise<void> {
  const { since_seq } = call.input;
  const statistics = statisticsOfState(state);
  if (since_seq === undefined) {
    await call.chargeFor(state.lines.size);
    call.answer('attendanceSessionData', services.snapshots.data(state, statistics, 'teacher'));
    return;
  }
  await call.chargeFor(state.seq - since_seq);
  const entries = await readJournal(services.storage, state.facts.session_id, since_seq);
  answerChanges(call, sessionHeadOf(state, statistics), entries);
}

async function answerStored(call: DataCall, stored: StoredSession, services: Services): Promise<void> {
  const data = await storedData(stored, services);
  await call.chargeFor(data.attendanceRecords.length);
  const { attendanceRecords: _, ...head } = data;
  if (call.input.since_seq === undefined) call.answer('attendanceSessionData', data);
  else answerChanges(call, head, []);
}

const answerChanges = (call: DataCall, head: SessionHead, entries: readonly Entry[]): void =>
  call.answer('attendanceSessionData', { ...head, changes: entries.map(changeOf) });

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

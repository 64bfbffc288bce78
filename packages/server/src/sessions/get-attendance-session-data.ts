import type { SessionId } from '@rollcall/protocol';
import { type Call, defineCommand, type Services } from '../commands/command.js';
import {
  changeOf,
  positionOf,
  recordOf,
  type SessionData,
  type SessionHead,
  sessionDataOf,
  sessionHeadOf,
  sessionOfStored,
  statisticsOfState,
} from '../commands/present.js';
import { activeForTeacher, sessionForTeacher } from '../commands/rights.js';
import type { Entry } from '../journal/entries.js';
import { statisticsOf } from '../register/fold.js';
import type { LiveSession } from '../register/live-session.js';
import { rosterOf } from '../register/roster.js';
import { noCounts } from '../register/session-state.js';
import type { StoredSession } from '../storage/port.js';

export const getAttendanceSessionData = defineCommand({
  name: 'getAttendanceSessionData',
  async handle(call, services) {
    const { session_id } = call.input;
    const found = await sessionForTeacher(call.person, session_id, 'view attendance data', services);
    if (found.kind === 'stored') return answerStored(call, found.stored, services);
    await answerJournalled(call, found.live, services);
  },
});

export const watchAttendanceSession = defineCommand({
  name: 'watchAttendanceSession',
  async handle(call, services) {
    const { session_id } = call.input;
    const live = await activeForTeacher(call.person, session_id, 'view attendance data', services);
    await answerWhole(call, live, services);
  },
});

/** The same for who asks without a right that could be missing; undefined where there is no such session. */
export async function dataOfSession(sessionId: SessionId, services: Services): Promise<SessionData | undefined> {
  const found = await services.sessions.find(sessionId);
  switch (found?.kind) {
    case 'live':
      return sessionDataOf(found.live.state, found.live.statistics, 'teacher');
    case 'ended':
      return sessionDataOf(found.state, statisticsOfState(found.state), 'teacher');
    case 'stored':
      return storedData(found.stored, services);
    default:
      return undefined;
  }
}

type DataCall = Call<'getAttendanceSessionData'>;
type WholeCall = DataCall | Call<'watchAttendanceSession'>;

/** In place of what the client has, where that is of another journal. */
const RESET = { reset: true } as const;

async function answerWhole(call: WholeCall, live: LiveSession, services: Services, extra = {}): Promise<void> {
  await call.chargeFor(live.state.size);
  call.connection?.watch(live);
  call.answer('attendanceSessionData', services.snapshots.picture(live.state, live.statistics, extra));
}

/** Active or over. */
async function answerJournalled(call: DataCall, live: LiveSession, services: Services): Promise<void> {
  const { since_seq, since_chain } = call.input;
  if (since_seq === undefined) return answerWhole(call, live, services);
  await call.chargeFor(live.state.seq - since_seq);
  // The client has heard of more than this node has.
  if (since_seq > live.state.seq) await live.readJournalNow();
  // The room first: what is committed while the journal is read arrives live, and is told apart by its seq.
  call.connection?.watch(live);
  const head = { ...sessionHeadOf(live.state, live.statistics), ...positionOf(live.state) };
  const entries = await live.history.entriesSince(since_seq, since_chain);
  if (!entries) return answerWhole(call, live, services, RESET);
  answerChanges(
    call,
    head,
    entries.filter((entry) => entry.seq <= head.seq),
  );
}

async function answerStored(call: DataCall, stored: StoredSession, services: Services): Promise<void> {
  const data = await storedData(stored, services);
  await call.chargeFor(data.attendanceRecords.length);
  const { attendanceRecords: _, ...head } = data;
  if (call.input.since_seq === undefined) call.answer('attendanceSessionData', data);
  // There is no journal that a client could have heard of.
  else answerChanges(call, head, []);
}

const answerChanges = (call: DataCall, head: SessionHead, entries: readonly Entry[]): void =>
  call.answer('attendanceSessionData', { ...head, changes: entries.map(changeOf) });

/** A session without a journal: scheduled, or completed before Rollcall came. Its roster is counted, its records are as found. */
export async function storedData(
  stored: StoredSession,
  services: Pick<Services, 'storage' | 'now' | 'newRecordId'>,
): Promise<SessionData> {
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

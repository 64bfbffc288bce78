import type { SessionId } from '@rollcall/protocol';
import type { StoredCommit } from '../journal/commit.js';
import { JournalInspection } from '../journal/inspect.js';
import { type Counts, statisticsOf } from '../register/fold.js';
import { storedRecordOf } from '../register/projector.js';
import { noCounts } from '../register/session-state.js';
import { type Storage, StorageError, type StoredRecord, type StoredSession } from '../storage/port.js';
import { JournalHistory } from './journal-history.js';

const ENTRIES_AT_ONCE = 5_000;
const ATTEMPTS = 3;

/** What the session's row holds as it was when the session started. The teacher's name may follow the teacher's. */
const FACTS = ['course_id', 'date', 'start_time', 'end_time', 'topic', 'description', 'teacher_id'] as const;

/** A session as it was projected; of an exported journal without what it was when it started. */
type ProjectedSession = Pick<StoredSession, 'projected_seq' | 'status' | 'started_at' | 'ended_at'> &
  Partial<Pick<StoredSession, (typeof FACTS)[number]>>;

/** Something that is stored otherwise than the journal says, or a part of the journal that was changed. */
export interface Difference {
  /** seq of the journal's entry, or of the record; null where it is about the whole session. */
  readonly seq: number | null;
  readonly field: string;
  readonly what: string;
}

/** What a journal and its projection have to say about each other. */
export interface SessionVerdict {
  readonly session_id: SessionId;
  readonly entries: number;
  readonly records: number;
  /** seq of the journal's end, and how far records and session were written; equal unless a server is still at it. */
  readonly seq: number;
  readonly projected_seq: number;
  /** Entries up to this one were written before there was a chain; 0 where all are chained. */
  readonly unchained_up_to: number;
  /** Personal values that are there no more, as after a person asked for it; what is hashed names how many there were. */
  readonly removed_values: number;
  readonly differences: readonly Difference[];
}

/** Recomputes one session from its journal and compares. Changes nothing. */
export async function verifySession(storage: Storage, sessionId: SessionId): Promise<SessionVerdict> {
  for (let attempt = 1; ; attempt++) {
    const verdict = await compare(storage, sessionId);
    if (verdict.differences.length === 0 || attempt === ATTEMPTS) return verdict;
    // The parts are read one after the other: what a running server wrote in between is no difference.
    const now = await storage.projection.findSession(sessionId);
    if ((now?.projected_seq ?? 0) === verdict.projected_seq) return verdict;
  }
}

async function compare(storage: Storage, sessionId: SessionId): Promise<SessionVerdict> {
  // In this order, since a projection writes the records before or with the session's projected_seq, and the journal
  // is written before both: what is read later may only be newer.
  const session = await storage.projection.findSession(sessionId);
  const records = await storage.projection.readRecords(sessionId);
  const journal = await inspect(storage, sessionId);
  return verdictOn(sessionId, journal, session, records);
}

/** Compares a journal that has been inspected with what was projected of it. */
export function verdictOn(
  sessionId: SessionId,
  journal: JournalInspection,
  session: ProjectedSession | null,
  records: readonly StoredRecord[],
): SessionVerdict {
  const projected = session?.projected_seq ?? 0;
  const verdict = (differences: readonly Difference[]): SessionVerdict => ({
    session_id: sessionId,
    entries: journal.entries.length,
    records: records.length,
    seq: journal.seq,
    projected_seq: projected,
    unchained_up_to: journal.unchainedUpTo,
    removed_values: journal.removed,
    differences: [...journal.findings, ...differences],
  });
  if (!journal.isReadable) return verdict([]);
  let history: JournalHistory;
  try {
    history = JournalHistory.of(journal.entries);
  } catch (error) {
    // Hashes may have told of what is behind it already.
    if (journal.findings.length > 0) return verdict([]);
    const why = error instanceof Error ? error.message : String(error);
    return verdict([{ seq: journal.seq, field: 'facts', what: `the journal is damaged: ${why}` }]);
  }
  const pastEnd = `records are at ${projected}, past the journal's end ${history.seq}`;
  return verdict([
    ...(projected > history.seq ? [{ seq: projected, field: 'projected_seq', what: pastEnd }] : []),
    ...(session && projected > 0 ? sessionDifferences(session, history) : []),
    ...records.flatMap((record) => recordDifferences(record, history)),
    ...staleOrMissing(records, history, projected),
    ...statisticsDifferences(records, history),
  ]);
}

/** Reads a journal from its first commit to its last and recomputes every hash of it. */
export async function inspect(storage: Storage, sessionId: SessionId): Promise<JournalInspection> {
  const inspection = new JournalInspection(sessionId);
  for (let limit = ENTRIES_AT_ONCE; ; ) {
    let page: StoredCommit[];
    try {
      page = await storage.journal.readCommits(sessionId, inspection.seq, limit);
    } catch (error) {
      // One commit that can't be handed out must not hide the others: it is found by reading them one by one.
      if (!(error instanceof StorageError)) throw error;
      if (limit === 1) inspection.unreadable(inspection.seq + 1, error.message);
      if (limit === 1 && !(await hasMore(storage, sessionId, inspection.seq))) break;
      limit = 1;
      continue;
    }
    for (const commit of page) inspection.add(commit);
    if (page.length === 0) break;
  }
  inspection.finish();
  return inspection;
}

async function hasMore(storage: Storage, sessionId: SessionId, seq: number): Promise<boolean> {
  return ((await storage.journal.lastSeqs([sessionId])).get(sessionId) ?? 0) > seq;
}

function sessionDifferences(session: ProjectedSession, history: JournalHistory): Difference[] {
  const ended = history.endSeq !== null && history.endSeq <= session.projected_seq;
  const expected = {
    status: ended ? 'completed' : 'active',
    started_at: history.started_at,
    ended_at: ended ? (history.ending?.at ?? null) : null,
  };
  const { facts } = history;
  // What the journal doesn't say, or no longer says, is as the database has it; an exported journal has no such field.
  const said = FACTS.filter((field) => facts[field] !== null && session[field] !== undefined);
  const all = { ...expected, ...Object.fromEntries(said.map((field) => [field, facts[field]])) };
  return differing(session, all).map(([field, is, should]) => ({
    seq: null,
    field,
    what: `the session's ${field} is ${is}, by the journal ${should}`,
  }));
}

/** Each record must be what the journal said when it was written, at the record's own seq. */
function recordDifferences(record: StoredRecord, history: JournalHistory): Difference[] {
  // Seq 0: a row of another application, which Rollcall leaves alone.
  if (record.seq === 0) return [];
  const line = history.lineAsOf(record.student_id, record.seq);
  if (line?.seq !== record.seq) {
    const what = `student ${record.student_id}: the record is of entry ${record.seq}, which didn't change this student`;
    return [{ seq: record.seq, field: 'seq', what }];
  }
  return differing(record, storedRecordOf(line)).map(([field, is, should]) => ({
    seq: record.seq,
    field,
    what: `student ${record.student_id}: ${field} is ${is}, by entry ${record.seq} ${should}`,
  }));
}

function staleOrMissing(records: readonly StoredRecord[], history: JournalHistory, projectedSeq: number): Difference[] {
  const stored = new Map(records.map((record) => [record.student_id, record]));
  return [...history.students].flatMap((studentId) => {
    const due = history.lineAsOf(studentId, projectedSeq);
    const record = stored.get(studentId);
    if (!due || (record && record.seq >= due.seq)) return [];
    const what = record
      ? `student ${studentId}: the record is of entry ${record.seq}, older than entry ${due.seq}`
      : `student ${studentId}: the record of entry ${due.seq} is missing`;
    return [{ seq: due.seq, field: 'record', what }];
  });
}

/** Running counts must be those of the lines, and, where every record is written, those of the records. */
function statisticsDifferences(records: readonly StoredRecord[], history: JournalHistory): Difference[] {
  const wrong = (what: string): Difference[] => [{ seq: null, field: 'statistics', what }];
  const kept = JSON.stringify(statisticsOf(history.counts, 0));
  const counted = JSON.stringify(statisticsOf(countsOf(history.lastLines), 0));
  if (counted !== kept) return wrong(`the statistics of the journal are ${kept}, of its lines ${counted}`);
  const own = records.filter((record) => record.seq > 0);
  const current = own.every((record) => history.line(record.student_id)?.seq === record.seq);
  if (!current || own.length !== history.lastLines.length) return [];
  const stored = JSON.stringify(statisticsOf(countsOf(own), 0));
  return stored === kept ? [] : wrong(`the statistics of the records are ${stored}, by the journal ${kept}`);
}

function countsOf(lines: ReadonlyArray<Pick<StoredRecord, 'status' | 'checked_in_at'>>): Counts {
  const counts = noCounts();
  for (const { status, checked_in_at } of lines) {
    counts[status] += 1;
    if (checked_in_at !== null) counts.checked_in += 1;
  }
  return counts;
}

/** The fields of `expected` that `actual` has otherwise: name, value, expected value. */
function differing<T extends object>(
  actual: T,
  expected: { readonly [Key in keyof T]?: unknown },
): [string, string, string][] {
  return (Object.keys(expected) as (keyof T & string)[]).flatMap((field) => {
    const [is, should] = [JSON.stringify(actual[field]), JSON.stringify(expected[field])];
    return is === should ? [] : [[field, String(is), String(should)] as [string, string, string]];
  });
}

import type { SessionId } from '@rollcall/protocol';
import type { Entry } from '../journal/entries.js';
import { type Counts, statisticsOf } from '../register/fold.js';
import { recordOf } from '../register/projector.js';
import { noCounts } from '../register/session-state.js';
import type { Storage, StoredRecord, StoredSession } from '../storage/port.js';
import { JournalHistory } from './journal-history.js';

const ENTRIES_AT_ONCE = 5_000;
const ATTEMPTS = 3;

/** What a journal and its projection have to say about each other. */
export interface SessionVerdict {
  readonly session_id: SessionId;
  readonly entries: number;
  readonly records: number;
  /** seq of the journal's end, and how far records and session were written; equal unless a server is still at it. */
  readonly seq: number;
  readonly projected_seq: number;
  readonly differences: readonly string[];
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
  const entries = await readJournal(storage, sessionId);
  const projectedSeq = session?.projected_seq ?? 0;
  const verdict = (seq: number, differences: readonly string[]): SessionVerdict => ({
    session_id: sessionId,
    entries: entries.length,
    records: records.length,
    seq,
    projected_seq: projectedSeq,
    differences,
  });

  let history: JournalHistory;
  try {
    history = JournalHistory.of(entries);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return verdict(entries.at(-1)?.seq ?? 0, [`the journal is damaged: ${error.message}`]);
  }
  return verdict(history.seq, [
    ...(projectedSeq > history.seq ? [`records are at ${projectedSeq}, past the journal's end ${history.seq}`] : []),
    ...(session && projectedSeq > 0 ? sessionDifferences(session, history) : []),
    ...records.flatMap((record) => recordDifferences(record, history)),
    ...staleOrMissing(records, history, projectedSeq),
    ...statisticsDifferences(records, history),
  ]);
}

async function readJournal(storage: Storage, sessionId: SessionId): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const more = await storage.journal.readEntries(sessionId, entries.at(-1)?.seq ?? 0, ENTRIES_AT_ONCE);
    if (more.length === 0) return entries;
    for (const entry of more) entries.push(entry);
  }
}

function sessionDifferences(session: StoredSession, history: JournalHistory): string[] {
  const ended = history.endSeq !== null && history.endSeq <= session.projected_seq;
  const expected = {
    status: ended ? 'completed' : 'active',
    started_at: history.started_at,
    ended_at: ended ? (history.ending?.at ?? null) : null,
  };
  return differing(session, expected).map(
    ([field, is, should]) => `the session's ${field} is ${is}, by the journal ${should}`,
  );
}

/** Each record must be what the journal said when it was written, at the record's own seq. */
function recordDifferences(record: StoredRecord, history: JournalHistory): string[] {
  // Seq 0: a row of another application, which Rollcall leaves alone.
  if (record.seq === 0) return [];
  const line = history.lineAsOf(record.student_id, record.seq);
  if (line?.seq !== record.seq) {
    return [`student ${record.student_id}: the record is of entry ${record.seq}, which didn't change this student`];
  }
  return differing(record, recordOf(line)).map(
    ([field, is, should]) => `student ${record.student_id}: ${field} is ${is}, by entry ${record.seq} ${should}`,
  );
}

function staleOrMissing(records: readonly StoredRecord[], history: JournalHistory, projectedSeq: number): string[] {
  const stored = new Map(records.map((record) => [record.student_id, record]));
  return [...history.students].flatMap((studentId) => {
    const due = history.lineAsOf(studentId, projectedSeq);
    const record = stored.get(studentId);
    if (!due || (record && record.seq >= due.seq)) return [];
    return record
      ? [`student ${studentId}: the record is of entry ${record.seq}, older than entry ${due.seq}`]
      : [`student ${studentId}: the record of entry ${due.seq} is missing`];
  });
}

/** Running counts must be those of the lines, and, where every record is written, those of the records. */
function statisticsDifferences(records: readonly StoredRecord[], history: JournalHistory): string[] {
  const kept = JSON.stringify(statisticsOf(history.counts, 0));
  const counted = JSON.stringify(statisticsOf(countsOf(history.lastLines), 0));
  if (counted !== kept) return [`the statistics of the journal are ${kept}, of its lines ${counted}`];
  const own = records.filter((record) => record.seq > 0);
  const current = own.every((record) => history.line(record.student_id)?.seq === record.seq);
  if (!current || own.length !== history.lastLines.length) return [];
  const stored = JSON.stringify(statisticsOf(countsOf(own), 0));
  return stored === kept ? [] : [`the statistics of the records are ${stored}, by the journal ${kept}`];
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
function differing<T extends object>(actual: T, expected: { readonly [Key in keyof T]?: unknown }): string[][] {
  return (Object.keys(expected) as (keyof T & string)[])
    .map((field) => [field, JSON.stringify(actual[field]), JSON.stringify(expected[field])])
    .filter(([, is, should]) => is !== should)
    .map((parts) => parts.map(String));
}

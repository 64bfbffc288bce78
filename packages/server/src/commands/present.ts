import type {
  AttendanceRecord,
  Change,
  Policy,
  ServerPayload,
  Session,
  SessionId,
  Statistics,
  StudentSummary,
} from '@rollcall/protocol';
import { EncodedPayload } from '../encoded-payload.js';
import { chainMark } from '../journal/commit.js';
import type { Entry, RosterStudent, SessionFacts } from '../journal/entries.js';
import type { CheckInCode } from '../register/check-in-codes.js';
import type { Amendment, Publication } from '../register/command.js';
import { type Line, statisticsOf } from '../register/fold.js';
import type { SessionState } from '../register/session-state.js';
import type { StoredRecord, StoredSession } from '../storage/port.js';

/** Domain → wire: the one place that knows how a record, a session and a change look to a client. */

/** The times of a commit's answers and events are few, and written again and again. A power of two. */
const ISO_KEPT = 256;
const iso: Array<{ readonly ms: number; readonly text: string } | undefined> = [];

export function isoOf(ms: number): string {
  const place = ms & (ISO_KEPT - 1);
  const kept = iso[place];
  if (kept?.ms === ms) return kept.text;
  const text = new Date(ms).toISOString();
  iso[place] = { ms, text };
  return text;
}
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : isoOf(ms));

/** For whom an object is: a student's email is for teachers' answers alone, never for broadcasts. */
export type Audience = 'teacher' | 'everyone';

export function studentOf(student: RosterStudent, audience: Audience): StudentSummary {
  const { student_id, user_id, name, roll, section, profile_picture, email } = student;
  return audience === 'teacher'
    ? { student_id, user_id, name, roll, section, profile_picture, email }
    : { student_id, user_id, name, roll, section, profile_picture };
}

type RecordSource = Omit<StoredRecord, 'student_id'> & { readonly student: RosterStudent };

export function recordOf(sessionId: SessionId, line: RecordSource | Line, audience: Audience): AttendanceRecord {
  return {
    _id: line.record_id,
    session_id: sessionId,
    student_id: line.student.student_id,
    status: line.status,
    remarks: line.remarks,
    student: studentOf(line.student, audience),
    checked_in_at: isoOrNull(line.checked_in_at),
    marked_at: isoOrNull(line.marked_at),
    marked_by: line.marked_by,
    seq: line.seq,
    createdAt: isoOf(line.created_at),
    updatedAt: isoOf(line.updated_at),
  };
}

/** @param publicUrl address under which people reach the server */
export function codeOf(sessionId: SessionId, code: CheckInCode, publicUrl: string): ServerPayload<'attendanceCode'> {
  const { digits, words, token, next_at, valid_until } = code;
  const page = `${publicUrl.replace(/\/+$/, '')}/check-in/${encodeURIComponent(sessionId)}`;
  return {
    session_id: sessionId,
    code: digits,
    words: [...words],
    url: `${page}?code=${token}`,
    valid_until: isoOf(valid_until),
    next_at: isoOf(next_at),
  };
}

/** The record that a mark gave, for everyone. The answer and the broadcast of one publication share its JSON. */
export function encodedRecordOf(publication: Publication, sessionId: SessionId, line: Line): EncodedPayload {
  publication.record ??= EncodedPayload.of(recordOf(sessionId, line, 'everyone'));
  return publication.record;
}

/** An amendment as its caller and its watchers are told of it. */
export const amendedOf = (sessionId: SessionId, amendment: Amendment): ServerPayload<'attendanceAmended'> => ({
  session_id: sessionId,
  student_id: amendment.student_id,
  status: amendment.status,
  previous_status: amendment.previous_status,
  reason: amendment.reason,
  amended_by: amendment.actor.name,
  amended_at: isoOf(amendment.at),
  seq: amendment.seq,
});

function sessionOf(
  facts: SessionFacts,
  status: Session['status'],
  started: number | null,
  ended: number | null,
  policy: Policy | null,
): Session {
  const { session_id, course_id, course, date, start_time, end_time, topic, description } = facts;
  return {
    _id: session_id,
    session_id,
    course_id,
    course,
    date,
    start_time,
    end_time,
    topic,
    description,
    status,
    teacher_id: facts.teacher_id,
    teacher_name: facts.teacher_name,
    started_at: isoOrNull(started),
    ended_at: isoOrNull(ended),
    policy,
  };
}

export const sessionOfState = (state: SessionState): Session =>
  sessionOf(
    state.facts,
    state.ending ? 'completed' : 'active',
    state.started_at,
    state.ending?.at ?? null,
    state.policy,
  );

export const sessionOfStored = (stored: StoredSession): Session =>
  sessionOf(stored, stored.status, stored.started_at, stored.ended_at, null);

export function recordsOf(state: SessionState, audience: Audience): AttendanceRecord[] {
  const records: AttendanceRecord[] = [];
  for (const line of state.lines.values()) records.push(recordOf(state.facts.session_id, line, audience));
  return records;
}

export interface SessionData {
  readonly session_id: SessionId;
  readonly session: Session;
  readonly attendanceRecords: AttendanceRecord[];
  readonly statistics: Statistics;
  readonly seq: number;
  readonly truncated?: true;
}

/** Where a picture stands in the journal: what a client sends back as since_seq and since_chain. */
export const positionOf = ({ seq, chain }: Pick<SessionState, 'seq' | 'chain'>) => ({ seq, chain: chainMark(chain) });

export type SessionHead = Omit<SessionData, 'attendanceRecords'>;

/** A session with a journal, but for its records. */
export const sessionHeadOf = (state: SessionState, statistics: Statistics): SessionHead => ({
  session_id: state.facts.session_id,
  session: sessionOfState(state),
  statistics,
  seq: state.seq,
});

/** The whole picture of a session with a journal, for an app's own code. */
export const sessionDataOf = (state: SessionState, statistics: Statistics, audience: Audience): SessionData => ({
  ...sessionHeadOf(state, statistics),
  attendanceRecords: recordsOf(state, audience),
});

/** What a student may see of the end where they may not see everybody: their own record. */
export function ownSessionDataOf(state: SessionState, statistics: Statistics, line: Line | undefined): SessionData {
  const { session_id } = state.facts;
  return {
    session_id,
    session: sessionOfState(state),
    attendanceRecords: line ? [recordOf(session_id, line, 'everyone')] : [],
    statistics,
    seq: state.seq,
    truncated: true,
  };
}

/** Nobody is online in a session that isn't live. */
export const statisticsOfState = (state: SessionState): Statistics => statisticsOf(state.counts, 0);

/** A journal entry as clients see it: flat. */
export function changeOf(entry: Entry): Change {
  const { seq, type, actor } = entry;
  const head = { seq, type, at: isoOf(entry.at), actor: { user_id: actor.user_id, name: actor.name } };
  switch (entry.type) {
    case 'started':
    case 'adopted':
      return head;
    case 'checked_in':
      return { ...head, student_id: entry.student_id };
    case 'marked': {
      const { student_id, status, previous_status, remarks } = entry;
      return { ...head, student_id, status, previous_status, remarks };
    }
    case 'cleared': {
      const { student_id, status, previous_status } = entry;
      return { ...head, student_id, status, previous_status, remarks: null };
    }
    case 'amended': {
      const { student_id, status, previous_status, remarks, reason } = entry;
      return { ...head, student_id, status, previous_status, remarks, reason };
    }
    case 'ended':
      return { ...head, reason: entry.reason };
  }
}

import type { AttendanceRecord, Session, Statistics } from '@rollcall/protocol';
import type { Asking } from './asking.js';
import type { History, Position } from './history.js';
import type { LiveChange } from './live-change.js';

/** What a catch-up brought. */
export interface CaughtUp extends Position {
  /** False where everything that is known has to be replaced by `records`. */
  readonly goesOn: boolean;
  readonly changes: readonly LiveChange[];
  /** Whole records: a student's own, and of an answer that replaces everything all that the user may see. */
  readonly records: readonly AttendanceRecord[];
  /** For teachers. */
  readonly head?: { readonly session: Session; readonly statistics: Statistics; readonly seq: number };
}

/** Asks, as the teacher of a session, for what came after `seq`; undefined where that has to be asked again. */
export async function catchUpTeacher(
  asking: Asking,
  history: History,
  session_id: string,
  seq: number,
): Promise<CaughtUp | undefined> {
  const ask = (since: object) => asking.until('getAttendanceSessionData', { session_id, ...since });
  const answered = await history.ask(seq, ask);
  if (!answered) return undefined;
  let { answer } = answered;
  if (!answered.goesOn && 'changes' in answer) answer = await ask({});
  const position = { seq: answer.seq, chain: answer.chain, head: answer };
  if ('changes' in answer) return { ...position, goesOn: true, changes: answer.changes, records: [] };
  return { ...position, goesOn: false, changes: [], records: answer.attendanceRecords };
}

/** The same as a student, by joining again, which writes nothing. */
export async function catchUpStudent(
  asking: Asking,
  history: History,
  session_id: string,
  seq: number,
): Promise<CaughtUp | undefined> {
  const answered = await history.ask(seq, (since) => asking.until('joinAttendanceSession', { session_id, ...since }));
  if (!answered) return undefined;
  const { answer, goesOn } = answered;
  const { chain, record, changes = [] } = answer;
  return { seq: answer.seq, chain, goesOn, changes: goesOn ? changes : [], records: [record] };
}

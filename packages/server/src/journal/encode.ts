import type { SessionId } from '@rollcall/protocol';
import { type Commit, firstChain, JOURNAL_FORMAT, nextChain } from './commit.js';
import type { Entry, RosterRow, SessionFacts } from './entries.js';
import { type ActorNames, PersonalValues } from './personal.js';

/*
 * The facts of an entry. Fields are written in the order of their names and absent ones are undefined, so that
 * JSON.stringify makes canonical JSON (RFC 8785) of them: sorting them anew would cost more than all the rest.
 */

/** The commits of one session, made in the process that writes them. */
export class CommitEncoder {
  readonly #names: ActorNames = new Map();

  constructor(readonly sessionId: SessionId) {}

  /**
   * @param chainBefore the chain after the commit before; of the first commit, `firstChain`
   * @param entries not empty
   * @throws {RangeError} when they aren't numbered densely from `afterSeq + 1` on
   */
  encode(chainBefore: string, afterSeq: number, entries: readonly Entry[]): Commit {
    const values = new PersonalValues(this.#names);
    const made: object[] = [];
    let seq = afterSeq;
    for (const entry of entries) {
      seq += 1;
      if (entry.seq !== seq) throw new RangeError(`entry ${entry.seq} comes where ${seq} belongs`);
      made.push(factsOf(entry, values));
    }
    if (made.length === 0) throw new RangeError('a commit holds an entry at least');
    const facts = JSON.stringify({ entries: made, hashes: values.hashes });
    return {
      first_seq: afterSeq + 1,
      last_seq: seq,
      format: JOURNAL_FORMAT,
      facts,
      personal: values.json,
      chain: nextChain(chainBefore, facts),
    };
  }
}

/** A journal's first commit, made where nothing is known of the session yet. */
export const encodeOpening = (sessionId: SessionId, entries: readonly Entry[]): Commit =>
  new CommitEncoder(sessionId).encode(firstChain(sessionId), 0, entries);

function factsOf(entry: Entry, values: PersonalValues): object {
  const { at, op_event, op_id, seq, type } = entry;
  const actor = entry.actor.user_id;
  const actor_name = values.actor(actor, entry.actor.name);
  switch (entry.type) {
    case 'marked':
      return {
        actor,
        actor_name,
        added: entry.added && rowFacts(entry.added, at, values),
        at,
        group: entry.group,
        op_event,
        op_id,
        previous_status: entry.previous_status,
        remarks: values.addOptional(entry.remarks),
        seq,
        status: entry.status,
        student_id: entry.student_id,
        type,
        unchanged: entry.unchanged,
      };
    case 'checked_in':
      return {
        actor,
        actor_name,
        added: entry.added && rowFacts(entry.added, at, values),
        at,
        op_event,
        op_id,
        seq,
        student_id: entry.student_id,
        ticket: entry.ticket,
        type,
      };
    case 'cleared': {
      const { previous_status, status, student_id } = entry;
      return { actor, actor_name, at, op_event, op_id, previous_status, seq, status, student_id, type };
    }
    case 'amended':
      return {
        actor,
        actor_name,
        at,
        op_event,
        op_id,
        previous_status: entry.previous_status,
        reason: values.add(entry.reason),
        remarks: values.addOptional(entry.remarks),
        seq,
        status: entry.status,
        student_id: entry.student_id,
        type,
      };
    case 'ended':
      return { actor, actor_name, at, op_event, op_id, reason: entry.reason, seq, type };
    case 'started':
    case 'adopted':
      return {
        actor,
        actor_name,
        at,
        codes: entry.codes && { secret: values.add(entry.codes.secret), window_ms: entry.codes.window_ms },
        op_event,
        op_id,
        policy: sorted(entry.policy),
        roster: entry.roster.map((row) => rowFacts(row, at, values)),
        seq,
        session: sessionFacts(entry.session, values),
        started_at: entry.type === 'adopted' ? entry.started_at : undefined,
        type,
      };
  }
}

function rowFacts(row: RosterRow, at: number, values: PersonalValues): object {
  const { student } = row;
  const { uid, name, email, roll, section, profile_picture } = student;
  return {
    checked_in_at: row.checked_in_at ?? undefined,
    created_at: row.created_at === at ? undefined : row.created_at,
    marked_at: row.marked_at ?? undefined,
    marked_by: values.addOptional(row.marked_by),
    person: values.add(uid, name, email, roll, section, profile_picture),
    record_id: row.record_id,
    remarks: values.addOptional(row.remarks),
    status: row.status === 'absent' ? undefined : row.status,
    student_id: student.student_id,
    updated_at: row.updated_at === at ? undefined : row.updated_at,
    user_id: student.user_id,
  };
}

function sessionFacts(session: SessionFacts, values: PersonalValues): object {
  const { course, course_id, date, end_time, session_id, start_time, teacher_id } = session;
  return {
    course: course ? { id: course._id, title: values.add(course.title, course.course_code) } : null,
    course_id,
    date,
    end_time,
    session_id,
    start_time,
    teacher_id,
    teacher_name: values.addOptional(session.teacher_name),
    texts: values.add(session.topic, session.description),
  };
}

const sorted = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));

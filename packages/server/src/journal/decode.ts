import type { AttendanceStatus, EndReason, Policy, SessionId, StudentId } from '@rollcall/protocol';
import { firstChain, JOURNAL_FORMAT, JournalError, type StoredCommit } from './commit.js';
import type { Actor, CodeKey, Entry, RosterRow, SessionFacts } from './entries.js';

/** The entries of a commit. */
export interface DecodedCommit {
  readonly last_seq: number;
  readonly entries: readonly Entry[];
  /** The chain after this commit. For a commit of form 1, what the chain of a journal begins with. */
  readonly chain: string;
}

/** Type of each entry that this version knows. */
const KNOWN: Readonly<Record<Entry['type'], true>> = {
  started: true,
  adopted: true,
  checked_in: true,
  marked: true,
  cleared: true,
  ended: true,
  amended: true,
};

/**
 * Reads a stored commit. Hashes aren't recomputed here: `verify` does that.
 * @throws {JournalError} for a form or an entry type that this version doesn't know, and for a commit that is damaged
 */
export function decodeCommit(sessionId: SessionId, commit: StoredCommit): DecodedCommit {
  const { first_seq, last_seq, format } = commit;
  if (format === 1) {
    return { last_seq, entries: entriesOfForm1(sessionId, commit), chain: firstChain(sessionId) };
  }
  if (format !== JOURNAL_FORMAT) {
    const form = JSON.stringify(format);
    const what = `is of format ${form}: it needs a version of Rollcall that reads format ${form}, this one reads up to ${JOURNAL_FORMAT}`;
    throw new JournalError(sessionId, first_seq, what);
  }
  if (typeof commit.chain !== 'string' || !/^[0-9a-f]{64}$/.test(commit.chain)) {
    throw new JournalError(sessionId, first_seq, 'has a chain that is not 64 hex digits');
  }
  const facts = fieldsOf(parsed(sessionId, first_seq, 'facts', commit.facts));
  const personal = parsed(sessionId, first_seq, 'personal', commit.personal);
  if (!Array.isArray(facts['entries']) || facts['entries'].length !== last_seq - first_seq + 1) {
    throw new JournalError(sessionId, first_seq, `has facts without the entries ${first_seq} to ${last_seq}`);
  }
  if (!Array.isArray(personal)) throw new JournalError(sessionId, first_seq, 'has a personal part that is no list');
  const values = new Values(personal);
  const entries = facts['entries'].map((entry: unknown, i) =>
    decodeEntry(sessionId, first_seq + i, fieldsOf(entry), values),
  );
  return { last_seq, entries, chain: commit.chain };
}

function parsed(sessionId: SessionId, seq: number, part: 'facts' | 'personal', json: unknown): unknown {
  if (typeof json !== 'string') throw new JournalError(sessionId, seq, `has no ${part}`);
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new JournalError(sessionId, seq, `has ${part} that are no JSON`, { cause });
  }
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** The removable values of a commit. One that was removed is null. */
class Values {
  readonly #list: readonly unknown[];

  constructor(list: readonly unknown[]) {
    this.#list = list;
  }

  /** The texts behind the salt; undefined where the value was removed. */
  at(place: unknown): readonly unknown[] | undefined {
    const value = typeof place === 'number' ? this.#list[place] : undefined;
    return Array.isArray(value) ? value.slice(1) : undefined;
  }

  text(place: unknown): string | null {
    if (typeof place !== 'number') return null;
    const text = this.at(place)?.[0];
    return typeof text === 'string' ? text : null;
  }
}

function decodeEntry(sessionId: SessionId, seq: number, facts: Fields, values: Values): Entry {
  const { type } = facts;
  if (typeof type !== 'string' || !Object.hasOwn(KNOWN, type)) {
    const what = `has an entry of type ${JSON.stringify(type)}: it needs a newer version of Rollcall that knows it`;
    throw new JournalError(sessionId, seq, what);
  }
  if (facts['seq'] !== seq) throw new JournalError(sessionId, seq, `has seq ${JSON.stringify(facts['seq'])}`);
  // Written by the encoder beside this file. A field that somebody changed later is found by `verify`.
  const given = facts as unknown as Given;
  const actor: Actor = {
    user_id: given.actor,
    name: values.text(given.actor_name) ?? given.actor ?? '',
  };
  const { at, op_id, op_event } = given;
  const head = {
    seq,
    at,
    actor,
    ...(op_id === undefined ? {} : { op_id }),
    ...(op_event === undefined ? {} : { op_event }),
  };
  switch (type as Entry['type']) {
    case 'marked':
      return {
        ...head,
        type: 'marked',
        student_id: given.student_id,
        status: given.status,
        remarks: values.text(given.remarks),
        previous_status: given.previous_status,
        ...(given.added === undefined ? {} : { added: rowOf(given.added, at, values) }),
        ...(given.group === undefined ? {} : { group: given.group }),
        ...(given.unchanged === undefined ? {} : { unchanged: given.unchanged }),
      };
    case 'checked_in':
      return {
        ...head,
        type: 'checked_in',
        student_id: given.student_id,
        ...(given.added === undefined ? {} : { added: rowOf(given.added, at, values) }),
        ...(given.ticket === undefined ? {} : { ticket: given.ticket }),
      };
    case 'ended':
      return { ...head, type: 'ended', reason: given.reason as EndReason };
    case 'cleared':
      return {
        ...head,
        type: 'cleared',
        student_id: given.student_id,
        status: given.status,
        previous_status: given.previous_status ?? given.status,
      };
    case 'amended':
      return {
        ...head,
        type: 'amended',
        student_id: given.student_id,
        status: given.status,
        remarks: values.text(given.remarks),
        previous_status: given.previous_status ?? given.status,
        reason: values.text(given.reason) ?? '',
      };
    case 'started':
      return { ...head, type: 'started', ...openingOf(sessionId, seq, given, values) };
    case 'adopted':
      return {
        ...head,
        type: 'adopted',
        started_at: given.started_at,
        ...openingOf(sessionId, seq, given, values),
      };
  }
}

type OpEvent = NonNullable<Entry['op_event']>;

/** The facts of an entry of any type, with the names that `encode.ts` gives them. Numbers in place of texts are places. */
interface Given {
  readonly actor: Actor['user_id'];
  readonly actor_name: number;
  readonly at: number;
  readonly op_id?: string;
  readonly op_event?: OpEvent;
  readonly student_id: StudentId;
  readonly status: AttendanceStatus;
  readonly remarks?: number;
  readonly previous_status: AttendanceStatus | null;
  readonly added?: GivenRow;
  readonly ticket?: string;
  readonly group?: number;
  readonly unchanged?: readonly StudentId[];
  /** Of an end what ended it, of an amendment the place of its text. */
  readonly reason: EndReason | number;
  readonly started_at: number;
  readonly session?: GivenSession;
  readonly policy: Policy;
  readonly roster?: readonly GivenRow[];
  readonly codes?: { readonly secret: number; readonly window_ms: number };
}

interface GivenRow {
  readonly record_id: string;
  readonly student_id: StudentId;
  readonly user_id: RosterRow['student']['user_id'];
  readonly person: number;
  readonly status?: AttendanceStatus;
  readonly remarks?: number;
  readonly checked_in_at?: number;
  readonly marked_at?: number;
  readonly marked_by?: number;
  readonly created_at?: number;
  readonly updated_at?: number;
}

type GivenSession = Pick<
  SessionFacts,
  'session_id' | 'course_id' | 'date' | 'start_time' | 'end_time' | 'teacher_id'
> & {
  readonly course: { readonly id: NonNullable<SessionFacts['course']>['_id']; readonly title: number } | null;
  readonly teacher_name?: number;
  readonly texts: number;
};

const textOr = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function rowOf(given: GivenRow, at: number, values: Values): RosterRow {
  const [uid, name, email, roll, section, picture] = values.at(given.person) ?? [];
  return {
    record_id: given.record_id,
    student: {
      student_id: given.student_id,
      user_id: given.user_id,
      uid: textOr(uid),
      // Whose name was removed is called by the pseudonym.
      name: textOr(name) ?? given.student_id,
      email: textOr(email),
      roll: textOr(roll),
      section: textOr(section),
      profile_picture: textOr(picture),
    },
    status: given.status ?? 'absent',
    remarks: values.text(given.remarks),
    checked_in_at: given.checked_in_at ?? null,
    marked_at: given.marked_at ?? null,
    marked_by: values.text(given.marked_by),
    created_at: given.created_at ?? at,
    updated_at: given.updated_at ?? at,
  };
}

interface OpeningParts {
  readonly session: SessionFacts;
  readonly policy: Policy;
  readonly roster: readonly RosterRow[];
  readonly codes?: CodeKey;
}

function openingOf(sessionId: SessionId, seq: number, given: Given, values: Values): OpeningParts {
  const { session, policy, roster, codes } = given;
  if (!session || !policy || !Array.isArray(roster)) {
    throw new JournalError(sessionId, seq, 'has an opening without its session, policy or roster');
  }
  const { session_id, course_id, date, start_time, end_time, teacher_id } = session;
  const [title, code] = (session.course && values.at(session.course.title)) ?? [];
  const [topic, description] = values.at(session.texts) ?? [];
  const secret = codes && values.text(codes.secret);
  return {
    session: {
      session_id,
      course_id,
      course: session.course ? { _id: session.course.id, title: textOr(title), course_code: textOr(code) } : null,
      date,
      start_time,
      end_time,
      topic: textOr(topic),
      description: textOr(description),
      teacher_id,
      teacher_name: values.text(session.teacher_name),
    },
    policy,
    roster: roster.map((row) => rowOf(row, given.at, values)),
    ...(codes && typeof secret === 'string' ? { codes: { secret, window_ms: codes.window_ms } } : {}),
  };
}

/** A commit from before there was a chain: its entries lie in the database as they are. */
function entriesOfForm1(sessionId: SessionId, { first_seq, last_seq, entries }: StoredCommit): Entry[] {
  if (!Array.isArray(entries) || entries.length !== last_seq - first_seq + 1) {
    throw new JournalError(sessionId, first_seq, `lacks the entries ${first_seq} to ${last_seq}`);
  }
  return entries.map((entry: unknown, i) => {
    const { type, seq } = fieldsOf(entry);
    if (typeof type !== 'string' || !Object.hasOwn(KNOWN, type)) {
      const what = `has an entry of type ${JSON.stringify(type)}: it needs a newer version of Rollcall that knows it`;
      throw new JournalError(sessionId, first_seq + i, what);
    }
    if (seq !== first_seq + i) throw new JournalError(sessionId, first_seq + i, `has seq ${JSON.stringify(seq)}`);
    return entry as Entry;
  });
}

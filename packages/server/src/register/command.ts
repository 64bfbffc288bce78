import type {
  AttendanceStatus,
  ClientEventName,
  EndReason,
  FailedRow,
  SessionId,
  Statistics,
  StudentId,
} from '@rollcall/protocol';
import type { EncodedPayload } from '../encoded-payload.js';
import type { Actor, AmendedEntry, Entry, RosterStudent } from '../journal/entries.js';
import type { CodeVerdict } from './check-in-codes.js';
import type { Line } from './fold.js';
import type { SessionState } from './session-state.js';

/** A known student who isn't on the roster. */
export interface OffRosterStudent {
  readonly student: RosterStudent;
  /** An approved enrolment in the session's course. */
  readonly enrolled: boolean;
}

export interface MarkRow {
  /** Position in the request, from 0. */
  readonly index: number;
  /** Profile id, user id or uid, as sent. */
  readonly ref: string;
  readonly status: AttendanceStatus;
  /** undefined keeps the remark that is there; an empty one clears it. */
  readonly remarks: string | undefined;
  /** The seq of the record as the client knows it: a record that was changed since isn't marked. */
  readonly expected_seq?: number | undefined;
}

/** What may be asked of a session's register, by type. */
interface Commands {
  readonly check_in: {
    readonly student: OffRosterStudent;
    /** As it was sent; of no account where the session asks for none. */
    readonly code: string | undefined;
    /** Of a browser that scanned the code before its user signed in: counts as the right code, once. */
    readonly ticket?: string | undefined;
  };
  readonly mark: {
    readonly row: MarkRow;
    readonly walk_in: boolean;
    readonly offRoster: ReadonlyMap<string, OffRosterStudent>;
  };
  readonly clear: {
    /** Profile id, user id or uid, as sent. */
    readonly ref: string;
    readonly expected_seq: number | undefined;
  };
  readonly amend: { readonly row: MarkRow; readonly reason: string };
  readonly bulk: {
    readonly rows: readonly MarkRow[];
    /** Rows that were refused before they got here; they count like those that decide refuses. */
    readonly failed: readonly FailedRow[];
    readonly partial: boolean;
    readonly walk_in: boolean;
    readonly offRoster: ReadonlyMap<string, OffRosterStudent>;
  };
  readonly end: { readonly reason: EndReason };
}

export type CommandType = keyof Commands;

/** A command of one type, or of any. */
export type Command<Type extends CommandType = CommandType> = {
  readonly [T in Type]: { readonly type: T } & Commands[T];
}[Type];

/** What an amendment came to. Where the record said so already it is no entry, and seq is that of the session. */
export type Amendment = Pick<
  AmendedEntry,
  'student_id' | 'status' | 'previous_status' | 'reason' | 'actor' | 'at' | 'seq'
>;

/** What comes of a command, by its type; and of an opening. */
interface Outcomes {
  readonly start: object;
  readonly check_in: { readonly line: Line };
  readonly mark: { readonly line: Line };
  readonly clear: { readonly line: Line };
  readonly amend: { readonly amendment: Amendment };
  readonly bulk: { readonly lines: readonly Line[]; readonly failed: readonly FailedRow[] };
  readonly end: object;
}

interface OutcomeHead {
  /** seq of the command's last entry, or of the session where nothing changed. */
  readonly seq: number;
  /** True when this op_id was carried out before; nothing was done again. */
  readonly duplicate: boolean;
}

export type OutcomeOf<Kind extends keyof Outcomes> = {
  readonly [K in Kind]: OutcomeHead & { readonly kind: K } & Outcomes[K];
}[Kind];
export type Outcome = OutcomeOf<keyof Outcomes>;

/** What a command comes to: entries, none where it changes nothing. */
export interface Decision<Type extends CommandType = CommandType> {
  readonly entries: readonly Entry[];
  readonly outcome: OutcomeOf<Type>;
}

/** The command was carried out before under the same op_id; its first answer ends at `seq`. */
export interface Repeated {
  readonly repeated: { readonly seq: number };
}

/** Who gives a command, and under which op_id. */
export interface Issuer {
  readonly actor: Actor;
  readonly op_id?: string | undefined;
  /** The event that carried op_id. */
  readonly event?: ClientEventName | undefined;
}

/** What decide can't make itself: time, identity and randomness. */
export interface Circumstances extends Issuer {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** A fresh id of 24 hex digits. */
  readonly newRecordId: () => string;
  /** Judges the check-in code of this command, for the student whose check-in needs one. */
  readonly judge: (studentId: StudentId, code: string | undefined) => CodeVerdict;
}

/** A session's register as answers and events are made from it. */
export interface Register {
  readonly session_id: SessionId;
  readonly state: SessionState;
  readonly statistics: Statistics;
}

/** Who gives a command, and is answered. */
export interface Caller<Kind extends Outcome['kind']> extends Issuer {
  /**
   * Answers. Called once, in the turn of the event loop in which the entries become visible, at the place among the
   * broadcasts where the protocol wants the answer.
   */
  answer(outcome: OutcomeOf<Kind>, register: Register, publication: Publication): void;
}

/** What one command brought about, or one command of another node. */
export interface Publication {
  readonly entries: readonly Entry[];
  /** Answers who gave the command; absent where the entries were read from the journal. */
  readonly answer?: () => void;
  /** The record that a mark gave, as everyone may see it: encoded once, for the answer and for the broadcast. */
  record?: EncodedPayload;
}

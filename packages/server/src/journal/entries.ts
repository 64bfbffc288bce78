import type {
  AttendanceStatus,
  ClientEventName,
  CourseId,
  CourseSummary,
  EndReason,
  Policy,
  SessionId,
  StudentId,
  TeacherId,
  UserId,
} from '@rollcall/protocol';

/** Who did it. `user_id` is null for the system (a timeout, an adoption). */
export interface Actor {
  readonly user_id: UserId | null;
  readonly name: string;
}

/** A student as the roster holds them: a snapshot taken when they were put on it. */
export interface RosterStudent {
  readonly student_id: StudentId;
  readonly user_id: UserId | null;
  /** Sign-in name; lets clients name the student by it. */
  readonly uid: string | null;
  readonly name: string;
  readonly email: string | null;
  readonly roll: string | null;
  readonly section: string | null;
  readonly profile_picture: string | null;
}

/**
 * A line of the register as it stood when the entry was written. Times are milliseconds since the epoch, UTC.
 * For a student new to the session status is `absent` and the rest null.
 */
export interface RosterRow {
  /** 24 hex digits, so that MongoDB can hold it as an ObjectId; an existing record keeps its own id. */
  readonly record_id: string;
  readonly student: RosterStudent;
  readonly status: AttendanceStatus;
  readonly remarks: string | null;
  readonly checked_in_at: number | null;
  readonly marked_at: number | null;
  readonly marked_by: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

/** The facts of a session that don't change while it runs. */
export interface SessionFacts {
  readonly session_id: SessionId;
  readonly course_id: CourseId | null;
  readonly course: CourseSummary | null;
  /** ISO 8601 date or date-time, as the database has it. */
  readonly date: string | null;
  /** `HH:mm` */
  readonly start_time: string | null;
  readonly end_time: string | null;
  readonly topic: string | null;
  readonly description: string | null;
  readonly teacher_id: TeacherId | null;
  readonly teacher_name: string | null;
}

/** What a session's codes are made of. Part of its opening entry, so that every node and every restart has the same. */
export interface CodeKey {
  /** 32 random bytes in base64url; it is never sent to anybody. */
  readonly secret: string;
  /** How long a code is shown, in ms. It counts for as long again. */
  readonly window_ms: number;
}

interface EntryHead {
  /** Position in the session's journal: 1, 2, 3 … */
  readonly seq: number;
  /** Server time of the decision, milliseconds since the epoch. */
  readonly at: number;
  readonly actor: Actor;
  /** The client's id of the command; unique per session and actor. */
  readonly op_id?: string;
  /** The event that carried op_id: with another one it is no repeat but a mistake. */
  readonly op_event?: ClientEventName;
}

/** Opens the journal of a session: always seq 1. */
export interface StartedEntry extends EntryHead {
  readonly type: 'started';
  readonly session: SessionFacts;
  readonly policy: Policy;
  readonly roster: readonly RosterRow[];
  /** Where check-ins need a code. */
  readonly codes?: CodeKey;
}

/** Opens the journal of a session that the database called active before Rollcall knew it: always seq 1. */
export interface AdoptedEntry extends EntryHead {
  readonly type: 'adopted';
  readonly session: SessionFacts;
  readonly policy: Policy;
  readonly started_at: number;
  readonly roster: readonly RosterRow[];
  /** Where check-ins need a code. */
  readonly codes?: CodeKey;
}

/** A student's first check-in of the session. */
export interface CheckedInEntry extends EntryHead {
  readonly type: 'checked_in';
  readonly student_id: StudentId;
  /** Set when this check-in put the student on the roster. */
  readonly added?: RosterRow;
  /** The ticket that counted as its code: it counts for no other check-in. */
  readonly ticket?: string;
}

/** A status or remark that changed. */
export interface MarkedEntry extends EntryHead {
  readonly type: 'marked';
  readonly student_id: StudentId;
  readonly status: AttendanceStatus;
  readonly remarks: string | null;
  /** Null when this mark put the student on the roster. */
  readonly previous_status: AttendanceStatus | null;
  /** Set when this mark put the student on the roster (a walk-in): the line before the mark. */
  readonly added?: RosterRow;
  /** On every entry of one bulk request: the seq of its first entry. */
  readonly group?: number;
  /** On the first entry of a bulk request: students it named whose line stayed as it was. */
  readonly unchanged?: readonly StudentId[];
}

/** A mark was taken back: the line is as before anybody marked the student. */
export interface ClearedEntry extends EntryHead {
  readonly type: 'cleared';
  readonly student_id: StudentId;
  /** `absent`, or what the check-in gave under auto_mark. */
  readonly status: AttendanceStatus;
  readonly previous_status: AttendanceStatus;
}

/** A record that was changed after the end. */
export interface AmendedEntry extends EntryHead {
  readonly type: 'amended';
  readonly student_id: StudentId;
  readonly status: AttendanceStatus;
  readonly remarks: string | null;
  readonly previous_status: AttendanceStatus;
  /** Why, in the words of who amended; empty where it was removed. */
  readonly reason: string;
}

/** The session is over. Only amendments may follow. */
export interface EndedEntry extends EntryHead {
  readonly type: 'ended';
  readonly reason: EndReason;
}

export type Entry =
  | StartedEntry
  | AdoptedEntry
  | CheckedInEntry
  | MarkedEntry
  | ClearedEntry
  | EndedEntry
  | AmendedEntry;
/** An entry that gives a record a status. */
export type StatusEntry = MarkedEntry | ClearedEntry | AmendedEntry;
export type EntryType = Entry['type'];

export const givesStatus = (entry: Entry): entry is StatusEntry =>
  entry.type === 'marked' || entry.type === 'cleared' || entry.type === 'amended';

export const opensJournal = (entry: Entry): entry is StartedEntry | AdoptedEntry =>
  entry.type === 'started' || entry.type === 'adopted';

import type {
  ClientEventName,
  ClientInput,
  CourseId,
  Policy,
  ServerEventName,
  SessionId,
  StudentId,
} from '@rollcall/protocol';
import type { Actor } from '../journal/entries.js';
import type { LiveSession } from '../register/live-session.js';
import type { LiveSessions } from '../register/live-sessions.js';
import type { Person, Storage } from '../storage/port.js';
import type { AddressRate } from './address-rate.js';
import type { Directory } from './directory.js';
import type { Passes } from './passes.js';
import type { SessionIndex } from './session-index.js';
import type { Snapshots } from './snapshots.js';

/** Everything a command may use; made once in app.ts and passed in. */
export interface Services {
  readonly storage: Storage;
  readonly sessions: LiveSessions;
  /** The same sessions by course and by teacher. */
  readonly index: SessionIndex;
  readonly directory: Directory;
  readonly snapshots: Snapshots;
  /** A teacher did something with a session. @returns when it ends by itself, ms since the epoch; null for never */
  readonly touched: (live: LiveSession) => number | null;
  /** Server time, milliseconds since the epoch. */
  readonly now: () => number;
  /** IANA name of the school's time zone: days and `HH:mm` are what a clock there shows. */
  readonly timeZone: string;
  /** A fresh id of 24 hex digits. */
  readonly newRecordId: () => string;
  /** What a session does where its start doesn't say. */
  readonly policy: Policy;
  /** How long a check-in code is shown, in ms. */
  readonly codeWindowMs: number;
  /** What this installation signs for itself. */
  readonly passes: Passes;
  /** How often each network address has sent a check-in link's code that was none. */
  readonly wrongLinks: AddressRate;
}

/** The rooms a caller's connection can be in. Absent where a command came without a lasting connection. */
export interface Connection {
  readonly id: string;
  /**
   * Enters the teacher room, and is told the check-in code where there is one; `silently`: is told nothing. Of a session
   * that is over it is told amendments from then on.
   */
  watch(live: LiveSession, how?: { readonly silently: boolean }): void;
  /** True where this connection is told amendments of a session that is over. */
  isToldAmendmentsOf(live: LiveSession): boolean;
  /**
   * To be called when a join begins. @returns what enters the session's room as a student, who is online from then on;
   * after a `withdraw` in between the student has left instead
   */
  joining(sessionId: SessionId): (live: LiveSession, studentId: StudentId) => void;
  /** Leaves the session's room on purpose. */
  withdraw(sessionId: SessionId): void;
  subscribe(courseId: CourseId): void;
  unsubscribe(courseId: CourseId): void;
  /** Resolves once little enough waits to be written to make a long answer. @throws {RollcallError} when it is gone */
  readyForMore(): Promise<void>;
}

/** One command of one caller. */
export interface Call<Name extends ClientEventName> {
  readonly event: Name;
  readonly input: ClientInput<Name>;
  readonly person: Person;
  /** Under whose name the change is recorded. */
  readonly actor: Actor;
  /** The Cookie header that came with the socket's handshake, or with the request. */
  readonly cookie: string | undefined;
  readonly connection: Connection | undefined;
  /** Answers the caller: the acknowledgement, and the seed's answer events with the same payload. Once, synchronously. */
  answer(events: ServerEventName | readonly ServerEventName[] | undefined, payload: object, extra?: AckExtra): void;
  /**
   * To be awaited before an answer is made that holds so many records, entries, rows or sessions: they count towards the
   * caller's rate, and the answer waits until the caller has read most of what was made for them before.
   * @throws {RollcallError} RATE_LIMITED; OVERLOADED where the caller is gone
   */
  chargeFor(items: number): Promise<void>;
  /** Lets the caller's next command begin, before this one is committed: it can't overtake any more. */
  proceed(): void;
}

/** What only the acknowledgement carries. */
export interface AckExtra {
  readonly seq?: number;
  readonly duplicate?: boolean;
}

export interface Command<Name extends ClientEventName> {
  readonly name: Name;
  /** A further event that carries the refusal. */
  readonly errorEvent?: ServerEventName;
  /** Validated → load → authorise → command → present. @throws {RollcallError} the refusal */
  handle(call: Call<Name>, services: Services): Promise<void> | void;
}

export type AnyCommand = { [Name in ClientEventName]: Command<Name> }[ClientEventName];

export const defineCommand = <Name extends ClientEventName>(command: Command<Name>): Command<Name> => command;

/** The acknowledgement's extras of an outcome: duplicate is only ever there when true. */
export const extraOf = ({ seq, duplicate }: { seq: number; duplicate: boolean }): AckExtra =>
  duplicate ? { seq, duplicate } : { seq };

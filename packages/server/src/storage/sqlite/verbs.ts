import type { Commit } from '../../journal/commit.js';
import type {
  AppendResult,
  ImportReport,
  NewPerson,
  Projection,
  School,
  SeenServer,
  ServerNote,
  StoredCalendar,
} from '../port.js';
import type { SchoolWrites } from './school-write-verbs.js';
import type { SignInChange } from './sign-in-changes.js';

/** A commit of format 1 is one that couldn't be converted: its entries are where the facts would be. */
export type CommitRow = readonly [
  first_seq: number,
  last_seq: number,
  format: number,
  facts: string | null,
  personal: string | null,
  chain: string | null,
];

/** What a thread is for: each has a connection of its own, so that none waits for the work of another. */
export type Role = 'writer' | 'reader' | 'reporter' | 'importer';

/** What the worker thread does, by name. Answers cross the thread border as they are written here. */
export interface Verbs extends SchoolWrites {
  open(): void;
  /** Answers the one text of a query. */
  read(sql: string, params: readonly (string | number | null)[]): string;
  /** Commits as rows. */
  readCommits(sessionId: string, afterSeq: number, limit: number): CommitRow[];
  append(sessionId: string, commit: Commit, reopens?: boolean): AppendResult;
  project(projection: Projection): void;
  touch(sessionId: string, at: number): void;
  moveCursor(sessionId: string, follower: string, seq: number): void;
  closeFollowed(sessionId: string, upTo: number, followers: readonly string[]): void;
  rememberLeft(sessionId: string, moves: ReadonlyArray<readonly [string, boolean]>): void;
  /** Writes, and so proves that the database can be written. */
  ping(): void;
  beat(server: ServerNote): SeenServer[];
  leave(node: string): void;
  provision(person: NewPerson): void;
  /** A change to links, web sessions or identities, by its name in sign-in.ts. */
  changeSignIns(name: SignInChange, args: readonly unknown[]): unknown;
  setCalendar(address: StoredCalendar): void;
  removeCalendar(userId: string): void;
  importSchool(school: School, dryRun: boolean): ImportReport;
  /** Removes what an import that was cut off has left in the file, unless another one is under way. */
  tidyImports(): void;
  close(): void;
}

export type VerbName = keyof Verbs;
export type VerbResult<Name extends VerbName> = ReturnType<Verbs[Name]>;

export type Call = {
  readonly [Name in VerbName]: { readonly id: number; readonly verb: Name; readonly args: Parameters<Verbs[Name]> };
}[VerbName];
export type CallOf<Name extends VerbName> = Extract<Call, { verb: Name }>;

export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string; readonly code: string };

/** What the worker thread is started with. */
export interface WorkerData {
  readonly path: string;
  readonly role: Role;
  /** Shared between the threads: 1, and 0 once nothing shall wait for another process any more. */
  readonly patience: Int32Array;
}

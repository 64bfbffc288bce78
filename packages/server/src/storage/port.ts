import type { AccessLog } from './port/access-log.js';
import type { Accounts } from './port/accounts.js';
import type { Calendars } from './port/calendars.js';
import type { Catalogue } from './port/catalogue.js';
import type { Courses } from './port/courses.js';
import type { Cursors } from './port/cursors.js';
import type { Installation } from './port/installation.js';
import type { Journal } from './port/journal.js';
import type { People } from './port/people.js';
import type { Projections } from './port/projection.js';
import type { Reports } from './port/reports.js';
import type { Schools } from './port/school.js';
import type { SignIns } from './port/sign-in.js';
import type { Timetable } from './port/timetable.js';

export type * from './port/access-log.js';
export type * from './port/accounts.js';
export type * from './port/calendars.js';
export type * from './port/catalogue.js';
export type * from './port/courses.js';
export type * from './port/cursors.js';
export type * from './port/installation.js';
export type * from './port/journal.js';
export type * from './port/pages.js';
export type * from './port/people.js';
export type * from './port/projection.js';
export type * from './port/reports.js';
export type * from './port/school.js';
export type * from './port/sign-in.js';
export type * from './port/timetable.js';

/**
 * What Rollcall asks of a database: asynchronous, atomic verbs in the words of the domain. Every adapter passes
 * the one contract suite (contract/). A verb that can't be carried out rejects with StorageError, and then
 * nothing of it may be half visible; an append that rejects may still have been committed (a lost answer), which
 * the register finds out by reading again.
 */
export interface Storage {
  /** For logs and health: `sqlite`, `mongodb`. */
  readonly kind: string;

  /** Opens the database and brings its schema up to date. Called once, before anything else. */
  open(): Promise<void>;
  /** Finishes what was accepted and lets go of the database. Repeated calls do nothing. */
  close(): Promise<void>;
  /** Rejects while the database can't be written. Changes nothing. */
  ping(): Promise<void>;

  /**
   * Rows of an existing application's collections that Rollcall can't use, counted up to a bound; for a warning at
   * the start and for `doctor`. Cheap enough to be asked at every start.
   */
  unusableRows(): Promise<readonly UnusableRows[]>;

  readonly people: People;
  readonly courses: Courses;
  readonly journal: Journal;
  readonly projection: Projections;
  readonly cursors: Cursors;
  readonly school: Schools;
  readonly installation: Installation;
  readonly accounts: Accounts;
  readonly catalogue: Catalogue;
  readonly timetable: Timetable;
  readonly accessLog: AccessLog;
  readonly signIn: SignIns;
  readonly reports: Reports;
  readonly calendars: Calendars;
}

export interface UnusableRows {
  readonly collection: string;
  readonly count: number;
  /** What keeps them from being used, as part of a sentence: "the _id is …". */
  readonly reason: string;
}

/** A database that can't do what was asked right now. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
}

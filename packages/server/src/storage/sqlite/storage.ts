import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { makeFolder } from '../../make-folder.js';
import {
  type AccessLog,
  type Accounts,
  type Calendars,
  type Catalogue,
  type Courses,
  type Cursors,
  type Installation,
  type Journal,
  type People,
  type Projections,
  type Reports,
  type Schools,
  type SignIns,
  type Storage,
  StorageError,
  type Timetable,
  type UnusableRows,
} from '../port.js';
import { accessLogOf } from './access-log.js';
import { accountsOf } from './accounts.js';
import { backUp } from './backup.js';
import { calendarsOf } from './calendars.js';
import { catalogueOf } from './catalogue.js';
import { coursesOf } from './courses.js';
import { cursorsOf } from './cursors.js';
import { LEFTOVERS } from './import-staging.js';
import { installationOf } from './installation.js';
import { journalOf } from './journal.js';
import { obstacleTo } from './obstacle.js';
import { peopleOf } from './people.js';
import { projectionOf } from './projection.js';
import { type Links, Queries } from './queries.js';
import { reportsOf } from './reports.js';
import { schoolOf } from './school.js';
import { signInsOf } from './sign-in.js';
import { timetableOf } from './timetable.js';
import type { Role } from './verbs.js';
import { WorkerLink } from './worker-link.js';

export interface SqliteOptions {
  /** A file, made where missing together with its folder, both for their owner alone, or `:memory:`. */
  readonly path: string;
}

/**
 * A SQLite database: WAL, synchronous=FULL, one fsync for all that waits. A file has four worker threads, each with
 * a connection of its own: one writes, one reads, one makes long reads for reports, and one imports. The last two
 * start when they are needed. A read that is asked for after a write was
 * acknowledged sees it, since every statement takes the newest snapshot of the log.
 */
export class SqliteStorage implements Storage {
  readonly kind = 'sqlite';
  readonly path: string;
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
  protected readonly links: Links;

  /** @param makeLink a worker thread of a path */
  constructor(
    { path }: SqliteOptions,
    makeLink = (file: string, role: Role): WorkerLink => new WorkerLink(file, role),
  ) {
    this.path = path === ':memory:' ? path : resolve(path);
    const link = (role: Role) => makeLink(this.path, role);
    const writer = link('writer');
    this.links =
      this.path === ':memory:'
        ? { writer, reader: writer, reporter: writer, importer: writer }
        : { writer, reader: link('reader'), reporter: link('reporter'), importer: link('importer') };
    const queries = new Queries(this.links);
    this.people = peopleOf(queries);
    this.courses = coursesOf(queries);
    this.journal = journalOf(queries);
    this.projection = projectionOf(queries);
    this.cursors = cursorsOf(queries);
    this.school = schoolOf(queries);
    this.installation = installationOf(queries, this.path);
    this.accounts = accountsOf(queries);
    this.catalogue = catalogueOf(queries);
    this.timetable = timetableOf(queries);
    this.accessLog = accessLogOf(queries);
    this.signIn = signInsOf(queries);
    this.reports = reportsOf(new Queries({ ...this.links, reader: this.links.reporter }));
    this.calendars = calendarsOf(queries);
  }

  /** Rejects with StorageError for a file that isn't a database, or is one of a newer version. */
  async open(): Promise<void> {
    if (this.path !== ':memory:') {
      try {
        makeFolder(dirname(this.path));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new StorageError(`the folder of ${this.path} cannot be made: ${why}`, { cause: error });
      }
      // Names and emails are nobody else's to read; SQLite gives its log the mode of the database. A file that is
      // there keeps the mode it was given, and one that can't be made is told better by the opening.
      await open(this.path, 'wx', 0o600).then(
        (file) => file.close(),
        () => undefined,
      );
    }
    const { writer, reader, importer } = this.links;
    try {
      await writer.call('open');
      await reader.call('open');
    } catch (error) {
      throw (await obstacleTo(this.path)) ?? named(error, this.path);
    }
    // Nothing leans on it: an import that was cut off has left tables that nobody reads.
    if (importer !== writer && (await hasLeftovers(this.links))) importer.call('tidyImports').catch(() => undefined);
  }

  async close(): Promise<void> {
    const { writer, reader, reporter, importer } = this.links;
    // All are told at once, so that no verb is accepted from now on. Who closes last copies the log into the file.
    await Promise.all([reader.close(), reporter.close(), importer.close(), writer.close()]);
  }

  /** A SQLite database is Rollcall's own: every row is one that it can use. */
  async unusableRows(): Promise<readonly UnusableRows[]> {
    return [];
  }

  ping(): Promise<void> {
    return this.links.writer.call('ping');
  }

  /**
   * Writes a consistent copy to a new file, on a connection of its own: neither opens this storage nor keeps it
   * waiting, and works beside a server in another process. Rejects with StorageError when `file` exists.
   */
  backup(file: string): Promise<void> {
    return backUp(this.path, resolve(file));
  }
}

const hasLeftovers = async ({ reader }: Links): Promise<boolean> => (await reader.call('read', LEFTOVERS, [])) !== '[]';

/** What the driver says names no file. */
const named = (error: unknown, path: string): unknown =>
  error instanceof StorageError ? new StorageError(`${path}: ${error.message}`, { cause: error.cause }) : error;

import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { makeFolder } from '../../make-folder.js';
import {
  type Courses,
  type Installation,
  type Journal,
  type People,
  type Projections,
  type Schools,
  type Storage,
  StorageError,
} from '../port.js';
import { backUp } from './backup.js';
import { coursesOf } from './courses.js';
import { schoolOf } from './import-school.js';
import { installationOf } from './installation.js';
import { journalOf } from './journal.js';
import { obstacleTo } from './obstacle.js';
import { peopleOf } from './people.js';
import { projectionOf } from './projection.js';
import { Queries } from './queries.js';
import { WorkerLink } from './worker-link.js';

export interface SqliteOptions {
  /** A file, made where missing together with its folder, both for their owner alone, or `:memory:`. */
  readonly path: string;
}

/** A SQLite database in a worker thread of its own: WAL, synchronous=FULL, one fsync for all that waits. */
export class SqliteStorage implements Storage {
  readonly kind = 'sqlite';
  readonly path: string;
  readonly people: People;
  readonly courses: Courses;
  readonly journal: Journal;
  readonly projection: Projections;
  readonly school: Schools;
  readonly installation: Installation;
  protected readonly link: WorkerLink;

  /** @param makeLink the worker thread of a path */
  constructor({ path }: SqliteOptions, makeLink = (file: string): WorkerLink => new WorkerLink(file)) {
    this.path = path === ':memory:' ? path : resolve(path);
    this.link = makeLink(this.path);
    const queries = new Queries(this.link);
    this.people = peopleOf(queries);
    this.courses = coursesOf(queries);
    this.journal = journalOf(queries);
    this.projection = projectionOf(queries);
    this.school = schoolOf(queries);
    this.installation = installationOf(queries, this.path);
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
    await this.link.call('open').catch(async (error: unknown) => {
      throw (await obstacleTo(this.path)) ?? named(error, this.path);
    });
  }

  close(): Promise<void> {
    return this.link.close();
  }

  ping(): Promise<void> {
    return this.link.call('ping');
  }

  /**
   * Writes a consistent copy to a new file, on a connection of its own: neither opens this storage nor keeps it
   * waiting, and works beside a server in another process. Rejects with StorageError when `file` exists.
   */
  backup(file: string): Promise<void> {
    return backUp(this.path, resolve(file));
  }
}

/** What the driver says names no file. */
const named = (error: unknown, path: string): unknown =>
  error instanceof StorageError ? new StorageError(`${path}: ${error.message}`, { cause: error.cause }) : error;

import type { Connection } from 'mongoose';
import {
  type Courses,
  type Installation,
  type Journal as JournalFacet,
  type People,
  type Projections,
  type Schools,
  type Storage,
  StorageError,
} from '../port.js';
import { type Collections, collectionsOf } from './collections.js';
import { asStorageError, connect, databaseOf, knowsMajority, whyNotOpened } from './connection.js';
import { findCourse, isEnrolled, listRoster } from './courses.js';
import { indexExisting, indexJournal, type OnWarning } from './indexes.js';
import { beat, channelKey, leave } from './installation.js';
import { Journal } from './journal.js';
import { findPeopleByUid, findPersonByUid, findStudents, provisionPerson } from './people.js';
import { projectRecords, projectSession } from './projection.js';
import { importSchool } from './school-import.js';
import { findSession, projectedSeqs, readRecords } from './sessions.js';

/** Without a single answer for this long (ms), a connection of our own is made anew beside the driver's attempts. */
const RECONNECT_AFTER_MS = 5_000;

interface Database {
  readonly connection: Connection;
  readonly collections: Collections;
  readonly journal: Journal;
}

export interface MongoStorageOptions {
  /** `mongodb://…` or `mongodb+srv://…`. Timeouts it names win over ours; write concern and read preference don't. */
  readonly uri: string;
  /** Told what could be better about an existing database, such as an index that can't be made. */
  readonly onWarning?: OnWarning;
}

/**
 * Storage in MongoDB, beside the collections of an existing application or in a database of its own. A database
 * that is gone gives StorageError after 5 s, one that hangs after 15 s; once it is back, so is the storage.
 */
export class MongoStorage implements Storage {
  readonly kind = 'mongodb';
  readonly #options: MongoStorageOptions;
  readonly #underWay = new Set<Promise<unknown>>();
  #database: Database | undefined;
  #answered_at = performance.now();
  #reconnecting: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  readonly people: People = {
    findPersonByUid: (uid) => this.#ask(({ collections }) => findPersonByUid(collections, uid)),
    findPeopleByUid: (uids) => this.#ask(({ collections }) => findPeopleByUid(collections, uids)),
    findStudents: (refs) => this.#ask(({ collections }) => findStudents(collections, refs)),
    provisionPerson: (person) => this.#ask(({ collections }) => provisionPerson(collections, person)),
    isEmpty: () =>
      this.#ask(async ({ collections }) => !(await collections.users.findOne({}, { projection: { _id: 1 } }))),
  };

  readonly courses: Courses = {
    findCourse: (courseId) => this.#ask(({ collections }) => findCourse(collections, courseId)),
    isEnrolled: (courseId, studentId) => this.#ask(({ collections }) => isEnrolled(collections, courseId, studentId)),
    listRoster: (courseId) => this.#ask(({ collections }) => listRoster(collections, courseId)),
  };

  readonly journal: JournalFacet = {
    listActiveSessions: () => this.#ask(({ journal }) => journal.listActive()),
    touchSession: (sessionId, at) => this.#ask(({ journal }) => journal.touch(sessionId, at)),
    readActivity: (sessionId) => this.#ask(({ journal }) => journal.activity(sessionId)),
    append: (sessionId, commit) => this.#ask(({ journal }) => journal.append(sessionId, commit)),
    readCommits: (sessionId, afterSeq, limit) =>
      this.#ask(({ journal }) => journal.readCommits(sessionId, afterSeq, limit)),
    lastSeqs: (sessionIds) => this.#ask(({ journal }) => journal.lastSeqs(sessionIds)),
    listJournals: (afterSessionId, limit) => this.#ask(({ journal }) => journal.list(afterSessionId, limit)),
  };

  readonly projection: Projections = {
    findSession: (sessionId) => this.#ask(({ collections }) => findSession(collections, sessionId)),
    readRecords: (sessionId) => this.#ask(({ collections }) => readRecords(collections, sessionId)),
    projectedSeqs: (sessionIds) => this.#ask(({ collections }) => projectedSeqs(collections, sessionIds)),
    project: (projection) =>
      this.#ask(async ({ collections, journal }) => {
        // In this order: projected_seq vouches for the records, and a journal is closed only when both are done.
        await projectRecords(collections, projection);
        await projectSession(collections, projection);
        if (projection.session.status === 'completed') await journal.close(projection.session_id);
      }),
  };

  readonly school: Schools = {
    importSchool: (school, options) =>
      this.#ask(({ collections, journal }) => importSchool(collections, journal, school, options)),
  };

  readonly installation: Installation = {
    channelKey: () => this.#ask(({ connection }) => channelKey(databaseOf(connection))),
    beat: (server) => this.#ask(({ connection }) => beat(databaseOf(connection), server)),
    leave: (node) => this.#ask(({ connection }) => leave(databaseOf(connection), node)),
  };

  constructor(options: MongoStorageOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const database = await this.#connected();
    if (this.#closed) {
      await database.connection.destroy().catch(() => {});
      throw new StorageError('mongodb: the storage was closed while it was being opened');
    }
    this.#database = database;
  }

  async #connected(): Promise<Database> {
    let connection: Connection | undefined;
    try {
      connection = await connect(this.#options.uri);
      const db = databaseOf(connection);
      const collections = collectionsOf(db, await knowsMajority(db));
      await indexJournal(collections.journal);
      await indexExisting(collections, this.#options.onWarning ?? (() => {}));
      return { connection, collections, journal: new Journal(collections) };
    } catch (error) {
      await connection?.destroy().catch(() => {});
      throw whyNotOpened(error);
    }
  }

  /**
   * The driver's monitor can come to a standstill for good when a connection ends in the very moment in which it is
   * made (seen with 7.8): it then never looks for the server again. So after a while of failures the whole
   * connection is replaced.
   */
  #reconnect(): void {
    if (this.#reconnecting || this.#closed || performance.now() - this.#answered_at < RECONNECT_AFTER_MS) return;
    const before = this.#database;
    this.#reconnecting = this.#connected()
      .then(async (database) => {
        this.#database = this.#closed ? undefined : database;
        const gone = this.#closed ? database : before;
        this.#answered_at = performance.now();
        await gone?.connection.destroy().catch(() => {});
      })
      .catch(() => {
        // Still away: the next call that fails tries again.
      })
      .finally(() => {
        this.#reconnecting = undefined;
      });
  }

  close(): Promise<void> {
    this.#closed ??= this.#shut();
    return this.#closed;
  }

  async #shut(): Promise<void> {
    await Promise.allSettled([...this.#underWay, this.#reconnecting]);
    const database = this.#database;
    this.#database = undefined;
    // A database that can't be told goodbye is left without one.
    await database?.connection.destroy().catch(() => {});
  }

  async #ask<Answer>(verb: (database: Database) => Promise<Answer>): Promise<Answer> {
    const database = this.#database;
    if (!database || this.#closed) throw new StorageError('mongodb: the storage is not open');
    const answer = verb(database);
    this.#underWay.add(answer);
    try {
      const result = await answer;
      this.#answered_at = performance.now();
      return result;
    } catch (error) {
      const failure = asStorageError(error);
      if (failure instanceof StorageError) this.#reconnect();
      throw failure;
    } finally {
      this.#underWay.delete(answer);
    }
  }

  ping(): Promise<void> {
    return this.#ask(async ({ connection }) => {
      await databaseOf(connection).command({ ping: 1 });
    });
  }
}

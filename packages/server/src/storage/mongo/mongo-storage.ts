import {
  type AccessLog,
  type Accounts,
  type Calendars,
  type Catalogue,
  type Courses,
  type Cursors,
  type Installation,
  type Journal as JournalFacet,
  type People,
  type Projections,
  type Reports,
  type SchoolChange,
  type Schools,
  type SignIns,
  type Storage,
  StorageError,
  type Timetable,
  type UnusableRows,
} from '../port.js';
import { appendAccess, indexAccessLog, listAccess } from './access-log.js';
import { changeAccount, createAccount } from './account-writes.js';
import { findAccount, listAccounts } from './accounts.js';
import { type AppConnection, classesOf, connected, type DriverClasses } from './app-connection.js';
import { calendarOf, findCalendar, removeCalendar, setCalendar } from './calendars.js';
import { countEnrolled, listCourses, listEnrollments, readCourse } from './catalogue.js';
import { changeCourse, createCourse, putEnrollment, withdraw } from './catalogue-writes.js';
import { type Collections, collectionsOf } from './collections.js';
import { asStorageError, connect, databaseOf, knowsMajority, whyNotOpened } from './connection.js';
import { areEnrolled, findCourse, listRoster } from './courses.js';
import { closeFollowed, moveCursor, readCursors } from './cursors.js';
import { indexEmails, indexExisting, indexJournal, type OnWarning } from './indexes.js';
import { beat, channelKey, leave, noteSchoolChange, schoolChanges, signingKey } from './installation.js';
import { Journal } from './journal.js';
import {
  findPeopleByUid,
  findPersonByUid,
  findProfiles,
  findStudents,
  findUidOfUser,
  provisionPerson,
} from './people.js';
import { projectRecords, projectSession } from './projection.js';
import {
  recordsOfSessions,
  recordsOfStudent as recordsOfStudentForReports,
  sessionsOf,
  sessionsOfCourse,
  sessionsOfPerson,
} from './reports.js';
import { importSchool } from './school-import.js';
import { approvedEnrollments } from './school-lists.js';
import { findSession, projectedSeqs, readRecords } from './sessions.js';
import { SignInRows } from './sign-in.js';
import {
  countRecords,
  listRecords,
  listSessions,
  recordsOfStudent,
  sessionsOfStudent,
  sessionsOfTeacher,
} from './timetable.js';
import { cancelScheduled, changeScheduled, scheduleSession } from './timetable-writes.js';
import { unusableRows } from './unusable-rows.js';

/** Without a single answer for this long (ms), a connection of our own is made anew beside the driver's attempts. */
const RECONNECT_AFTER_MS = 5_000;

interface Database {
  readonly connection: AppConnection;
  /** Ends the connection where it is ours. */
  readonly destroy: () => Promise<void>;
  readonly collections: Collections;
  readonly journal: Journal;
  readonly signIns: SignInRows;
}

/** Write concern and read preference are ours, whatever the URI or the connection says. */
export type MongoStorageOptions = {
  /** Told what could be better about an existing database, such as an index that can't be made. */
  readonly onWarning?: OnWarning;
} & (
  | {
      /** `mongodb://…` or `mongodb+srv://…`. Timeouts it names win over ours. */
      readonly uri: string;
    }
  | {
      /** One that an app has open: it is used, and never closed. */
      readonly connection: AppConnection;
    }
);

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
    findUidOfUser: (userId) => this.#ask(({ collections }) => findUidOfUser(collections, userId)),
    findStudents: (refs) => this.#ask(({ collections }) => findStudents(collections, refs)),
    provisionPerson: (person) => this.#ask(({ collections }) => provisionPerson(collections, person)),
    isEmpty: () =>
      this.#ask(async ({ collections }) => !(await collections.users.findOne({}, { projection: { _id: 1 } }))),
  };

  readonly courses: Courses = {
    findCourse: (courseId) => this.#ask(({ collections }) => findCourse(collections, courseId)),
    isEnrolled: async (courseId, studentId) => (await this.courses.areEnrolled(courseId, [studentId])).has(studentId),
    areEnrolled: (courseId, studentIds) =>
      this.#ask(({ collections }) => areEnrolled(collections, courseId, studentIds)),
    listRoster: (courseId) => this.#ask(({ collections }) => listRoster(collections, courseId)),
  };

  readonly journal: JournalFacet = {
    listActiveSessions: () => this.#ask(({ journal }) => journal.listActive()),
    touchSession: (sessionId, at) => this.#ask(({ journal }) => journal.touch(sessionId, at)),
    readActivity: (sessionId) => this.#ask(({ journal }) => journal.activity(sessionId)),
    rememberLeft: (sessionId, moves) => this.#ask(({ journal }) => journal.rememberLeft(sessionId, moves)),
    readLeft: (sessionId) => this.#ask(({ journal }) => journal.left(sessionId)),
    append: (sessionId, commit, reopens) => this.#ask(({ journal }) => journal.append(sessionId, commit, reopens)),
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
        const { session_id, session, seq, stays_open } = projection;
        if (session.status === 'completed' && !stays_open) await journal.close(session_id, seq);
      }),
  };

  readonly cursors: Cursors = {
    read: (sessionIds) =>
      this.#ask(({ connection, journal }) => readCursors(databaseOf(connection), journal, sessionIds)),
    move: (...args) => this.#ask(({ connection }) => moveCursor(databaseOf(connection), ...args)),
    close: (...args) =>
      this.#ask(({ connection, collections, journal }) =>
        closeFollowed(databaseOf(connection), collections, journal, ...args),
      ),
  };

  readonly school: Schools = {
    importSchool: (school, options) =>
      this.#ask(({ collections, journal, connection }) =>
        importSchool(collections, journal, school, {
          ...options,
          written: () => noteSchoolChange(databaseOf(connection)),
        }),
      ),
    changes: () => this.#ask(({ connection }) => schoolChanges(databaseOf(connection))),
    approvedEnrollments: (courseIds) => this.#ask(({ collections }) => approvedEnrollments(collections, courseIds)),
    findProfiles: (ids) => this.#ask(({ collections }) => findProfiles(collections, ids)),
  };

  readonly installation: Installation = {
    channelKey: () => this.#ask(({ connection }) => channelKey(databaseOf(connection))),
    signingKey: () => this.#ask(({ connection }) => signingKey(databaseOf(connection))),
    beat: (server) => this.#ask(({ connection }) => beat(databaseOf(connection), server)),
    leave: (node) => this.#ask(({ connection }) => leave(databaseOf(connection), node)),
  };

  readonly accounts: Accounts = {
    listAccounts: (query) => this.#ask(({ collections }) => listAccounts(collections, query)),
    findAccount: (ref) => this.#ask(({ collections }) => findAccount(collections, ref)),
    createAccount: (account) => this.#changeRights(({ collections }) => createAccount(collections, account)),
    changeAccount: (userId, change) =>
      this.#changeRights(({ collections }) => changeAccount(collections, userId, change)),
  };

  readonly catalogue: Catalogue = {
    listCourses: (part, page) => this.#ask(({ collections }) => listCourses(collections, part, page)),
    readCourse: (courseId) => this.#ask(({ collections }) => readCourse(collections, courseId)),
    createCourse: (course) => this.#changeRights(({ collections }) => createCourse(collections, course)),
    changeCourse: (courseId, change) =>
      this.#changeRights(({ collections }) => changeCourse(collections, courseId, change)),
    listEnrollments: (courseId, page) => this.#ask(({ collections }) => listEnrollments(collections, courseId, page)),
    putEnrollment: (enrollment) => this.#changeRights(({ collections }) => putEnrollment(collections, enrollment)),
    withdraw: (courseId, studentId) =>
      this.#changeRights(({ collections }) => withdraw(collections, courseId, studentId)),
    countEnrolled: (courseIds) => this.#ask(({ collections }) => countEnrolled(collections, courseIds)),
  };

  readonly timetable: Timetable = {
    listSessions: (courseId, days, page) =>
      this.#ask(({ collections }) => listSessions(collections, courseId, days, page)),
    sessionsOfTeacher: (teacherId, days) =>
      this.#ask(({ collections }) => sessionsOfTeacher(collections, teacherId, days)),
    sessionsOfStudent: (studentId, days) =>
      this.#ask(({ collections }) => sessionsOfStudent(collections, studentId, days)),
    countRecords: (sessionIds) => this.#ask(({ collections }) => countRecords(collections, sessionIds)),
    recordsOfStudent: (studentId, sessionIds) =>
      this.#ask(({ collections }) => recordsOfStudent(collections, studentId, sessionIds)),
    listRecords: (studentId, courseId, days, page) =>
      this.#ask(({ collections }) => listRecords(collections, studentId, courseId, days, page)),
    scheduleSession: (session) =>
      this.#ask(({ collections, journal }) => scheduleSession(collections, journal, session)),
    changeScheduled: (sessionId, change) =>
      this.#ask(({ collections, journal }) => changeScheduled(collections, journal, sessionId, change)),
    cancelScheduled: (sessionId) =>
      this.#ask(({ collections, journal }) => cancelScheduled(collections, journal, sessionId)),
  };

  readonly accessLog: AccessLog = {
    append: (entry) => this.#ask(({ collections }) => appendAccess(collections.accessLog, entry)),
    list: (query) => this.#ask(({ collections }) => listAccess(collections.accessLog, query)),
  };

  readonly signIn: SignIns = {
    makeLink: (link) => this.#ask(({ signIns }) => signIns.makeLink(link)),
    peekLink: (hash) => this.#ask(({ signIns }) => signIns.peekLink(hash)),
    useLink: (hash, now) => this.#ask(({ signIns }) => signIns.useLink(hash, now)),
    openWebSession: (session) => this.#ask(({ signIns }) => signIns.openWebSession(session)),
    readWebSession: (idHash, now) => this.#ask(({ signIns }) => signIns.readWebSession(idHash, now)),
    touchWebSession: (idHash, seenAt, idleUntil) =>
      this.#ask(({ signIns }) => signIns.touchWebSession(idHash, seenAt, idleUntil)),
    closeWebSession: (idHash, now) => this.#ask(({ signIns }) => signIns.closeWebSession(idHash, now)),
    closeWebSessionsOf: (of, now) => this.#ask(({ signIns }) => signIns.closeWebSessionsOf(of, now)),
    closedWebSessions: (since) => this.#ask(({ signIns }) => signIns.closedWebSessions(since)),
    findIdentity: (issuer, subject) => this.#ask(({ signIns }) => signIns.findIdentity(issuer, subject)),
    rememberIdentity: (issuer, subject, userId) =>
      this.#ask(({ signIns }) => signIns.rememberIdentity(issuer, subject, userId)),
    findUidsByEmail: (email) => this.#ask(({ signIns }) => signIns.findUidsByEmail(email)),
    takeOnce: (hash, expiresAt) => this.#ask(({ signIns }) => signIns.takeOnce(hash, expiresAt)),
    removeExpiredSignIns: (now) => this.#ask(({ signIns }) => signIns.removeExpired(now)),
    forgetSignInsOf: (userId, now) => this.#ask(({ signIns }) => signIns.forget(userId, now)),
  };

  readonly reports: Reports = {
    sessionsOfCourse: (courseId) => this.#ask(({ collections }) => sessionsOfCourse(collections, courseId)),
    sessionsOfPerson: (person) => this.#ask(({ collections }) => sessionsOfPerson(collections, person)),
    sessions: (sessionIds) => this.#ask(({ collections }) => sessionsOf(collections, sessionIds)),
    recordsOfSessions: (sessionIds) => this.#ask(({ collections }) => recordsOfSessions(collections, sessionIds)),
    recordsOfStudent: (studentId) => this.#ask(({ collections }) => recordsOfStudentForReports(collections, studentId)),
    findCourse: (courseId) => this.courses.findCourse(courseId),
    listRoster: (courseId) => this.courses.listRoster(courseId),
    findStudents: (studentIds) => this.people.findStudents(studentIds),
    lastSeqs: (sessionIds) => this.journal.lastSeqs(sessionIds),
    readCommits: (sessionId, afterSeq, limit) => this.journal.readCommits(sessionId, afterSeq, limit),
  };

  readonly calendars: Calendars = {
    setCalendar: (address) => this.#ask(({ connection }) => setCalendar(databaseOf(connection), address)),
    removeCalendar: (userId) => this.#ask(({ connection }) => removeCalendar(databaseOf(connection), userId)),
    findCalendar: (hash) => this.#ask(({ connection }) => findCalendar(databaseOf(connection), hash)),
    calendarOf: (userId) => this.#ask(({ connection }) => calendarOf(databaseOf(connection), userId)),
  };

  /** Running servers are to hear of it. */
  async #changeRights(change: (database: Database) => Promise<SchoolChange>): Promise<SchoolChange> {
    return this.#ask(async (database) => {
      const result = await change(database);
      const { outcome } = result;
      if (outcome === 'added' || outcome === 'changed') await noteSchoolChange(databaseOf(database.connection));
      return result;
    });
  }

  constructor(options: MongoStorageOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const database = await this.#connected();
    if (this.#closed) {
      await database.destroy();
      throw new StorageError('mongodb: the storage was closed while it was being opened');
    }
    this.#database = database;
    // Nobody waits for it, and a database that fails here fails elsewhere too.
    this.#warnOfUnusableRows().catch(() => undefined);
  }

  unusableRows(): Promise<readonly UnusableRows[]> {
    return this.#ask(({ collections }) => unusableRows(collections));
  }

  async #warnOfUnusableRows(): Promise<void> {
    for (const { collection, count, reason } of await this.unusableRows()) {
      this.#options.onWarning?.(`${count} ${count === 1 ? 'row' : 'rows'} of ${collection} cannot be used: ${reason}`);
    }
  }

  async #connected(): Promise<Database> {
    const options = this.#options;
    let destroy = async (): Promise<void> => {};
    try {
      let connection: AppConnection;
      let classes: DriverClasses | undefined;
      if ('uri' in options) {
        const own = await connect(options.uri);
        destroy = () => own.destroy().catch(() => {});
        connection = own;
      } else {
        ({ connection } = options);
        await connected(connection);
        classes = classesOf(connection);
      }
      const db = databaseOf(connection);
      const collections = collectionsOf(db, await knowsMajority(db), classes);
      await indexJournal(collections.journal);
      await indexAccessLog(collections.accessLog);
      const onWarning = options.onWarning ?? (() => {});
      await indexExisting(collections, onWarning);
      const journal = new Journal(collections);
      const signIns = new SignInRows(db, collections, () => indexEmails(collections, onWarning));
      return { connection, destroy, collections, journal, signIns };
    } catch (error) {
      await destroy();
      throw whyNotOpened(error);
    }
  }

  /**
   * The driver's monitor can come to a standstill for good when a connection ends in the very moment in which it is
   * made (seen with 7.8): it then never looks for the server again. So after a while of failures the whole
   * connection is replaced.
   */
  #reconnect(): void {
    // What the app has made the app makes anew.
    if ('connection' in this.#options || this.#reconnecting || this.#closed) return;
    if (performance.now() - this.#answered_at < RECONNECT_AFTER_MS) return;
    const before = this.#database;
    this.#reconnecting = this.#connected()
      .then(async (database) => {
        this.#database = this.#closed ? undefined : database;
        const gone = this.#closed ? database : before;
        this.#answered_at = performance.now();
        await gone?.destroy();
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
    await database?.destroy();
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

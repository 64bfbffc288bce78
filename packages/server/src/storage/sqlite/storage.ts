import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { CourseId, SessionId, StudentId } from '@rollcall/protocol';
import type { Entry, RosterStudent } from '../../register/entries.js';
import {
  type AppendResult,
  type Course,
  type ImportReport,
  type NewPerson,
  type Person,
  type Projection,
  type School,
  type Storage,
  StorageError,
  type StoredRecord,
  type StoredSession,
} from '../port.js';
import { backUp } from './backup.js';
import { LAST_SEQS, LIST_ACTIVE, LIST_JOURNALS, READ_ACTIVITY, READ_ENTRIES } from './journal.js';
import * as people from './people.js';
import { FIND_SESSION, PROJECTED_SEQS, READ_RECORDS, toRecord, toSession } from './projection.js';
import { encodeText, parseRows } from './text.js';
import { WorkerLink } from './worker-link.js';

export interface SqliteOptions {
  /** A file, made where missing together with its folder, both for their owner alone, or `:memory:`. */
  readonly path: string;
}

/** A SQLite database in a worker thread of its own: WAL, synchronous=FULL, one fsync for all that waits. */
export class SqliteStorage implements Storage {
  readonly kind = 'sqlite';
  readonly path: string;
  protected readonly link: WorkerLink;

  constructor({ path }: SqliteOptions) {
    this.path = path === ':memory:' ? path : resolve(path);
    this.link = new WorkerLink(this.path);
  }

  /** Rejects with StorageError for a file that isn't a database, or is one of a newer version. */
  async open(): Promise<void> {
    if (this.path !== ':memory:') {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 }).catch((error: unknown) => {
        throw new StorageError(
          `the folder of ${this.path} cannot be made: ${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        );
      });
      // Names and emails are nobody else's to read; SQLite gives its log the mode of the database. A file that is
      // there keeps the mode it was given, and one that can't be made is told better by the opening.
      await open(this.path, 'wx', 0o600).then(
        (file) => file.close(),
        () => undefined,
      );
    }
    await this.link.call('open');
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

  async findPersonByUid(uid: string): Promise<Person | null> {
    return (await this.findPeopleByUid([uid])).get(uid) ?? null;
  }

  async findPeopleByUid(uids: readonly string[]): Promise<Map<string, Person>> {
    const rows = await this.#rows(people.FIND_PEOPLE, [jsonOf(uids)]);
    return new Map(rows.map(people.toPerson).map((person) => [person.uid, person]));
  }

  async findStudents(refs: readonly string[]): Promise<Map<string, RosterStudent>> {
    if (refs.length === 0) return new Map();
    const rows = await this.#rows(people.FIND_STUDENTS, [jsonOf(refs)]);
    return new Map(rows.map(([ref, ...student]) => [String(ref), people.toStudent(student)]));
  }

  async provisionPerson(person: NewPerson): Promise<Person> {
    await this.link.call('provision', person);
    const made = await this.findPersonByUid(person.uid);
    if (!made) throw new StorageError('a person was provisioned and is not there');
    return made;
  }

  async isEmpty(): Promise<boolean> {
    return this.#first(people.IS_EMPTY, [], ([empty]) => empty === 1).then(Boolean);
  }

  async findCourse(courseId: CourseId): Promise<Course | null> {
    return this.#first(people.FIND_COURSE, [courseId], people.toCourse);
  }

  async isEnrolled(courseId: CourseId, studentId: StudentId): Promise<boolean> {
    return (await this.#rows(people.IS_ENROLLED, [courseId, studentId])).length > 0;
  }

  async listRoster(courseId: CourseId): Promise<RosterStudent[]> {
    return (await this.#rows(people.LIST_ROSTER, [courseId])).map(people.toStudent);
  }

  async findSession(sessionId: SessionId): Promise<StoredSession | null> {
    return this.#first(FIND_SESSION, [sessionId], toSession);
  }

  async readRecords(sessionId: SessionId): Promise<StoredRecord[]> {
    return (await this.#rows(READ_RECORDS, [sessionId])).map(toRecord);
  }

  async listActiveSessions(): Promise<SessionId[]> {
    return (await this.#rows(LIST_ACTIVE, [])).map(([id]) => id as SessionId);
  }

  touchSession(sessionId: SessionId, at: number): Promise<void> {
    return this.link.call('touch', sessionId, at);
  }

  readActivity(sessionId: SessionId): Promise<number | null> {
    return this.#first(READ_ACTIVITY, [sessionId], ([at]) => Number(at));
  }

  async append(sessionId: SessionId, expectedSeq: number, entries: readonly Entry[]): Promise<AppendResult> {
    return this.link.call('append', {
      session_id: sessionId,
      expected_seq: expectedSeq,
      last_seq: expectedSeq + entries.length,
      entries: JSON.stringify(entries),
    });
  }

  async readEntries(sessionId: SessionId, afterSeq: number, limit: number): Promise<Entry[]> {
    const batches = JSON.parse(await this.link.call('read', READ_ENTRIES, [sessionId, afterSeq, limit])) as Entry[][];
    // Only the first batch can reach back to what the caller has.
    return batches.flatMap((batch, i) => (i === 0 ? batch.filter((entry) => entry.seq > afterSeq) : batch));
  }

  async lastSeqs(sessionIds: readonly SessionId[]): Promise<Map<SessionId, number>> {
    const rows = await this.#rows(LAST_SEQS, [jsonOf(sessionIds)]);
    return new Map(rows.flatMap(([id, seq]) => (seq === null ? [] : [[id as SessionId, Number(seq)] as const])));
  }

  async projectedSeqs(sessionIds: readonly SessionId[]): Promise<Map<SessionId, number>> {
    const rows = await this.#rows(PROJECTED_SEQS, [jsonOf(sessionIds)]);
    return new Map(rows.map(([id, seq]) => [id as SessionId, Number(seq)]));
  }

  async listJournals(afterSessionId: SessionId | null, limit: number): Promise<SessionId[]> {
    return (await this.#rows(LIST_JOURNALS, [afterSessionId, limit])).map(([id]) => id as SessionId);
  }

  project(projection: Projection): Promise<void> {
    return this.link.call('project', projection);
  }

  importSchool(school: School, { dryRun }: { dryRun: boolean }): Promise<ImportReport> {
    return this.link.call('importSchool', school, dryRun);
  }

  async #rows(sql: string, params: readonly (string | number | null)[]): Promise<unknown[][]> {
    return parseRows(await this.link.call('read', sql, params));
  }

  async #first<Found>(
    sql: string,
    params: readonly (string | number | null)[],
    present: (row: readonly unknown[]) => Found,
  ): Promise<Found | null> {
    const [row] = await this.#rows(sql, params);
    return row === undefined ? null : present(row);
  }
}

/** Ids as one parameter, each once. */
const jsonOf = (ids: readonly string[]): string => JSON.stringify([...new Set(ids)].map(encodeText));

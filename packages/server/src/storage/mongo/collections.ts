import type { mongo } from 'mongoose';
import type { WrittenAccess } from '../../journal/access-entry.js';
import { type DriverClasses, translated } from './app-connection.js';
import { COLLECTION_OPTIONS } from './connection.js';
import type { Row } from './stored-values.js';

/** One commit, written by one insert. Its facts and its chain are never changed. */
export interface StoredRow {
  /** `<session_id>:<first_seq>` */
  readonly _id: string;
  readonly session_id: string;
  readonly first_seq: number;
  readonly last_seq: number;
  /** Absent on commits from before there was a chain: these hold `entries` and nothing of the three after this. */
  readonly format?: number;
  readonly facts?: string;
  readonly personal?: string;
  readonly chain?: string;
  readonly entries?: readonly unknown[];
  /** On the commit that opens a journal, until the session's end is projected. */
  readonly open?: true;
  /** Beside `open`: when the session was last active, ms since the epoch, where no entry says so. */
  readonly active_at?: number;
  /** Beside `open`: students who have left the session on purpose. */
  readonly left?: readonly string[];
}

/** One entry of the access log; its number is the _id. Facts and chain are never changed. */
export type AccessRow = Omit<WrittenAccess, 'number'> & { readonly _id: number };

/** The collections of an existing school database, by the names it has for them, and the journal and the access log, which are ours. */
export interface Collections {
  readonly users: mongo.Collection<Row>;
  readonly teachers: mongo.Collection<Row>;
  readonly students: mongo.Collection<Row>;
  readonly courses: mongo.Collection<Row>;
  readonly enrollments: mongo.Collection<Row>;
  readonly sessions: mongo.Collection<Row>;
  readonly records: mongo.Collection<Row>;
  readonly journal: mongo.Collection<StoredRow>;
  readonly accessLog: mongo.Collection<AccessRow>;
}

/**
 * @param majorityReads whether the journal is read at read concern `majority`, so that nothing is told to anyone
 *   that a failover could still take back. A standalone server has no majority to ask.
 * @param classes those of the app's driver, where it is another one than ours
 */
export function collectionsOf(db: mongo.Db, majorityReads: boolean, classes?: DriverClasses): Collections {
  const collection = <Document extends mongo.Document>(name: string, more: mongo.CollectionOptions = {}) => {
    const found = db.collection<Document>(name, { ...COLLECTION_OPTIONS, ...more });
    return classes ? translated(found, classes) : found;
  };
  return {
    users: collection<Row>('users'),
    teachers: collection<Row>('teachers'),
    students: collection<Row>('students'),
    courses: collection<Row>('courses'),
    enrollments: collection<Row>('enrollments'),
    sessions: collection<Row>('classsessions'),
    records: collection<Row>('attendancerecords'),
    journal: collection<StoredRow>('rollcall_journal', majorityReads ? { readConcern: { level: 'majority' } } : {}),
    accessLog: collection<AccessRow>('rollcall_access_log'),
  };
}

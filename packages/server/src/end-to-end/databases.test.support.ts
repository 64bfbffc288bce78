import { join } from 'node:path';
import type { SessionId } from '@rollcall/protocol';
import Database from 'libsql';
import { createConnection, type mongo } from 'mongoose';
import { expect, onTestFinished } from 'vitest';
import { readConfig } from '../config/config.js';
import { openStorage } from '../storage/open.js';
import type { School, Storage } from '../storage/port.js';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../testing/mongo-server.js';
import { environment, temporaryFolder } from '../testing/server.js';

/** A kind of database that a whole class is tried on. */
export interface TestDatabase {
  readonly name: 'SQLite' | 'MongoDB';
  /** The name, and where it can't be had on this machine how to get it. */
  readonly title: string;
  readonly missing: boolean;
  /** DATABASE_URL of a new, empty database that goes with the test. */
  fresh(): Promise<string>;
}

const withoutMongo = (await testMongoUri()) === undefined;

export const databases: readonly TestDatabase[] = [
  {
    name: 'SQLite',
    title: 'SQLite',
    missing: false,
    fresh: async () => `sqlite:${join(await temporaryFolder(), 'rollcall.db')}`,
  },
  {
    name: 'MongoDB',
    title: withoutMongo ? `MongoDB: ${MONGO_MISSING}` : 'MongoDB',
    missing: withoutMongo,
    fresh: freshMongo,
  },
];

/** URI of a new MongoDB database that goes with the test. */
export async function freshMongo(): Promise<string> {
  const uri = await testMongoUri();
  if (uri === undefined) throw new Error(MONGO_MISSING);
  onTestFinished(() => dropTestDatabase(uri));
  return uri;
}

/** The database as `rollcall` itself opens it, beside a server that may be running on it. It closes with the test. */
export async function openBeside(databaseUrl: string): Promise<Storage> {
  const { database } = readConfig(environment({ DATABASE_URL: databaseUrl }));
  const warn = (message: unknown) => {
    throw new Error(`the database warns: ${String(message)}`);
  };
  const storage = await openStorage(database, { warn });
  onTestFinished(() => storage.close());
  return storage;
}

/** A database with this school in it. */
export async function importInto(databaseUrl: string, school: School): Promise<void> {
  const storage = await openBeside(databaseUrl);
  const { unresolved } = await storage.school.importSchool(school, { dryRun: false });
  if (unresolved.length > 0) throw new Error(`unresolved: ${JSON.stringify(unresolved)}`);
  await storage.close();
}

/** A record as an app's own code left it, late and with a remark, of a session that Rollcall never ran. */
export async function addFoundRecord(databaseUrl: string, session_id: string, student_id: string): Promise<void> {
  if (databaseUrl.startsWith('sqlite:')) {
    const db = new Database(databaseUrl.slice('sqlite:'.length));
    db.prepare(
      `INSERT INTO attendance_records (session_id, student_id, record_id, status, remarks, created_at, updated_at, seq)
       VALUES (?, ?, '0123456789abcdef01234567', 'late', 'as found', 1000, 2000, 0)`,
    ).run(session_id, student_id);
    db.close();
    return;
  }
  const connection = await createConnection(databaseUrl).asPromise();
  const at = { createdAt: new Date(1_000), updatedAt: new Date(2_000) };
  await connection
    .collection('attendancerecords')
    .insertOne({ session_id, student_id, status: 'late', remarks: 'as found', ...at });
  await connection.destroy();
}

/** The commits of a session's journal as the database holds them, in order: first and last seq of each. */
export async function commitsOf(databaseUrl: string, sessionId: string): Promise<Array<readonly [number, number]>> {
  if (!databaseUrl.startsWith('sqlite:')) {
    const batches = await rawRows(databaseUrl, 'rollcall_journal', { session_id: sessionId });
    const commits = batches.map((batch) => [Number(batch['first_seq']), Number(batch['last_seq'])] as const);
    return commits.sort(([a], [b]) => a - b);
  }
  const db = new Database(databaseUrl.slice('sqlite:'.length), { readonly: true });
  try {
    const query = db.prepare('SELECT first_seq, last_seq FROM journal WHERE session_id = ? ORDER BY first_seq');
    const rows = query.all(sessionId) as Array<{ first_seq: number; last_seq: number }>;
    return rows.map(({ first_seq, last_seq }) => [first_seq, last_seq]);
  } finally {
    db.close();
  }
}

/** Documents as they lie in MongoDB, read past Rollcall. */
export async function rawRows(uri: string, collection: string, filter: mongo.Document = {}): Promise<mongo.Document[]> {
  const connection = await createConnection(uri).asPromise();
  try {
    return await connection.collection(collection).find(filter).toArray();
  } finally {
    await connection.destroy();
  }
}

/** Waits until the records are written up to this entry: they follow the journal at a short distance. */
export async function projectedUpTo(storage: Storage, sessionId: SessionId, seq: number): Promise<void> {
  const reached = async () => (await storage.projection.findSession(sessionId))?.projected_seq;
  await expect.poll(reached, { timeout: 30_000 }).toBe(seq);
}

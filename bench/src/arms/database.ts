import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import mongoose from 'mongoose';
import { openStorage } from '../../../packages/server/dist/storage/open.js';
import type { Storage } from '../../../packages/server/dist/storage/port.js';
import { Skipped } from '../harness/no-figures.js';
import { type SchoolSize, schoolOf } from '../school.js';

/**
 * `sqlite` is a file on the disk of this checkout; `tmpfs` the same where fsync costs nothing, since it is memory.
 * `mongo` is a database of its own on MONGODB_TEST_URI.
 */
export type DatabaseKind = 'none' | 'sqlite' | 'tmpfs' | 'mongo';

/** Fills a database through the storage port. */
export type Seed = (storage: Storage) => Promise<void>;

export interface Database {
  /** As DATABASE_URL. */
  readonly url: string;
  /** Where a file lies that is as durable as the database; undefined where there is none. */
  readonly folder?: string;
  remove(): Promise<void>;
}

const DISK = fileURLToPath(new URL('../../data/', import.meta.url));
const MEMORY = '/dev/shm';

const quietly = { warn: () => {} };

/** A database of its own that holds the school, with the schema and the indexes that Rollcall makes. */
export async function makeDatabase(kind: DatabaseKind, school: SchoolSize, seed: Seed | undefined): Promise<Database> {
  if (kind === 'none') return { url: '', remove: async () => {} };
  const database = kind === 'mongo' ? mongoDatabase() : await sqliteDatabase(kind);
  const storage = await openStorage(
    kind === 'mongo' ? { kind: 'mongodb', uri: database.url } : { kind: 'sqlite', path: database.url.slice(7) },
    quietly,
  );
  try {
    await storage.school.importSchool(schoolOf(school), { dryRun: false });
    await seed?.(storage);
  } finally {
    await storage.close();
  }
  return database;
}

async function sqliteDatabase(kind: 'sqlite' | 'tmpfs'): Promise<Database> {
  if (kind === 'tmpfs' && !existsSync(MEMORY)) throw new Skipped(`there is no ${MEMORY}`);
  const parent = kind === 'tmpfs' ? MEMORY : DISK;
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'rollcall-bench-'));
  return {
    url: `sqlite:${join(folder, 'bench.db')}`,
    folder,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function mongoDatabase(): Database {
  const server = process.env['MONGODB_TEST_URI'];
  if (!server) throw new Skipped('set MONGODB_TEST_URI');
  const url = new URL(server);
  url.pathname = `/rollcall_bench_${randomBytes(6).toString('hex')}`;
  return {
    url: url.href,
    async remove() {
      const connection = await mongoose.createConnection(url.href).asPromise();
      await connection.dropDatabase();
      await connection.close();
    },
  };
}

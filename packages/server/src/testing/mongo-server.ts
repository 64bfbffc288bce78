import { randomBytes } from 'node:crypto';
import { createConnection } from 'mongoose';

/** Title of what is skipped where there is no MongoDB to test with. */
export const MONGO_MISSING =
  'needs a MongoDB: set MONGODB_TEST_URI=mongodb://…, or run `npm install --no-save mongodb-memory-server`';

let found: Promise<string | undefined> | undefined;

/**
 * URI of a database of its own, new for each call, on the MongoDB for tests: MONGODB_TEST_URI, else a
 * mongodb-memory-server where that is installed, else undefined.
 * Where ROLLCALL_TEST_REQUIRE lists `mongo`, having none is an error.
 */
export async function testMongoUri(): Promise<string | undefined> {
  found ??= locate();
  const server = await found;
  return server && withFreshDatabase(server);
}

async function locate(): Promise<string | undefined> {
  const given = process.env['MONGODB_TEST_URI'];
  if (given) return given;
  const required = (process.env['ROLLCALL_TEST_REQUIRE'] ?? '').split(',').some((name) => name.trim() === 'mongo');
  try {
    const uri = await startMemoryServer();
    if (uri || !required) return uri;
  } catch (error) {
    if (required) throw error;
    return undefined;
  }
  throw new Error(MONGO_MISSING);
}

/** What we use of mongodb-memory-server, which is looked for and not depended on. */
interface MemoryServerPackage {
  readonly MongoMemoryReplSet: { create(options: object): Promise<{ getUri(): string }> };
}

/** A replica set of one, which a package that ends its mongod with this process starts; undefined if not installed. */
async function startMemoryServer(): Promise<string | undefined> {
  for (const name of ['mongodb-memory-server', 'mongodb-memory-server-core']) {
    const loaded: unknown = await import(name).catch(() => undefined);
    if (isMemoryServerPackage(loaded)) {
      const server = await loaded.MongoMemoryReplSet.create({ replSet: { count: 1, storageEngine: 'wiredTiger' } });
      return server.getUri();
    }
  }
  return undefined;
}

const isMemoryServerPackage = (loaded: unknown): loaded is MemoryServerPackage =>
  typeof loaded === 'object' && loaded !== null && 'MongoMemoryReplSet' in loaded;

/** The same server with the name of a database that isn't there yet. */
function withFreshDatabase(uri: string): string {
  const parts = /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/.exec(uri);
  if (!parts?.[1]) throw new Error('MONGODB_TEST_URI is not a MongoDB URI');
  const query = new URLSearchParams(parts[3]);
  // Without it a user would be looked for in the new database.
  if (parts[1].includes('@') && !query.has('authSource')) query.set('authSource', parts[2] || 'admin');
  const name = `rollcall_test_${randomBytes(6).toString('hex')}`;
  return `${parts[1]}/${name}${query.size > 0 ? `?${query}` : ''}`;
}

/** Removes the database of a test. */
export async function dropTestDatabase(uri: string): Promise<void> {
  const connection = await createConnection(uri).asPromise();
  try {
    await connection.dropDatabase();
  } finally {
    await connection.destroy();
  }
}

/** Where the server of a URI listens, and the same URI leading to a port of this machine instead. */
export function throughProxy(uri: string): {
  readonly target: { readonly host: string; readonly port: number };
  uri(port: number, timeouts: { readonly selectionMs: number; readonly socketMs: number }): string;
} {
  const [, host = '', port = '27017'] = /^mongodb:\/\/(?:[^@/]*@)?([^:,/?]+)(?::(\d+))?/.exec(uri) ?? [];
  return {
    target: { host, port: Number(port) },
    uri(proxyPort, { selectionMs, socketMs }) {
      const [address = '', query = ''] = uri
        .replace(/\/\/((?:[^@/]*@)?)[^/?]+/, `//$1127.0.0.1:${proxyPort}`)
        .split('?');
      const options = new URLSearchParams(query);
      options.delete('replicaSet');
      options.set('directConnection', 'true');
      options.set('serverSelectionTimeoutMS', String(selectionMs));
      options.set('socketTimeoutMS', String(socketMs));
      return `${address}?${options}`;
    },
  };
}

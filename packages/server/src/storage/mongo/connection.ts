import { type Connection, createConnection, type mongo } from 'mongoose';
import { StorageError } from '../port.js';
import { refuseClosedSockets } from './closed-sockets.js';

/** In ms. A database that is gone is reported after the first of them, one that hangs after the longest. */
const TIMEOUTS = {
  serverSelectionTimeoutMS: 5_000,
  connectTimeoutMS: 5_000,
  waitQueueTimeoutMS: 5_000,
  socketTimeoutMS: 15_000,
  // How soon a database that is back is noticed.
  heartbeatFrequencyMS: 2_000,
} as const;
const WRITE_TIMEOUT_MS = 10_000;

/** Connects on a connection of our own. Rejects when no server answers in time. */
export async function connect(uri: string): Promise<Connection> {
  refuseClosedSockets();
  const connection = createConnection(uri, {
    ...timeoutsNotIn(uri),
    // What durability rests on isn't left to the URI, which may have been written for another application.
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: WRITE_TIMEOUT_MS },
    readPreference: 'primary',
    readConcern: { level: 'local' },
    // An absent field of an entry must come back absent, and not as null.
    ignoreUndefined: true,
    autoIndex: false,
    autoCreate: false,
    bufferCommands: false,
  });
  try {
    return await connection.asPromise();
  } catch (error) {
    await connection.destroy().catch(() => {});
    throw error;
  }
}

export const databaseOf = (connection: Connection): mongo.Db => connection.getClient().db(connection.name);

/** Timeouts that the URI sets win over ours. */
function timeoutsNotIn(uri: string): Partial<typeof TIMEOUTS> {
  const given = new Set([...new URLSearchParams(uri.split('?')[1]).keys()].map((key) => key.toLowerCase()));
  return Object.fromEntries(Object.entries(TIMEOUTS).filter(([key]) => !given.has(key.toLowerCase())));
}

/** True for a member of a replica set or a router, which can tell what a majority holds. */
export async function knowsMajority(db: mongo.Db): Promise<boolean> {
  // A server too old for `hello` is treated like a standalone one.
  const hello: mongo.Document = await db
    .admin()
    .command({ hello: 1 })
    .catch((error: unknown) => {
      if (errorCode(error) === COMMAND_NOT_FOUND) return {};
      throw error;
    });
  return typeof hello['setName'] === 'string' || hello['msg'] === 'isdbgrid';
}

const DUPLICATE_KEY = 11_000;
export const COMMAND_NOT_FOUND = 59;
export const NAMESPACE_NOT_FOUND = 26;

export const errorCode = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;

export const isDuplicateKey = (error: unknown): boolean => errorCode(error) === DUPLICATE_KEY;

/** Classes of the errors of the driver, of Mongoose and of the BSON encoder. */
const DATABASE_ERROR = /^(Mongo|BSON)/;

/** Some name themselves otherwise (PoolClearedOnNetworkError), and an app's own driver has classes of its own. */
function isDatabaseError(error: Error): boolean {
  for (let type: unknown = error; type instanceof Error; type = Object.getPrototypeOf(type)) {
    if (DATABASE_ERROR.test(type.constructor.name)) return true;
  }
  return DATABASE_ERROR.test(error.name);
}

/** What the database said as the port's one error; anything else is a fault of ours and stays what it is. */
export function asStorageError(error: unknown): unknown {
  if (error instanceof StorageError || !(error instanceof Error) || !isDatabaseError(error)) return error;
  return new StorageError(`mongodb: ${error.message}`, { cause: error });
}

/** What to do about a database that can't be opened, by what was said. */
const CURES: readonly (readonly [RegExp, string])[] = [
  [
    /ENOTFOUND|EAI_AGAIN|ENODATA|ESERVFAIL|EREFUSED/,
    'there is no such host, or it cannot be looked up now: correct it',
  ],
  [/ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|timed out/i, 'start the database, or correct its address'],
  [/auth/i, 'correct the user, the password or authSource'],
  [/not authorized|requires authentication/i, 'give a user that may read and write this database'],
];

/** Why a database can't be opened. Also what isn't the database's own error, such as that of a name server. */
export function whyNotOpened(error: unknown): unknown {
  if (error instanceof StorageError || !(error instanceof Error)) return error;
  const cure = CURES.find(([said]) => said.test(error.message))?.[1];
  return new StorageError(`mongodb: ${error.message}${cure === undefined ? '' : `: ${cure}`}`, { cause: error });
}

import { join } from 'node:path';
import { domain, optional, set } from './domain.js';
import { type Database, database, directory, mongoUri, redisUrl } from './readers.js';

export const databases = domain({
  section: 'Database',
  rows: {
    DATA_DIR: set(directory, './data', {
      field: 'dataDir',
      meaning: 'Directory of the SQLite database and of the development secret',
    }),
    DATABASE_URL: optional(database, {
      option: 'database',
      hidden: true,
      meaning: 'sqlite:PATH, sqlite::memory:, mongodb://… or mongodb+srv://…; unset: sqlite:DATA_DIR/rollcall.db',
    }),
    MONGODB_URI: optional(mongoUri, {
      hidden: true,
      meaning: 'Another name for DATABASE_URL, for MongoDB only; DATABASE_URL goes first',
    }),
    MONGO_URI: optional(mongoUri, {
      hidden: true,
      meaning: 'Another name for DATABASE_URL, for MongoDB only; MONGODB_URI goes first',
    }),
    REDIS_URL: optional(redisUrl, {
      field: 'redisUrl',
      hidden: true,
      meaning: 'Redis by which several nodes on one MongoDB tell each other what is new',
    }),
  },
  together(values, { refuse }) {
    const named = (['DATABASE_URL', 'MONGODB_URI', 'MONGO_URI'] as const).find((name) => values[name] !== null);
    const inDataDir: Database = { kind: 'sqlite', path: join(values.DATA_DIR, 'rollcall.db') };
    const chosen = (named && values[named]) ?? inDataDir;
    if (values.REDIS_URL !== null && chosen.kind === 'sqlite') {
      refuse('REDIS_URL', 'has no use with SQLite, which is for one node; several nodes need DATABASE_URL=mongodb://…');
    }
    return {
      database: chosen,
      /** The variable that chose the database, for messages. */
      databaseFrom: named ?? ('DATA_DIR' as const),
    };
  },
});

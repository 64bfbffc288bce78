import type { SeenServer, UnusableRows } from './port.js';

/** What a SQLite file holds, as `rollcall doctor` tells it. */
export interface SqliteFacts {
  /** Version of the schema; 0 where Rollcall has made nothing in the file yet. */
  readonly schema: number;
  /** The version that this Rollcall brings a database to. */
  readonly known: number;
  /** What SQLite says is broken; null for a sound file. */
  readonly damage: string | null;
  /** Tables with their number of rows. */
  readonly tables: ReadonlyArray<{ readonly name: string; readonly rows: number }>;
}

/** What a MongoDB holds, as `rollcall doctor` tells it. */
export interface MongoFacts {
  readonly database: string;
  /** Name of the replica set or `sharded`; null for a server that stands alone. */
  readonly replicaSet: string | null;
  /** The collections that Rollcall reads, those that aren't there with null for their number of rows. */
  readonly collections: ReadonlyArray<{
    readonly name: string;
    readonly rows: number | null;
    /** True for a collection that only Rollcall writes. */
    readonly own: boolean;
  }>;
  /** Rows that Rollcall can't use, by collection. */
  readonly unusable: readonly UnusableRows[];
  /** Servers that were noted within the last ten seconds by the database's clock. */
  readonly servers: readonly SeenServer[];
}

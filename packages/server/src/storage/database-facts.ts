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
    /** Rows whose `_id` is neither text nor an ObjectId: Rollcall can't name them, and leaves them out. */
    readonly oddIds: number;
    /** True for a collection that only Rollcall writes. */
    readonly own: boolean;
  }>;
}

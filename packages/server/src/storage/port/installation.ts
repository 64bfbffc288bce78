/** One database is one installation: what makes it different from others, and which servers use it now. */
export interface Installation {
  /**
   * Names the channel of this installation's servers: 22 characters of `[A-Za-z0-9_-]`, the same for all servers on
   * this database. It comes from a key that was made once in the database and from where the database is, so that a
   * copy of the database elsewhere has another.
   */
  channelKey(): Promise<string>;
  /**
   * The key of what this installation signs for itself: 43 characters of `[A-Za-z0-9_-]`, the same for all servers on
   * this database and after a restart, and never sent to anybody. A copy of the database has it too.
   */
  signingKey(): Promise<string>;
  /**
   * Notes that a server lives, at the time of the database's clock.
   * @returns every server that is noted, this one among them; those that haven't been noted for a day are forgotten
   */
  beat(server: ServerNote): Promise<SeenServer[]>;
  /** The server stops: it isn't noted any more. Nothing for one that isn't. */
  leave(node: string): Promise<void>;
}

/** What a server says of itself. */
export interface ServerNote {
  /** An id of this run of the server. */
  readonly node: string;
  /** For people: host and process. */
  readonly name: string;
  /** The channel by which it hears other servers; null where it hears none. */
  readonly channel: string | null;
  /** How far its clock is ahead of the database's, in ms; null while it doesn't know. */
  readonly ahead_ms: number | null;
}

export interface SeenServer extends ServerNote {
  /** When it was last noted, ms since the epoch by the database's clock. */
  readonly beat_at: number;
}

import type { SessionId } from '@rollcall/protocol';
import { afterEach, beforeEach } from 'vitest';
import type { Storage } from '../port.js';

/** One fresh, empty database and the ways into it that the suite needs. */
export interface Harness {
  /** Already open. */
  readonly storage: Storage;
  /** Another open handle on the same database, beside the first or after it was closed. Absent where there can't be one. */
  reopen?(): Promise<Storage>;
  /** Puts a class session `active` that has no journal, as another application would leave it. */
  putActiveSession(sessionId: SessionId): Promise<void>;
  /** Closes what is still open and removes the database. */
  dispose(): Promise<void>;
}

export type MakeHarness = () => Promise<Harness>;

/** Gives every test of the surrounding describe a database of its own. */
export function freshHarness(make: MakeHarness): () => Harness {
  let current: Harness | undefined;
  beforeEach(async () => {
    current = await make();
  });
  afterEach(async () => {
    const made = current;
    current = undefined;
    await made?.dispose();
  });
  return () => {
    if (!current) throw new Error('the database of this test is not there');
    return current;
  };
}

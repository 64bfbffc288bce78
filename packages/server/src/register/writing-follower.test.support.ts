import { appendFile, readFile } from 'node:fs/promises';
import type { Entry } from '../journal/entries.js';
import type { Follower } from './follower.js';
import type { SessionState } from './session-state.js';

/** A follower that writes what it sees into a file, which outlives the process. */
export class WritingFollower implements Follower {
  readonly name: string;
  readonly gatherMs = 10;
  readonly #file: string;
  /** While true it refuses to follow. */
  failing = false;
  refusals = 0;

  constructor(file: string, name = 'writing') {
    this.#file = file;
    this.name = name;
  }

  async follow({ facts }: SessionState, entries: readonly Entry[]): Promise<void> {
    if (this.failing) {
      this.refusals += 1;
      throw new Error('not now');
    }
    await appendFile(this.#file, entries.map(({ seq }) => `${facts.session_id} ${seq}\n`).join(''));
  }
}

/** The seqs that were written of a session, in the order in which they were seen. */
export async function seenIn(file: string, sessionId: string): Promise<number[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  // What a process that was killed wrote last may be cut off.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line.startsWith(`${sessionId} `)).map((line) => Number(line.split(' ')[1]));
}

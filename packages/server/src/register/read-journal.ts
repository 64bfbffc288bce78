import type { SessionId } from '@rollcall/protocol';
import { decodeCommit } from '../journal/decode.js';
import type { Entry } from '../journal/entries.js';
import type { Storage } from '../storage/port.js';

/** Entries asked for at once. */
const READ_ENTRIES = 5_000;

/** Cuts foreign entries into what one command wrote: a bulk belongs together, all else stands alone. */
export function groupsOf(entries: readonly Entry[]): Entry[][] {
  const groups: Entry[][] = [];
  let current: number | undefined;
  for (const entry of entries) {
    const group = entry.type === 'marked' ? entry.group : undefined;
    const last = groups.at(-1);
    if (last && group !== undefined && group === current) last.push(entry);
    else groups.push([entry]);
    current = group;
  }
  return groups;
}

/** A piece of a session's journal, from just after a seq to its end. */
export interface JournalPart {
  readonly entries: readonly Entry[];
  /** The chain after the last commit; undefined where nothing was read. */
  readonly chain: string | undefined;
  /** Where each commit that was read ends, and the chain there. */
  readonly ends: ReadonlyMap<number, string>;
}

/**
 * The journal after `afterSeq`: `limit` entries or a few more, since a commit is never split, or all that there are.
 * @throws {JournalError} for what this version can't read
 */
export async function readJournal(
  storage: Storage,
  sessionId: SessionId,
  afterSeq: number,
  limit = Number.POSITIVE_INFINITY,
): Promise<JournalPart> {
  const entries: Entry[] = [];
  const ends = new Map<number, string>();
  let chain: string | undefined;
  let seq = afterSeq;
  for (;;) {
    const some = Math.min(READ_ENTRIES, limit - entries.length);
    const page = await storage.journal.readCommits(sessionId, seq, some);
    const before = entries.length;
    for (const stored of page) {
      const commit = decodeCommit(sessionId, stored);
      for (const entry of commit.entries) if (entry.seq > afterSeq) entries.push(entry);
      chain = commit.chain;
      seq = commit.last_seq;
      ends.set(seq, chain);
    }
    if (page.length === 0 || entries.length - before < some || entries.length >= limit) return { entries, chain, ends };
  }
}

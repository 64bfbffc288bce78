import type { SessionId } from '@rollcall/protocol';
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

/** The journal after `afterSeq`: `limit` entries or a few more, since a commit is never split, or all that there are. */
export async function readJournal(
  storage: Storage,
  sessionId: SessionId,
  afterSeq: number,
  limit = Number.POSITIVE_INFINITY,
): Promise<Entry[]> {
  const all: Entry[] = [];
  for (;;) {
    const some = Math.min(READ_ENTRIES, limit - all.length);
    const page = await storage.journal.readEntries(sessionId, all.at(-1)?.seq ?? afterSeq, some);
    for (const entry of page) all.push(entry);
    if (page.length < some || all.length >= limit) return all;
  }
}

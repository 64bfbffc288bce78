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

/** The whole journal after `afterSeq`. */
export async function readJournal(storage: Storage, sessionId: SessionId, afterSeq: number): Promise<Entry[]> {
  const all: Entry[] = [];
  for (;;) {
    const page = await storage.journal.readEntries(sessionId, all.at(-1)?.seq ?? afterSeq, READ_ENTRIES);
    for (const entry of page) all.push(entry);
    if (page.length < READ_ENTRIES) return all;
  }
}

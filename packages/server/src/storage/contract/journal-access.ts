import type { SessionId } from '@rollcall/protocol';
import { firstChain } from '../../journal/commit.js';
import { decodeCommit } from '../../journal/decode.js';
import { CommitEncoder } from '../../journal/encode.js';
import type { Entry } from '../../journal/entries.js';
import type { AppendResult, Storage } from '../port.js';

/** Appends entries as the next commit of a session, on the chain of what is there. */
export async function appendTo(
  storage: Storage,
  sessionId: SessionId,
  afterSeq: number,
  entries: readonly Entry[],
  reopens = false,
): Promise<AppendResult> {
  const [last] = afterSeq === 0 ? [] : await storage.journal.readCommits(sessionId, afterSeq - 1, 1);
  const chain = typeof last?.chain === 'string' ? last.chain : firstChain(sessionId);
  return storage.journal.append(sessionId, new CommitEncoder(sessionId).encode(chain, afterSeq, entries), reopens);
}

/** Entries with seq > afterSeq: as many as whole commits hold until there are `limit` or more. */
export async function readEntries(
  storage: Storage,
  sessionId: SessionId,
  afterSeq: number,
  limit: number,
): Promise<Entry[]> {
  const commits = await storage.journal.readCommits(sessionId, afterSeq, limit);
  const entries = commits.flatMap((commit) => decodeCommit(sessionId, commit).entries);
  return entries.filter((entry) => entry.seq > afterSeq);
}

import { hash } from 'node:crypto';
import type { SessionId } from '@rollcall/protocol';

/** Version of the form in which commits are written. Form 1, from before there was a chain, is read and not written. */
export const JOURNAL_FORMAT = 2;

/**
 * One commit of a session's journal, as it is stored: entries first_seq … last_seq in two parts and the chain.
 * docs/reference/journal.md describes the form for other programs.
 */
export interface Commit {
  readonly first_seq: number;
  readonly last_seq: number;
  readonly format: typeof JOURNAL_FORMAT;
  /** What never changes: canonical JSON (RFC 8785). These very bytes are hashed. */
  readonly facts: string;
  /** What a person may ask to have removed: canonical JSON, a list of salted values. Their hashes are in the facts. */
  readonly personal: string;
  /** SHA-256 of the chain before and the facts: 64 lower-case hex digits. */
  readonly chain: string;
}

/** A commit as a database holds it; nothing of it has been checked. */
export interface StoredCommit {
  readonly first_seq: number;
  readonly last_seq: number;
  /** 1 where the commit holds `entries`. */
  readonly format: unknown;
  readonly facts?: unknown;
  readonly personal?: unknown;
  readonly chain?: unknown;
  /** In format 1: the entries themselves. */
  readonly entries?: unknown;
}

/** What the chain of a session's journal begins with: a tag of this form and the session's id, hashed. */
export const firstChain = (sessionId: SessionId): string => hash('sha256', `rollcall journal 2\n${sessionId}`, 'hex');

/** The chain after a commit with these facts. `before` has 64 characters, so that the two can't be mistaken. */
export const nextChain = (before: string, facts: string): string => hash('sha256', before + facts, 'hex');

/** What clients are told of a chain: enough to notice another one, in 16 characters. */
export const chainMark = (chain: string): string => chain.slice(0, 16);

/** A journal that this version of Rollcall can't read, or that is damaged. The session is left alone; others go on. */
export class JournalError extends Error {
  override readonly name = 'JournalError';

  /**
   * @param seq of the entry or commit that can't be read
   * @param what a sentence without its subject, such as "has an entry of type x"
   */
  constructor(
    readonly session_id: SessionId,
    readonly seq: number,
    readonly what: string,
    options?: ErrorOptions,
  ) {
    super(`session ${JSON.stringify(session_id)}: the journal ${what}, at seq ${seq}`, options);
  }
}

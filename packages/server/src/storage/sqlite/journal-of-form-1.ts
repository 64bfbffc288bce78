import type { SessionId } from '@rollcall/protocol';
import { firstChain, type StoredCommit } from '../../journal/commit.js';
import { decodeCommit } from '../../journal/decode.js';
import { CommitEncoder } from '../../journal/encode.js';
import type { Connection } from './connection.js';
import { decodeText } from './text.js';

/** Commits read at once. */
const PAGE = 500;

const INSERT = `
  INSERT INTO journal (session_id, first_seq, last_seq, format, facts, personal, chain) VALUES (?, ?, ?, ?, ?, ?, ?)`;
/** Byte by byte: what the entries hold may be no text at all. */
const KEEP = `
  INSERT INTO journal (session_id, first_seq, last_seq, format, facts, personal, chain)
  SELECT session_id, first_seq, last_seq, 1, entries, NULL, NULL FROM journal_of_form_1
  WHERE session_id = ? AND first_seq = ?`;
const NEXT = `
  SELECT session_id, first_seq, last_seq, CAST(entries AS BLOB) FROM journal_of_form_1
  WHERE session_id > ?1 OR (session_id = ?1 AND first_seq > ?2) ORDER BY session_id, first_seq LIMIT ${PAGE}`;

/**
 * Writes every journal anew in two parts with a chain, from its first commit on. A journal that can't be read keeps
 * its commits as they are, from the damaged one on: that session is refused by name, and the others go on.
 */
export function convertJournals(db: Connection): void {
  let journal: JournalInConversion | undefined;
  let last: { readonly session: string; readonly seq: number } = { session: '', seq: 0 };
  for (;;) {
    // As bytes, since the driver ends the process when it is asked for broken UTF-8 as text.
    const page = db.raw(NEXT, [last.session, last.seq]);
    for (const row of page) {
      const session = decodeText(String(row[0]));
      if (journal?.sessionId !== session) journal = new JournalInConversion(session as SessionId);
      const commit = journal.convert(row);
      if (commit) db.run(INSERT, [session, ...commit]);
      else db.run(KEEP, [session, Number(row[1])]);
      last = { session, seq: Number(row[1]) };
    }
    if (page.length < PAGE) break;
  }
  db.exec('DROP TABLE journal_of_form_1');
}

class JournalInConversion {
  readonly #encoder: CommitEncoder;
  #chain: string;
  #seq = 0;
  #damaged = false;

  constructor(readonly sessionId: SessionId) {
    this.#encoder = new CommitEncoder(sessionId);
    this.#chain = firstChain(sessionId);
  }

  /** The columns of the commit behind the session's id; undefined where it has to stay as it is. */
  convert([, first, last, bytes]: readonly unknown[]): readonly unknown[] | undefined {
    const stored: StoredCommit = {
      first_seq: Number(first),
      last_seq: Number(last),
      format: 1,
      entries: listIn(bytes),
    };
    try {
      if (this.#damaged) throw new RangeError('what comes after a damaged commit has no chain to go on');
      const { entries } = decodeCommit(this.sessionId, stored);
      const commit = this.#encoder.encode(this.#chain, this.#seq, entries);
      this.#chain = commit.chain;
      this.#seq = commit.last_seq;
      return [first, last, commit.format, commit.facts, commit.personal, commit.chain];
    } catch {
      this.#damaged = true;
      return undefined;
    }
  }
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function listIn(bytes: unknown): unknown {
  try {
    return bytes instanceof Uint8Array ? JSON.parse(UTF_8.decode(bytes)) : undefined;
  } catch {
    return undefined;
  }
}

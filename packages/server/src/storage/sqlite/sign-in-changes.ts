import type { UserId } from '@rollcall/protocol';
import { CLOSED_KEPT_MS } from '../port/sign-in.js';
import type { LinkPurpose, NewLink, ProviderSession, StoredLink, WebSession } from '../port.js';
import type { Connection, SqlRow } from './connection.js';

export const SIGN_IN_TABLES = `
  CREATE TABLE sign_in_links (
    hash TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    made_by TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sign_in_links_by_end ON sign_in_links (expires_at);
  CREATE INDEX sign_in_links_by_user ON sign_in_links (user_id);
  CREATE TABLE web_sessions (
    id_hash TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    idle_until INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    shared_device INTEGER NOT NULL,
    user_agent TEXT,
    issuer TEXT,
    provider_sid TEXT,
    closed_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX web_sessions_by_user ON web_sessions (user_id);
  CREATE INDEX web_sessions_by_idle ON web_sessions (idle_until);
  CREATE INDEX web_sessions_by_provider ON web_sessions (provider_sid, issuer) WHERE provider_sid IS NOT NULL;
  CREATE INDEX web_sessions_closed ON web_sessions (closed_at) WHERE closed_at IS NOT NULL;
  CREATE TABLE identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (issuer, subject)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX identities_by_user ON identities (user_id);
  CREATE TABLE taken_once (
    hash TEXT NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX taken_once_by_end ON taken_once (expires_at);`;

export const LINK = 'hash, user_id, purpose, expires_at, used_at, made_by';

type LinkRow = [string, UserId, LinkPurpose, number, number | null, UserId | null];

export function toLink(row: readonly unknown[]): StoredLink {
  const [hash, user_id, purpose, expires_at, used_at, made_by] = row as LinkRow;
  return { hash, user_id, purpose, expires_at, used_at, made_by };
}

const firstOf = (rows: readonly SqlRow[]): string[] => rows.map(([first]) => String(first));

/** What changes the tables; each runs inside a transaction of the worker. */
const changes = {
  makeLink(db: Connection, { hash, user_id, purpose, expires_at, made_by }: NewLink): void {
    db.run('INSERT INTO sign_in_links VALUES (?, ?, ?, ?, NULL, ?)', [hash, user_id, purpose, expires_at, made_by]);
  },

  useLink(db: Connection, hash: string, now: number): StoredLink | null {
    const used = db.run(
      'UPDATE sign_in_links SET used_at = ?2 WHERE hash = ?1 AND used_at IS NULL AND expires_at > ?2',
      [hash, now],
    );
    const row = used === 1 ? db.row(`SELECT ${LINK} FROM sign_in_links WHERE hash = ?`, [hash]) : undefined;
    return row ? toLink(row) : null;
  },

  openWebSession(db: Connection, session: WebSession): void {
    const { id_hash, user_id, made_at, seen_at, idle_until, ends_at, shared_device, user_agent, provider } = session;
    const times = [made_at, seen_at, idle_until, ends_at];
    const device = [shared_device ? 1 : 0, user_agent, provider?.issuer ?? null, provider?.sid ?? null];
    db.run('INSERT INTO web_sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)', [
      id_hash,
      user_id,
      ...times,
      ...device,
    ]);
  },

  touchWebSession(db: Connection, idHash: string, seenAt: number, idleUntil: number): void {
    db.run(
      `UPDATE web_sessions SET seen_at = max(seen_at, ?2), idle_until = max(idle_until, ?3)
       WHERE id_hash = ?1 AND closed_at IS NULL`,
      [idHash, seenAt, idleUntil],
    );
  },

  closeWebSession(db: Connection, idHash: string, now: number): boolean {
    return db.run('UPDATE web_sessions SET closed_at = ?2 WHERE id_hash = ?1 AND closed_at IS NULL', [idHash, now]) > 0;
  },

  closeWebSessionsOf(db: Connection, of: UserId | ProviderSession, now: number): string[] {
    const [where, values] =
      typeof of === 'string'
        ? ['user_id = ?2', [of]]
        : ['provider_sid IS NOT NULL AND provider_sid = ?2 AND issuer = ?3', [of.sid, of.issuer]];
    return firstOf(
      db.rows(`UPDATE web_sessions SET closed_at = ?1 WHERE ${where} AND closed_at IS NULL RETURNING id_hash`, [
        now,
        ...values,
      ]),
    );
  },

  rememberIdentity(db: Connection, issuer: string, subject: string, userId: UserId): UserId {
    db.run('INSERT INTO identities VALUES (?, ?, ?) ON CONFLICT DO NOTHING', [issuer, subject, userId]);
    const row = db.row('SELECT user_id FROM identities WHERE issuer = ? AND subject = ?', [issuer, subject]);
    return String(row?.[0]) as UserId;
  },

  takeOnce(db: Connection, hash: string, expiresAt: number): boolean {
    return db.run('INSERT INTO taken_once VALUES (?, ?) ON CONFLICT DO NOTHING', [hash, expiresAt]) > 0;
  },

  removeExpiredSignIns(db: Connection, now: number): void {
    db.run('DELETE FROM sign_in_links WHERE expires_at <= ?', [now]);
    db.run('DELETE FROM taken_once WHERE expires_at <= ?', [now]);
    // A row at a time of each index; `ends_at` is never before `idle_until` ends.
    db.run('DELETE FROM web_sessions WHERE idle_until <= ?', [now]);
    db.run('DELETE FROM web_sessions WHERE closed_at IS NOT NULL AND closed_at <= ?', [now - CLOSED_KEPT_MS]);
  },

  forgetSignInsOf(db: Connection, userId: UserId, now: number): string[] {
    const closed = changes.closeWebSessionsOf(db, userId, now);
    // What says that a session is closed is no person's: it stays until other nodes have read it.
    db.run(`UPDATE web_sessions SET user_id = '', user_agent = NULL WHERE user_id = ?`, [userId]);
    db.run('DELETE FROM sign_in_links WHERE user_id = ?', [userId]);
    db.run('DELETE FROM identities WHERE user_id = ?', [userId]);
    return closed;
  },
};

export type SignInChanges = typeof changes;
export type SignInChange = keyof SignInChanges;
export type ArgsOf<Name extends SignInChange> = SignInChanges[Name] extends (
  db: Connection,
  ...args: infer Args
) => unknown
  ? Args
  : never;

/** For the worker thread, inside a transaction of its own. */
export function changeSignIns(db: Connection, name: SignInChange, args: readonly unknown[]): unknown {
  const change = changes[name] as (db: Connection, ...args: readonly unknown[]) => unknown;
  return change(db, ...args);
}

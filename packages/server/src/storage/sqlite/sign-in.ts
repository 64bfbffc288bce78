import type { UserId } from '@rollcall/protocol';
import type { SignIns, WebSession } from '../port.js';
import type { Queries } from './queries.js';
import { type ArgsOf, LINK, type SignInChange, type SignInChanges, toLink } from './sign-in-changes.js';

export const PEEK_LINK = `SELECT json_group_array(json_array(${LINK})) FROM sign_in_links WHERE hash = ?1`;
const SESSION =
  'id_hash, user_id, made_at, seen_at, idle_until, ends_at, shared_device, user_agent, issuer, provider_sid';
export const READ_SESSION = `
  SELECT json_group_array(json_array(${SESSION})) FROM web_sessions
  WHERE id_hash = ?1 AND closed_at IS NULL AND idle_until > ?2 AND ends_at > ?2`;
export const CLOSED_SESSIONS = `
  SELECT json_group_array(json_array(id_hash)) FROM web_sessions WHERE closed_at IS NOT NULL AND closed_at >= ?1`;
export const FIND_IDENTITY =
  'SELECT json_group_array(json_array(user_id)) FROM identities WHERE issuer = ?1 AND subject = ?2';
export const FIND_BY_EMAIL = `
  SELECT json_group_array(json_array(uid)) FROM users WHERE email = ?1 COLLATE NOCASE AND email IN (?1, ?2) AND disabled = 0`;

type SessionRow = [string, UserId, number, number, number, number, number, string | null, string | null, string | null];

function toSession(row: readonly unknown[]): WebSession {
  const [id_hash, user_id, made_at, seen_at, idle_until, ends_at, shared, user_agent, issuer, sid] = row as SessionRow;
  const provider = issuer === null || sid === null ? null : { issuer, sid };
  return { id_hash, user_id, made_at, seen_at, idle_until, ends_at, shared_device: shared === 1, user_agent, provider };
}

export function signInsOf(queries: Queries): SignIns {
  const change = <Name extends SignInChange>(
    name: Name,
    ...args: ArgsOf<Name>
  ): Promise<ReturnType<SignInChanges[Name]>> =>
    queries.call('changeSignIns', name, args) as Promise<ReturnType<SignInChanges[Name]>>;
  return {
    makeLink: (link) => change('makeLink', link),
    peekLink: (hash) => queries.first(PEEK_LINK, [hash], toLink),
    useLink: (hash, now) => change('useLink', hash, now),
    openWebSession: (session) => change('openWebSession', session),
    readWebSession: (idHash, now) => queries.first(READ_SESSION, [idHash, now], toSession),
    touchWebSession: (idHash, seenAt, idleUntil) => change('touchWebSession', idHash, seenAt, idleUntil),
    closeWebSession: (idHash, now) => change('closeWebSession', idHash, now),
    closeWebSessionsOf: (of, now) => change('closeWebSessionsOf', of, now),
    closedWebSessions: async (since) => (await queries.rows(CLOSED_SESSIONS, [since])).map(([id]) => String(id)),
    findIdentity: (issuer, subject) => queries.first(FIND_IDENTITY, [issuer, subject], ([id]) => String(id) as UserId),
    rememberIdentity: (issuer, subject, userId) => change('rememberIdentity', issuer, subject, userId),
    findUidsByEmail: async (email) =>
      (await queries.rows(FIND_BY_EMAIL, [email, email.toLowerCase()])).map(([uid]) => String(uid)),
    takeOnce: (hash, expiresAt) => change('takeOnce', hash, expiresAt),
    removeExpiredSignIns: (now) => change('removeExpiredSignIns', now),
    forgetSignInsOf: (userId, now) => change('forgetSignInsOf', userId, now),
  };
}

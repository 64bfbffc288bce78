import type { UserId } from '@rollcall/protocol';

/**
 * Sign-in links, web sessions and who people are to identity providers. Secrets are never stored: a link and a web
 * session are kept under the hash of theirs. Times are ms since the epoch.
 */
export interface SignIns {
  makeLink(link: NewLink): Promise<void>;
  /** The link as it stands, used and expired ones too; null when there is none. Changes nothing. */
  peekLink(hash: string): Promise<StoredLink | null>;
  /**
   * Uses a link up, atomically: of all who ask, whenever and wherever, one gets the link and all others null. Null too
   * for one that is unknown or has expired at `now`.
   */
  useLink(hash: string, now: number): Promise<StoredLink | null>;

  openWebSession(session: WebSession): Promise<void>;
  /** A session that is open at `now`: null for one that is closed, unknown or over. */
  readWebSession(idHash: string, now: number): Promise<WebSession | null>;
  /** Notes that the session was used; nothing for one that is closed. `idle_until` never goes back. */
  touchWebSession(idHash: string, seenAt: number, idleUntil: number): Promise<void>;
  /** @returns false where it was closed already, or never was */
  closeWebSession(idHash: string, now: number): Promise<boolean>;
  /** Closes the sessions of a user, at a provider's word those of one of its sessions. @returns those that were open */
  closeWebSessionsOf(of: UserId | ProviderSession, now: number): Promise<string[]>;
  /** Sessions that were closed at `since` or later; those that were closed long ago are forgotten. */
  closedWebSessions(since: number): Promise<string[]>;

  /** The user whom a provider knows as `subject`; null where nobody is known so. */
  findIdentity(issuer: string, subject: string): Promise<UserId | null>;
  /** @returns whose the identity is: the user who was remembered first */
  rememberIdentity(issuer: string, subject: string, userId: UserId): Promise<UserId>;
  /** Uids of the users with this email address, as it is written or in lower case; disabled users are left out. */
  findUidsByEmail(email: string): Promise<string[]>;

  /** True for the first who asks about this hash, until it is forgotten after `expiresAt`. */
  takeOnce(hash: string, expiresAt: number): Promise<boolean>;
  /** Forgets links, sessions and hashes that are over at `now`, and sessions that were closed an hour before. */
  removeExpiredSignIns(now: number): Promise<void>;
  /** Removes the links, sessions and identities of a user. @returns sessions that were open */
  forgetSignInsOf(userId: UserId, now: number): Promise<string[]>;
}

export type LinkPurpose = 'sign-in' | 'invite';

export interface NewLink {
  /** SHA-256 of the link's secret, base64url. */
  readonly hash: string;
  readonly user_id: UserId;
  readonly purpose: LinkPurpose;
  readonly expires_at: number;
  /** The admin who made it; null for one that a command made, or its own user asked for. */
  readonly made_by: UserId | null;
}

export interface StoredLink extends NewLink {
  readonly used_at: number | null;
}

export interface WebSession {
  /** SHA-256 of the secret in the cookie, base64url. */
  readonly id_hash: string;
  readonly user_id: UserId;
  readonly made_at: number;
  readonly seen_at: number;
  /** Without use it ends then, and at `ends_at` in any case. */
  readonly idle_until: number;
  readonly ends_at: number;
  readonly shared_device: boolean;
  readonly user_agent: string | null;
  /** The provider's session by which it was opened, where the provider named one. */
  readonly provider: ProviderSession | null;
}

export interface ProviderSession {
  readonly issuer: string;
  readonly sid: string;
}

/** For how long a closed session is told by `closedWebSessions`, in ms: longer than any access token of it counts. */
export const CLOSED_KEPT_MS = 3_600_000;

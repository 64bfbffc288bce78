import { RollcallError, type UserId } from '@rollcall/protocol';
import type { AccessToken, IssueAccessToken } from '../auth/access-token.js';
import type { Person, ProviderSession, SignIns, WebSession } from '../storage/port.js';
import { hashOf, isSecret, newSecret } from './secrets.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** How long a web session may go unused, in ms. */
const IDLE_MS = 14 * DAY_MS;
/** The same on a computer that others use too. */
const SHARED_IDLE_MS = 60 * MINUTE_MS;
/** How long it lasts at the most, in ms. */
const LONGEST_MS = 90 * DAY_MS;
/** How often it is noted that a session is in use, in ms. */
const NOTED_EVERY_MS = MINUTE_MS;
const USER_AGENT_MAX = 256;

export interface WebSessionsOptions {
  readonly signIn: SignIns;
  readonly personOfUser: (userId: UserId) => Promise<Person | undefined>;
  readonly issue: IssueAccessToken;
  /** Sessions were closed: their tokens count no longer, and their sockets are cut, on every server. */
  readonly signedOut: (sids: readonly string[]) => void;
  /** Ms since the epoch. */
  readonly now: () => number;
}

export interface Device {
  readonly sharedDevice: boolean;
  readonly userAgent: string | undefined;
  readonly provider?: ProviderSession | null;
}

/** A web session that is open, with its user and a token of it. */
export interface SignedIn extends AccessToken {
  readonly person: Person;
  /** For the cookie; the same for as long as the session lasts. */
  readonly secret: string;
  /** How long the cookie is kept, in ms; null: until the browser is closed. */
  readonly cookieMs: number | null;
}

const signedOutRefusal = () => new RollcallError('UNAUTHENTICATED', { message: 'You are signed out' });

/**
 * What browsers are signed in by. The secret of a session isn't changed while it lasts, so that two tabs which come
 * for a token at the same moment both get one; every sign-in makes another session.
 */
export class WebSessions {
  readonly #options: WebSessionsOptions;

  constructor(options: WebSessionsOptions) {
    this.#options = options;
  }

  /** @param before the secret of the session that the browser had: it is closed */
  async open(person: Person, { sharedDevice, userAgent, provider = null }: Device, before?: string): Promise<SignedIn> {
    const { signIn, now } = this.#options;
    const [secret, made_at] = [newSecret(), now()];
    const session: WebSession = {
      id_hash: hashOf(secret),
      user_id: person.user_id,
      made_at,
      seen_at: made_at,
      idle_until: made_at + idleOf(sharedDevice),
      ends_at: made_at + LONGEST_MS,
      shared_device: sharedDevice,
      user_agent: userAgent?.slice(0, USER_AGENT_MAX) ?? null,
      provider,
    };
    await signIn.openWebSession(session);
    if (before !== undefined) await this.close(before);
    return this.#signedIn(person, secret, session, made_at);
  }

  /** A new access token. @throws {RollcallError} UNAUTHENTICATED where no session of this secret is open */
  async refresh(secret: string | undefined): Promise<SignedIn> {
    const { session, person } = await this.read(secret);
    const { signIn, now } = this.#options;
    const at = now();
    if (at - session.seen_at > NOTED_EVERY_MS) {
      await signIn.touchWebSession(session.id_hash, at, at + idleOf(session.shared_device));
    }
    return this.#signedIn(person, secret ?? '', session, at);
  }

  /** Whose session it is. @throws {RollcallError} UNAUTHENTICATED where no session of this secret is open */
  async read(secret: string | undefined): Promise<{ readonly session: WebSession; readonly person: Person }> {
    const { signIn, personOfUser, now } = this.#options;
    const session = isSecret(secret) ? await signIn.readWebSession(hashOf(secret), now()) : null;
    const person = session && (await personOfUser(session.user_id));
    if (!session || !person) throw signedOutRefusal();
    return { session, person };
  }

  /** Nothing for a secret of which no session is open. */
  async close(secret: string): Promise<void> {
    if (isSecret(secret)) await this.closeById(hashOf(secret));
  }

  /** @param sid the claim of its access tokens */
  async closeById(sid: string): Promise<void> {
    const { signIn, signedOut, now } = this.#options;
    if (await signIn.closeWebSession(sid, now())) signedOut([sid]);
  }

  /** Closes all sessions of a user, or those that a provider's session has opened. @returns how many were open */
  async closeAllOf(of: UserId | ProviderSession): Promise<number> {
    const { signIn, signedOut, now } = this.#options;
    const closed = await signIn.closeWebSessionsOf(of, now());
    signedOut(closed);
    return closed.length;
  }

  async #signedIn(person: Person, secret: string, session: WebSession, at: number): Promise<SignedIn> {
    const { id_hash, ends_at, shared_device } = session;
    const token = await this.#options.issue(person.uid, id_hash, at, ends_at);
    return { ...token, person, secret, cookieMs: shared_device ? null : Math.min(IDLE_MS, ends_at - at) };
  }
}

const idleOf = (sharedDevice: boolean): number => (sharedDevice ? SHARED_IDLE_MS : IDLE_MS);

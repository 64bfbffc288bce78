import type { UserId } from '@rollcall/protocol';
import type { mongo } from 'mongoose';
import { CLOSED_KEPT_MS } from '../port/sign-in.js';
import type { NewLink, ProviderSession, StoredLink, WebSession } from '../port.js';
import type { Collections } from './collections.js';
import { COLLECTION_OPTIONS, isDuplicateKey } from './connection.js';
import { readId, readText } from './stored-values.js';

type LinkRow = Omit<StoredLink, 'hash'> & { readonly _id: string };
type SessionRow = Omit<WebSession, 'id_hash'> & { readonly _id: string; readonly closed_at: number | null };
interface IdentityRow {
  /** The JSON array of issuer and subject. */
  readonly _id: string;
  readonly user_id: UserId;
}
interface TakenRow {
  readonly _id: string;
  readonly expires_at: number;
}

/** Nobody's: what is left of a session whose user was forgotten. */
const NOBODY = '' as UserId;

/** Sign-in links, web sessions and identities, in collections of Rollcall's own. */
export class SignInRows {
  readonly #links: mongo.Collection<LinkRow>;
  readonly #sessions: mongo.Collection<SessionRow>;
  readonly #identities: mongo.Collection<IdentityRow>;
  readonly #taken: mongo.Collection<TakenRow>;
  readonly #users: Collections['users'];
  readonly #indexEmails: () => Promise<void>;
  #indexed: Promise<void> | undefined;
  #emailsIndexed: Promise<void> | undefined;

  /** @param indexEmails called before the first look-up by email */
  constructor(db: mongo.Db, { users }: Collections, indexEmails: () => Promise<void>) {
    this.#users = users;
    this.#indexEmails = indexEmails;
    this.#links = db.collection('rollcall_sign_in_links', COLLECTION_OPTIONS);
    this.#sessions = db.collection('rollcall_web_sessions', COLLECTION_OPTIONS);
    this.#identities = db.collection('rollcall_identities', COLLECTION_OPTIONS);
    this.#taken = db.collection('rollcall_taken_once', COLLECTION_OPTIONS);
  }

  /** Before the first row: a database in which nobody signs in through Rollcall gets no such collection. */
  #index(): Promise<void> {
    this.#indexed ??= this.#makeIndexes().catch((error: unknown) => {
      this.#indexed = undefined;
      throw error;
    });
    return this.#indexed;
  }

  async #makeIndexes(): Promise<void> {
    await this.#links.createIndex({ user_id: 1 });
    await this.#links.createIndex({ expires_at: 1 });
    await this.#sessions.createIndex({ user_id: 1 });
    await this.#sessions.createIndex({ idle_until: 1 });
    await this.#sessions.createIndex({ closed_at: 1 });
    await this.#sessions.createIndex({ 'provider.sid': 1, 'provider.issuer': 1 });
    await this.#identities.createIndex({ user_id: 1 });
    await this.#taken.createIndex({ expires_at: 1 });
  }

  async makeLink({ hash, ...link }: NewLink): Promise<void> {
    await this.#index();
    await this.#links.insertOne({ _id: hash, ...link, used_at: null });
  }

  async peekLink(hash: string): Promise<StoredLink | null> {
    const row = await this.#links.findOne({ _id: hash });
    return row && toLink(row);
  }

  async useLink(hash: string, now: number): Promise<StoredLink | null> {
    const row = await this.#links.findOneAndUpdate(
      { _id: hash, used_at: null, expires_at: { $gt: now } },
      { $set: { used_at: now } },
      { returnDocument: 'after' },
    );
    return row && toLink(row);
  }

  async openWebSession({ id_hash, ...session }: WebSession): Promise<void> {
    await this.#index();
    await this.#sessions.insertOne({ _id: id_hash, ...session, closed_at: null });
  }

  async readWebSession(idHash: string, now: number): Promise<WebSession | null> {
    const row = await this.#sessions.findOne({
      _id: idHash,
      closed_at: null,
      idle_until: { $gt: now },
      ends_at: { $gt: now },
    });
    if (!row) return null;
    const { _id, closed_at: _, ...session } = row;
    return { id_hash: _id, ...session };
  }

  async touchWebSession(idHash: string, seenAt: number, idleUntil: number): Promise<void> {
    const change = { $max: { seen_at: seenAt, idle_until: idleUntil } };
    await this.#sessions.updateOne({ _id: idHash, closed_at: null }, change);
  }

  async closeWebSession(idHash: string, now: number): Promise<boolean> {
    const { matchedCount } = await this.#sessions.updateOne(
      { _id: idHash, closed_at: null },
      { $set: { closed_at: now } },
    );
    return matchedCount > 0;
  }

  async closeWebSessionsOf(of: UserId | ProviderSession, now: number): Promise<string[]> {
    const theirs = typeof of === 'string' ? { user_id: of } : { 'provider.sid': of.sid, 'provider.issuer': of.issuer };
    const rows = await this.#sessions.find({ ...theirs, closed_at: null }, { projection: { _id: 1 } }).toArray();
    const closed: string[] = [];
    // One after another: each tells whether it was this call that closed it.
    for (const { _id } of rows) if (await this.closeWebSession(_id, now)) closed.push(_id);
    return closed;
  }

  async closedWebSessions(since: number): Promise<string[]> {
    const rows = await this.#sessions.find({ closed_at: { $gte: since } }, { projection: { _id: 1 } }).toArray();
    return rows.map(({ _id }) => _id);
  }

  async findIdentity(issuer: string, subject: string): Promise<UserId | null> {
    return (await this.#identities.findOne({ _id: identityId(issuer, subject) }))?.user_id ?? null;
  }

  async rememberIdentity(issuer: string, subject: string, user_id: UserId): Promise<UserId> {
    await this.#index();
    try {
      await this.#identities.insertOne({ _id: identityId(issuer, subject), user_id });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    return (await this.findIdentity(issuer, subject)) ?? user_id;
  }

  /** Users without a uid have their id for one. */
  async findUidsByEmail(email: string): Promise<string[]> {
    this.#emailsIndexed ??= this.#indexEmails().catch((error: unknown) => {
      this.#emailsIndexed = undefined;
      throw error;
    });
    await this.#emailsIndexed;
    const rows = await this.#users
      .find({ email: { $in: [email, email.toLowerCase()] } }, { projection: { uid: 1, disabled: 1 } })
      .toArray();
    const enabled = rows.filter(({ disabled }) => disabled !== true);
    return enabled.flatMap((row) => readText(row['uid']) ?? readId(row._id) ?? []);
  }

  async takeOnce(hash: string, expires_at: number): Promise<boolean> {
    await this.#index();
    try {
      await this.#taken.insertOne({ _id: hash, expires_at });
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  async removeExpired(now: number): Promise<void> {
    await this.#links.deleteMany({ expires_at: { $lte: now } });
    await this.#taken.deleteMany({ expires_at: { $lte: now } });
    await this.#sessions.deleteMany({ idle_until: { $lte: now } });
    await this.#sessions.deleteMany({ closed_at: { $gt: 0, $lte: now - CLOSED_KEPT_MS } });
  }

  async forget(user_id: UserId, now: number): Promise<string[]> {
    const closed = await this.closeWebSessionsOf(user_id, now);
    // What says that a session is closed is no person's: it stays until other nodes have read it.
    await this.#sessions.updateMany({ user_id }, { $set: { user_id: NOBODY, user_agent: null } });
    await this.#links.deleteMany({ user_id });
    await this.#identities.deleteMany({ user_id });
    return closed;
  }
}

const identityId = (issuer: string, subject: string): string => JSON.stringify([issuer, subject]);

const toLink = ({ _id, ...link }: LinkRow): StoredLink => ({ hash: _id, ...link });

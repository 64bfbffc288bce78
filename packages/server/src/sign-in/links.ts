import { RollcallError, type UserId } from '@rollcall/protocol';
import type { LinkPurpose, Person, SignIns, StoredLink } from '../storage/port.js';
import { TriesLimit } from './limits.js';
import { linkAddress } from './public-address.js';
import { hashOf, isSecret, newSecret } from './secrets.js';

const MINUTE_MS = 60_000;
/** How long a link counts, in ms. */
const COUNTS_FOR_MS: Readonly<Record<LinkPurpose, number>> = {
  'sign-in': 15 * MINUTE_MS,
  invite: 7 * 24 * 60 * MINUTE_MS,
};
/** Tries a minute with one link from one address. Never by address alone: a school shares one. */
const TRIES = 10;
/** Links an hour for one user and purpose. */
const LINKS = 5;

export interface LinksOptions {
  readonly signIn: SignIns;
  /** Who a user id is of, undefined where there is nobody, or they are disabled. */
  readonly personOfUser: (userId: UserId) => Promise<Person | undefined>;
  readonly publicUrl: () => string;
  /** Ms since the epoch. */
  readonly now: () => number;
}

export interface MadeLink {
  readonly url: string;
  /** Ms since the epoch. */
  readonly expires_at: number;
}

/** Links that sign one user in, once. */
export class SignInLinks {
  readonly #options: LinksOptions;
  readonly #uses = new TriesLimit(TRIES, MINUTE_MS);
  readonly #looks = new TriesLimit(TRIES, MINUTE_MS);
  readonly #made = new TriesLimit(LINKS, 60 * MINUTE_MS);

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** @param madeBy the admin; null for one that a command makes, or its own user asks for */
  async make(userId: UserId, purpose: LinkPurpose, madeBy: UserId | null = null): Promise<MadeLink> {
    const { signIn, publicUrl, now } = this.#options;
    const secret = newSecret();
    const expires_at = now() + COUNTS_FOR_MS[purpose];
    await signIn.makeLink({ hash: hashOf(secret), user_id: userId, purpose, expires_at, made_by: madeBy });
    return { url: linkAddress(publicUrl(), secret), expires_at };
  }

  /** The same, a few times an hour. @throws {RollcallError} RATE_LIMITED */
  async makeWithinLimit(userId: UserId, purpose: LinkPurpose, madeBy: UserId | null = null): Promise<MadeLink> {
    // By purpose: whoever asks for links of somebody else's address doesn't use up the invites of an admin.
    this.#made.take(`${purpose} ${userId}`);
    return this.make(userId, purpose, madeBy);
  }

  /** Whom a link would sign in. Uses nothing. @throws {RollcallError} why it would not, as `use` */
  async peek(token: unknown, address: string): Promise<{ readonly person: Person; readonly link: StoredLink }> {
    const hash = hashOfToken(token);
    this.#looks.take(`${address} ${hash}`);
    const link = await this.#options.signIn.peekLink(hash);
    this.#refuseUseless(link);
    return { person: await this.#personOf(link), link };
  }

  /**
   * Uses a link up.
   * @returns whom it signs in
   * @throws {RollcallError} LINK_UNKNOWN, LINK_USED, LINK_EXPIRED; RATE_LIMITED; UNAUTHENTICATED where its user is gone
   */
  async use(token: unknown, address: string): Promise<Person> {
    const { signIn, now } = this.#options;
    const hash = hashOfToken(token);
    this.#uses.take(`${address} ${hash}`);
    const used = await signIn.useLink(hash, now());
    if (used) return this.#personOf(used);
    this.#refuseUseless(await signIn.peekLink(hash));
    // It was there to be used, and somebody else was faster.
    throw new RollcallError('LINK_USED');
  }

  #refuseUseless(link: StoredLink | null): asserts link is StoredLink {
    if (!link) throw new RollcallError('LINK_UNKNOWN');
    if (link.used_at !== null) throw new RollcallError('LINK_USED');
    if (link.expires_at <= this.#options.now()) throw new RollcallError('LINK_EXPIRED');
  }

  async #personOf({ user_id }: StoredLink): Promise<Person> {
    const person = await this.#options.personOfUser(user_id);
    if (!person) throw new RollcallError('UNAUTHENTICATED', { message: 'User not found' });
    return person;
  }
}

function hashOfToken(token: unknown): string {
  if (!isSecret(token)) throw new RollcallError('LINK_UNKNOWN');
  return hashOf(token);
}

import type { UserId } from '@rollcall/protocol';
import type { IssueAccessToken } from '../auth/access-token.js';
import type { Directory } from '../commands/directory.js';
import type { Person, Storage } from '../storage/port.js';
import { TriesLimit } from './limits.js';
import { SignInLinks } from './links.js';
import { linkLetter, type MailOptions, mailer, type SendMail } from './mail.js';
import { type OidcOptions, OidcSignIn } from './oidc.js';
import { hashOf } from './secrets.js';
import { WebSessions } from './web-sessions.js';

/** How often expired links and sessions are removed, in ms. */
const TIDIED_EVERY_MS = 3_600_000;
/** Times a minute that a link may be asked for by one email address from one network address. */
const ASKED = 10;

export interface SignInOptions {
  readonly storage: Storage;
  readonly directory: Directory;
  readonly issue: IssueAccessToken;
  /** Web sessions were closed: their tokens count no longer, and their sockets are cut, on every server. */
  readonly signedOut: (sids: readonly string[]) => void;
  readonly publicUrl: () => string;
  readonly mail: MailOptions | null;
  readonly oidc: OidcOptions | null;
  /** Ms since the epoch. */
  readonly now: () => number;
  readonly onError: (what: string, error: unknown) => void;
}

/** Sign-in by links, by mail and by an identity provider, and the web sessions that follow from it. */
export class SignIn {
  readonly links: SignInLinks;
  readonly webSessions: WebSessions;
  /** Undefined where no identity provider is configured. */
  readonly oidc: OidcSignIn | undefined;
  readonly #options: SignInOptions;
  readonly #send: SendMail | undefined;
  readonly #asked = new TriesLimit(ASKED, 60_000);
  readonly #sending = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SignInOptions) {
    const { storage, issue, signedOut, publicUrl, mail, oidc, now } = options;
    const { signIn } = storage;
    this.#options = options;
    const personOfUser = (userId: UserId) => this.personOfUser(userId);
    this.links = new SignInLinks({ signIn, personOfUser, publicUrl, now });
    this.webSessions = new WebSessions({ signIn, personOfUser, issue, signedOut, now });
    this.#send = mail === null ? undefined : mailer(mail);
    this.oidc =
      oidc === null
        ? undefined
        : new OidcSignIn(oidc, {
            signIn,
            userOfUid: async (uid) => (await options.directory.person(uid))?.user_id,
            publicUrl,
            now,
          });
  }

  /** True where links can be mailed. */
  get mails(): boolean {
    return this.#send !== undefined;
  }

  /** Begins to remove what has expired, now and every hour. */
  start(): void {
    this.#tidy();
    this.#timer = setInterval(() => this.#tidy(), TIDIED_EVERY_MS).unref();
  }

  /** Resolves once the letters that were asked for are sent. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#sending);
  }

  /** The user of an id, with their profiles; undefined where there is nobody, or they are disabled. */
  async personOfUser(userId: UserId): Promise<Person | undefined> {
    const { storage, directory } = this.#options;
    const uid = await storage.people.findUidOfUser(userId);
    const person = uid === null ? undefined : await directory.person(uid);
    // The uid may be somebody else's by now.
    return person?.user_id === userId ? person : undefined;
  }

  /**
   * Mails a link to whom this is the email address of, if anybody. Neither the answer nor the time it takes tells
   * whether there is somebody.
   * @throws {RollcallError} RATE_LIMITED
   */
  mailLink(email: string, address: string): void {
    this.#asked.take(`${address} ${hashOf(email.toLowerCase())}`);
    const sending = this.#mail(email)
      .catch((error: unknown) => this.#options.onError('a sign-in link could not be mailed', error))
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  async #mail(email: string): Promise<void> {
    const { storage, directory } = this.#options;
    const send = this.#send;
    if (!send) return;
    for (const uid of await storage.signIn.findUidsByEmail(email)) {
      const person = await directory.person(uid);
      if (!person || person.email === null) continue;
      const { url } = await this.links.makeWithinLimit(person.user_id, 'sign-in');
      // To the address as it is stored: what was typed never receives anything.
      await send(linkLetter(person.name, person.email, url));
    }
  }

  #tidy(): void {
    const { storage, now, onError } = this.#options;
    storage.signIn
      .removeExpiredSignIns(now())
      .catch((error: unknown) => onError('expired sign-in links could not be removed', error));
  }
}

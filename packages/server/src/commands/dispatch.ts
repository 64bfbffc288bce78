import { setTimeout as delay } from 'node:timers/promises';
import {
  type ClientEventName,
  type ClientInput,
  parseClientEvent,
  RollcallError,
  type SessionId,
} from '@rollcall/protocol';
import type { Person } from '../storage/port.js';
import type { Call, Command, Connection, Services } from './command.js';
import { RateLimit } from './rate-limit.js';
import { activeForTeacherNow } from './rights.js';

/** To make an answer with so many records, entries, rows or sessions takes as long as an event of the usual kind. */
const ITEMS_PER_EVENT = 250;

export interface RateLimits {
  readonly teacherPerSecond: number;
  readonly studentPerSecond: number;
}

/** What came of charging a caller: how long they wait, in ms, or after how many seconds they may try again. */
export type Admission = { readonly wait: number } | { readonly retry_after: number };

/** What came in, by whatever way: who gives a command, with what, and how it is answered. */
export interface Request extends Pick<Call<ClientEventName>, 'answer' | 'proceed'> {
  /** Of a caller whose token was verified. */
  readonly uid: string;
  readonly payload: unknown;
  /** Absent where the command came without a lasting connection. */
  readonly connection: Connection | undefined;
  /** The Cookie header that came with the socket's handshake, or with the request. */
  readonly cookie?: string | undefined;
}

/**
 * The door by which every command enters, whatever brought it: it counts towards its user's rate, its payload is
 * checked, its user is looked up, and its feature carries it out.
 */
export class Dispatch {
  readonly #services: Services;
  readonly #limits: RateLimits;
  readonly #rate = new RateLimit();

  constructor(services: Services, limits: RateLimits) {
    this.#services = services;
    this.#limits = limits;
  }

  /** Charges a user for so many events. */
  admit(uid: string, events = 1): Admission {
    const { teacherPerSecond, studentPerSecond } = this.#limits;
    const person = this.#services.directory.lastKnown(uid);
    const teaches = person !== undefined && (person.teacher !== null || person.is_admin);
    return this.#rate.take(uid, teaches ? teacherPerSecond : studentPerSecond, events);
  }

  /** Carries out a command that was admitted; resolves once it is answered. @throws {RollcallError} the refusal */
  async carryOut<Name extends ClientEventName>(command: Command<Name>, request: Request): Promise<void> {
    const { directory } = this.#services;
    const { uid, payload, connection, answer, proceed } = request;
    const input: ClientInput<Name> = parseClientEvent(command.name, payload);
    // No await where the person is known: commands in a row then reach the register in one turn.
    const person = directory.personNow(uid) ?? (await directory.person(uid));
    if (!person) throw new RollcallError('UNAUTHENTICATED', { message: 'User not found' });
    const call: Call<Name> = {
      event: command.name,
      input,
      person,
      actor: { user_id: person.user_id, name: person.name },
      cookie: request.cookie,
      connection,
      answer,
      chargeFor: (items) => this.#chargeFor(request, items),
      proceed,
    };
    const done = command.handle(call, this.#services);
    const touched = this.#touch(person, input);
    await done;
    // The course had to be read first.
    if (!touched) this.#touch(person, input);
  }

  async #chargeFor({ uid, connection }: Request, items: number): Promise<void> {
    const events = Math.floor(items / ITEMS_PER_EVENT);
    if (events > 0) {
      const admission = this.admit(uid, events);
      if ('retry_after' in admission) throw tooFast(admission);
      if (admission.wait > 0) await delay(admission.wait);
    }
    await connection?.readyForMore();
  }

  /** Whatever a teacher does with a session keeps it alive. @returns false where that can't be told without a look-up */
  #touch(person: Person, input: object): boolean {
    if (!('session_id' in input) || (!person.teacher && !person.is_admin)) return true;
    const live = activeForTeacherNow(person, input.session_id as SessionId, this.#services);
    if (live) this.#services.touched(live);
    return live !== undefined;
  }
}

export const tooFast = ({ retry_after }: { readonly retry_after: number }): RollcallError =>
  new RollcallError('RATE_LIMITED', { details: { retry_after } });

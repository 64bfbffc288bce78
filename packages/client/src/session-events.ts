import type { Unsubscribe } from './emitter.js';
import type { Caller, ClientEvents } from './events.js';

/** Listens to what the server tells of one session, until it is stopped. */
export class SessionEvents {
  readonly #caller: Caller;
  readonly #sessionId: string;
  #subscriptions: Unsubscribe[] = [];

  constructor(caller: Caller, sessionId: string) {
    this.#caller = caller;
    this.#sessionId = sessionId;
  }

  on<Name extends keyof ClientEvents>(name: Name, take: (payload: ClientEvents[Name]) => void): void {
    const listener = (payload: ClientEvents[Name]) => {
      if (name === 'state' || (payload as { session_id?: string }).session_id === this.#sessionId) take(payload);
    };
    this.#subscriptions.push(this.#caller.on(name, listener));
  }

  stop(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#subscriptions = [];
  }
}

/** At most four a second. */
const INTERVAL_MS = 250;

interface Tick {
  /** True while participants have to be told too. */
  everyone: boolean;
  dirty: boolean;
  /** To be sent in this turn. */
  due: boolean;
  timer: NodeJS.Timeout;
}

/** Coalesces changes per session: the first is sent at once, what follows within the interval as one, the last always. */
export class StatisticsTicker<Session> {
  readonly #send: (session: Session, everyone: boolean) => void;
  readonly #ticks = new Map<Session, Tick>();

  constructor(send: (session: Session, everyone: boolean) => void) {
    this.#send = send;
  }

  changed(session: Session, everyone: boolean): void {
    const tick = this.#ticks.get(session);
    if (tick) {
      tick.dirty = true;
      tick.everyone ||= everyone;
      return;
    }
    this.#wait(session, { everyone, dirty: true });
    // After all events of the batch that is being published, so that its seq never runs ahead of them.
    queueMicrotask(() => this.#flush(session));
  }

  /** What is due at once and wasn't sent yet: for whoever sends it with something else. */
  take(session: Session): { readonly everyone: boolean } | undefined {
    const tick = this.#ticks.get(session);
    if (!tick?.due) return undefined;
    const { everyone } = tick;
    tick.due = tick.dirty = tick.everyone = false;
    return { everyone };
  }

  /** The session is over: what was to come is part of its end. */
  stop(session: Session): void {
    clearTimeout(this.#ticks.get(session)?.timer);
    this.#ticks.delete(session);
  }

  close(): void {
    for (const session of [...this.#ticks.keys()]) this.stop(session);
  }

  #flush(session: Session): void {
    const taken = this.take(session);
    if (taken) this.#send(session, taken.everyone);
  }

  #wait(session: Session, state: { everyone: boolean; dirty: boolean }): void {
    const timer = setTimeout(() => {
      const tick = this.#ticks.get(session);
      this.#ticks.delete(session);
      if (!tick?.dirty) return;
      this.#wait(session, tick);
      this.#flush(session);
    }, INTERVAL_MS).unref();
    this.#ticks.set(session, { ...state, due: true, timer });
  }
}

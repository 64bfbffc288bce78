/** Takes the listener off again. Repeated calls do nothing. */
export type Unsubscribe = () => void;

/** A typed emitter of one-argument events. A listener that throws doesn't keep the others from hearing. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(payload: never) => void>>();

  /** Calls the listener at each event of this name. Returns what takes it off again. */
  on<Name extends keyof Events>(name: Name, listener: (payload: Events[Name]) => void): Unsubscribe {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    // Wrapped, so that one function listening twice can also be taken off once.
    const entry = (payload: Events[Name]) => listener(payload);
    listeners.add(entry);
    return () => listeners.delete(entry);
  }

  /** Resolves with the payload of the next event of this name; rejects with the signal's reason. */
  once<Name extends keyof Events>(name: Name, options: { signal?: AbortSignal } = {}): Promise<Events[Name]> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      const stop = this.on(name, (payload) => {
        stop();
        signal?.removeEventListener('abort', abort);
        resolve(payload);
      });
      const abort = () => {
        stop();
        reject(signal?.reason);
      };
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
  }

  protected emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      // One before it may have taken it off.
      if (!this.#listeners.get(name)?.has(listener)) continue;
      try {
        (listener as (payload: Events[Name]) => void)(payload);
      } catch (error) {
        // Reported as an uncaught error, as EventTarget does, instead of being blamed on the connection.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

import type { Unsubscribe } from './emitter.js';

/** A map that gives out a copy of itself, the same one until something changes. */
export class SnapshotMap<Key, Value> extends Map<Key, Value> {
  #copy: ReadonlyMap<Key, Value> | undefined;

  override set(key: Key, value: Value): this {
    if (this.get(key) !== value || !this.has(key)) this.#copy = undefined;
    return super.set(key, value);
  }

  override delete(key: Key): boolean {
    const deleted = super.delete(key);
    if (deleted) this.#copy = undefined;
    return deleted;
  }

  override clear(): void {
    if (this.size > 0) this.#copy = undefined;
    super.clear();
  }

  /** The map as it stands. Copying happens here, and only where something changed since the last time. */
  snapshot(): ReadonlyMap<Key, Value> {
    this.#copy ??= new Map(this);
    return this.#copy;
  }
}

/** True where both have the same fields with the same values. */
const sameFields = (a: object, b: object): boolean => {
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => Object.is(left[name], right[name]));
};

/** True where two values as they come from JSON are the same in every field, however deep. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => sameValue(left[name], right[name]));
}

/**
 * Gives out snapshots of something that changes: objects that stay as they are, and the same one until one of its
 * fields is another. Whoever subscribed is called once for all that changes in one go.
 */
export class Snapshots<Snapshot extends object> {
  readonly #read: () => Snapshot;
  readonly #listeners = new Set<() => void>();
  #last: Snapshot | undefined;
  #told: Snapshot | undefined;
  #due = false;

  /** @param read makes a snapshot, whose fields are the same values where nothing changed */
  constructor(read: () => Snapshot) {
    this.#read = read;
  }

  get(): Snapshot {
    const now = this.#read();
    if (!this.#last || !sameFields(this.#last, now)) this.#last = Object.freeze(now);
    return this.#last;
  }

  subscribe(listener: () => void): Unsubscribe {
    if (this.#listeners.size === 0) this.#told = this.get();
    // Wrapped, so that one function listening twice can also be taken off once.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  /** Something may have changed. */
  touch(): void {
    if (this.#due || this.#listeners.size === 0) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      const now = this.get();
      if (this.#told === now) return;
      this.#told = now;
      for (const listener of [...this.#listeners]) {
        try {
          if (this.#listeners.has(listener)) listener();
        } catch (error) {
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    });
  }
}

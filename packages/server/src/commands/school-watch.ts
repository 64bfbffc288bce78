import type { Storage } from '../storage/port.js';

/** How often the database is asked whether an import has changed the school, in ms. */
export const SCHOOL_EVERY_MS = 2_000;

export interface SchoolWatchOptions {
  readonly storage: Storage;
  /** An import has changed the school since it was last looked, whatever process made it. */
  readonly changed: () => void;
  /** The database can't be asked: it is asked again in its time. */
  readonly onError: (error: unknown) => void;
}

/**
 * Looks every 2 s whether an import has changed the school, so that a right which it takes away ends within seconds.
 * What an app changes in its own database isn't seen here, and takes until it is read again.
 */
export class SchoolWatch {
  readonly #options: SchoolWatchOptions;
  readonly #timer: NodeJS.Timeout;
  /** Undefined until the first answer: what is read after it is not older. */
  #known: number | undefined;
  #looking = false;

  constructor(options: SchoolWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#look(), SCHOOL_EVERY_MS).unref();
    void this.#look();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { storage, changed, onError } = this.#options;
    try {
      const number = await storage.school.changes();
      const before = this.#known;
      this.#known = number;
      if (before !== number) changed();
    } catch (error) {
      onError(error);
    } finally {
      this.#looking = false;
    }
  }
}

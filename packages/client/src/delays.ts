export interface DelayRange {
  /** Milliseconds. */
  readonly min: number;
  readonly max: number;
}

/** Exponential backoff with jitter: between half and all of min × 2^attempt, at most max; milliseconds. */
export const backoff = (attempt: number, { min, max }: DelayRange, random: () => number = Math.random): number =>
  Math.min(max, min * 2 ** Math.min(attempt, 30)) * (0.5 + random() / 2);

/** The longest delay that timers take; a longer one would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Pauses that can be cut short, all of them at once. */
export class Pause {
  readonly #waiting = new Set<() => void>();

  /** Resolves after `ms` milliseconds, or when it is woken. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(ms, LONGEST_TIMER_MS));
      this.#waiting.add(end);
    });
  }

  wake(): void {
    for (const end of [...this.#waiting]) end();
  }
}

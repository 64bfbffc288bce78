import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Need } from './needs.js';

/** One fault that is put upon real processes, and what must hold through it. */
export interface Experiment {
  /** `F1` … as in the table of promises; `N1` … for several nodes. */
  readonly id: string;
  readonly fault: string;
  readonly promise: string;
  readonly needs: readonly Need[];
  /** What the outcome doesn't say, where that isn't plain. */
  readonly limits?: string;
  /** Throws Broken where the promise didn't hold. */
  run(lab: Lab): Promise<void>;
}

/** The promise didn't hold. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

export type Figure = string | number | boolean;

export interface WaitOptions {
  /** Milliseconds; 60,000. */
  readonly within?: number;
  /** Milliseconds between two looks; 20. */
  readonly every?: number;
}

/** Where one run of an experiment takes place: what it saw, and what has to be put away afterwards. */
export class Lab {
  readonly figures: Record<string, Figure> = {};
  readonly long: boolean;
  readonly #cleanups: Array<() => unknown> = [];

  constructor(options: { long: boolean }) {
    this.long = options.long;
  }

  /** The first in the short version, the second in the long one. */
  of<Value>(short: Value, long: Value): Value {
    return this.long ? long : short;
  }

  /** Runs at the end, the last one first. */
  defer(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup);
  }

  /** Puts everything away. @returns what could not be */
  async end(): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const cleanup of this.#cleanups.splice(0).reverse()) {
      try {
        await cleanup();
      } catch (error) {
        failures.push(error);
      }
    }
    return failures;
  }

  /** A figure of the report. Numbers are rounded to a tenth. */
  saw(name: string, value: Figure): void {
    this.figures[name] = typeof value === 'number' ? Math.round(value * 10) / 10 : value;
  }

  /** Adds to a figure that counts. */
  count(name: string, more = 1): void {
    this.figures[name] = Number(this.figures[name] ?? 0) + more;
  }

  must(holds: boolean, what: string): asserts holds {
    if (!holds) throw new Broken(what);
  }

  equal(actual: unknown, expected: unknown, what: string): void {
    const [a, e] = [JSON.stringify(actual), JSON.stringify(expected)];
    if (a !== e) throw new Broken(`${what}: ${shorten(a)} instead of ${shorten(e)}`);
  }

  /** Waits until it holds. @returns how long that took, in ms */
  async until(holds: () => boolean | Promise<boolean>, what: string, options: WaitOptions = {}): Promise<number> {
    const began = performance.now();
    const { within = 60_000, every = 20 } = options;
    while (!(await holds())) {
      if (performance.now() - began > within) throw new Broken(`not within ${within} ms: ${what}`);
      await pause(every);
    }
    return performance.now() - began;
  }

  /** For as long as a fault or a measurement lasts; never to wait for something. */
  lasting(ms: number): Promise<void> {
    return pause(ms);
  }

  /** An empty folder that goes with the experiment. */
  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-faults-'));
    this.defer(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }
}

const shorten = (text: string | undefined): string =>
  text === undefined ? 'undefined' : text.length > 400 ? `${text.slice(0, 400)}…` : text;

/** The value below which this share of all values lies; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** from, from + 1 … to */
export const numbers = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

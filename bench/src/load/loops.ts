import { setTimeout as delay } from 'node:timers/promises';
import { VoidRun } from '../harness/no-figures.js';
import type { Classroom } from './classroom.js';

/** What a closed loop did. */
export interface Loop {
  readonly marks: number;
  /** From the first mark sent to the last acknowledged, ms. */
  readonly ackedMs: number;
  /** Ack latencies in ms, in the order in which they came. */
  readonly latencies: readonly number[];
}

/** Every classroom marks with so many in flight for `ms`; then all deliveries are waited for and checked. */
export async function markFor(rooms: readonly Classroom[], inFlight: number, ms: number): Promise<Loop> {
  const latencies: number[] = [];
  const began = performance.now();
  const line = async (room: Classroom): Promise<void> => {
    for (let sent = performance.now(); sent - began < ms; sent = performance.now()) {
      await room.mark();
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(rooms.flatMap((room) => Array.from({ length: inFlight }, () => line(room))));
  const ackedMs = performance.now() - began;
  await Promise.all(rooms.map((room) => room.complete()));
  return { marks: latencies.length, ackedMs, latencies };
}

/** Bursts of `size` marks sent at once, one after another for `ms`. */
export async function burstFor(room: Classroom, sizes: readonly number[], ms: number): Promise<number> {
  let marks = 0;
  const began = performance.now();
  for (let n = 0; performance.now() - began < ms; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    await Promise.all(Array.from({ length: size }, () => room.mark()));
    marks += size;
  }
  await room.complete();
  return marks;
}

/**
 * Marks every `everyMs`, whether or not the mark before is acknowledged, until `work` is done; then all deliveries are
 * waited for and checked. A slow answer puts off no other mark, so that none is left out of what is measured.
 */
export async function markDuring(room: Classroom, everyMs: number, work: () => Promise<void>): Promise<number[]> {
  const latencies: number[] = [];
  const marks: Promise<void>[] = [];
  const one = async (): Promise<void> => {
    const sent = performance.now();
    await room.mark();
    latencies.push(performance.now() - sent);
  };
  const began = performance.now();
  let working = true;
  const worked = work().finally(() => {
    working = false;
  });
  while (working) {
    marks.push(one());
    // Awaited below: until then a refusal is nobody's.
    marks.at(-1)?.catch(() => {});
    const next = Promise.race([worked, delay(began + marks.length * everyMs - performance.now())]);
    await next.catch(() => {});
  }
  await Promise.all([worked, ...marks]);
  await room.complete();
  return latencies;
}

/** Waits until `done`, or makes the run void. */
export async function until(done: () => boolean, what: string, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!done()) {
    if (performance.now() > deadline) throw new VoidRun(`lost: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

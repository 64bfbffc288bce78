import { readdirSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import workerThreads, { isMainThread, Worker } from 'node:worker_threads';
import { THREADS_FOLDER } from './spans.js';

/*
 * Loaded into every server by --import, the real one included, so that all are looked into in the same way: over the
 * channel to the process that measures. Costs nothing until it is asked.
 */

export type Question = 'heap' | 'delay-start' | 'delay-stop';

export interface Answer {
  /** Bytes, after garbage collection. */
  readonly heapUsed?: number;
  readonly rss?: number;
  /** Milliseconds. */
  readonly delayP99?: number;
  readonly delayMax?: number;
}

const RESOLUTION_MS = 5;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

function answer(question: Question): Answer {
  switch (question) {
    case 'heap': {
      // Twice: what finalizers let go of is collected by the second.
      globalThis.gc?.();
      globalThis.gc?.();
      const { heapUsed, rss } = process.memoryUsage();
      return { heapUsed, rss };
    }
    case 'delay-start':
      delay.reset();
      delay.enable();
      return {};
    case 'delay-stop':
      delay.disable();
      // Every sample holds the timer's own interval.
      return { delayP99: delay.percentile(99) / 1e6 - RESOLUTION_MS, delayMax: delay.max / 1e6 - RESOLUTION_MS };
  }
}

if (isMainThread && process.send) {
  process.on('message', (question: Question) => process.send?.(answer(question)));
  // Whoever measured is gone: nobody else would end this server.
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
}

function nameWorkers(folder: string): void {
  const threads = (): string[] => readdirSync('/proc/self/task');
  /** Its thread is made within the constructor, so what is there afterwards and wasn't before is it. */
  workerThreads.Worker = class extends Worker {
    constructor(...given: ConstructorParameters<typeof Worker>) {
      const before = threads();
      super(...given);
      for (const tid of threads()) {
        if (!before.includes(tid)) writeFileSync(join(folder, `${process.pid}.${tid}.thread`), '');
      }
    }
  };
  syncBuiltinESMExports();
}

const threadsFolder = process.env[THREADS_FOLDER];
if (isMainThread && threadsFolder !== undefined) nameWorkers(threadsFolder);

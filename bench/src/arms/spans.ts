/** A stretch of time in which a server did what is measured, from rest to rest. */
export interface Span {
  /** Microseconds of the machine's monotonic clock. */
  readonly from: number;
  readonly to: number;
  /** CPU time meanwhile in ms, by the kernel's thread id. */
  readonly threads: Readonly<Record<string, number>>;
}

export interface Spans {
  /** Also the id of the main thread. */
  readonly pid: number;
  readonly spans: readonly Span[];
}

/** Names the folder that gets a `PID.TID.thread` for each worker thread, since the kernel's threads have no names. */
export const THREADS_FOLDER = 'BENCH_THREADS_FOLDER';

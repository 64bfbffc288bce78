import { readFileSync, writeFileSync } from 'node:fs';

/* What a process takes of memory, as the kernel counts it. */

const BYTES_PER_KB = 1_024;
const FORGET_PEAK = '5';

function field(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * BYTES_PER_KB;
}

export const residentBytes = (pid: number): number => field(pid, 'VmRSS');

/** Begins to look for the most; what it gives says how much that was, in bytes. */
export function watchPeak(pid: number): () => number {
  writeFileSync(`/proc/${pid}/clear_refs`, FORGET_PEAK);
  return () => field(pid, 'VmHWM');
}

import { readdirSync, readFileSync } from 'node:fs';

const TICK_MS = 10;

/** CPU time of each thread of a process in ms, by the kernel's thread id. */
export function cpuMsByThread(pid: number): Record<string, number> {
  const tasks = `/proc/${pid}/task`;
  const threads = readdirSync(tasks).map((task): [string, number] => [
    task,
    Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
  ]);
  return Object.fromEntries(threads);
}

/**
 * CPU time of a process with all its threads in ms, as the kernel has it. By thread in nanoseconds where the kernel
 * counts so; else /proc/PID/stat, which counts in ticks of 10 ms.
 */
export function cpuMs(pid: number): number {
  try {
    const tasks = `/proc/${pid}/task`;
    let ns = 0;
    for (const task of readdirSync(tasks))
      ns += Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]);
    if (ns > 0) return ns / 1e6;
  } catch {
    // A kernel without scheduler statistics.
  }
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  // utime and stime, the 14th and 15th field; two are cut off.
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

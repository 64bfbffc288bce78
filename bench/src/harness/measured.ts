import type { Arm } from '../arms/arm.js';

export interface Measured<Result> {
  readonly result: Result;
  /** Until `work` was done, in ms. */
  readonly wallMs: number;
  /** Of the server, with what it put off until `work` was done, in ms. */
  readonly cpuMs: number;
}

/** Does `work` on a server at rest and charges it with all the CPU time until the server is at rest again. */
export async function measured<Result>(arm: Arm, work: () => Promise<Result>): Promise<Measured<Result>> {
  await arm.quiet();
  const ended = arm.span();
  const cpu = arm.cpuMs();
  const began = performance.now();
  const result = await work();
  const wallMs = performance.now() - began;
  await arm.quiet();
  const cpuMs = arm.cpuMs() - cpu;
  ended();
  return { result, wallMs, cpuMs };
}

import type { Span } from '../arms/spans.js';
import { type CallFrame, IDLE, OTHER, partOf } from './parts.js';

/** As V8 writes it; times are microseconds of the machine's monotonic clock. */
export interface CpuProfile {
  readonly nodes: ReadonlyArray<{
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }>;
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Self time by part in microseconds, of what was sampled within the spans. */
export function sumOf(profile: CpuProfile, spans: readonly Pick<Span, 'from' | 'to'>[]): Map<string, number> {
  const parts = partsOf(profile);
  const sums = new Map<string, number>();
  let at = profile.startTime;
  profile.samples.forEach((id, index) => {
    at += profile.timeDeltas[index] ?? 0;
    const part = parts.get(id);
    // A sample stands for the time until the next one.
    const lasted = profile.timeDeltas[index + 1] ?? 0;
    if (part === undefined || !spans.some(({ from, to }) => at >= from && at < to)) return;
    sums.set(part, (sums.get(part) ?? 0) + lasted);
  });
  return sums;
}

/** By the id of a node; nothing for those that are no work. */
function partsOf({ nodes }: CpuProfile): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parts = new Map<number, string>();
  const queue = nodes.slice(0, 1).map(({ id }) => ({ id, caller: OTHER }));
  for (const { id, caller } of queue) {
    const node = byId.get(id);
    if (!node) continue;
    const idle = IDLE.has(node.callFrame.functionName);
    const part = idle ? caller : (partOf(node.callFrame) ?? caller);
    if (!idle) parts.set(id, part);
    queue.push(...(node.children ?? []).map((child) => ({ id: child, caller: part })));
  }
  return parts;
}

import type { EndReason, Policy } from '@rollcall/protocol';

/** How long before its end a session's teachers are warned, in ms; half of the limit where that is shorter. */
export const WARN_BEFORE_MS = 120_000;

/** When a session ends by itself unless something happens. Times are ms of one monotonic clock. */
export interface Deadline {
  readonly at: number;
  readonly warn_at: number;
  readonly reason: Extract<EndReason, 'inactivity' | 'max_duration'>;
}

/**
 * The next deadline of a session; undefined where both limits are switched off. Pure.
 * @param startedAt when it started, and @param activeAt when last something happened, in ms of one monotonic clock
 */
export function deadlineOf(
  { inactivity_minutes, max_minutes }: Pick<Policy, 'inactivity_minutes' | 'max_minutes'>,
  startedAt: number,
  activeAt: number,
): Deadline | undefined {
  const inactivity = after(inactivity_minutes, activeAt, 'inactivity');
  const longest = after(max_minutes, startedAt, 'max_duration');
  if (!inactivity || !longest) return inactivity ?? longest;
  return inactivity.at < longest.at ? inactivity : longest;
}

function after(minutes: number, from: number, reason: Deadline['reason']): Deadline | undefined {
  if (minutes === 0) return undefined;
  const limit = minutes * 60_000;
  const at = from + limit;
  return { at, warn_at: at - Math.min(WARN_BEFORE_MS, limit / 2), reason };
}

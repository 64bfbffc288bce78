import type { Command } from './command.js';

/** Commands put into one commit, and rows of theirs: a database that holds a commit in one document has its limits. */
const BATCH_MAX_COMMANDS = 2_000;
const BATCH_MAX_ROWS = 10_000;

interface Queued {
  readonly command: Command;
}

export const onlyCheckIns = (queue: readonly Queued[]): boolean =>
  queue.length > 0 && queue.every(({ command }) => command.type === 'check_in');

/** How many commands from the head of the queue fit one commit; one always does. */
export function batchSize(queue: readonly Queued[]): number {
  let rows = 0;
  for (const [index, { command }] of queue.entries()) {
    rows += command.type === 'bulk' ? command.rows.length : 1;
    if (index > 0 && (index >= BATCH_MAX_COMMANDS || rows > BATCH_MAX_ROWS)) return index;
  }
  return queue.length;
}

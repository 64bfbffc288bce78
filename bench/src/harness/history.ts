import { appendFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { commit, type Machine, machine } from './machine.js';
import type { Row } from './report.js';

const HISTORY = fileURLToPath(new URL('../../history.jsonl', import.meta.url));

/** A whole run, with what it takes to know later what was measured. */
export interface Run {
  readonly at: string;
  readonly commit: string | null;
  readonly machine: Machine;
  readonly quick: boolean;
  readonly rounds: number;
  readonly rows: readonly Row[];
}

export function runOf(rows: readonly Row[], { quick, rounds }: { quick: boolean; rounds: number }): Run {
  return { at: new Date().toISOString(), commit: commit(), machine: machine(), quick, rounds, rows };
}

export const writeRun = (file: string, run: Run): Promise<void> => writeFile(file, `${JSON.stringify(run, null, 2)}\n`);

export const appendHistory = (run: Run): Promise<void> => appendFile(HISTORY, `${JSON.stringify(run)}\n`);

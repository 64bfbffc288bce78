import type { Config } from '../../config/config.js';

/** One line of the report: a fault makes the exit status 1, a warning doesn't. */
export interface Finding {
  readonly state: 'ok' | 'warning' | 'fault';
  readonly what: string;
  /** What to do; there unless all is well. */
  readonly cure?: string;
}

/** One entry of the table in `checks.ts`. It changes nothing, and what it throws is reported as a fault. */
export interface Check {
  /** First word of its lines. */
  readonly name: string;
  readonly find: (config: Config) => Promise<readonly Finding[]>;
}

export const ok = (what: string): Finding => ({ state: 'ok', what });
export const warning = (what: string, cure: string): Finding => ({ state: 'warning', what, cure });
export const fault = (what: string, cure: string): Finding => ({ state: 'fault', what, cure });

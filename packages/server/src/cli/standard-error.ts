import type { Warnings } from '../config/warnings.js';
import { visibleLines } from '../visible-text.js';

/** For what is warned of before there is a log, or by a command that has none. */
export const onStandardError: Warnings = {
  warn: (message) => {
    process.stderr.write(`rollcall: ${visibleLines(message)}\n`);
  },
};

import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../config/config.js';
import { visible, visibleJson, visibleLines } from '../visible-text.js';
import { TAG } from './tag.js';

export type { Logger };

/** Where tokens could be, should anybody ever log a whole handshake, header or configuration. */
const SECRETS = [
  'token',
  'secret',
  'auth.token',
  'handshake.auth',
  'handshake.headers.authorization',
  'headers.authorization',
  '*.token',
  '*.secret',
];

/**
 * Lines for people on a terminal, JSON for machines. Standard error, so that standard output stays the command's own.
 * In both forms a control character, whoever typed it, is shown and does nothing.
 */
export function makeLogger({ level, format }: Config['log']): Logger {
  const options = { level, redact: { paths: SECRETS, censor: '[redacted]' } };
  // Written at once for people: what the server says on standard output comes after what happened before it.
  const destination = pino.destination({ fd: 2, sync: format === 'pretty' });
  const form = format === 'json' ? jsonForm : prettyForm(process.stderr.isTTY === true);
  return pino(options, { write: (line) => destination.write(form(line)) });
}

/** A line of the log ends as it did; what is in it can't end it. */
const jsonForm = (line: string): string => `${visibleJson(line.trimEnd())}\n`;

function prettyForm(colorize: boolean): (line: string) => string {
  const write = pretty.prettyFactory({ colorize, ignore: 'pid,hostname', singleLine: true });
  return (line) => {
    const entry = readable(JSON.parse(line)) as Record<string, unknown>;
    return write(typeof entry['msg'] === 'string' && entry['msg'].startsWith(TAG) ? withoutFacts(entry) : entry);
  };
}

/** What a debug line says in words it need not say again; machines get both. */
function withoutFacts({ level, time, msg, data, stack }: Record<string, unknown>): object {
  return { level, time, msg, ...(data === undefined ? {} : { data }), ...(stack === undefined ? {} : { stack }) };
}

/** Every text of a log line on one line of its own, but for stacks, whose lines the pretty form indents. */
function readable(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return key === 'stack' ? visibleLines(value) : visible(value);
  if (Array.isArray(value)) return value.map((item) => readable(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [visible(name), readable(inner, name)]));
}

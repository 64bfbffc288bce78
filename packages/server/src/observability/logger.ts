import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../config.js';

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

/** Lines for people on a terminal, JSON for machines. Standard error, so that standard output stays the command's own. */
export function makeLogger({ level, format }: Config['log']): Logger {
  const options = { level, redact: { paths: SECRETS, censor: '[redacted]' } };
  const destination = pino.destination({ fd: 2, sync: false });
  if (format === 'json') return pino(options, destination);
  return pino(options, pretty({ destination: 2, colorize: process.stderr.isTTY === true, ignore: 'pid,hostname' }));
}

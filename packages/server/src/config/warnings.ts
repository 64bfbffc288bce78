import type { Config } from './config.js';
import type { Database } from './readers.js';

/** Where warnings go. */
export interface Warnings {
  warn(message: string): void;
}

/** `NODE_ENV=prod` is no error, since apps have words of their own, and yet may be meant for what it isn't. */
export function warnOfMode({ modeIsNamed }: Pick<Config, 'modeIsNamed'>, warnings: Warnings): void {
  if (!modeIsNamed) {
    warnings.warn('NODE_ENV is not production, development or test: this is development mode');
  }
}

/** The driver takes its database `test` where the URI names none, where nobody would look for a school. */
export function warnOfDatabase(database: Database, warnings: Warnings): void {
  if (database.kind === 'mongodb' && !/^[^:]+:\/\/[^/?]+\/[^?]/.test(database.uri)) {
    warnings.warn('the URI of MongoDB names no database: the one called test is used');
  }
}

import { InvalidArgumentError } from 'commander';

/** A command that can't do what it was asked, for a reason that people can act on: one line, exit status 1. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}

/** What went wrong as people should read it: the messages of the error and of its causes, and no stack. */
export function explainError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof CommandFailure) return error.message;
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && path !== undefined) return `${path}: no such file or directory`;
  if ((code === 'EACCES' || code === 'EPERM') && path !== undefined) {
    return `${path}: permission denied; run the command as the user who owns it, or change its owner or mode`;
  }
  // Several addresses were tried and none answered: the error of all has no words of its own.
  if (error instanceof AggregateError && error.message === '') {
    return explainError(error.errors[0] ?? 'no address answered');
  }
  if (code === 'ELOOP' && path !== undefined) return `${path}: its symbolic links lead in a circle`;
  const cause = error.cause instanceof Error ? error.cause.message : '';
  const message = error.message || code || error.name;
  return cause === '' || message.includes(cause) ? message : `${message}: ${cause}`;
}

/** A whole number from `min` to `max`, for an option; anything else is wrong usage. */
export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `90s`, `30m`, `12h`, `7d`: seconds, at least one. */
export function duration(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  const seconds = Math.floor(Number(amount) * (UNIT_SECONDS[unit ?? ''] ?? Number.NaN));
  if (seconds >= 1 && Number.isSafeInteger(seconds)) return seconds;
  throw new InvalidArgumentError('It must be a duration such as 90s, 30m, 12h or 7d.');
}

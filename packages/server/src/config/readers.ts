import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { codeSetOf } from '../reports/report-codes.js';
import { isTimeZone } from '../school-time.js';
import { originPattern } from './origin-patterns.js';

/** From a variable's text to its value. Its first issue says what the value must be. */
export type Reader<T> = z.ZodType<T, string>;

export type Database =
  | {
      readonly kind: 'sqlite';
      /** Absolute path, or `:memory:`. */
      readonly path: string;
    }
  | { readonly kind: 'mongodb'; readonly uri: string };

export const plain = z.string();

const decimal = (must: string) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, must)
    .transform(Number);

const number = (max: number, must: string): Reader<number> => decimal(must).pipe(z.number().max(max, must));

export const wholeNumber = (max: number, must: string): Reader<number> =>
  decimal(must).pipe(z.int(must).max(max, must));

export const minutes = number(100_000, 'must be a number of minutes from 0 to 100000 (fractions allowed)');

const wholeSeconds = 'must be a whole number of seconds from 1 to 3600';
export const seconds: Reader<number> = wholeNumber(3_600, wholeSeconds).refine((value) => value > 0, wholeSeconds);

export const perSecond = number(1_000_000, 'must be a number from 0 (off) to 1000000');

export const flag: Reader<boolean> = z.stringbool({
  truthy: ['true', '1'],
  falsy: ['false', '0'],
  error: 'must be true or false',
});

export const oneOf = <const Word extends string>(words: readonly [Word, ...Word[]]): Reader<Word> =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(words, `must be one of ${words.join(', ')}`));

/** A text of which `holds` is true. */
const textThat = (holds: (text: string) => boolean, must: string): Reader<string> => z.string().refine(holds, must);

/** A text that `make` turns into the value, or refuses by an Error that says what the value must be. */
const made = <T>(make: (text: string) => T): Reader<T> =>
  z.string().transform((text, context): T => {
    try {
      return make(text);
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
      return z.NEVER;
    }
  });

const bad = (must: string): never => {
  throw new Error(must);
};

const hasScheme = (text: string, ...schemes: readonly string[]): boolean =>
  URL.canParse(text) && schemes.includes(new URL(text).protocol);

const isHttp = (text: string): boolean => hasScheme(text, 'http:', 'https:');

export const httpUrl = textThat(isHttp, 'must be an http:// or https:// address');

/** An address that paths are put behind, and that everybody may see. */
export const baseUrl: Reader<string> = z
  .string()
  .refine((text) => !/[?#@\s]/.test(text), {
    error: 'must be an http:// or https:// address without ?, # and @',
    abort: true,
  })
  .pipe(httpUrl);

export const redisUrl = textThat((text) => hasScheme(text, 'redis:', 'rediss:'), 'must be redis://… or rediss://…');

export const smtpUrl = textThat(
  (text) => hasScheme(text, 'smtp:', 'smtps:') && new URL(text).hostname !== '',
  'must be smtp://… or smtps://… with a host',
);

export const mailbox = textThat(
  (text) => /^([^<>@\s]+@[^<>@\s]+|[^<>\p{Cc}]*<[^<>@\s]+@[^<>@\s]+>)$/u.test(text),
  'must be one address, such as office@school.example or School <office@school.example>',
);

export const timeZone = textThat(
  // An offset such as +01:00, which newer versions of Node take too, has no summer time.
  (text) => /^[a-z]/i.test(text) && isTimeZone(text),
  'must be the IANA name of a time zone, such as Europe/Berlin',
);

/** A code set of the school's own; its name is `school` where it has none. */
export const reportCodes = made((text) => {
  const value = ((): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return bad('must be a JSON object such as {"present": "P", "absent": "A"}');
    }
  })();
  return codeSetOf(value, 'school');
});

export const directory: Reader<string> = z.string().transform((text) => resolve(text));

export const host = made((text) => {
  // As an address of IPv6 is written in a URL.
  const address = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (isIP(address) !== 0) return address;
  if (/[\s/@?#[\]]/.test(text)) return bad('must be a host name or an address to listen on');
  return text.includes(':') ? bad('must be a host name or an address without a port, which is CHAT_PORT') : text;
});

const mongodb = (text: string): Database =>
  /^mongodb(\+srv)?:\/\/[^/]/.test(text)
    ? { kind: 'mongodb', uri: text }
    : bad('must be mongodb://… or mongodb+srv://…');

export const mongoUri = made(mongodb);

export const database = made((text): Database => {
  if (/^mongodb(\+srv)?:/.test(text)) return mongodb(text);
  const path = /^sqlite:(.+)$/.exec(text)?.[1];
  if (path === undefined) return bad('must be sqlite:PATH, sqlite::memory:, mongodb://… or mongodb+srv://…');
  if (path === ':memory:') return { kind: 'sqlite', path };
  // `sqlite://data/x.db` looks relative and would be a path at the root of the disk.
  if (/^\/\/[^/]/.test(path)) return bad('must be sqlite:PATH without slashes before a relative path');
  return { kind: 'sqlite', path: isAbsolute(path) ? resolve(path) : resolve(process.cwd(), path) };
});

/** A list of origins (`*` is any). What isn't set is `localhost` (any port of this machine, and the same origin) or `same-origin`. */
export type Origins = readonly string[] | 'localhost' | 'same-origin';

export const origins: Reader<Origins> = made((text) => {
  const must = 'must be origins such as https://school.example or https://*.school.example, separated by commas';
  const entries = text.split(',').flatMap((entry) => entry.trim() || []);
  if (entries.length === 0) return bad('must name at least one origin');
  try {
    return entries.map(originPattern);
  } catch (error) {
    return bad(`${must}: ${error instanceof Error ? error.message : String(error)}`);
  }
});

import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { originPattern } from './transport/http/origin-patterns.js';

/** `production` is asked for by NODE_ENV=production; anything else is development. */
export type Mode = 'development' | 'production';

export type Database =
  | {
      readonly kind: 'sqlite';
      /** Absolute path, or `:memory:`. */
      readonly path: string;
    }
  | { readonly kind: 'mongodb'; readonly uri: string };

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a variable's default may depend on. */
export interface Surroundings {
  readonly mode: Mode;
  /** True when standard output is a terminal. */
  readonly terminal: boolean;
}

/** One environment variable: everything there is to say about it, for the reader of the code, the help and .env.example. */
export interface Variable<T> {
  readonly section: string;
  readonly meaning: string;
  /** The default as the documentation shows it; null where unset means "switched off". */
  readonly shown: string | null;
  /** True where the value is a secret or may contain one: it is never repeated in a message. */
  readonly hidden: boolean;
  readonly fallback: (surroundings: Surroundings) => T;
  /** Throws an Error that says what the value must be. */
  readonly read: (text: string) => T;
}

type Reader<T> = (text: string) => T;

function bad(what: string): never {
  throw new Error(what);
}

const decimal = (text: string): number => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN);

const number =
  (max: number, what: string): Reader<number> =>
  (text) => {
    const value = decimal(text);
    return value <= max ? value : bad(what);
  };

const whole =
  (max: number, what: string): Reader<number> =>
  (text) => {
    const value = decimal(text);
    return Number.isInteger(value) && value <= max ? value : bad(what);
  };

const redisUrl: Reader<string> = (text) =>
  URL.canParse(text) && ['redis:', 'rediss:'].includes(new URL(text).protocol)
    ? text
    : bad('must be redis://… or rediss://…');

const minutes = number(100_000, 'must be a number of minutes from 0 to 100000 (fractions allowed)');
const seconds: Reader<number> = (text) => {
  const must = 'must be a whole number of seconds from 1 to 3600';
  return whole(3_600, must)(text) || bad(must);
};
const perSecond = number(1_000_000, 'must be a number from 0 (off) to 1000000');

const flag: Reader<boolean> = (text) => {
  const word = text.toLowerCase();
  if (word === 'true' || word === '1') return true;
  if (word === 'false' || word === '0') return false;
  return bad('must be true or false');
};

const oneOf =
  <const Words extends readonly string[]>(words: Words): Reader<Words[number]> =>
  (text) =>
    words.find((word) => word === text.toLowerCase()) ?? bad(`must be one of ${words.join(', ')}`);

const httpUrl: Reader<string> = (text) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) ? text : bad('must be an http:// or https:// address');
};

/** An address that paths are put behind, and that everybody may see. */
const baseUrl: Reader<string> = (text) =>
  /[?#@\s]/.test(text) ? bad('must be an http:// or https:// address without ?, # and @') : httpUrl(text);

const plain: Reader<string> = (text) => text;

const directory: Reader<string> = (text) => resolve(text);

const host: Reader<string> = (text) => {
  // As an address of IPv6 is written in a URL.
  const address = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (isIP(address) !== 0) return address;
  if (/[\s/@?#[\]]/.test(text)) return bad('must be a host name or an address to listen on');
  return text.includes(':') ? bad('must be a host name or an address without a port, which is CHAT_PORT') : text;
};

const mongoUri: Reader<Database> = (text) =>
  /^mongodb(\+srv)?:\/\/[^/]/.test(text)
    ? { kind: 'mongodb', uri: text }
    : bad('must be mongodb://… or mongodb+srv://…');

const database: Reader<Database> = (text) => {
  if (/^mongodb(\+srv)?:/.test(text)) return mongoUri(text);
  const path = /^sqlite:(.+)$/.exec(text)?.[1];
  if (path === undefined) return bad('must be sqlite:PATH, sqlite::memory:, mongodb://… or mongodb+srv://…');
  if (path === ':memory:') return { kind: 'sqlite', path };
  // `sqlite://data/x.db` looks relative and would be a path at the root of the disk.
  if (/^\/\/[^/]/.test(path)) return bad('must be sqlite:PATH without slashes before a relative path');
  return { kind: 'sqlite', path: isAbsolute(path) ? resolve(path) : resolve(process.cwd(), path) };
};

const origins: Reader<readonly string[]> = (text) => {
  const must = 'must be origins such as https://school.example or https://*.school.example, separated by commas';
  const entries = text.split(',').flatMap((entry) => entry.trim() || []);
  if (entries.length === 0) return bad('must name at least one origin');
  try {
    return entries.map(originPattern);
  } catch (error) {
    return bad(`${must}: ${error instanceof Error ? error.message : String(error)}`);
  }
};

interface Described {
  readonly section: string;
  readonly meaning: string;
  readonly hidden?: boolean;
}

/** A variable whose default is written like a value of it. */
const set = <T>(read: Reader<T>, shown: string, about: Described): Variable<T> => ({
  hidden: false,
  ...about,
  shown,
  read,
  fallback: () => read(shown),
});

/** A variable that is off while it isn't set. */
const optional = <T>(read: Reader<T>, about: Described): Variable<T | null> => ({
  hidden: false,
  ...about,
  shown: null,
  read,
  fallback: () => null,
});

/** A variable whose default depends on where the server runs. */
const depending = <T>(
  read: Reader<T>,
  shown: string,
  fallback: (surroundings: Surroundings) => T,
  about: Described,
): Variable<T> => ({ hidden: false, ...about, shown, read, fallback });

const [SERVER, IDENTITY, DATA, LOGS, POLICY, LIMITS] = [
  'Server',
  'Who is who',
  'Database',
  'Logs and metrics',
  'Policy of sessions that do not set their own (minutes may be fractions)',
  'Limits',
] as const;

const table = {
  NODE_ENV: set(plain, 'development', {
    section: SERVER,
    meaning: 'production: the strict defaults, and no start without a secret; anything else is development',
  }),
  CHAT_PORT: set(whole(65_535, 'must be a port from 0 to 65535'), '4002', {
    section: SERVER,
    meaning: 'Port; 0 takes a free one and logs it',
  }),
  HOST: depending(
    host,
    '127.0.0.1 in development, 0.0.0.0 in production',
    ({ mode }) => (mode === 'production' ? '0.0.0.0' : '127.0.0.1'),
    { section: SERVER, meaning: 'Address to listen on' },
  ),
  CORS_ORIGIN: depending<readonly string[] | 'localhost' | 'same-origin'>(
    origins,
    'the server’s own origin; in development also localhost',
    ({ mode }) => (mode === 'production' ? 'same-origin' : 'localhost'),
    {
      section: SERVER,
      meaning:
        'Origins of web pages that may connect, separated by commas; a * in the first label (https://*.school.example) stands for one label, * alone allows every origin',
    },
  ),
  PUBLIC_URL: optional(baseUrl, {
    section: SERVER,
    meaning:
      'Address under which people reach the server, or the app that shows its pages: links in what it sends lead there',
  }),
  ACCESS_TOKEN_SECRET: optional(plain, {
    section: IDENTITY,
    hidden: true,
    meaning:
      'Key of HS256 tokens. Production needs it (at least 32 bytes) or JWKS_URL; development makes one and keeps it in DATA_DIR',
  }),
  JWKS_URL: optional(httpUrl, { section: IDENTITY, meaning: 'Key set of an identity provider whose tokens count' }),
  JWT_ISSUER: optional(plain, { section: IDENTITY, meaning: 'Issuer (iss) that tokens of JWKS_URL must name' }),
  JWT_AUDIENCE: optional(plain, { section: IDENTITY, meaning: 'Audience (aud) that tokens of JWKS_URL must name' }),
  PROVISION_FROM_TOKEN: set(flag, 'false', {
    section: IDENTITY,
    meaning: 'true makes users that are not known from the claims name, email and role',
  }),
  DATA_DIR: set(directory, './data', {
    section: DATA,
    meaning: 'Directory of the SQLite database and of the development secret',
  }),
  DATABASE_URL: optional(database, {
    section: DATA,
    hidden: true,
    meaning: 'sqlite:PATH, sqlite::memory:, mongodb://… or mongodb+srv://…; unset: sqlite:DATA_DIR/rollcall.db',
  }),
  MONGODB_URI: optional(mongoUri, {
    section: DATA,
    hidden: true,
    meaning: 'Another name for a DATABASE_URL of MongoDB; DATABASE_URL goes first',
  }),
  MONGO_URI: optional(mongoUri, {
    section: DATA,
    hidden: true,
    meaning: 'Another name for a DATABASE_URL of MongoDB; MONGODB_URI goes first',
  }),
  REDIS_URL: optional<string>(redisUrl, {
    section: DATA,
    hidden: true,
    meaning: 'Several nodes on one MongoDB: the Redis by which they tell each other what is new',
  }),
  METRICS_TOKEN: optional(plain, {
    section: LOGS,
    hidden: true,
    meaning: 'Where set, /metrics is only for requests with this token as their Bearer',
  }),
  LOG_LEVEL: depending<LogLevel>(
    oneOf(LOG_LEVELS),
    'debug in development, info in production',
    ({ mode }) => (mode === 'production' ? 'info' : 'debug'),
    { section: LOGS, meaning: `${LOG_LEVELS.join(', ')}; personal data is logged at debug and trace only` },
  ),
  LOG_FORMAT: depending<'pretty' | 'json'>(
    oneOf(['pretty', 'json']),
    'pretty on a terminal, json else',
    ({ terminal }) => (terminal ? 'pretty' : 'json'),
    { section: LOGS, meaning: 'pretty or json' },
  ),
  CHECK_IN: set<'open' | 'code'>(oneOf(['open', 'code']), 'open', {
    section: POLICY,
    meaning: 'open: an enrolled student checks in by joining; code: a check-in needs the code that the teacher shows',
  }),
  CODE_SECONDS: set(seconds, '15', {
    section: POLICY,
    meaning: 'Seconds for which a check-in code is shown; it counts for as long again',
  }),
  AUTO_MARK: set(flag, 'false', {
    section: POLICY,
    meaning: 'true: a check-in marks the student present, or late after LATE_AFTER_MINUTES',
  }),
  LATE_AFTER_MINUTES: set(minutes, '10', {
    section: POLICY,
    meaning: 'Minutes after the start from which a check-in is late, where AUTO_MARK is on; 0: never late',
  }),
  VISIBILITY: set<'participants' | 'private'>(oneOf(['participants', 'private']), 'participants', {
    section: POLICY,
    meaning: 'participants: everybody in the session sees every mark; private: students see only their own',
  }),
  INACTIVITY_MINUTES: set(minutes, '30', {
    section: POLICY,
    meaning: 'Minutes without activity after which a session ends by itself; 0: never',
  }),
  MAX_MINUTES: set(minutes, '300', {
    section: POLICY,
    meaning: 'Minutes after which a session ends whatever happens; 0: never',
  }),
  RATE_LIMIT_TEACHER_PER_SECOND: set(perSecond, '500', {
    section: LIMITS,
    meaning: 'Events a second of one teacher, burst four times that; 0: no limit',
  }),
  RATE_LIMIT_STUDENT_PER_SECOND: set(perSecond, '20', {
    section: LIMITS,
    meaning: 'Events a second of one student, burst four times that; 0: no limit',
  }),
  FINAL_DATA_RECORDS: set(whole(1_000_000, 'must be a whole number from 0 to 1000000'), '1000', {
    section: LIMITS,
    meaning: 'In sessions of more records than this, students’ finalData holds their own record only',
  }),
} as const;

export type VariableName = keyof typeof table;
type Values = { readonly [Name in VariableName]: ReturnType<(typeof table)[Name]['fallback']> };

/** Every environment variable that Rollcall reads, in the order in which the documentation lists them. */
export const variables: { readonly [Name in VariableName]: Variable<Values[Name]> } = table;
export const variableNames = Object.keys(variables) as VariableName[];

const wrap = (text: string, width: number, prefix: string): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && prefix.length + line.length + word.length + 1 > width) {
      lines.push(prefix + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(prefix + line);
  return lines;
};

/** The variables as a page of text of so many columns, for `--help`. */
export function describeVariables(width: number): string {
  const lines: string[] = [];
  let section = '';
  for (const name of variableNames) {
    const variable = variables[name];
    if (variable.section !== section) {
      section = variable.section;
      lines.push(...(lines.length > 0 ? [''] : []), section);
    }
    lines.push(`  ${name}${variable.shown === null ? '' : ` (default: ${variable.shown})`}`);
    lines.push(...wrap(variable.meaning, width, '      '));
  }
  return `${lines.join('\n')}\n`;
}

/** The text of .env.example: every variable, each switched off, so that a copy of the file changes nothing. */
export function envExample(): string {
  const lines = [
    '# Every variable that Rollcall reads. Copy this file to .env (read in development only) and uncomment what you need.',
    '# An empty value counts as not set. Written by `rollcall config --example`.',
  ];
  let section = '';
  for (const name of variableNames) {
    const variable = variables[name];
    if (variable.section !== section) {
      section = variable.section;
      lines.push('', `## ${section}`);
    }
    const isValue = variable.shown !== null && !variable.shown.includes(' ');
    const byDefault = variable.shown === null || isValue ? '' : ` Default: ${variable.shown}.`;
    lines.push(...wrap(`${variable.meaning}.${byDefault}`, 118, '# '));
    lines.push(`#${name}=${isValue ? variable.shown : ''}`);
  }
  return `${lines.join('\n')}\n`;
}

import type { Reader } from './readers.js';

/** `production` is asked for by NODE_ENV=production; anything else is development. */
export type Mode = 'development' | 'production';

/** What a variable's default may depend on. */
export interface Surroundings {
  readonly mode: Mode;
  /** True when standard error, where the log goes, is a terminal. */
  readonly terminal: boolean;
}

/** What a row says of its variable, beside its reader and its default. */
export interface About {
  /** What the help, the documentation and .env.example say of it, without a full stop. */
  readonly meaning: string;
  /** Its place in Config, such as `log.level`. Without one, {@link Domain.together} makes a field of several variables. */
  readonly field?: string;
  /** Its option of attachRollcall, such as `jwks.url`; without one, an app that embeds Rollcall can't set it. */
  readonly option?: string;
  /** True where the value is a secret or may contain one: it is never repeated in a message. */
  readonly hidden?: boolean;
  /** True where spaces around the value belong to it, as in a secret. */
  readonly verbatim?: boolean;
}

/** One environment variable: a row of a table, and the only place that describes it. */
export interface Variable<T> extends About {
  /** The default as the documentation shows it; null where unset means "switched off". */
  readonly shown: string | null;
  readonly read: Reader<T>;
  readonly fallback: (surroundings: Surroundings) => T;
}

/** A variable whose default is written like a value of it. */
export const set = <T, const A extends About>(read: Reader<T>, shown: string, about: A): Variable<T> & A => ({
  ...about,
  shown,
  read,
  fallback: () => read.parse(shown),
});

/** A variable that is off while it isn't set. */
export const optional = <T, const A extends About>(read: Reader<T>, about: A): Variable<T | null> & A => ({
  ...about,
  shown: null,
  read,
  fallback: () => null,
});

/** A variable whose default depends on where the server runs, and is shown in words. */
export const depending = <T, const A extends About>(
  read: Reader<T>,
  shown: string,
  fallback: (surroundings: Surroundings) => T,
  about: A,
): Variable<T> & A => ({ ...about, shown, read, fallback });

export type Rows = Readonly<Record<string, Variable<unknown>>>;
export type Values<R extends Rows> = { readonly [Name in keyof R]: ReturnType<R[Name]['fallback']> };

/** What a check of several variables may ask beside their values. */
export interface Situation {
  readonly mode: Mode;
  /** True for what neither signs nor checks tokens: in production too it then needs no key. */
  readonly keyless: boolean;
  /** True where the variable, of whatever domain, is set, also to what can't be used. */
  given(variable: string): boolean;
  /** Notes what is wrong with a variable. The reading goes on, so that everything wrong is told at once. */
  refuse(variable: string, message: string): void;
}

/** The variables of one subject. */
export interface Domain<R extends Rows, Made extends object> {
  /** Its heading in the help and in .env.example. */
  readonly section: string;
  readonly rows: R;
  /** Refuses what doesn't go together, and makes the fields of Config that come from several variables. */
  together(values: Values<R>, situation: Situation): Made;
}

/** Only gives a domain its type. */
export const domain = <R extends Rows, Made extends object>(given: Domain<R, Made>): Domain<R, Made> => given;

/** For a domain whose variables have a field each. */
export const apart = () => ({});

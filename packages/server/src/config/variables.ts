import { databases } from './database.js';
import type { Domain, Rows, Values, Variable } from './domain.js';
import { identity } from './identity.js';
import { limits } from './limits.js';
import { logs } from './logs.js';
import { mail } from './mail.js';
import { policy } from './policy.js';
import { school } from './school.js';
import { server } from './server.js';
import { signIn } from './sign-in.js';

/** Every domain, in the order in which the documentation lists them. All that is said of variables derives from this list. */
export const domains = [server, school, identity, signIn, mail, databases, logs, policy, limits] as const;

type Each = (typeof domains)[number];
type All<Union> = (Union extends unknown ? (each: Union) => void : never) extends (each: infer Both) => void
  ? Both
  : never;

export type Table = All<Each['rows']>;
export type VariableName = keyof Table;
export type ValueOf<Name extends VariableName> = Values<Table>[Name];

/** Every environment variable that Rollcall reads. */
export const variables: { readonly [Name in VariableName]: Variable<ValueOf<Name>> } = Object.assign(
  {},
  ...domains.map(({ rows }) => rows),
);
export const variableNames = Object.keys(variables) as VariableName[];

export const isVariable = (name: string): name is VariableName => Object.hasOwn(variables, name);

/** The heading under which the documentation lists each variable. */
export const sections: ReadonlyArray<{ readonly section: string; readonly names: readonly VariableName[] }> =
  domains.map(({ section, rows }) => ({ section, names: Object.keys(rows) as VariableName[] }));

/** An object of dotted paths and what lies there: `log.level` becomes `{log: {level}}`. */
type At<Path extends string, T> = Path extends `${infer Outer}.${infer Inner}`
  ? { readonly [Field in Outer]: At<Inner, T> }
  : { readonly [Field in Path]: T };

type FieldOf<Row> = Row extends { readonly field: infer Field extends string } ? Field : never;
type Fields = { [Name in VariableName]: At<FieldOf<Table[Name]>, ValueOf<Name>> }[VariableName & Named];
type Named = { [Name in VariableName]: [FieldOf<Table[Name]>] extends [never] ? never : Name }[VariableName];
type Made = ReturnType<Each['together']>;

type Flat<T> = T extends string | number | boolean | null | readonly unknown[]
  ? T
  : { readonly [Field in keyof T]: Flat<T[Field]> };

/** Everything that the environment decides: a field for each row that names one, and what the domains make together. */
export type ConfigOfTables = Flat<All<Fields> & All<Made>>;

/** Rows by name, whatever their type: for reading them one by one. */
export const anyDomains: ReadonlyArray<Domain<Rows, object>> = domains as never;

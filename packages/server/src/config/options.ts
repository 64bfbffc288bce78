import type { ConfigProblem } from './config.js';
import { type Table, type VariableName, variableNames, variables } from './variables.js';

/** An option of attachRollcall that means the same as a variable, as an app writes it: `jwks.url`. */
type OptionOf<Name extends VariableName> = Table[Name] extends { readonly option: infer Option extends string }
  ? Option
  : never;
export type OptionPath = { [Name in VariableName]: OptionOf<Name> }[VariableName];

/** The paths of an app's options: `secret`, `jwks.url`. */
export type PathsOf<Options> = {
  [Name in keyof Options & string]-?: NonNullable<Options[Name]> extends object
    ? `${Name}.${keyof NonNullable<Options[Name]> & string}`
    : Name;
}[keyof Options & string];

/** The names of options: true, or those within it. */
export interface OptionNames {
  readonly [name: string]: true | Readonly<Record<string, true>>;
}

interface Setting {
  readonly variable: VariableName;
  readonly option: string;
  readonly value: unknown;
}

const optionOf = (name: VariableName): string | undefined => variables[name].option;

/**
 * The names of every option, as an app nests them: those of the variables, and others. It compiles only where `Paths`,
 * those that the app's type has beside the others, are the options that rows name, no more and no fewer.
 */
export function optionNames<Paths extends OptionPath>(
  others: [OptionPath] extends [Paths] ? Readonly<Record<string, true>> : never,
): OptionNames {
  const names: Record<string, true | Record<string, true>> = { ...others };
  for (const variable of variableNames) {
    const [outer, inner] = optionOf(variable)?.split('.') ?? [];
    if (outer === undefined) continue;
    const within = names[outer];
    names[outer] = inner === undefined ? true : { ...(within === true ? {} : within), [inner]: true };
  }
  return names;
}

/** The options given, with the variables that mean the same, so that both are checked by the same rules. */
export function settingsOf(options: Readonly<Record<string, unknown>>): readonly Setting[] {
  return variableNames.flatMap((variable) => {
    const option = optionOf(variable);
    if (option === undefined) return [];
    const value = option.split('.').reduce<unknown>((from, name) => (isObject(from) ? from[name] : undefined), options);
    return [{ variable, option, value }];
  });
}

/** The environment that says what the options say. */
export function environmentOf(settings: readonly Setting[]): NodeJS.ProcessEnv {
  const given = settings.filter(({ value }) => value !== undefined && value !== null);
  return {
    // The app's own: in production a key must be as long here as in a server of Rollcall's own.
    NODE_ENV: process.env['NODE_ENV'],
    ...Object.fromEntries(given.map(({ variable, value }) => [variable, String(value)])),
  };
}

/** What is no option, or no object where one holds options. */
export function problemsOfNames(given: Readonly<Record<string, unknown>>, names: OptionNames): ConfigProblem[] {
  const problems = unknownNames(given, Object.keys(names), '');
  for (const [option, within] of Object.entries(names)) {
    if (within === true) continue;
    const inside = given[option] ?? {};
    if (!isObject(inside)) problems.push({ variable: option, message: 'must be an object' });
    else problems.push(...unknownNames(inside, Object.keys(within), `${option}.`));
  }
  return problems;
}

function unknownNames(given: object, names: readonly string[], prefix: string): ConfigProblem[] {
  const message = `is no option; there are ${names.join(', ')}`;
  return Object.keys(given)
    .filter((name) => !names.includes(name))
    .map((name) => ({ variable: prefix + name, message }));
}

/** An app's author knows the option, and looks in vain for a variable. */
export function byOption({ variable, message }: ConfigProblem, settings: readonly Setting[]): ConfigProblem {
  const option = settings.find((setting) => setting.variable === variable)?.option;
  return { variable, message: option === undefined ? message : `${message} (option ${option})` };
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

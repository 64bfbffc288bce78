import type { Policy } from '@rollcall/protocol';
import type { Mode, Situation, Surroundings } from './domain.js';
import { anyDomains, type ConfigOfTables, type ValueOf, type VariableName, variables } from './variables.js';

/** Everything that the environment decides, checked and frozen. Its fields are those that the tables of variables name. */
export interface Config extends ConfigOfTables {
  /** For sessions whose start doesn't say otherwise. The compiler misses a field that no variable sets. */
  readonly policy: Policy;
}

export interface ConfigProblem {
  /** Or an option of attachRollcall that is no variable's. */
  readonly variable: string;
  readonly message: string;
}

/** The environment can't be used; `problems` names every bad variable, not just the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ variable, message }) => `  ${variable}: ${message}`);
    super(`The configuration can't be used:\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Reads and checks the environment. A variable that is empty counts as not set.
 * @param keyless true for what neither signs nor checks tokens: in production too it then needs no key
 * @throws {ConfigError} naming every bad variable at once; secrets are never part of a message
 */
export function readConfig(env: NodeJS.ProcessEnv, keyless = false): Config {
  const mode: Mode = textOf(env, 'NODE_ENV') === 'production' ? 'production' : 'development';
  const surroundings: Surroundings = { mode, terminal: process.stderr.isTTY === true };
  const problems: ConfigProblem[] = [];
  const refuse = (variable: string, message: string) => void problems.push({ variable, message });

  const read = <Name extends VariableName>(name: Name): ValueOf<Name> => {
    const variable = variables[name];
    const text = textOf(env, name);
    if (text === '') return variable.fallback(surroundings);
    const { success, data, error } = variable.read.safeParse(text);
    if (success) return data;
    const must = error.issues[0]?.message ?? 'cannot be used';
    refuse(name, variable.hidden ? must : `${must}, but is ${JSON.stringify(withoutPassword(text))}`);
    return variable.fallback(surroundings);
  };

  const situation: Situation = { mode, keyless, given: (name) => textOf(env, name as VariableName) !== '', refuse };
  const config: Record<string, unknown> = {};
  for (const { rows, together } of anyDomains) {
    const values: Record<string, unknown> = {};
    for (const [name, { field }] of Object.entries(rows)) {
      values[name] = read(name as VariableName);
      if (field !== undefined) put(config, field.split('.'), values[name]);
    }
    Object.assign(config, together(values, situation));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  // That the fields are these is what ConfigOfTables says of the same rows.
  return deepFreeze(config as unknown as Config);
}

/** What a variable is set to; empty where it isn't. The spaces of a secret count. */
function textOf(env: NodeJS.ProcessEnv, name: VariableName): string {
  const text = env[name] ?? '';
  return variables[name].verbatim ? text : text.trim();
}

function put(into: Record<string, unknown>, [outer = '', ...inner]: readonly string[], value: unknown): void {
  if (inner.length === 0) {
    into[outer] = value;
    return;
  }
  const part = (into[outer] ?? {}) as Record<string, unknown>;
  into[outer] = part;
  put(part, inner, value);
}

/** Who mistypes an address may have put a password into it. */
const withoutPassword = (text: string): string => text.replace(/\/\/\S*@/g, '//…@');

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) deepFreeze(part);
  }
  return Object.freeze(value);
}

import type { Config } from './config.js';
import type { Surroundings } from './domain.js';
import { isVariable, type VariableName, variableNames, variables } from './variables.js';

export type Source = 'environment' | '.env' | 'default';

/** One variable as it is in force. */
export interface InForce {
  readonly name: VariableName;
  /** The value as it may be shown: no secret, no password within an address. Null where it isn't set. */
  readonly shown: string | null;
  readonly source: Source;
}

const HIDDEN = '(hidden)';

/** Every variable with its value and where that came from. A variable that is empty counts as not set. */
export function variablesInForce(
  environment: NodeJS.ProcessEnv,
  file: NodeJS.ProcessEnv,
  surroundings: Surroundings,
): InForce[] {
  return variableNames.map((name) => {
    // One that is empty in the environment hides the one of the file.
    const source = environment[name] === undefined ? '.env' : 'environment';
    const text = (environment[name] ?? file[name] ?? '').trim();
    if (text !== '') return { name, shown: withoutSecrets(name, text), source };
    return { name, shown: defaultOf(name, surroundings), source: 'default' };
  });
}

function defaultOf(name: VariableName, surroundings: Surroundings): string | null {
  const value = variables[name].fallback(surroundings);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

function withoutSecrets(name: VariableName, text: string): string {
  if (!variables[name].hidden) return withoutPasswords(text);
  // Of what may contain a secret only addresses are told, since a database is easily the wrong one.
  return /^(mongodb(\+srv)?|rediss?|smtps?):\/\/|^sqlite:/.test(text) ? withoutPasswords(text) : HIDDEN;
}

/** User and password of an address go, and what looks like a secret in its query. */
const withoutPasswords = (text: string): string =>
  text
    .replace(/\/\/\S*@/g, '//…@')
    .replace(/([?&][^=&\s]*(?:pass|pwd|secret|token|key|properties)[^=&\s]*=)[^&\s]*/gi, '$1…');

/** The database of a configuration whose variables name none. */
export const databaseByDefault = ({
  database,
  databaseFrom,
}: Pick<Config, 'database' | 'databaseFrom'>): string | null =>
  databaseFrom === 'DATA_DIR' && database.kind === 'sqlite' ? `sqlite:${database.path}` : null;

/** A name that Rollcall doesn't read and that looks like one that it does. */
export interface Misspelt {
  readonly given: string;
  readonly meant: VariableName;
}

/** Names that people take from other programs. */
const FROM_ELSEWHERE: Readonly<Record<string, VariableName>> = {
  JWT_SECRET: 'ACCESS_TOKEN_SECRET',
  TOKEN_SECRET: 'ACCESS_TOKEN_SECRET',
  MONGO_URL: 'MONGO_URI',
  MONGODB_URL: 'MONGODB_URI',
};

/** Names that look like misspelt ones of Rollcall's, in the order given. */
export function misspelt(names: Iterable<string>): Misspelt[] {
  const found: Misspelt[] = [];
  for (const given of names) {
    if (isVariable(given)) continue;
    const meant = FROM_ELSEWHERE[given] ?? variableNames.find((name) => looksLike(given.toUpperCase(), name));
    if (meant !== undefined) found.push({ given, meant });
  }
  return found;
}

function looksLike(given: string, name: VariableName): boolean {
  // PORT for CHAT_PORT, and ROLLCALL_HOST for HOST.
  if (given.length >= 4 && name.endsWith(`_${given}`)) return true;
  if (given === `ROLLCALL_${name}`) return true;
  const [letters, meant] = [given.replaceAll('_', ''), name.replaceAll('_', '')];
  if (letters === meant) return true;
  // A short word is a letter away from many others: HOST, POST, COST.
  return meant.length >= 8 && isWithin(meant.length >= 12 ? 2 : 1, letters, meant);
}

/** True where so many letters changed, added, left out or swapped with the next make one word of the other. */
function isWithin(changes: number, a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > changes) return false;
  if (a === b) return true;
  if (changes === 0) return false;
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  const [left, right] = [a.slice(same), b.slice(same)];
  const less = changes - 1;
  return (
    isWithin(less, left.slice(1), right.slice(1)) ||
    isWithin(less, left.slice(1), right) ||
    isWithin(less, left, right.slice(1)) ||
    (left[0] === right[1] && left[1] === right[0] && isWithin(less, left.slice(2), right.slice(2)))
  );
}

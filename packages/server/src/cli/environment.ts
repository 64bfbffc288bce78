import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';
import { type Config, readConfig } from '../config.js';

/**
 * The configuration of a command: the environment, and in development beneath it the `.env` file of the working
 * directory.
 * @param overrides variables that options of the command set
 * @throws {ConfigError} naming every bad variable
 */
export function loadConfig(overrides: NodeJS.ProcessEnv = {}): Config {
  return readConfig({ ...environment(), ...overrides });
}

/** The configuration of a command that works on the database alone, and so needs no key of tokens. @throws {ConfigError} */
export const loadDatabaseConfig = (): Pick<Config, 'database' | 'databaseFrom'> => readConfig(environment(), true);

function environment(): NodeJS.ProcessEnv {
  if (process.env['NODE_ENV']?.trim() === 'production') return process.env;
  let text: string;
  try {
    text = readFileSync('.env', 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return process.env;
    throw error;
  }
  return { ...parse(text), ...process.env };
}

/** True where LOG_LEVEL asks for it: then errors are shown with their stacks. */
export const wantsStacks = (): boolean => /^(debug|trace)$/i.test(process.env['LOG_LEVEL'] ?? '');

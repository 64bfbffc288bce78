import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';
import { type Config, readConfig } from '../config/config.js';

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
export const loadDatabaseConfig = (): Pick<
  Config,
  'database' | 'databaseFrom' | 'mode' | 'port' | 'publicUrl' | 'timeZone' | 'reportCodes'
> => readConfig(environment(), true);

function environment(): NodeJS.ProcessEnv {
  const { environment: given, file } = environmentAndFile();
  return { ...file, ...given };
}

/** The environment and the `.env` file of the working directory, which counts in development only. */
export function environmentAndFile(): { readonly environment: NodeJS.ProcessEnv; readonly file: NodeJS.ProcessEnv } {
  const given = process.env;
  if (given['NODE_ENV']?.trim() === 'production') return { environment: given, file: {} };
  try {
    return { environment: given, file: parse(readFileSync('.env', 'utf8')) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { environment: given, file: {} };
    throw error;
  }
}

/** True where LOG_LEVEL asks for it: then errors are shown with their stacks. */
export const wantsStacks = (): boolean => /^(debug|trace)$/i.test(process.env['LOG_LEVEL'] ?? '');

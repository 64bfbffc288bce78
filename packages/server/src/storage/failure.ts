import { StorageError } from './port.js';

/**
 * Why a database can't be opened, together with the setting by which it was chosen.
 * @param setting name of the variable or option that people can change
 */
export function namingSetting(error: unknown, setting: string): unknown {
  if (!(error instanceof StorageError)) return error;
  return new StorageError(`${error.message}; the database was chosen by ${setting}`, { cause: error });
}

import type { Config } from '../config/config.js';

/** What people call a database by: its file, or its server and name, without user and password. */
export const nameOf = (database: Config['database']): string =>
  database.kind === 'sqlite' ? database.path : database.uri.replace(/\/\/[^/]*@/, '//').replace(/\?.*$/, '');

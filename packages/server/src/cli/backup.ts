import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadDatabaseConfig } from './environment.js';
import { CommandFailure } from './failure.js';
import { fileOf, refuseRootOnForeign } from './owner.js';

export function addBackup(program: Command): void {
  program
    .command('backup')
    .argument('<file>', 'where the copy goes; there must be no such file yet')
    .summary('copy a SQLite database while the server runs')
    .description('Makes a consistent copy of a SQLite database, also while the server runs.')
    .option('--json', 'print {file, bytes}')
    .addHelpText('after', '\nExample:\n  rollcall backup rollcall-monday.db\n')
    .action(backup);
}

async function backup(file: string, options: { json?: boolean }): Promise<void> {
  const { database } = loadDatabaseConfig();
  if (database.kind === 'mongodb') {
    throw new CommandFailure(
      'this database is MongoDB, and backup copies SQLite alone: use mongodump (with --oplog on a replica set)',
    );
  }
  if (database.path === ':memory:') {
    throw new CommandFailure(
      'a database in memory lives in its server alone, and there is nothing to copy: set DATABASE_URL to the file that the server uses',
    );
  }
  await refuseRootOnForeign(fileOf(database), 'backup');
  const { SqliteStorage } = await import('../storage/sqlite/storage.js');
  await new SqliteStorage({ path: database.path }).backup(file);
  const { size } = await stat(file);
  process.stdout.write(
    options.json ? `${JSON.stringify({ file: resolve(file), bytes: size })}\n` : `Wrote ${file} (${size} bytes).\n`,
  );
}

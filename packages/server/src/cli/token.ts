import { existsSync } from 'node:fs';
import { ID_MAX_LENGTH, isWellFormed } from '@rollcall/protocol';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Config } from '../config/config.js';
import { visible } from '../visible-text.js';
import { loadConfig } from './environment.js';
import { duration } from './failure.js';

const TWELVE_HOURS = 12 * 3_600;

interface TokenOptions {
  readonly uid: string;
  readonly expires: number;
  readonly name?: string;
  readonly role?: string;
}

export function addToken(program: Command): void {
  program
    .command('token')
    .summary('print a token that signs a user in')
    .description('Prints a token signed with ACCESS_TOKEN_SECRET, and nothing else.')
    // Required, and checked by hand: of `--udi ada` commander would say that --uid is missing, and not what is wrong.
    .option('--uid <uid>', 'sign-in name of the user (required)', uidOption)
    .addOption(
      new Option('--expires <duration>', 'how long the token is valid: 90s, 30m, 12h, 7d')
        .argParser(duration)
        .default(TWELVE_HOURS, '12h'),
    )
    .option('--name <name>', 'the claim name, for a server with PROVISION_FROM_TOKEN')
    .addOption(
      new Option('--role <role>', 'the claim role, for a server with PROVISION_FROM_TOKEN').choices([
        'teacher',
        'student',
        'admin',
      ]),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall token --uid ada\n  rollcall token --uid bo --expires 30m\n' +
        "  rollcall token --uid kim --role student --name 'Kim Lee'\n",
    )
    .action(token);
}

async function token({ uid, expires, ...claims }: Partial<TokenOptions>, command: Command): Promise<void> {
  if (uid === undefined || expires === undefined) {
    return command.error("rollcall: required option '--uid <uid>' not specified");
  }
  const config = loadConfig();
  const { tokenSigner } = await import('./sign-token.js');
  const sign = await tokenSigner(config);
  process.stdout.write(`${await sign(uid, expires, claims)}\n`);
  if (config.provisionFromToken || claims.role !== undefined) return;
  const { database } = config;
  // With a secret of its own and without a database, this is hardly where the server was started.
  if (config.secret === null && database.kind === 'sqlite' && !existsSync(database.path)) {
    process.stderr.write(
      `rollcall: there is no ${database.path}: a server that runs elsewhere, or with other variables, will refuse the token\n`,
    );
  } else if (await isStranger(config, uid)) {
    process.stderr.write(`rollcall: the database has no user "${visible(uid)}": the server will refuse the token\n`);
  }
}

/** True only where a look at a database file tells so; a MongoDB may be far away, and isn't asked. */
async function isStranger({ database, databaseFrom }: Config, uid: string): Promise<boolean> {
  if (database.kind !== 'sqlite') return false;
  const { openStorage } = await import('./open-storage.js');
  try {
    const storage = await openStorage({ database, databaseFrom }, 'token', true);
    try {
      return (await storage.people.findPersonByUid(uid)) === null;
    } finally {
      await storage.close();
    }
  } catch {
    // The token is good all the same.
    return false;
  }
}

function uidOption(text: string): string {
  if (text !== '' && text.length <= ID_MAX_LENGTH && isWellFormed(text)) return text;
  throw new InvalidArgumentError(`It must have 1 to ${ID_MAX_LENGTH} characters.`);
}

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { visibleLines } from '../visible-text.js';
import { addBackup } from './backup.js';
import { addConfig } from './config.js';
import { addDoctor } from './doctor.js';
import { wantsStacks } from './environment.js';
import { addExport } from './export.js';
import { explainError } from './failure.js';
import { helpWidth } from './help-width.js';
import { addImport } from './import.js';
import { addInvite } from './invite.js';
import { addServe } from './serve.js';
import { addShow } from './show.js';
import { addSimulate } from './simulate.js';
import { addToken } from './token.js';
import { addVerify } from './verify.js';

const FAILED = 1;
const WRONG_USAGE = 2;

const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const version =
  typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';

const program = new Command('rollcall')
  .description('Rollcall: a real-time attendance server.')
  .version(version, '--version')
  .helpOption('-h, --help', 'show this help')
  .helpCommand('help [command]', 'show this help, or that of a command')
  .showHelpAfterError('(add --help for what can be said)')
  .configureOutput({
    getOutHelpWidth: () => helpWidth(process.stdout),
    getErrHelpWidth: () => helpWidth(process.stderr),
    // As all else that the command line says of itself: among a server's logs it can be told by whom it is.
    outputError: (text, write) => write(visibleLines(text).replace(/^error: /, 'rollcall: ')),
  })
  .exitOverride()
  .addHelpText('after', '\nExit status: 0 done, 1 failed, 2 wrong usage.\n`rollcall config` explains the environment.');
for (const add of [
  addServe,
  addImport,
  addToken,
  addInvite,
  addSimulate,
  addShow,
  addVerify,
  addExport,
  addBackup,
  addDoctor,
  addConfig,
])
  add(program);

/**
 * `help sing` and `sing --help` are answered as `sing` is: of a command that there isn't, commander would show the help
 * of all.
 */
function asked(args: string[]): string[] {
  const [first, second] = args;
  const name = first === 'help' ? second : first;
  if (name === undefined || name.startsWith('-')) return args;
  return program.commands.some((command) => command.name() === name) ? args : [name];
}

// `rollcall … | head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : FAILED);
});

try {
  await program.parseAsync(asked(process.argv.slice(2)), { from: 'user' });
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has already said what is wrong. Asking for help or the version isn't, and it ends that with 0.
    process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE;
  } else {
    const stack = wantsStacks() && error instanceof Error ? error.stack : undefined;
    process.stderr.write(`rollcall: ${visibleLines(stack ?? explainError(error))}\n`);
    process.exitCode = FAILED;
  }
}

import { writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { Config } from '../config/config.js';
import { describeVariables } from '../config/describe.js';
import type { Storage } from '../storage/port.js';
import { loadConfig } from './environment.js';
import { wholeNumber } from './failure.js';
import { helpWidth } from './help-width.js';
import { fileOf, refuseRootOnForeign, secretFileOf } from './owner.js';
import { onStandardError } from './standard-error.js';

/** Longest time that stopping may take, in ms: with the end of the process within 10 s. */
const STOP_LIMIT_MS = 8_000;
/** A terminal and npm both pass on one Ctrl-C; signals this close (in ms) are the same press. */
const SAME_PRESS_MS = 250;

interface ServeOptions {
  readonly port?: number;
  readonly host?: string;
  readonly noticeOnce?: string;
}

export function addServe(program: Command): void {
  program
    .command('serve')
    .summary('run the server')
    .description('Runs the server until SIGTERM or SIGINT; a second signal stops it at once.')
    .option('--port <number>', 'port, instead of CHAT_PORT; 0 takes a free one', wholeNumber(0, 65_535))
    .option('--host <address>', 'address to listen on, instead of HOST')
    .addOption(new Option('--notice-once <file>', 'for scripts/dev.mjs').hideHelp())
    .addHelpText(
      'after',
      ({ error }) =>
        '\nExamples:\n  rollcall serve\n  rollcall serve --port 0 --host 0.0.0.0\n\nEnvironment:\n\n' +
        describeVariables(helpWidth(error ? process.stderr : process.stdout)),
    )
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  // Before anything that takes its time.
  const stopped = stopSignal();
  const config = loadConfig({
    ...(options.port === undefined ? {} : { CHAT_PORT: String(options.port) }),
    ...(options.host === undefined ? {} : { HOST: options.host }),
  });
  await refuseRootOnForeign(fileOf(config.database), 'serve');
  await refuseRootOnForeign(secretFileOf(config), 'serve');
  const { createRollcall } = await import('../app.js');
  const { claimForServer } = await import('../storage/open.js');
  const giveUpClaim = await claimForServer(config.database, onStandardError);
  const { seedDemo } = await import('../school/demo.js');
  const rollcall = createRollcall(config, {
    prepare: async (storage) => {
      if (config.development) await seedDemo(storage, new Date());
    },
  });
  let started: { readonly port: number } | undefined;
  try {
    started = await Promise.race([rollcall.start(), stopped]);
  } catch (error) {
    await rollcall.close().catch(() => undefined);
    giveUpClaim();
    throw error;
  }
  if (started) {
    const { port } = started;
    const startedAt = new Date().toISOString();
    const noticed =
      config.development && isFirstNotice(options.noticeOnce)
        ? await Promise.race([notice(config, rollcall.storage, port), stopped])
        : undefined;
    process.stdout.write(
      `🚀 Chat server running on port ${port}\n` +
        '📡 Socket.IO server ready for connections\n' +
        `🔗 WebSocket endpoint: ws://localhost:${port}\n` +
        `📊 Server started at: ${startedAt}\n` +
        (noticed ?? ''),
    );
    await stopped;
  }

  // What was acknowledged is safe by now, and nobody relies on what wasn't.
  const limit = setTimeout(() => {
    process.stderr.write(`rollcall: not stopped after ${STOP_LIMIT_MS / 1000} s, giving up\n`);
    process.exit(0);
  }, STOP_LIMIT_MS);
  await rollcall.close();
  giveUpClaim();
  clearTimeout(limit);
  // Whatever a library may still hold open, the server is down.
  process.exit(0);
}

/** Under `node --watch` every change starts the server anew; the file, made at the first start, tells of it. */
function isFirstNotice(file: string | undefined): boolean {
  if (file === undefined) return true;
  try {
    writeFileSync(file, '', { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

async function notice(config: Config, storage: Storage, port: number): Promise<string> {
  const { developmentNotice } = await import('./development-notice.js');
  return developmentNotice(config, storage, port);
}

/** Resolves at the first signal to stop; a later one ends the process with status 1. */
function stopSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const onSignal = () => {
      const now = performance.now();
      if (first === undefined) {
        first = now;
        resolve(undefined);
      } else if (now - first > SAME_PRESS_MS) process.exit(1);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

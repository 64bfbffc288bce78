import { execFileSync } from 'node:child_process';

/** What an experiment can't do without and a machine may not have. */
export type Need = 'mongo' | 'mongo-process' | 'redis' | 'strace' | 'root';

const HOW: Record<Need, string> = {
  mongo: 'needs a MongoDB: set MONGODB_TEST_URI=mongodb://…',
  'mongo-process':
    'needs a MongoDB that may be killed: set ROLLCALL_TEST_MONGO_COMMAND to a program that takes a port and the name ' +
    'of a data file, serves MongoDB on 127.0.0.1 and prints its URI as its first line',
  redis: 'needs a redis-server on the PATH (Debian: apt-get install redis-server)',
  strace: 'needs strace on the PATH (Debian: apt-get install strace), and the right to trace a process',
  root: 'needs root, to mount a small tmpfs',
};

function runs(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const HAVE: Record<Need, () => boolean> = {
  mongo: () => Boolean(process.env['MONGODB_TEST_URI']),
  'mongo-process': () => Boolean(process.env['ROLLCALL_TEST_MONGO_COMMAND']),
  redis: () => runs('redis-server', '--version'),
  strace: () => runs('strace', '-o', '/dev/null', 'true'),
  root: () => process.getuid?.() === 0,
};

const required = (): Set<string> =>
  new Set((process.env['ROLLCALL_TEST_REQUIRE'] ?? '').split(',').map((name) => name.trim()));

/**
 * How to get what isn't there; empty where everything is.
 * Throws where ROLLCALL_TEST_REQUIRE lists something that isn't there.
 */
export function missing(needs: readonly Need[]): string {
  const absent = needs.filter((need) => !HAVE[need]());
  const insisted = absent.find((need) => required().has(need));
  if (insisted) throw new Error(HOW[insisted]);
  return absent.map((need) => HOW[need]).join('; ');
}

import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MEASURED = 'packages';

/** What figures were measured on. */
export interface Machine {
  readonly processors: string;
  readonly memory_gb: number;
  readonly system: string;
  readonly node: string;
}

export const machine = (): Machine => ({
  processors: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
  memory_gb: Math.round(totalmem() / 1024 ** 3),
  system: `${type()} ${release()}`,
  node: process.version,
});

const git = (...given: readonly string[]): string =>
  execFileSync('git', given, { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8', cwd: ROOT }).trim();

/** What was measured: the last commit that changed Rollcall itself. Null outside a checkout. */
export function commit(): string | null {
  try {
    const last = git('log', '-1', '--format=%h', '--', MEASURED);
    return git('status', '--porcelain', '--', MEASURED) === '' ? last : `${last} with changes`;
  } catch {
    return null;
  }
}

// Compiles on change beside what runs on the output: the server under `node --watch`, or vitest with `dev.mjs vitest`
// and vitest's own arguments.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname ?? '.', '..');
const bin = (name) => join(root, 'node_modules', '.bin', name);
const start = (command, args) => spawn(command, args, { cwd: root, stdio: 'inherit' });

// The long notice of a development start is for the first one; its tokens stay good.
const notices = mkdtempSync(join(tmpdir(), 'rollcall-dev-'));
const serve = ['packages/server/bin/rollcall.js', 'serve', '--notice-once', join(notices, 'shown')];

const compiler = start(bin('tsc'), ['-b', '--watch', '--preserveWatchOutput']);
const main =
  process.argv[2] === 'vitest'
    ? start(bin('vitest'), process.argv.slice(3))
    : start(process.execPath, ['--watch', '--watch-preserve-output', ...serve]);

const stop = () => {
  compiler.kill();
  main.kill();
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
main.once('exit', (code) => {
  compiler.kill();
  rmSync(notices, { recursive: true, force: true });
  process.exitCode = code ?? 0;
});

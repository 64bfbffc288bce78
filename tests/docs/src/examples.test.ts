import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { variables } from '../../../packages/server/dist/config/variables.js';
import { ROOT } from './transcript.js';

const run = promisify(execFile);
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const LIMIT_MS = 180_000;

/** The commands at the top of an example, as its reader pastes them: `//   ` before each line. */
const commandsOf = (path: string): string =>
  [...text(path).matchAll(/^\/\/ {3}(.*)$/gm)].map(([, line]) => line).join('\n');

/** An environment with a port that was free a moment ago, and a folder of its own. */
async function surroundings() {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-examples-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return { PATH: process.env['PATH'], HOME: folder, DATA_DIR: join(folder, 'data'), CHAT_PORT: String(port) };
}

/** Runs a program of the repository until the test ends, and waits until it says what it should. */
async function running(args: readonly string[], env: NodeJS.ProcessEnv, says: RegExp): Promise<void> {
  const child = spawn(process.execPath, args, { cwd: ROOT, env });
  const closed = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await closed;
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      said += data.toString();
    });
  }
  await expect.poll(() => said, { timeout: 60_000 }).toMatch(says);
}

test(
  '[DOCS-143] the examples find a server that was started with the same environment, and hold a class on it',
  async () => {
    const env = { ...(await surroundings()), LOG_LEVEL: 'warn' };
    await running(['packages/server/bin/rollcall.js', 'serve'], env, /Tokens of the demo school/);
    const usage = await run(process.execPath, ['examples/usage.mjs'], { cwd: ROOT, env });
    expect(usage.stdout).toMatch(/Session ended: \{[^}]*presentCount: 1/);
    const sdk = await run(process.execPath, ['examples/sdk-class.mjs'], { cwd: ROOT, env });
    expect(sdk.stdout).toMatch(/^Over: 3 present and 1 late of 4, 100 %$/m);
  },
  LIMIT_MS,
);

test(
  '[DOCS-143] the chat with Rollcall attached holds the class that the top of its file says',
  async () => {
    const around = await surroundings();
    const env = { ...around, DATABASE_URL: `sqlite:${join(around.DATA_DIR, 'chat.db')}` };
    const [start = '', ...inAnotherTerminal] = commandsOf('examples/chat-with-rollcall.mjs').split('\n');
    expect(start).toBe('npm run build && node examples/chat-with-rollcall.mjs');
    await running(['examples/chat-with-rollcall.mjs'], env, new RegExp(`on http://localhost:${env.CHAT_PORT}\n`));
    const { stdout } = await run('sh', ['-ec', inAnotherTerminal.join('\n')], { cwd: ROOT, env });
    expect(stdout).toMatch(/Session ended: \{[^}]*presentCount: 1/);
  },
  LIMIT_MS,
);

test('[DOCS-143] examples and guides that name a port of the server without setting it name its default', () => {
  const port = variables.CHAT_PORT.shown;
  for (const path of ['examples/usage.mjs', 'examples/sdk-class.mjs', 'examples/chat-with-rollcall.mjs']) {
    expect(text(path), path).toContain(`process.env.CHAT_PORT ?? ${port}`);
  }
  for (const path of ['README.md', 'packages/client/README.md', 'docs/guides/operating.md']) {
    const named = [...text(path).matchAll(/localhost:(\d+)/g)].map(([, number]) => number);
    expect([...new Set([...named, port])], path).toEqual([port]);
  }
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { connectTo, environment, SECRET, temporaryFolder, tokenOf } from '../testing/server.js';

const rollcall = fileURLToPath(new URL('../../bin/rollcall.js', import.meta.url));
const logger = new URL('./logger.js', import.meta.url).href;

/** Runs the command line's server in a process of its own. @returns what it writes, and where it listens */
async function serve(variables: Record<string, string>) {
  const folder = await temporaryFolder();
  const env = { ...environment({ DATA_DIR: join(folder, 'data'), PROVISION_FROM_TOKEN: 'true', ...variables }) };
  const child = spawn(process.execPath, [rollcall, 'serve'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.on('data', (data: Buffer) => {
    written.stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    written.stderr += data.toString();
  });
  const port = () => /running on port (\d+)/.exec(written.stdout)?.[1];
  await expect.poll(port, { timeout: 60_000 }).toBeDefined();
  const stop = async () => {
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    await closed;
  };
  return { url: `http://127.0.0.1:${port()}`, written, stop };
}

test('[LOG-4] the log of the command line’s server holds no token and no secret', async () => {
  const { url, written, stop } = await serve({ LOG_LEVEL: 'trace', LOG_FORMAT: 'json' });
  const token = await tokenOf('ada', { role: 'teacher', name: 'Ada Osei' });
  const client = await connectTo(url, 'ada', { token });
  await client.send('startAttendanceSession', { session_id: 'session-1' });
  await client.send('refreshToken', { token });
  await client.send('refreshToken', { token: `${token}x` });
  await stop();
  const lines = written.stderr.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).msg)).toContain('[SOCKET DEBUG] startAttendanceSession');
  const all = written.stdout + written.stderr;
  expect(all).not.toContain(SECRET);
  for (const part of token.split('.').slice(1)) expect(all).not.toContain(part);
});

test('[LOG-4] should anybody log a handshake, a header or a configuration, tokens and secrets are left out', async () => {
  const facts = {
    token: 'hidden-1',
    secret: 'hidden-2',
    auth: { token: 'hidden-3' },
    handshake: { auth: { token: 'hidden-4' }, headers: { authorization: 'Bearer hidden-5' } },
    headers: { authorization: 'Bearer hidden-6' },
    config: { secret: 'hidden-7' },
    session_id: 'shown',
  };
  for (const format of ['json', 'pretty']) {
    const script = `
      const { makeLogger } = await import(${JSON.stringify(logger)});
      makeLogger({ level: 'info', format: ${JSON.stringify(format)} }).info(${JSON.stringify(facts)}, 'a line');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    let written = '';
    child.stderr.on('data', (data: Buffer) => {
      written += data.toString();
    });
    await once(child, 'close');
    expect(written, format).toContain('shown');
    expect(written, format).not.toMatch(/hidden-/);
  }
});

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
  expect(lines.map((line) => JSON.parse(line).msg)).toContainEqual(
    expect.stringContaining('[SOCKET DEBUG] startAttendanceSession ada session-1 → '),
  );
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

/** What a logger of a format writes of one line. */
async function written(format: string, call: string): Promise<string> {
  const script = `
    const { makeLogger } = await import(${JSON.stringify(logger)});
    const logger = makeLogger({ level: 'trace', format: ${JSON.stringify(format)} });
    ${call}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  let text = '';
  child.stderr.on('data', (data: Buffer) => {
    text += data.toString();
  });
  await once(child, 'close');
  return text;
}

/** A line end, an escape sequence, its one-character form, and what turns a line around. */
const FORGED = 'Ada\n[10:00:00.000] INFO: forged\r\u001b[31m\u009b1m\u2028\u202e';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
const ACTS_ON_A_TERMINAL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/;

test.each(['json', 'pretty'])(
  '[LOG-144] a control character in a text is shown and does nothing: %s',
  async (format) => {
    const facts = { name: FORGED, [FORGED]: 1, list: [FORGED] };
    const calls = [
      `logger.info(${JSON.stringify(facts)}, ${JSON.stringify(FORGED)});`,
      `logger.error({ err: new Error(${JSON.stringify(FORGED)}) }, 'failed');`,
    ];
    const text = await written(format, calls.join('\n'));
    expect(text).not.toMatch(ACTS_ON_A_TERMINAL);
    expect(text).toContain('Ada\\n[10:00:00.000] INFO: forged\\r\\u001b[31m\\u009b1m\\u2028\\u202e');
    // Not at the start of a line, where a line of the log begins.
    expect(text).not.toMatch(/^\[10:00:00/m);
  },
);

test('[LOG-144] the JSON of a line is what was logged, whatever is in it', async () => {
  const text = await written('json', `logger.info(${JSON.stringify({ name: FORGED })}, 'a line');`);
  expect(text.split('\n')).toHaveLength(2);
  expect(JSON.parse(text)).toMatchObject({ name: FORGED, msg: 'a line' });
});

test('[LOG-145] the pretty form has a debug line in words alone, and the facts of any other on the same line', async () => {
  const text = await written(
    'pretty',
    `logger.debug({ user: 'ada', active: ['s'] }, '[SOCKET DEBUG] markStudentPresent ada s');
     logger.info({ session_id: 's', students: 40 }, 'a session started');`,
  );
  expect(text.split('\n').map((line) => line.replace(/^\S+ /, ''))).toEqual([
    'DEBUG: [SOCKET DEBUG] markStudentPresent ada s',
    'INFO: a session started {"session_id":"s","students":40}',
    '',
  ]);
});

/** Runs the server in development on a terminal of its own (util-linux `script`) until it says that it listens. */
async function onATerminal(variables: Record<string, string>): Promise<string> {
  const folder = await temporaryFolder();
  const command = `${process.execPath} ${rollcall} serve --port 0`;
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], DATA_DIR: join(folder, 'data'), ...variables },
    detached: true,
  });
  const closed = once(child, 'close');
  let shown = '';
  child.stdout.on('data', (data: Buffer) => {
    shown += data.toString();
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await closed;
  });
  await expect.poll(() => shown, { timeout: 60_000 }).toMatch(/student student124 \(.*\): http\S+#\S+\r?\n$/);
  return shown;
}

test.skipIf(process.platform !== 'linux')(
  '[LOG-5] [LOG-145] in development a terminal gets a readable log at info, and the sign-in links come after it',
  async () => {
    const shown = await onATerminal({});
    expect(shown).toMatch(/INFO.*: .*listening/);
    expect(shown).not.toContain('[SOCKET DEBUG]');
    expect(shown.indexOf('listening')).toBeLessThan(shown.indexOf('Development mode.'));
  },
);

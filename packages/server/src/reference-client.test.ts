import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { schoolOf } from './testing/school.js';
import { startServer, tokenOf } from './testing/server.js';

const page = new URL('../../../docs/reference/events.md', import.meta.url);

test('[OBJ-14] the client on the page of events starts and ends a session', async () => {
  const [, code = ''] = /\n```js\n([\s\S]*?)```/.exec(await readFile(page, 'utf8')) ?? [];
  const { url } = await startServer({}, schoolOf(1));
  const program = `const fetchToken = async () => process.env.TOKEN;\n${code.replace('http://localhost:4002', url)}`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', program],
    // Where its import of socket.io-client is found.
    { cwd: fileURLToPath(new URL('..', import.meta.url)), env: { TOKEN: await tokenOf('ada') }, timeout: 30_000 },
  );
  expect(stderr).toBe('');
  expect(stdout.match(/ok: true/g)).toHaveLength(2);
});

import { chmod, chown, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freshFolder, rollcall } from './rollcall.test.support.js';

const OWNER = 4_321;
const SECRET = 'a secret of the tests that is long enough';
const isRoot = process.getuid?.() === 0;

/** A folder with a database of a school, all of it another user's; `files` lists it with its owners. */
async function folderOfAnother() {
  const folder = await freshFolder();
  await writeFile(join(folder, 'school.json'), JSON.stringify({ admins: [{ uid: 'root', name: 'Office' }] }));
  const imported = await rollcall(folder, ['import', 'school.json', '--json']);
  expect(imported).toMatchObject({ code: 0, stderr: '' });
  const data = join(folder, 'data');
  for (const name of await readdir(data)) await chown(join(data, name), OWNER, OWNER);
  await chown(data, OWNER, OWNER);
  const files = async () =>
    Promise.all((await readdir(data)).sort().map(async (name) => [name, (await stat(join(data, name))).uid]));
  return { folder, data, files };
}

const COMMANDS = [
  ['import', 'school.json'],
  ['import', 'school.json', '--dry-run'],
  ['show', 'session-1'],
  ['verify'],
  ['backup', 'copy.db'],
  ['token', '--uid', 'root'],
  ['serve', '--port', '0'],
];

test.runIf(isRoot)(
  '[CLI-142] a command that runs as root refuses the database of another user and makes no file there',
  async () => {
    const { folder, data, files } = await folderOfAnother();
    const before = await files();
    for (const args of COMMANDS) {
      const { code, stderr } = await rollcall(folder, args);
      expect({ args, code, stderr }).toEqual({
        args,
        code: 1,
        stderr: expect.stringMatching(
          new RegExp(
            `^rollcall: ${data}\\S* belongs to user ${OWNER}, .*: sudo -u '#${OWNER}' … rollcall ${args[0]}\n$`,
          ),
        ),
      });
    }
    expect(await files()).toEqual(before);
  },
);

test.runIf(isRoot)('[CLI-142] a folder of another user without a database is refused, too', async () => {
  const folder = await freshFolder();
  await chown(folder, OWNER, OWNER);
  await writeFile(join(folder, 'school.json'), '{}');
  const refused = await rollcall('/', ['import', join(folder, 'school.json')], { DATA_DIR: folder });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(`belongs to user ${OWNER}`) });
  expect(await readdir(folder)).toEqual(['school.json']);
});

test.runIf(isRoot)(
  '[CLI-142] root signs a token with the configured secret, and leaves the database alone',
  async () => {
    const { folder, files } = await folderOfAnother();
    const before = await files();
    const { code, stdout } = await rollcall(folder, ['token', '--uid', 'root'], { ACCESS_TOKEN_SECRET: SECRET });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/) });
    expect(await files()).toEqual(before);
  },
);

test.runIf(isRoot)('[CLI-142] root works on a database of its own, and in a folder that is not there yet', async () => {
  const folder = await freshFolder();
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'school.json'), '{}');
  expect(await rollcall(folder, ['import', 'school.json'])).toMatchObject({ code: 0 });
  expect(await rollcall(folder, ['verify'])).toMatchObject({ code: 0 });
});

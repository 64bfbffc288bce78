import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { apiOf } from '../../../testing/api.js';
import { schoolOf } from '../../../testing/school.js';
import { type Payload, startServer, temporaryFolder, tokenOf } from '../../../testing/server.js';

const JSON_FILE = { 'content-type': 'application/json' };
const newcomer = { students: [{ id: 'student-new', uid: 'new', name: 'New Lind', email: null, roll: '9' }] };

/** The two kinds of place in which an import runs: beside the server, and in it. */
const databases = async () => [`sqlite:${join(await temporaryFolder(), 'school.db')}`, 'sqlite::memory:'];

test('[API-31] an admin imports a school over HTTP: tried first, then done, and a repeat changes nothing', async () => {
  for (const DATABASE_URL of await databases()) {
    const server = await startServer({ DATABASE_URL }, schoolOf(2));
    const root = await apiOf(server, 'root');
    const send = (query: string) =>
      root('POST', `/imports${query}`, { body: JSON.stringify(newcomer), headers: JSON_FILE });
    const tried = await send('?dry_run=true');
    expect(tried, tried.text).toMatchObject({ status: 200, body: { dry_run: true, added: { students: 1 } } });
    expect((await (await apiOf(server, 'new'))('GET', '/me')).status).toBe(401);
    expect(await send('')).toMatchObject({ status: 200, body: { dry_run: false, added: { students: 1 } } });
    expect((await (await apiOf(server, 'new'))('GET', '/me')).status).toBe(200);
    expect(await send('')).toMatchObject({ status: 200, body: { added: { students: 0 }, left: { students: 1 } } });
  }
});

test('[API-32] a bad row is named by file and line, and nothing of the import is kept', async () => {
  for (const DATABASE_URL of await databases()) {
    const server = await startServer({ DATABASE_URL }, schoolOf(1));
    const root = await apiOf(server, 'root');
    const body = '{\n"students": [\n{"uid": "new", "name": "New"},\n{"uid": "bad"}\n]}';
    const refused = await root('POST', '/imports?filename=monday.json', { body, headers: JSON_FILE });
    expect(refused).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    expect(refused.body['errors']).toEqual([{ field: 'monday.json:4', message: expect.stringContaining('name') }]);
    expect(refused.text).not.toContain('rollcall-import-');
    const odd = await root('POST', '/imports?filename=%24%26.json', { body, headers: JSON_FILE });
    expect(odd.body['errors']).toMatchObject([{ field: '$&.json:4' }]);
    expect((await (await apiOf(server, 'new'))('GET', '/me')).status).toBe(401);
    const empty = await root('POST', '/imports', {
      body: Buffer.from(zipSync({ 'x.txt': strToU8('x') })).toString('latin1'),
      headers: { 'content-type': 'application/zip' },
    });
    expect(empty.status).toBe(400);
  }
});

test('[API-33] only admins import, and only a school file or a zip', async () => {
  const server = await startServer({}, schoolOf(1));
  const body = JSON.stringify(newcomer);
  for (const uid of ['ada', 's-1']) {
    const refused = await (await apiOf(server, uid))('POST', '/imports', { body, headers: JSON_FILE });
    expect(refused).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
  }
  const root = await apiOf(server, 'root');
  const text = await root('POST', '/imports', { body, headers: { 'content-type': 'text/csv' } });
  expect(text).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
  const [one, two] = await Promise.all([
    root('POST', '/imports', { body, headers: JSON_FILE }),
    root('POST', '/imports', { body, headers: JSON_FILE }),
  ]);
  const statuses = [one.status, two.status].sort();
  expect([200, 503]).toContain(statuses[1]);
  const refusal = [one, two].find(({ status }) => status === 503);
  if (refusal) expect(Number(refusal.headers.get('retry-after'))).toBe(5);
  expect((refusal?.body ?? ({} as Payload))['code']).toBe(refusal ? 'OVERLOADED' : undefined);
});

test('[API-34] an upload that stalls or is cut off holds up no other import, and leaves nothing behind', async () => {
  const server = await startServer({}, schoolOf(1));
  const token = await tokenOf('root');
  const left = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('rollcall-import-'));
  const before = new Set(await left());
  const stalled = request(`${server.url}/api/v1/imports`, {
    method: 'POST',
    headers: { ...JSON_FILE, authorization: `Bearer ${token}`, 'content-length': '1000' },
  });
  stalled.on('error', () => {});
  stalled.write('{"students": [');
  const news = async () => (await left()).filter((name) => !before.has(name)).length;
  await expect.poll(news, { timeout: 20_000 }).toBe(1);
  const root = await apiOf(server, 'root');
  expect((await root('POST', '/imports', { body: JSON.stringify(newcomer), headers: JSON_FILE })).status).toBe(200);
  stalled.destroy();
  await expect.poll(news, { timeout: 20_000 }).toBe(0);
  expect((await root('GET', '/me')).status).toBe(200);
});

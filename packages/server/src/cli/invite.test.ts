import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import decodeQR from 'qr/decode.js';
import { expect, test } from 'vitest';
import { noBrowser, startBrowser, watchedPage } from '../testing/browser.js';
import { CookieJar } from '../testing/sign-in.js';
import { freshFolder, rollcall, startServer } from './rollcall.test.support.js';

const PEOPLE = {
  teachers: [{ id: 'teacher-1', uid: 'ada', name: 'Ada Osei' }],
  students: Array.from({ length: 12 }, (_, index) => ({
    id: `student-${index}`,
    uid: `s-${index}`,
    name: index === 0 ? '<img src=x onerror=alert(1)> & "Bo"' : `Student ${index}`,
    roll: String(1907001 + index),
  })),
  courses: [
    { id: 'course-1', title: 'Databases', course_code: 'CSE-301', teacher_id: 'teacher-1' },
    { id: 'empty', title: 'Nobody’s', teacher_id: 'teacher-1' },
  ],
  enrollments: Array.from({ length: 12 }, (_, index) => ({ course_id: 'course-1', student_id: `student-${index}` })),
};

async function schoolFolder(): Promise<string> {
  const folder = await freshFolder();
  await writeFile(join(folder, 'school.json'), JSON.stringify(PEOPLE));
  expect((await rollcall(folder, ['import', 'school.json'])).code).toBe(0);
  return folder;
}

const PUBLIC = { PUBLIC_URL: 'https://school.example/rollcall' };
const LINK = /^https:\/\/school\.example\/rollcall\/sign-in#([\w-]{43})$/;

/** Whom a link signs in at a server on the same database, or the code of its refusal. */
async function signInBy(server: { readonly url: string }, link: string): Promise<unknown> {
  const token = link.trim().split('#')[1] ?? '';
  const { body } = await new CookieJar(server).auth('POST', 'sign-in', { body: { token } });
  return body['code'] ?? (body['user'] as { uid: string }).uid;
}

test('[CLI-123] invite prints a link that signs in once, also beside a running server', async () => {
  const folder = await schoolFolder();
  const server = await startServer(folder);
  const { code, stdout, stderr } = await rollcall(folder, ['invite', '--uid', 'ada'], PUBLIC);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/\n$/);
  expect(stdout.trim()).toMatch(LINK);
  expect(await signInBy(server, stdout)).toBe('ada');
  expect(await signInBy(server, stdout)).toBe('LINK_USED');
  const json = await rollcall(folder, ['invite', '--uid', 's-1', '--json'], PUBLIC);
  const { uid, url, expires_at } = JSON.parse(json.stdout);
  expect([uid, LINK.test(url)]).toEqual(['s-1', true]);
  const days = (Date.parse(expires_at) - Date.now()) / 86_400_000;
  expect([days > 6.9, days <= 7]).toEqual([true, true]);
  expect(await signInBy(server, url)).toBe('s-1');
});

test('[CLI-123] with --role invite makes who isn’t there, and changes nobody who is', async () => {
  const folder = await schoolFolder();
  const server = await startServer(folder);
  const unknown = await rollcall(folder, ['invite', '--uid', 'kim'], PUBLIC);
  expect([unknown.code, unknown.stdout]).toEqual([1, '']);
  expect(unknown.stderr).toMatch(/^rollcall: there is no user "kim".*--role/);
  const made = await rollcall(folder, ['invite', '--uid', 'kim', '--role', 'student', '--name', 'Kim Lee'], PUBLIC);
  expect(made.code).toBe(0);
  expect(await signInBy(server, made.stdout)).toBe('kim');
  const again = await rollcall(folder, ['invite', '--uid', 'kim', '--role', 'admin', '--name', 'Other'], PUBLIC);
  expect(again.stderr).toMatch(/"kim" is known already, and is no admin/);
  const jar = new CookieJar(server);
  const { body } = await jar.auth('POST', 'sign-in', { body: { token: again.stdout.trim().split('#')[1] } });
  const me = await fetch(`${server.url}/api/v1/me`, { headers: { authorization: `Bearer ${body['access_token']}` } });
  expect(await me.json()).toMatchObject({ user: { name: 'Kim Lee' }, is_admin: false, student: { name: 'Kim Lee' } });
});

test('[CLI-125] the links lead to PUBLIC_URL, which has to be set in production', async () => {
  const folder = await schoolFolder();
  const local = await rollcall(folder, ['invite', '--uid', 'ada'], { CHAT_PORT: '4711' });
  expect(local.stdout).toMatch(/^http:\/\/localhost:4711\/sign-in#/);
  const production = { NODE_ENV: 'production', DATABASE_URL: `sqlite:${join(folder, 'data', 'rollcall.db')}` };
  const refused = await rollcall(folder, ['invite', '--uid', 'ada'], production);
  expect([refused.code, refused.stdout]).toEqual([1, '']);
  expect(refused.stderr).toMatch(/PUBLIC_URL is not set/);
  expect((await rollcall(folder, ['invite', '--uid', 'ada'], { ...production, ...PUBLIC })).stdout.trim()).toMatch(
    LINK,
  );
});

test('[CLI-123] wrong usage of invite is told, and makes nothing', async () => {
  const folder = await schoolFolder();
  const wrong = [
    [],
    ['--uid', 'ada', '--course', 'course-1'],
    ['--course', 'course-1'],
    ['--uid', 'ada', '--cards', 'x.html'],
    ['--uid', 'ada', '--role', 'king'],
    ['--uid', 'ada', '--name', 'Ada'],
    ['--uid', ''],
    ['--course', 'course-1', '--cards', 'x.html', '--role', 'student'],
  ];
  for (const args of wrong) {
    const { code, stdout, stderr } = await rollcall(folder, ['invite', ...args], PUBLIC);
    expect([code, stdout], args.join(' ')).toEqual([2, '']);
    expect(stderr).toMatch(/^rollcall: /);
  }
  for (const course of ['nowhere', 'empty']) {
    const { code } = await rollcall(folder, ['invite', '--course', course, '--cards', 'x.html'], PUBLIC);
    expect(code, course).toBe(1);
  }
  await expect(stat(join(folder, 'x.html'))).rejects.toThrow('ENOENT');
});

/** What a phone reads in the QR code of a card. */
function readCode(path: string, size: number): string {
  const scale = 4;
  const side = size * scale;
  const data = new Uint8Array(side * side * 4).fill(255);
  for (const [, x = '', y = '', length = ''] of path.matchAll(/M(\d+) (\d+)h(\d+)/g)) {
    for (let row = 0; row < scale; row += 1) {
      const from = ((Number(y) * scale + row) * side + Number(x) * scale) * 4;
      for (let pixel = 0; pixel < Number(length) * scale; pixel += 1)
        data.fill(0, from + pixel * 4, from + pixel * 4 + 3);
    }
  }
  return decodeQR({ width: side, height: side, data });
}

test('[CLI-124] invite --cards writes a page with a card for each student, whose QR code is the link on it', async () => {
  const folder = await schoolFolder();
  const args = ['invite', '--course', 'course-1', '--cards', 'cards.html'];
  const { code, stdout, stderr } = await rollcall(folder, args, PUBLIC);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^12 cards are in cards\.html\./);
  const file = join(folder, 'cards.html');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const page = await readFile(file, 'utf8');
  // By their places: a page with a dozen secrets is nothing to be shown.
  const tags = page.replace(/"[^"]*"/g, '""');
  expect(tags.search(/<(script|link|img)|<[^>]*\s(src|href|on\w+)=|url\(|@import/i)).toBe(-1);
  for (const part of ['@page { size: A4;', '&lt;img src']) expect(page.indexOf(part), part).toBeGreaterThan(0);
  const links = [...page.matchAll(/<p class="link">([^<]*)<\/p>/g)].map(([, link = '']) => link);
  const codes = [...page.matchAll(/viewBox="0 0 (\d+) \1"[^>]*><path d="([^"]+)"/g)];
  expect(codes.map(([, size, path = '']) => readCode(path, Number(size)))).toEqual(links);
  expect(new Set(links).size).toBe(12);
  const server = await startServer(folder);
  expect(await Promise.all(links.map((link) => signInBy(server, link)))).toEqual(PEOPLE.students.map(({ uid }) => uid));

  const again = await rollcall(folder, args, PUBLIC);
  expect([again.code, again.stdout]).toEqual([1, '']);
  expect(again.stderr).toMatch(/cards\.html is there already/);
  expect((await readFile(file, 'utf8')) === page).toBe(true);
});

test.skipIf(noBrowser)('[CLI-124] the page of cards prints ten on a sheet of A4, none of them cut', async () => {
  const folder = await schoolFolder();
  await rollcall(folder, ['invite', '--course', 'course-1', '--cards', 'cards.html'], PUBLIC);
  const browser = await startBrowser();
  const { page, errors, foreign } = await watchedPage(browser, 'file://');
  await page.goto(`file://${join(folder, 'cards.html')}`);
  await page.emulateMedia({ media: 'print' });
  const sheet = await page.pdf({ preferCSSPageSize: true });
  expect(sheet.toString('latin1').match(/\/Type \/Page\b/g)).toHaveLength(2);
  const MM = 96 / 25.4;
  const boxes = await page.locator('article').evaluateAll((cards) =>
    cards.map((card) => {
      const { width, height } = card.getBoundingClientRect();
      const inside = [...card.querySelectorAll('*')].map((part) => part.getBoundingClientRect().bottom);
      return { width, height, cut: Math.max(...inside) > card.getBoundingClientRect().bottom };
    }),
  );
  expect(boxes.filter(({ cut }) => cut)).toEqual([]);
  for (const { width, height } of boxes) {
    expect([Math.round(width / MM), Math.round(height / MM)]).toEqual([95, 55]);
  }
  expect({ errors, foreign }).toEqual({ errors: [], foreign: [] });
});

test.skipIf(noBrowser)(
  '[DEV-61] a link of a development start signs in in a browser, and leads to the API',
  async () => {
    const server = await startServer(await freshFolder());
    await expect.poll(() => server.stdout).toMatch(/student124 .*#/);
    const link = /teacher ada \(Ada Osei\): (\S+)/.exec(server.stdout)?.[1] ?? '';
    const { page, errors, foreign } = await watchedPage(await startBrowser(), new URL(link).origin);
    await page.goto(link);
    await page.getByRole('button', { name: 'Continue as Ada Osei', exact: true }).click();
    await page.getByRole('heading', { name: 'You are signed in', exact: true }).waitFor();
    expect(await page.getByRole('main').innerText()).toContain('Ada Osei');
    await page.getByRole('link').click();
    await page.waitForURL('**/api/v1/docs/');
    expect({ errors, foreign }).toEqual({ errors: [], foreign: [] });
  },
);

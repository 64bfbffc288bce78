import { expect, test } from 'vitest';
import { noBrowser, startBrowser, watchedPage } from '../../testing/browser.js';
import { schoolOf } from '../../testing/school.js';
import { startServer } from '../../testing/server.js';
import { linkSecret } from '../../testing/sign-in.js';

test('[SIGNIN-26] the page of a link has nothing inline and asks no other origin by its policy', async () => {
  const server = await startServer({}, schoolOf(1));
  const page = await fetch(`${server.url}/sign-in`);
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toMatch(/unsafe|upgrade-insecure-requests|\*/);
  expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  expect(page.headers.get('cache-control')).toBe('no-store');
  const html = await page.text();
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/i);
  for (const [path, type] of [
    ['/sign-in/sign-in.js', /javascript/],
    ['/sign-in/sign-in.css', /css/],
  ] as const) {
    const file = await fetch(server.url + path);
    expect([file.status, type.test(file.headers.get('content-type') ?? '')], path).toEqual([200, true]);
  }
  expect((await fetch(`${server.url}/sign-in/nowhere.js`)).status).toBe(404);
});

test.skipIf(noBrowser)('[SIGNIN-26] a link opened three times and pressed once signs in once', async () => {
  const server = await startServer({}, schoolOf(1));
  const browser = await startBrowser();
  const link = `${server.url}/sign-in#${await linkSecret(server, 'ada')}`;
  // Programs that read mail open links, with scripts and in browsers of their own.
  for (let scanner = 0; scanner < 3; scanner += 1) {
    const context = await browser.newContext();
    const { page } = await watchedPage(context, server.url);
    await page.goto(link);
    await page.getByRole('button', { name: 'Continue as Ada Osei', exact: true }).waitFor();
    expect(await context.cookies()).toEqual([]);
    await context.close();
  }
  const context = await browser.newContext();
  const { page, errors, foreign } = await watchedPage(context, server.url);
  await page.goto(link);
  await page.getByRole('heading', { name: 'Sign in to Rollcall', exact: true }).waitFor();
  const shared = page.getByRole('checkbox', { name: 'This is a shared computer', exact: true });
  expect(await shared.isChecked()).toBe(false);
  await page.getByRole('button', { name: 'Continue as Ada Osei', exact: true }).click();
  await page.getByRole('heading', { name: 'You are signed in', exact: true }).waitFor();
  expect(await page.getByRole('main').innerText()).toContain('Ada Osei');
  // The secret isn't left in the address, nor in what the browser remembers of it.
  expect(page.url()).toBe(`${server.url}/sign-in`);
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({ name: 'rollcall', httpOnly: true, sameSite: 'Lax', path: '/' });
  expect(cookie?.expires).toBeGreaterThan(Date.now() / 1000 + 13 * 24 * 3_600);
  await page.reload();
  await page.getByRole('heading', { name: 'You are signed in', exact: true }).waitFor();
  expect({ errors, foreign }).toEqual({ errors: [], foreign: [] });

  const { page: late } = await watchedPage(await browser.newContext(), server.url);
  await late.goto(link);
  await expect.poll(() => late.getByRole('alert').textContent()).toMatch(/already used/);
  expect(await late.getByRole('button', { name: /Continue/ }).isVisible()).toBe(false);

  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.getByRole('heading', { name: 'Sign in to Rollcall', exact: true }).waitFor();
  expect(await context.cookies()).toEqual([]);
});

test.skipIf(noBrowser)(
  '[SIGNIN-26] on a shared computer the cookie goes with the browser, and the keyboard is enough',
  async () => {
    const server = await startServer({}, schoolOf(1));
    const context = await (await startBrowser()).newContext();
    const { page, errors } = await watchedPage(context, server.url);
    await page.goto(`${server.url}/sign-in#${await linkSecret(server, 's-1')}`);
    await page.getByRole('button', { name: 'Continue as Student 1', exact: true }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'You are signed in', exact: true }).waitFor();
    expect((await context.cookies()).map(({ name, expires }) => ({ name, expires }))).toEqual([
      { name: 'rollcall', expires: -1 },
    ]);
    expect(errors).toEqual([]);
  },
);

test.skipIf(noBrowser)('[SIGNIN-14] two tabs of a browser that refresh at once 200 times stay signed in', async () => {
  const server = await startServer({}, schoolOf(1));
  const context = await (await startBrowser()).newContext();
  const tabs = [await context.newPage(), await context.newPage()];
  await tabs[0]?.goto(`${server.url}/sign-in#${await linkSecret(server, 'ada')}`);
  await tabs[0]?.getByRole('button', { name: 'Continue as Ada Osei', exact: true }).click();
  await tabs[0]?.getByRole('heading', { name: 'You are signed in', exact: true }).waitFor();
  await tabs[1]?.goto(`${server.url}/sign-in`);
  const statuses = await Promise.all(
    tabs.map((tab) =>
      tab.evaluate(async () => {
        const seen = new Set<number>();
        for (let round = 0; round < 200; round += 1) {
          seen.add((await fetch('api/v1/auth/refresh', { method: 'POST' })).status);
        }
        return [...seen];
      }),
    ),
  );
  expect(statuses).toEqual([[200], [200]]);
});

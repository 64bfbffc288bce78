import { expect, test } from 'vitest';
import { noBrowser, startBrowser, watchedPage } from '../../testing/browser.js';
import { schoolOf } from '../../testing/school.js';
import { startServer } from '../../testing/server.js';

test.skipIf(noBrowser)('[API-13] the documentation’s page asks no other origin and runs nothing inline', async () => {
  const server = await startServer({}, schoolOf(1));
  const { page, errors, foreign } = await watchedPage(await startBrowser(), server.url);
  const answered = await page.goto(`${server.url}/api/v1/docs`);
  expect(answered?.url()).toBe(`${server.url}/api/v1/docs/`);
  const policy = answered?.headers()['content-security-policy'] ?? '';
  expect(policy).not.toMatch(/unsafe|upgrade-insecure-requests/);
  await page.getByText('/sessions/{session_id}/start').waitFor({ timeout: 60_000 });
  await page.getByText('/sessions/{session_id}/start').click();
  await page.getByText('Starts a scheduled session').first().waitFor({ timeout: 60_000 });
  expect(await page.getByText('Warning', { exact: true }).count()).toBe(0);
  expect({ errors, foreign }).toEqual({ errors: [], foreign: [] });
});

import { spawnSync } from 'node:child_process';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const pathOf = (name: string): string => spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim();
const executable = NAMES.map(pathOf).find((path) => path !== '');

/** Why tests that need a browser are skipped; undefined where there is one. Throws where one is required. */
export const noBrowser = ((): string | undefined => {
  if (executable) return undefined;
  const required = (process.env['ROLLCALL_TEST_REQUIRE'] ?? '').split(',').some((name) => name.trim() === 'browser');
  const how = 'no browser: install chromium';
  if (required) throw new Error(how);
  return how;
})();

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser of the test's own, with a fresh profile; it ends with the test. */
export async function startBrowser(): Promise<Browser> {
  if (!executable) throw new Error('no browser');
  const browser = await chromium.launch({ executablePath: executable, args: FLAGS });
  onTestFinished(() => browser.close());
  return browser;
}

/** What a page must never do under our policy, as it happens: errors, and what another origin was asked. */
export interface Watched {
  readonly page: Page;
  readonly errors: string[];
  readonly foreign: string[];
}

/** A page of which every error and every request to another origin is noted. */
export async function watchedPage(context: Browser | BrowserContext, origin: string): Promise<Watched> {
  const page = await context.newPage();
  const errors: string[] = [];
  const foreign: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(data|blob):/.test(url)) foreign.push(url);
  });
  return { page, errors, foreign };
}

import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { clientEvents, errorRegistry, serverEvents } from './index.js';
import { errorsPage, eventsPage, referencePages } from './reference.js';

const folder = new URL('../../../docs/reference/', import.meta.url);
const pages = referencePages();

test.each(Object.keys(pages))('[OBJ-14] the committed %s is the generated one', async (name) => {
  const committed = await readFile(new URL(name, folder), 'utf8');
  expect(committed, 'run `npm run docs -w packages/protocol` and commit').toBe(pages[name]);
});

test('[OBJ-14] every generated page is committed', async () => {
  expect(await readdir(folder)).toEqual(expect.arrayContaining(Object.keys(pages)));
});

test.each(Object.entries(errorRegistry))('[ANS-13] the page of errors has %s', (code, { message, http_status }) => {
  const row = errorsPage()
    .split('\n')
    .find((line) => line.startsWith(`| \`${code}\` |`));
  expect(row).toContain(message);
  expect(row).toContain(` ${http_status} `);
});

test.each([...Object.keys(clientEvents), ...Object.keys(serverEvents)])(
  '[OBJ-14] the page of events has a section with an example of %s',
  (name) => {
    const [, section = ''] = eventsPage().split(`\n### ${name}\n`);
    expect(section.split('\n### ')[0]).toMatch(/\n```json\n\{/);
  },
);

test('[OBJ-14] every link inside the page of events leads to a heading', () => {
  const text = eventsPage();
  const headings = new Set([...text.matchAll(/^###? (\w+)$/gm)].map(([, heading = '']) => heading.toLowerCase()));
  const links = [...text.matchAll(/\]\(#(\w+)\)/g)].map(([, anchor = '']) => anchor);
  expect(links.length).toBeGreaterThan(10);
  for (const anchor of links) expect([...headings]).toContain(anchor);
});

test('[OBJ-14] the page of events says how to connect, before anything else', () => {
  const [, section = ''] = eventsPage().split('\n## Connecting\n');
  const text = section.split('\n## ')[0] ?? '';
  for (const word of ['/socket.io', 'Authorization: Bearer', 'since_seq', 'op_id', 'sessionExpired', 'refreshToken']) {
    expect(text).toContain(word);
  }
  for (const message of ['Authentication error', 'Invalid token', 'User not found']) expect(text).toContain(message);
  expect(eventsPage().indexOf('## Connecting')).toBeLessThan(eventsPage().indexOf('## From clients'));
});

test('[OBJ-14] every field of a policy is described', () => {
  const [, section = ''] = eventsPage().split('\n### PolicyInput\n');
  const rows = (section.split('\n### ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
  expect(rows).toHaveLength(6);
  for (const row of rows) expect(row).toMatch(/\| [^|]{20,} \|$/);
});

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './transcript.js';

/** Markdown that is, or is about to be, part of the repository. */
function pages(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: ROOT });
  return String(listed)
    .split('\n')
    .filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

const withoutCode = (text: string): string =>
  text
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/^ {4}.*$/gm, '')
    .replace(/`[^`\n]*`/g, '');

/** As GitHub makes the anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

const anchorsOf = (path: string): Set<string> =>
  new Set([...readFileSync(path, 'utf8').matchAll(/^#{1,6} +(.*)$/gm)].map(([, heading = '']) => anchorOf(heading)));

function brokenLinks(page: string): string[] {
  const at = join(ROOT, page);
  const links = [...withoutCode(readFileSync(at, 'utf8')).matchAll(/\]\(([^)\s]+)[^)]*\)/g)].map(([, to = '']) => to);
  return links.filter((link) => {
    if (/^[a-z][a-z+.-]*:/i.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? at : resolve(dirname(at), path);
    if (relative(ROOT, target).startsWith('..') || !existsSync(target)) return true;
    return anchor !== undefined && (!statSync(target).isFile() || !anchorsOf(target).has(anchor));
  });
}

test('[DOCS-1] every relative link of the documentation leads somewhere', () => {
  const found = pages();
  expect(found).toEqual(expect.arrayContaining(['README.md', 'SPEC.md', 'docs/guides/operating.md']));
  const broken = found.flatMap((page) => brokenLinks(page).map((link) => `${page}: ${link}`));
  expect(broken).toEqual([]);
});

test('[DOCS-1] the anchor of a heading is the one that GitHub makes', () => {
  expect(anchorOf('What was tried, and on what')).toBe('what-was-tried-and-on-what');
  expect(anchorOf('At 3 a.m.')).toBe('at-3-am');
});

import { createHash } from 'node:crypto';
import { strFromU8, unzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { csvOf } from './csv.js';
import { xlsxOf } from './xlsx.js';

const text = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

test('[REPORT-11] CSV has a byte-order mark and CRLF, and an apostrophe before what would be a formula', () => {
  const csv = text(
    csvOf({
      header: ['name', 'n'],
      rows: [
        ['=1+1', 1],
        ['+1', -2],
        ['-1', 0.5],
        ['@x', null],
        ['\tx', 0],
        ['\rx', 0],
        ['a,"b"\nc', 0],
        ['\u0000=1+1\u0007', 0],
        ['plain', 100],
      ],
    }),
  );
  expect(csv).toBe(
    [
      '\ufeffname,n',
      "'=1+1,1",
      "'+1,-2",
      "'-1,0.5",
      "'@x,",
      "'\tx,0",
      '"\'\rx",0',
      '"a,""b""\nc",0',
      "'=1+1,0",
      'plain,100',
      '',
    ].join('\r\n'),
  );
});

const partsOf = (bytes: Uint8Array) =>
  Object.fromEntries(Object.entries(unzipSync(bytes)).map(([name, content]) => [name, strFromU8(content)]));
const sheet = (...names: string[]) => ({ name: 'S', frozen: 0, header: ['name'], rows: names.map((name) => [name]) });

test('[REPORT-12] the same register is the same bytes, whenever it is made', () => {
  const hash = () =>
    createHash('sha256')
      .update(xlsxOf([sheet('a', 'b')]))
      .digest('hex');
  const first = hash();
  const { Date: RealDate } = globalThis;
  try {
    globalThis.Date = class extends RealDate {
      constructor(...args: []) {
        super(...(args.length === 0 ? ([86_400_000 * 365 * 30] as unknown as []) : args));
      }
    } as DateConstructor;
    expect(hash()).toBe(first);
  } finally {
    globalThis.Date = RealDate;
  }
});

test('[REPORT-10] texts of a workbook are its own and XML, whatever characters they hold', () => {
  const long = 'x'.repeat(40_000);
  const parts = partsOf(xlsxOf([sheet('a\u0000\u0007\ud800b', '_x0041_', 'a\r\nb', '<&>"', long, 'same', 'same')]));
  const texts = [...(parts['xl/sharedStrings.xml'] ?? '').matchAll(/<t xml:space="preserve">([^<]*)<\/t>/g)];
  expect(texts.map(([, value]) => value)).toEqual([
    'name',
    'ab',
    '_x005F_x0041_',
    'a_x000D_\nb',
    '&lt;&amp;&gt;&quot;',
    'x'.repeat(32_767),
    'same',
  ]);
  expect(parts['xl/worksheets/sheet1.xml']).toContain('<c r="A8" t="s"><v>6</v></c></row></sheetData>');
});

import { expect, test } from 'vitest';
import { readConfig } from '../config/config.js';
import { codeSetNamed, codeSetOf } from './report-codes.js';

test('[REPORT-8] a school’s own code set may leave statuses out, and what is wrong with it is told by field', () => {
  const own = codeSetOf({ name: 'ours', present: 'P', absent: 'A' }, 'own');
  expect(own).toEqual({ name: 'ours', present: 'P', late: 'late', excused: 'excused', absent: 'A' });
  expect(codeSetNamed('ours', own)).toBe(own);
  expect(codeSetNamed('england', own)).toMatchObject({ present: '/', late: 'L' });
  expect(codeSetNamed(undefined, own)).toBeNull();
  const cases: ReadonlyArray<readonly [unknown, string]> = [
    [[], 'codes'],
    [null, 'codes'],
    [{ present: 7 }, 'codes.present'],
    [{ late: '' }, 'codes.late'],
    [{ present: 'x'.repeat(101) }, 'codes.present'],
    [{ here: 'P' }, 'codes.here'],
  ];
  for (const [value, field] of cases) {
    expect(() => codeSetOf(value, 'own'), field).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', details: expect.objectContaining({ field }) }),
    );
  }
  expect(() => codeSetNamed('france')).toThrow(/edfi, england/);
});

test('[REPORT-16] REPORT_CODES is a code set of the school’s own, and what is wrong with it is named at the start', () => {
  expect(readConfig({}).reportCodes).toBeNull();
  expect(readConfig({ REPORT_CODES: '{"present": "P"}' }).reportCodes).toMatchObject({ name: 'school', present: 'P' });
  for (const [REPORT_CODES, told] of [
    ['{', /REPORT_CODES.*must be a JSON object/],
    ['[]', /REPORT_CODES.*is no object/],
    ['{"present": 1}', /REPORT_CODES.*codes\.present must be text/],
  ] as const) {
    expect(() => readConfig({ REPORT_CODES }), REPORT_CODES).toThrow(told);
  }
});

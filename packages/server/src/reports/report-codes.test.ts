import { expect, test } from 'vitest';
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

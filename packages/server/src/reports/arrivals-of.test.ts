import { arrivals, type SessionId } from '@rollcall/protocol';
import { expect, test } from 'vitest';
import { arrivalsOf } from './arrivals-of.js';

const id = 's' as SessionId;
const at = (seconds: number) => ({ checked_in_at: 1_000_000 + seconds * 1_000 });

test('[REPORT-9] arrivals are counted by the minute since the start, also those before it', () => {
  const never = { checked_in_at: null };
  const found = arrivalsOf(id, 1_000_000, [at(61), at(0), never, at(-1), at(59.9), at(600)]);
  expect(arrivals.parse(found)).toEqual(found);
  expect(found).toEqual({
    session_id: 's',
    started_at: '1970-01-01T00:16:40.000Z',
    students: 6,
    checked_in: 5,
    first_at: '1970-01-01T00:16:39.000Z',
    last_at: '1970-01-01T00:26:40.000Z',
    median_minute: 1,
    minutes: [
      { minute: -1, check_ins: 1, total: 1 },
      { minute: 0, check_ins: 2, total: 3 },
      { minute: 1, check_ins: 1, total: 4 },
      { minute: 10, check_ins: 1, total: 5 },
    ],
  });
  expect(arrivalsOf(id, null, [])).toMatchObject({ checked_in: 0, first_at: null, median_minute: null, minutes: [] });
});

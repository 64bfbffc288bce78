import type { UserId } from '@rollcall/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Person } from '../../storage/port.js';
import { Arrivals } from './arrivals.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const person = (id: string): Person => ({
  user_id: id as UserId,
  uid: id,
  name: id,
  email: null,
  profile_picture: null,
  is_admin: false,
  teacher: null,
  student: null,
});

function room() {
  const arrivals = new Arrivals(Date.now);
  const put: string[] = [];
  const come = (user: string, name: string) => {
    const connection = { person: person(user), restore: () => void put.push(name) };
    arrivals.add(connection);
    return connection;
  };
  return { arrivals, put, come };
}

test('[NODES-11] who came after an entry was written is put back, and nobody else', () => {
  const { arrivals, put, come } = room();
  come('a', 'before');
  vi.advanceTimersByTime(2_000);
  const written = Date.now();
  // By a clock that is a second behind that of the node which wrote it.
  vi.setSystemTime(Date.now() - 1_000);
  come('a', 'phone');
  come('b', 'other');
  arrivals.release(come('a', 'gone'));
  arrivals.putBack(written, 'a' as UserId);
  expect(put).toEqual(['phone']);
  arrivals.putBack(written, 'everybody');
  expect(put).toEqual(['phone', 'phone', 'other']);
});

test('[NODES-11] [ANS-15] arrivals are forgotten: with their connection, and when they have been here for long', () => {
  const { arrivals, put, come } = room();
  for (let n = 0; n < 1_000; n += 1) {
    arrivals.release(come('flapping', `${n}`));
    vi.advanceTimersByTime(10);
    arrivals.releaseOld();
  }
  expect(arrivals.size).toBe(0);
  for (let n = 0; n < 100; n += 1) {
    come('many', `${n}`);
    vi.advanceTimersByTime(1_000);
    arrivals.releaseOld();
    expect(arrivals.size).toBeLessThanOrEqual(13);
  }
  vi.setSystemTime(Date.now() - 3_600_000);
  vi.advanceTimersByTime(13_000);
  arrivals.releaseOld();
  expect(arrivals.size).toBe(0);
  arrivals.putBack(0, 'everybody');
  expect(put).toEqual([]);
});

import type { StudentId } from '@rollcall/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CheckInCodes, newCodeKey } from './check-in-codes.js';
import { CODE_WORDS } from './code-words.js';

const WINDOW_MS = 15_000;
const STARTED_AT = Date.UTC(2026, 10, 23, 9);
const someone = 'student-1' as StudentId;
const KEY = newCodeKey(WINDOW_MS);
const codes = () => new CheckInCodes(KEY, STARTED_AT);
/** Moments of a long class, ms since the epoch. */
const moments = fc.integer({ min: 0, max: 4 * 3_600_000 }).map((ms) => STARTED_AT + ms);
const spaces = fc.constantFrom(' ', '  ', '\t', '\u00a0', '');

test('[CODE-5] each form of a code is accepted however it is written', () => {
  const written = fc.record({
    at: moments,
    spaces: fc.array(spaces, { minLength: 6, maxLength: 6 }),
    upper: fc.boolean(),
  });
  fc.assert(
    fc.property(
      written,
      fc.constantFrom(' ', '-', '  ', ' - ', ',', ', ', '_', '\u2013', '.\n'),
      ({ at, spaces, upper }, between) => {
        const { digits, words, token } = codes().at(at);
        const spoken = words.join(between);
        const fullWidth = [...digits].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join('');
        for (const text of [
          digits,
          fullWidth,
          [...digits].map((digit, n) => digit + (spaces[n] ?? '')).join(''),
          ` ${upper ? spoken.toUpperCase() : spoken}\n`,
          `${spoken}.`,
          `${digits.slice(0, 3)}-${digits.slice(3)}`,
          token,
          ` ${token} `,
          `https://school.example/rollcall/check-in/a%20b?x=1&code=${token}`,
          `session-1?code=${token}#top`,
        ]) {
          expect(codes().judge(someone, text, at), text).toBe('right');
        }
        for (const nothing of [undefined, '', '  ']) expect(codes().judge(someone, nothing, at)).toBe('missing');
      },
    ),
  );
});

test('[CODE-6] the current code, the one before and the next count, older ones are expired, others wrong', () => {
  fc.assert(
    fc.property(moments, fc.integer({ min: -8, max: 8 }), (at, windows) => {
      const shown = codes().at(at - windows * WINDOW_MS);
      const now = new CheckInCodes(KEY, STARTED_AT);
      const before = Math.floor((at - STARTED_AT) / WINDOW_MS) - windows < 0;
      const expected = windows >= -1 && windows <= 1 ? 'right' : windows > 1 && !before ? 'expired' : 'wrong';
      for (const text of [shown.words.join(' '), shown.token]) expect(now.judge(someone, text, at)).toBe(expected);
    }),
  );
});

test('[CODE-6] codes are forgotten after 1,200 windows', () => {
  const old = codes().at(STARTED_AT).token;
  expect(codes().judge(someone, old, STARTED_AT + 1_200 * WINDOW_MS)).toBe('expired');
  expect(codes().judge(someone, old, STARTED_AT + 1_201 * WINDOW_MS)).toBe('wrong');
});

test('[CODE-6] what a screen still shows after a jump of the clock is expired, and no guess', () => {
  for (const jump of [-3_600_000, 3_600_000, -72 * 3_600_000, 30 * 24 * 3_600_000]) {
    const session = codes();
    const { digits, token } = session.at(STARTED_AT + 60_000);
    for (let n = 0; n < 12; n += 1) {
      expect(session.judge(someone, n % 2 ? digits : token, STARTED_AT + 60_000 + jump)).toBe('expired');
    }
  }
});

test('[CODE-6] the codes of a session that never ends are kept for a while only, and still judged', () => {
  const session = codes();
  for (let day = 0; day < 40; day += 1) {
    const now = STARTED_AT + day * 24 * 3_600_000;
    const { token } = session.at(now);
    expect(session.judge(someone, token, now)).toBe('right');
    expect(session.judge(someone, 'tulip', now)).toBe('wrong');
    expect(session.judge(someone, token, now + WINDOW_MS * 3)).toBe('expired');
    session.forgive(someone);
  }
});

test('[CODE-4] a code is shown for one window and counts for another, by the server’s clock', () => {
  fc.assert(
    fc.property(moments, (at) => {
      const { next_at, valid_until, token } = codes().at(at);
      expect(next_at).toBeGreaterThan(at);
      expect(next_at - at).toBeLessThanOrEqual(WINDOW_MS);
      expect((next_at - STARTED_AT) % WINDOW_MS).toBe(0);
      expect(valid_until - next_at).toBe(WINDOW_MS);
      expect(codes().at(next_at - 1).token).toBe(token);
      expect(codes().at(next_at).token).not.toBe(token);
      expect(codes().judge(someone, token, valid_until - 1)).toBe('right');
      expect(codes().judge(someone, token, valid_until)).toBe('expired');
    }),
  );
});

test('[CODE-8] after ten wrong codes none is looked at, and others are not held up', () => {
  const session = codes();
  const { digits, token } = session.at(STARTED_AT);
  const wrong = digits === '000000' ? '000001' : '000000';
  for (let n = 0; n < 10; n += 1) expect(session.judge(someone, wrong, STARTED_AT)).toBe('wrong');
  expect(session.judge(someone, token, STARTED_AT)).toEqual({ retry_after: 300 });
  expect(session.judge('student-2' as StudentId, token, STARTED_AT)).toBe('right');
});

test('[CODE-10] the key alone makes the codes, and another key makes others', () => {
  const again = new CheckInCodes(JSON.parse(JSON.stringify(KEY)), STARTED_AT);
  expect(again.at(STARTED_AT)).toEqual(codes().at(STARTED_AT));
  const other = new CheckInCodes(newCodeKey(WINDOW_MS), STARTED_AT).at(STARTED_AT);
  expect(other.token).not.toBe(again.at(STARTED_AT).token);
});

test('[CODE-5] a word is one of 256 that differ and are easily written', () => {
  expect(new Set(CODE_WORDS).size).toBe(256);
  expect(CODE_WORDS).toHaveLength(256);
  expect(CODE_WORDS.filter((word) => !/^[a-z]{3,8}$/.test(word))).toEqual([]);
});

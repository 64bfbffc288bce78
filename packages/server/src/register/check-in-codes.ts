import { createHmac, randomBytes } from 'node:crypto';
import type { StudentId } from '@rollcall/protocol';
import type { CodeKey } from '../journal/entries.js';
import { CODE_WORDS } from './code-words.js';

export const newCodeKey = (windowMs: number): CodeKey => ({
  secret: randomBytes(32).toString('base64url'),
  window_ms: windowMs,
});

/** One code in its three forms. */
export interface CheckInCode {
  /** Six digits. */
  readonly digits: string;
  readonly words: readonly [string, string, string];
  /** 22 characters of base64url. */
  readonly token: string;
  /** When the next one comes, ms since the epoch. */
  readonly next_at: number;
  /** Until when it counts, ms since the epoch. */
  readonly valid_until: number;
}

/**
 * What becomes of a check-in: its code is good, it has none, its code was good some time ago or never, or so many
 * wrong ones came before that none is looked at for `retry_after` seconds.
 */
export type CodeVerdict = 'right' | 'missing' | 'expired' | 'wrong' | { readonly retry_after: number };

/** Wrong codes of one student after which none of theirs is looked at for a while: six digits are soon guessed. */
const WRONG_MAX = 10;
const BLOCKED_MS = 5 * 60_000;
/** Past codes that are still told from those that never were: five hours of them at 15 s. */
const REMEMBERED = 1_200;

interface Tries {
  wrong: number;
  /** By `performance.now()`: the clock that codes go by may jump. */
  blocked_until: number;
}

/** The check-in codes of one session, one after another by the server's clock, and who guesses at them. */
export class CheckInCodes {
  readonly #key: CodeKey;
  readonly #secret: Buffer;
  readonly #startedAt: number;
  /** By window. */
  readonly #made = new Map<number, Pick<CheckInCode, 'digits' | 'words' | 'token'>>();
  /** By each form of a code; of the few that two windows share, the one made last. */
  readonly #windows = new Map<string, number>();
  readonly #tries = new Map<StudentId, Tries>();

  /** @param startedAt when the first code began, ms since the epoch: sessions don't all change codes at the same time */
  constructor(key: CodeKey, startedAt: number) {
    this.#key = key;
    this.#secret = Buffer.from(key.secret, 'base64url');
    this.#startedAt = startedAt;
  }

  /** How many codes came before the one of `now` (ms since the epoch); negative before the start. */
  windowAt(now: number): number {
    return Math.floor((now - this.#startedAt) / this.#key.window_ms);
  }

  /** When the next code comes, ms since the epoch. */
  nextAt(now: number): number {
    return this.#startedAt + (this.windowAt(now) + 1) * this.#key.window_ms;
  }

  /** The code of `now`, ms since the epoch. */
  at(now: number): CheckInCode {
    const next_at = this.nextAt(now);
    return { ...this.#codeOf(this.windowAt(now)), next_at, valid_until: next_at + this.#key.window_ms };
  }

  /** Judges a student's check-in. A wrong code counts against them at once, before anything is committed. */
  judge(studentId: StudentId, text: string | undefined, now: number): CodeVerdict {
    const wait = (this.#tries.get(studentId)?.blocked_until ?? 0) - performance.now();
    if (wait > 0) return { retry_after: Math.ceil(wait / 1_000) };
    const forms = formsOf(text ?? '');
    if (forms.length === 0) return 'missing';
    const is = (window: number) => writtenForms(this.#codeOf(window)).some((form) => forms.includes(form));
    const current = this.windowAt(now);
    // The next one too: it may be shown already by another node, whose clock is a little ahead.
    if ([current, current - 1, current + 1].some(is)) return 'right';
    this.#rememberBefore(current - 1);
    // Among them what a screen still shows that was told before the clock jumped, in either direction.
    if (forms.some((form) => this.#windows.has(form))) return 'expired';
    this.wrong(studentId);
    return 'wrong';
  }

  /**
   * Judges the token of a check-in link, of somebody who isn't known yet: nobody's wrong codes are counted. A token can't
   * be guessed, as digits and words can.
   * @returns the window whose code it is
   */
  judgeToken(
    token: string,
    now: number,
  ): { readonly kind: 'right'; readonly window: number } | { readonly kind: 'expired' | 'wrong' } {
    const current = this.windowAt(now);
    const window = [current, current - 1, current + 1].find((each) => this.#codeOf(each).token === token);
    if (window !== undefined) return { kind: 'right', window };
    this.#rememberBefore(current - 1);
    const made = this.#windows.get(token);
    return { kind: made !== undefined && this.#codeOf(made).token === token ? 'expired' : 'wrong' };
  }

  /** What was judged wrong was refused for another reason, or wasn't refused. */
  forgive(studentId: StudentId): void {
    const tries = this.#tries.get(studentId);
    if (!tries) return;
    // The last one that was too many left nothing to count from.
    tries.wrong = tries.wrong === 0 ? WRONG_MAX - 1 : tries.wrong - 1;
    tries.blocked_until = 0;
  }

  /** A student sent a wrong code, here or to another node. */
  wrong(studentId: StudentId): void {
    const tries = this.#tries.get(studentId) ?? { wrong: 0, blocked_until: 0 };
    this.#tries.set(studentId, tries);
    tries.wrong += 1;
    if (tries.wrong < WRONG_MAX) return;
    tries.wrong = 0;
    tries.blocked_until = performance.now() + BLOCKED_MS;
  }

  /** Makes the codes that came before one, which are told from those that never were. */
  #rememberBefore(before: number): void {
    const first = Math.max(0, before + 1 - REMEMBERED);
    for (let window = before - 1; window >= first; window -= 1) this.#codeOf(window);
  }

  #codeOf(window: number): Pick<CheckInCode, 'digits' | 'words' | 'token'> {
    const known = this.#made.get(window);
    if (known) return known;
    const hash = createHmac('sha256', this.#secret).update(String(window)).digest();
    const word = (at: number) => CODE_WORDS[hash.readUInt8(at)] ?? '';
    const code = {
      digits: String(hash.readUIntBE(0, 6) % 1_000_000).padStart(6, '0'),
      words: [word(6), word(7), word(8)] as const,
      token: hash.subarray(16).toString('base64url'),
    };
    this.#made.set(window, code);
    for (const form of writtenForms(code)) this.#windows.set(form, window);
    if (this.#made.size > 2 * REMEMBERED) {
      for (const made of this.#made.keys()) if (Math.abs(window - made) > REMEMBERED) this.#made.delete(made);
      for (const [form, made] of this.#windows) if (!this.#made.has(made)) this.#windows.delete(form);
    }
    return code;
  }
}

const writtenForms = ({ digits, words, token }: Pick<CheckInCode, 'digits' | 'words' | 'token'>) => [
  digits,
  words.join(' '),
  token,
];

/** Whoever scans the QR code may send all of its url, or what is left of it. */
const TOKEN_IN_URL = /[?&]code=([\w-]+)/;

/** What a text may mean as a code: a token, digits, words. */
function formsOf(text: string): string[] {
  const given = TOKEN_IN_URL.exec(text)?.[1] ?? text.normalize('NFKC').trim();
  const digits = given.replace(/[\s\p{P}]+/gu, '');
  // Whatever is between them: spaces, hyphens, the commas of a list, the full stop of a keyboard that knows better.
  const words =
    given
      .toLowerCase()
      .match(/[a-z]+/g)
      ?.join(' ') ?? '';
  return [given, digits, words].filter((form) => form !== '');
}

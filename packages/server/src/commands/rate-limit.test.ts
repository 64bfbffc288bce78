import fc from 'fast-check';
import { expect, test } from 'vitest';
import { admit, BURST, DELAY_MAX_MS, RateLimit } from './rate-limit.js';

type Verdict = { readonly wait: number } | { readonly retry_after: number };

/**
 * The plain model: a bucket that holds as many events as the burst allows, at least one, and fills at the steady rate.
 * Who finds it empty takes an event from the future, as long as that is no more than the longest delay away.
 * The content is counted in the milliseconds that it took to fill in, so that whole numbers stay whole.
 */
class Bucket {
  readonly #interval: number;
  readonly #size: number;
  #content: number;
  #at = 0;

  constructor(perSecond: number) {
    this.#interval = 1000 / perSecond;
    this.#size = Math.max(1, BURST * perSecond) * this.#interval;
    this.#content = this.#size;
  }

  take(now: number): Verdict {
    this.#content = Math.min(this.#size, this.#content + now - this.#at);
    this.#at = now;
    const wait = Math.max(0, this.#interval - this.#content);
    if (wait > DELAY_MAX_MS) return { retry_after: Math.ceil((wait - DELAY_MAX_MS) / 1000) };
    this.#content -= this.#interval;
    return { wait };
  }
}

/** Rates and times of which no sum is rounded, so that the model and the code may be compared to the last bit. */
const rates = fc.constantFrom(0.125, 0.25, 0.5, 1, 2, 8, 20, 50, 500);
const gaps = fc.array(
  fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 20_000 }) }),
  { minLength: 1, maxLength: 300 },
);

test('[APP-13] admitting agrees with a bucket of four seconds’ events', () => {
  fc.assert(
    fc.property(rates, gaps, (perSecond, waits) => {
      const bucket = new Bucket(perSecond);
      let [due, now] = [0, 0];
      for (const gap of waits) {
        now += gap;
        const expected = bucket.take(now);
        const verdict = admit(due, now, perSecond);
        expect(verdict).toMatchObject(expected);
        if ('due' in verdict) due = verdict.due;
      }
    }),
    { numRuns: 500 },
  );
});

test('[APP-13] over any time no more is admitted than the burst and the steady rate', () => {
  fc.assert(
    fc.property(rates, gaps, (perSecond, waits) => {
      let [due, now, admitted] = [0, 0, 0];
      for (const gap of waits) {
        now += gap;
        const verdict = admit(due, now, perSecond);
        if (!('due' in verdict)) continue;
        due = verdict.due;
        admitted += 1;
        const mostSoFar = Math.max(1, BURST * perSecond) + ((now + verdict.wait) / 1000) * perSecond;
        // Dividing by a thousand may round.
        expect(admitted).toBeLessThanOrEqual(mostSoFar + 1e-6);
      }
    }),
    { numRuns: 300 },
  );
});

test('[APP-13] who keeps to the rate is neither delayed nor refused, however low it is', () => {
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 500 }), (perSecond, events) => {
      let due = 0;
      for (let i = 0; i < events; i += 1) {
        const verdict = admit(due, (i * 1000) / perSecond, perSecond);
        expect(verdict).toHaveProperty('wait', 0);
        if ('due' in verdict) due = verdict.due;
      }
    }),
  );
});

test('[APP-12] who comes back after retry_after is admitted', () => {
  fc.assert(
    fc.property(rates, fc.integer({ min: 0, max: 3_000 }), (perSecond, tries) => {
      let [due, refusal]: [number, number | undefined] = [0, undefined];
      for (let i = 0; i < tries && refusal === undefined; i += 1) {
        const verdict = admit(due, 0, perSecond);
        if ('due' in verdict) due = verdict.due;
        else refusal = verdict.retry_after;
      }
      if (refusal === undefined) return;
      expect(refusal).toBeGreaterThanOrEqual(1);
      expect(admit(due, refusal * 1000, perSecond)).toHaveProperty('wait');
    }),
  );
});

test('[APP-14] a rate of 0 is no limit', () => {
  const limit = new RateLimit(() => 0);
  for (let i = 0; i < 10_000; i += 1) expect(limit.take('ada', 0)).toMatchObject({ wait: 0 });
});

test('[APP-15] users don’t count for each other', () => {
  const limit = new RateLimit(() => 0);
  for (let i = 0; i < 1_000; i += 1) limit.take('ada', 5);
  expect(limit.take('ada', 5)).toHaveProperty('retry_after');
  expect(limit.take('eve', 5)).toMatchObject({ wait: 0 });
});

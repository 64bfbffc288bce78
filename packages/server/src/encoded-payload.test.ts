import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EncodedPayload } from './encoded-payload.js';

const name = fc.string({ maxLength: 5 }).filter((each) => each !== '__proto__' && each !== 'toJSON');
const fields = fc.dictionary(name, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 5 });
const without = (object: Record<string, unknown>, name: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([field]) => field !== name));

/** What a client makes of it. */
const parsed = (written: EncodedPayload): unknown => JSON.parse(written.json);
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('[ANS-2] [ANS-4] what is written once, alone or as a part, says what writing it anew each time would say', () => {
  fc.assert(
    fc.property(fields, fields, fields, name, (head, part, extra, field) => {
      const payload = { ...without(head, field), [field]: part };
      const written = EncodedPayload.with(without(head, field), field, EncodedPayload.of(part));
      expect(parsed(written)).toEqual(plain(payload));
      const acknowledged = { ok: true, ...extra, ...payload };
      const behind = written.behind({ ok: true, ...extra });
      expect(parsed(behind)).toEqual(plain(acknowledged));
      for (const [each, expected] of [
        [EncodedPayload.of(head), head],
        [written, payload],
        [behind, acknowledged],
      ] as const) {
        expect(plain(each.value)).toEqual(plain(expected));
        expect(plain(each)).toEqual(plain(expected));
        expect(parsed(each)).toEqual(plain(expected));
      }
    }),
  );
});

import { expect, test } from 'vitest';
import { accessEntry } from '../storage/contract/access-contract.js';
import { encodeAccess, FIRST_ACCESS_CHAIN, type StoredAccess, type WrittenAccess } from './access-entry.js';
import { AccessInspection } from './inspect-access.js';

const PARTS = ['facts', 'personal', 'chain', 'actor', 'action', 'subject'] as const;

function sampleLog(): WrittenAccess[] {
  const log: WrittenAccess[] = [];
  for (let n = 1; n <= 4; n++) {
    const subject = n % 2 === 0 ? 'student-1' : null;
    const entry = accessEntry(n, { subject, purpose: n > 2 ? `purpose ${n}` : null, request_id: `r-${n}` });
    log.push(encodeAccess(n, log.at(-1)?.chain ?? FIRST_ACCESS_CHAIN, entry));
  }
  return log;
}

function inspected(log: readonly StoredAccess[]): AccessInspection {
  const inspection = new AccessInspection();
  for (const entry of log) inspection.add(entry);
  inspection.finish();
  return inspection;
}

test('[ACCESS-3] whatever character of an entry was changed, its number and its field are named', () => {
  const log = sampleLog();
  expect(inspected(log)).toMatchObject({ findings: [], entries: 4, removed: 0 });
  let tried = 0;
  for (const [place, entry] of log.entries()) {
    for (const part of PARTS) {
      const text = entry[part];
      for (let at = 0; text !== null && at < text.length; at++) {
        const changed = text.slice(0, at) + (text[at] === '1' ? '2' : '1') + text.slice(at + 1);
        const { findings } = inspected(log.with(place, { ...entry, [part]: changed }));
        const where = `${part} of entry ${entry.number} at ${at}`;
        expect(new Set(findings.map(({ number }) => number)), where).toEqual(new Set([entry.number]));
        const named = findings.map(({ field }) => field).join();
        // Of the last entry nothing behind it tells which of the two it was.
        const chained = place === log.length - 1 ? ['facts or chain', part] : [part];
        const fields = part === 'personal' ? ['personal', 'actor.name', 'purpose'] : chained;
        expect(fields, `${where}: ${named}`).toContain(findings[0]?.field);
        tried += 1;
      }
    }
  }
  expect(tried).toBeGreaterThan(1_500);
});

test('[ACCESS-3] entries that are gone are named by their numbers', () => {
  const log = sampleLog();
  const gone = (...numbers: number[]) => inspected(log.filter(({ number }) => !numbers.includes(number))).findings;
  expect(gone(2)).toEqual([{ number: 2, field: 'number', what: 'entry 2 is missing' }]);
  expect(gone(1, 2)).toEqual([{ number: 1, field: 'number', what: 'entries 1 to 2 are missing' }]);
});

test('[ACCESS-3] values that were removed on a person’s request are counted, and are no difference', () => {
  const log = sampleLog();
  const entry = log[2];
  if (!entry) throw new Error('the log is shorter');
  expect(inspected(log.with(2, { ...entry, personal: '[null,null]' }))).toMatchObject({ findings: [], removed: 2 });
});

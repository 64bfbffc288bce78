import type { RosterStudent } from './entries.js';

// The locale is named, so that every machine has the same order, whatever its own language is.
const text = new Intl.Collator('en', { numeric: true });

const DIGITS = /^[1-9]\d*$/;

/** Plain order of code units: the last word where two texts read alike, so that every order is the same each time. */
const plainly = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Compares text as people read it: numbers in it by their value, so that 2 comes before 10 and A2 before A10. */
export function byReading(a: string, b: string): number {
  // Most rolls are bare numbers of one length. Collation costs ten times what this does.
  if (a.length === b.length && DIGITS.test(a) && DIGITS.test(b)) return plainly(a, b);
  return text.compare(a, b) || plainly(a, b);
}

/** Sorts students into the order of every list of them: by roll, without a roll last, then by name, then by id. */
export function inRosterOrder<T extends RosterStudent>(students: readonly T[]): T[] {
  // Rolls of one pattern are in order after the cheap pass, and then collation compares each with the next one only.
  return students
    .toSorted((a, b) => length(a.roll) - length(b.roll) || plainly(a.roll ?? '', b.roll ?? ''))
    .sort(byRoll);
}

const length = (roll: string | null): number => roll?.length ?? 0;

/** By roll, students without a roll last, then by name, then by id. */
export function byRoll(a: RosterStudent, b: RosterStudent): number {
  if (a.roll === null || b.roll === null) {
    if (a.roll !== b.roll) return a.roll === null ? 1 : -1;
  } else if (a.roll !== b.roll) return byReading(a.roll, b.roll);
  return byReading(a.name, b.name) || plainly(a.student_id, b.student_id);
}

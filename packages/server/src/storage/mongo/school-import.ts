import { type ImportReport, type School, StorageError } from '../port.js';
import type { Collections } from './collections.js';
import { ImportPlan } from './import-plan.js';
import type { Journal } from './journal.js';
import { planCourses, planEnrollments, planSessions } from './school-lists.js';
import { planPeople } from './school-people.js';
import { type Known, resolveReferences } from './school-references.js';

export interface ImportOptions {
  readonly dryRun: boolean;
  /** Called after something was written, also where not all could be. */
  readonly written: () => Promise<void>;
}

/** Times that an import is planned because others make the same rows. */
const ROUNDS = 10;

/**
 * A database without transactions can't take a school all at once: rows are written list by list, each after those it
 * refers to, so that a repeat of an import that was cut off completes it.
 */
export async function importSchool(
  c: Collections,
  journal: Journal,
  school: School,
  { dryRun, written }: ImportOptions,
): Promise<ImportReport> {
  let first: ImportReport | undefined;
  for (let round = 1; ; round++) {
    // Comparing only reads, and what is so already is not written.
    const { known, unresolved } = await resolveReferences(c, school);
    if (unresolved.length > 0) return new ImportPlan().report(unresolved);
    const plan = new ImportPlan(round);
    await planSchool(c, journal, school, known, plan);
    first ??= plan.report([]);
    if (dryRun || plan.isEmpty) return first;
    try {
      if (await plan.write([c.users, c.teachers, c.students, c.courses, c.enrollments, c.sessions])) return first;
    } finally {
      // What was written counts; a server that isn't told finds out within a minute.
      await written().catch(() => undefined);
    }
    if (round === ROUNDS) {
      throw new StorageError(
        'mongodb: rows of the import keep colliding with others: two imports at once, or a unique index that the ' +
          'school does not fit',
      );
    }
  }
}

async function planSchool(c: Collections, journal: Journal, school: School, known: Known, plan: ImportPlan) {
  await planPeople(c, school, known, plan);
  await planCourses(c, school, known, plan);
  await planEnrollments(c, school, known, plan);
  await planSessions(c, journal, school, known, plan);
}

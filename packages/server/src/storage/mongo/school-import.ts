import type { ImportReport, School } from '../port.js';
import type { Collections } from './collections.js';
import { ImportPlan } from './import-plan.js';
import type { Journal } from './journal.js';
import { planCourses, planEnrollments, planSessions } from './school-lists.js';
import { planPeople } from './school-people.js';
import { type Known, resolveReferences } from './school-references.js';

export async function importSchool(
  c: Collections,
  journal: Journal,
  school: School,
  { dryRun }: { dryRun: boolean },
): Promise<ImportReport> {
  const { known, unresolved } = await resolveReferences(c, school);
  if (unresolved.length > 0) return new ImportPlan().report(unresolved);
  const plan = new ImportPlan();
  await planSchool(c, journal, school, known, plan);
  if (!dryRun) await plan.write([c.users, c.teachers, c.students, c.courses, c.enrollments, c.sessions]);
  return plan.report([]);
}

async function planSchool(c: Collections, journal: Journal, school: School, known: Known, plan: ImportPlan) {
  await planPeople(c, school, known, plan);
  await planCourses(c, school, known, plan);
  await planEnrollments(c, school, known, plan);
  await planSessions(c, journal, school, known, plan);
}

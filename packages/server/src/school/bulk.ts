/**
 * What a OneRoster bundle says of a school beside its rows. It names the whole of its classes, so that what it doesn't
 * name can be told, and what it deletes has to be taken back where an earlier import brought it.
 */
export class Bulk {
  /** False where the enrolments are unknown: then nothing can be said to be missing. */
  isWhole = false;
  /** The classes that the bundle names, those to be deleted among them. */
  readonly courses = new Set<string>();
  readonly deletedCourses = new Set<string>();
  readonly deletedUsers = new Set<string>();
  readonly deletedUids = new Set<string>();
  /** The profile id that the bundle has for a sign-in name. */
  readonly idOfUid = new Map<string, string>();
  readonly #deleted = new Map<string, Set<string>>();

  deleteEnrollment(courseId: string, studentId: string): void {
    const students = this.#deleted.get(courseId);
    if (students) students.add(studentId);
    else this.#deleted.set(courseId, new Set([studentId]));
  }

  deletes(courseId: string, studentId: string): boolean {
    return this.deletedCourses.has(courseId) || this.#deleted.get(courseId)?.has(studentId) === true;
  }
}

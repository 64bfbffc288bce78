import { type CourseId, type ErrorCode, RollcallError } from '@rollcall/protocol';
import type { Services } from '../commands/command.js';
import { teachesCourse } from '../commands/rights.js';
import type { Course, Person, SchoolChange } from '../storage/port.js';

/** What somebody is to a course. */
export type Part = 'admin' | 'teacher' | 'student';

/** @throws {RollcallError} FORBIDDEN */
export function requireAdmin(person: Person): void {
  if (!person.is_admin) throw new RollcallError('FORBIDDEN');
}

/**
 * A course in which the person has a part. One may not know of other courses, so that they aren't there.
 * @throws {RollcallError} COURSE_NOT_FOUND
 */
export async function courseWithPart(
  person: Person,
  courseId: CourseId,
  { directory }: Pick<Services, 'directory'>,
): Promise<{ readonly course: Course; readonly part: Part }> {
  const course = await directory.course(courseId);
  if (person.is_admin) return { course, part: 'admin' };
  if (teachesCourse(person, course)) return { course, part: 'teacher' };
  const { student } = person;
  if (student && (await directory.isEnrolled(courseId, student.student_id))) return { course, part: 'student' };
  throw new RollcallError('COURSE_NOT_FOUND');
}

/** For its teachers and admins. @throws {RollcallError} COURSE_NOT_FOUND; FORBIDDEN for its students */
export async function courseForTeacher(
  person: Person,
  courseId: CourseId,
  services: Pick<Services, 'directory'>,
): Promise<Course> {
  const { course, part } = await courseWithPart(person, courseId, services);
  if (part === 'student') throw new RollcallError('FORBIDDEN');
  return course;
}

/** For admins. @throws {RollcallError} FORBIDDEN for whoever has another part in it, else COURSE_NOT_FOUND */
export async function courseForAdmin(
  person: Person,
  courseId: CourseId,
  services: Pick<Services, 'directory'>,
): Promise<Course> {
  const { course, part } = await courseWithPart(person, courseId, services);
  if (part !== 'admin') throw new RollcallError('FORBIDDEN');
  return course;
}

/** What isn't there, by the field that names it. A teacher who is said of a course is a value of the request. */
const NOT_FOUND: Readonly<Record<string, ErrorCode>> = {
  user_id: 'USER_NOT_FOUND',
  course_id: 'COURSE_NOT_FOUND',
  student_id: 'STUDENT_NOT_FOUND',
  session_id: 'SESSION_NOT_FOUND',
};

/** The id of what was changed. @throws {RollcallError} why it couldn't be */
export function requireDone(change: SchoolChange): string {
  switch (change.outcome) {
    case 'taken': {
      const { field } = change;
      throw new RollcallError('ALREADY_EXISTS', { message: `${field} is taken`, details: { field } });
    }
    case 'missing': {
      const { field, value } = change;
      const code = NOT_FOUND[field];
      if (code !== undefined) throw new RollcallError(code);
      const what = `${JSON.stringify(value)} is not known`;
      const details = { field, issues: [{ field, message: what }] };
      throw new RollcallError('BAD_REQUEST', { message: `${field}: ${what}`, details });
    }
    case 'begun':
      throw new RollcallError('SESSION_BEGUN');
    default:
      return change.id;
  }
}

import { RollcallError, type StudentId } from '@rollcall/protocol';
import type { Services } from '../commands/command.js';
import type { Enrollment, Page, Person } from '../storage/port.js';
import { checked, type Input } from './inputs.js';
import { courseForAdmin, courseForTeacher, requireDone } from './rights.js';

type EnrollmentServices = Pick<Services, 'storage' | 'directory'>;

/** For admins and teachers of the course. @throws {RollcallError} COURSE_NOT_FOUND, FORBIDDEN, BAD_REQUEST */
export async function listEnrollments(
  person: Person,
  input: Input<'enrollments'>,
  services: EnrollmentServices,
): Promise<Page<Enrollment>> {
  const { course_id, ...page } = checked('enrollments', input);
  await courseForTeacher(person, course_id, services);
  return services.storage.catalogue.listEnrollments(course_id, page);
}

/**
 * Enrols a student, named by profile id, user id or uid. Status and days are said as a whole. For admins.
 * @throws {RollcallError} COURSE_NOT_FOUND, FORBIDDEN, STUDENT_NOT_FOUND, BAD_REQUEST
 */
export async function putEnrollment(
  person: Person,
  input: Input<'putEnrollment'>,
  services: EnrollmentServices,
): Promise<Enrollment> {
  const { course_id, student_id: ref, ...said } = checked('putEnrollment', input);
  await courseForAdmin(person, course_id, services);
  const { student_id, ...rest } = await studentOf(ref, services);
  requireDone(await services.storage.catalogue.putEnrollment({ course_id, student_id, ...said }));
  services.directory.enrollmentChanged(course_id, student_id);
  return { student: { student_id, ...rest }, ...said };
}

/**
 * Rejects an enrolment; what was recorded of the student stays. For admins.
 * @throws {RollcallError} COURSE_NOT_FOUND, FORBIDDEN, STUDENT_NOT_FOUND, BAD_REQUEST
 */
export async function withdrawEnrollment(
  person: Person,
  input: Input<'enrollment'>,
  services: EnrollmentServices,
): Promise<{ readonly course_id: string; readonly student_id: StudentId }> {
  const { course_id, student_id: ref } = checked('enrollment', input);
  await courseForAdmin(person, course_id, services);
  const { student_id } = await studentOf(ref, services);
  requireDone(await services.storage.catalogue.withdraw(course_id, student_id));
  services.directory.enrollmentChanged(course_id, student_id);
  return { course_id, student_id };
}

async function studentOf(ref: string, { storage }: EnrollmentServices) {
  const student = (await storage.people.findStudents([ref])).get(ref);
  if (!student) throw new RollcallError('STUDENT_NOT_FOUND');
  return student;
}

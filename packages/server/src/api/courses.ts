import { type CourseId, RollcallError } from '@rollcall/protocol';
import type { Services } from '../commands/command.js';
import type { CourseChange, CourseEntry, Page, Person } from '../storage/port.js';
import { noteAccess } from './access-log.js';
import { checked, type Input, saidOf } from './inputs.js';
import { courseForAdmin, courseWithPart, requireAdmin, requireDone } from './rights.js';

type CourseServices = Pick<Services, 'storage' | 'directory' | 'now' | 'newRecordId'>;

/** All courses for admins, for others those in which they have a part. @throws {RollcallError} BAD_REQUEST */
export function listCourses(
  person: Person,
  input: Input<'page'>,
  { storage }: CourseServices,
): Promise<Page<CourseEntry>> {
  const page = checked('page', input);
  const part = {
    teacher_id: person.teacher?.teacher_id ?? null,
    student_id: person.student?.student_id ?? null,
  };
  return storage.catalogue.listCourses(person.is_admin ? null : part, page);
}

/** @throws {RollcallError} COURSE_NOT_FOUND, BAD_REQUEST */
export async function readCourse(
  person: Person,
  input: Input<'course'>,
  services: CourseServices,
): Promise<CourseEntry> {
  const { course_id } = checked('course', input);
  await courseWithPart(person, course_id, services);
  const course = await services.storage.catalogue.readCourse(course_id);
  if (!course) throw new RollcallError('COURSE_NOT_FOUND');
  return course;
}

/** For admins; a course without an id gets a fresh one. @throws {RollcallError} FORBIDDEN, BAD_REQUEST, ALREADY_EXISTS */
export async function createCourse(
  person: Person,
  input: Input<'newCourse'>,
  services: CourseServices,
): Promise<CourseEntry> {
  requireAdmin(person);
  const { purpose, request_id, ...said } = checked('newCourse', input);
  const course = { ...said, course_id: said.course_id ?? services.newRecordId() };
  if (course.teacher_id !== null || course.co_teacher_ids.length > 0) {
    await noteTeachers(person, course.course_id, course, { purpose, request_id }, services);
  }
  const id = requireDone(await services.storage.catalogue.createCourse(course));
  services.directory.courseChanged(id as CourseId);
  return readCourse(person, { course_id: id }, services);
}

/** For admins. @throws {RollcallError} COURSE_NOT_FOUND, FORBIDDEN, BAD_REQUEST */
export async function changeCourse(
  person: Person,
  input: Input<'changedCourse'>,
  services: CourseServices,
): Promise<CourseEntry> {
  const { course_id, purpose, request_id, ...fields } = checked('changedCourse', input);
  await courseForAdmin(person, course_id, services);
  const change = saidOf(fields, input) as CourseChange;
  if (change.teacher_id !== undefined || change.co_teacher_ids !== undefined) {
    await noteTeachers(person, course_id, change, { purpose, request_id }, services);
  }
  requireDone(await services.storage.catalogue.changeCourse(course_id, change));
  services.directory.courseChanged(course_id);
  return readCourse(person, { course_id }, services);
}

/** Who teaches a course may see and mark all of its students. */
async function noteTeachers(
  person: Person,
  course_id: string,
  { teacher_id, co_teacher_ids }: CourseChange,
  why: { readonly purpose: string | null; readonly request_id: string | null },
  services: CourseServices,
): Promise<void> {
  const scope = {
    course_id,
    ...(teacher_id !== undefined && { teacher_id }),
    ...(co_teacher_ids !== undefined && { co_teacher_ids }),
  };
  await noteAccess(person, { action: 'change_rights', subject: null, scope, ...why }, services);
}

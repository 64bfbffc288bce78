import { type AttendanceRecord, RollcallError, type Session } from '@rollcall/protocol';
import type { Services } from '../commands/command.js';
import { recordOf, sessionOfStored } from '../commands/present.js';
import { requireStudent } from '../commands/rights.js';
import type { RosterStudent } from '../journal/entries.js';
import type { Page, Person, StudentRecord } from '../storage/port.js';
import { noteAccess } from './access-log.js';
import { checked, daysOf, type Input } from './inputs.js';
import { courseWithPart } from './rights.js';

/** What a student was marked in one session. */
export interface Attendance {
  readonly session: Session;
  readonly record: AttendanceRecord;
}

/** The caller's own records, in order of session id. @throws {RollcallError} NOT_A_STUDENT, BAD_REQUEST */
export async function ownAttendance(
  person: Person,
  input: Input<'attendance'>,
  services: Services,
): Promise<Page<Attendance>> {
  const student = requireStudent(person);
  const { from, to, ...page } = checked('attendance', input);
  const days = daysOf({ from, to }, services.timeZone);
  const { items, next } = await services.storage.timetable.listRecords(student.student_id, null, days, page);
  return { items: items.map((item) => present(student, item)), next };
}

/**
 * A student's records in one course. For its teachers and admins, whose look is noted in the access log, and for the
 * student. @throws {RollcallError} COURSE_NOT_FOUND, STUDENT_NOT_FOUND, BAD_REQUEST
 */
export async function attendanceOfStudent(
  person: Person,
  input: Input<'attendanceOfStudent'>,
  services: Services,
): Promise<Page<Attendance>> {
  const { course_id, student_id: ref, from, to, purpose, request_id, ...page } = checked('attendanceOfStudent', input);
  const { storage, timeZone } = services;
  const days = daysOf({ from, to }, timeZone);
  const { part } = await courseWithPart(person, course_id, services);
  const student = (await storage.people.findStudents([ref])).get(ref);
  const isOwn = student !== undefined && student.student_id === person.student?.student_id;
  if (!student || (part === 'student' && !isOwn)) throw new RollcallError('STUDENT_NOT_FOUND');
  const { student_id } = student;
  const { items, next } = await storage.timetable.listRecords(student_id, course_id, days, page);
  // Of students of other courses a teacher may not even know that they exist.
  if (items.length === 0 && !(await hasPlaceIn(course_id, student_id, services))) {
    throw new RollcallError('STUDENT_NOT_FOUND');
  }
  if (!isOwn) {
    const scope = { course_id, from, to };
    await noteAccess(person, { action: 'history', subject: student_id, scope, purpose, request_id }, services);
  }
  return { items: items.map((item) => present(student, item)), next };
}

/** Whether the student is enrolled in the course, or has a record of one of its sessions. */
async function hasPlaceIn(
  courseId: Parameters<Services['directory']['isEnrolled']>[0],
  studentId: Parameters<Services['directory']['isEnrolled']>[1],
  { storage }: Services,
): Promise<boolean> {
  if (await storage.courses.isEnrolled(courseId, studentId)) return true;
  const first = { after: null, limit: 1 };
  const { items } = await storage.timetable.listRecords(studentId, courseId, { from: null, to: null }, first);
  return items.length > 0;
}

const present = (student: RosterStudent, { session, record }: StudentRecord): Attendance => ({
  session: sessionOfStored(session),
  record: recordOf(session.session_id, { ...record, student }, 'everyone'),
});

import type { Arm } from '../arms/arm.js';
import { VoidRun } from '../harness/no-figures.js';
import { courseId, studentId, studentUid, teacherUid } from '../school.js';
import { type Answer, Client, type ClientOptions, inParallel } from './client.js';
import { Deliveries } from './deliveries.js';

/** Handshakes under way at once: more than a server's queue of new connections holds would measure TCP's retries. */
export const CONNECTING_AT_ONCE = 200;

const ANSWERS = ['studentMarkedPresent', 'studentMarkedAbsent'];

/** Connects so many students from one on: of the first course, unless it says otherwise. */
export function connectStudents(arm: Arm, count: number, options: ClientOptions = {}, from = 0): Promise<Client[]> {
  const students = Array.from({ length: count }, (_, n) => from + n);
  return inParallel(students, CONNECTING_AT_ONCE, (n) => Client.connect(arm.port, studentUid(n), options));
}

/** A session of one course with its teacher, and everything it takes to be sure that nothing went astray. */
export class Classroom {
  readonly session_id: string;
  readonly teacher: Client;
  readonly deliveries = new Deliveries();
  readonly members: Client[] = [];
  readonly #course: number;
  readonly #roster: number;
  #marks = 0;
  #answered = 0;
  #checkIns = 0;
  #passes = 0;

  private constructor(teacher: Client, session_id: string, course: number, roster: number) {
    this.teacher = teacher;
    this.session_id = session_id;
    this.#course = course;
    this.#roster = roster;
    this.deliveries.listen(teacher);
    for (const event of ANSWERS) teacher.on(event, () => (this.#answered += 1));
    teacher.on('studentJoinedAttendance', () => (this.#checkIns += 1));
  }

  /** Starts a new session of a course. The teacher's connection may be one that was used before. */
  static async start(arm: Arm, course = 0, teacher?: Client): Promise<Classroom> {
    const connected = teacher ?? (await Client.connect(arm.port, teacherUid(course)));
    const session_id = `session-${course}-${arm.label}-${Date.now()}`;
    const room = new Classroom(connected, session_id, course, arm.school.studentsPerCourse);
    await connected.send('startAttendanceSession', { session_id, course_id: courseId(course) });
    return room;
  }

  get checkIns(): number {
    return this.#checkIns;
  }

  /** The id of a student by their place on the roster. */
  studentAt(index: number): string {
    return studentId(this.#course * this.#roster + index);
  }

  async join(members: readonly Client[]): Promise<void> {
    await inParallel(members, CONNECTING_AT_ONCE, (client) => this.joinOne(client));
  }

  /** Everybody's connection breaks at once. */
  cut(): void {
    for (const member of this.members.splice(0)) {
      this.deliveries.forget(member);
      member.cut();
    }
  }

  /** From its check-in on the member has to get every change. */
  async joinOne(member: Client): Promise<Answer> {
    this.deliveries.listen(member);
    this.members.push(member);
    return member.send('joinAttendanceSession', { session_id: this.session_id });
  }

  /** Marks the next student; every mark changes something, since each pass through the roster turns the status. */
  async mark(): Promise<void> {
    const n = this.#marks++;
    const event = Math.floor(n / this.#roster) % 2 === 0 ? 'markStudentPresent' : 'markStudentAbsent';
    const student_id = this.studentAt(n % this.#roster);
    const { seq } = await this.teacher.send(event, { session_id: this.session_id, student_id });
    this.deliveries.acknowledged(seq);
  }

  /** Turns the status of the whole roster in one request. */
  async bulk(): Promise<void> {
    const status = this.#passes++ % 2 === 0 ? 'present' : 'absent';
    const attendanceUpdates = Array.from({ length: this.#roster }, (_, index) => ({
      student_id: this.studentAt(index),
      status,
    }));
    const { seq } = await this.teacher.send('bulkUpdateAttendance', {
      session_id: this.session_id,
      attendanceUpdates,
    });
    this.deliveries.acknowledged(seq);
  }

  /** Resolves once everybody has every mark, and the teacher one answer for each. */
  async complete(): Promise<void> {
    await this.deliveries.complete();
    if (this.#answered !== this.#marks) {
      throw new VoidRun(`${this.#marks} marks were answered by ${this.#answered} events`);
    }
  }

  /** Ends once nobody listens: the direct application sends every member every record, gigabytes in a large class. */
  async dismiss(arm: Arm): Promise<void> {
    this.cut();
    await arm.quiet();
    await this.end();
  }

  async end(): Promise<void> {
    await this.teacher.send('endAttendanceSession', { session_id: this.session_id });
  }
}

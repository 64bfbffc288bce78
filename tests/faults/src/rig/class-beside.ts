import { type Lab, quantile } from '../experiment.js';
import { Plain } from './plain.js';

const SESSION = 'class-beside';
const STUDENTS = 30;
const MARK_EVERY_MS = 50;

export interface Latencies {
  /** From sending a mark to its acknowledgement, and to the last of the class knowing it; 99th percentiles in ms. */
  readonly ack: number;
  readonly last: number;
  readonly worst: number;
  readonly marks: number;
}

interface Mark {
  readonly sent_at: number;
  heard: number;
}

/** A class of thirty in course-2, taught by `bo`, that goes on while something happens beside it. */
export class ClassBeside {
  readonly #teacher: Plain;
  readonly #marks = new Map<string, Mark>();
  #acks: number[] = [];
  #lasts: number[] = [];
  #made = 0;

  private constructor(teacher: Plain) {
    this.#teacher = teacher;
  }

  /** Of a school that was imported with `beside: 30`. */
  static async start(lab: Lab, url: string): Promise<ClassBeside> {
    const teacher = await Plain.connect(lab, url, 'bo');
    await teacher.done('startAttendanceSession', { session_id: SESSION, course_id: 'course-2' });
    const beside = new ClassBeside(teacher);
    for (let n = 1; n <= STUDENTS; n += 1) {
      const student = await Plain.connect(lab, url, `s-${n}`);
      await student.done('joinAttendanceSession', { session_id: SESSION });
      student.socket.on('attendanceUpdated', ({ attendanceRecord }) => beside.#heard(String(attendanceRecord.remarks)));
    }
    const timer = setInterval(() => beside.#mark(), MARK_EVERY_MS);
    lab.defer(() => clearInterval(timer));
    return beside;
  }

  /** What the class sees from now until then, marks that are still unanswered included. */
  async during(lab: Lab, work: Promise<unknown>): Promise<Latencies> {
    this.#acks = [];
    this.#lasts = [];
    await work;
    const sent = this.#made;
    await lab.until(() => [...this.#marks.keys()].every((op) => Number(op) > sent), 'the class knows its marks');
    const [acks, lasts] = [this.#acks, this.#lasts];
    return { ack: quantile(acks, 0.99), last: quantile(lasts, 0.99), worst: Math.max(...acks), marks: acks.length };
  }

  #mark(): void {
    const n = ++this.#made;
    const op_id = String(n);
    const sent_at = performance.now();
    this.#marks.set(op_id, { sent_at, heard: 0 });
    const student_id = `student-${(n % STUDENTS) + 1}`;
    const mark = { session_id: SESSION, student_id, status: n % 2 ? 'late' : 'present', remarks: op_id, op_id };
    this.#teacher.socket.emit('markStudentAttendance', mark, () => this.#acks.push(performance.now() - sent_at));
  }

  #heard(op: string): void {
    const mark = this.#marks.get(op);
    if (!mark) return;
    mark.heard += 1;
    if (mark.heard < STUDENTS) return;
    this.#marks.delete(op);
    this.#lasts.push(performance.now() - mark.sent_at);
  }
}

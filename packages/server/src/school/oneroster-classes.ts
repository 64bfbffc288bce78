import { type CsvRow, readTable } from './csv-table.js';
import { BySourcedId, type Table } from './oneroster-rows.js';
import type { SchoolReading } from './school-reading.js';

export interface OneRosterClass {
  readonly id: string;
  readonly title: string;
  readonly code: string;
  readonly line: number;
  /** sourcedIds of teachers as enrolments name them. */
  readonly teachers: { primary: boolean; id: string }[];
  /** An enrolment of a teacher ended, or is to be deleted: without another one nobody teaches the class. */
  teacherGone: boolean;
}

export class OneRosterClasses extends BySourcedId<OneRosterClass> {
  readonly file: string;

  constructor(file: string) {
    super();
    this.file = file;
  }

  addCourses(reading: SchoolReading): void {
    for (const { id, title, code, line, teachers, teacherGone } of this.rows.values()) {
      // Where no teacher is called primary, the first one listed is.
      const primary = (teachers.find((teacher) => teacher.primary) ?? teachers[0])?.id ?? null;
      const others = teachers.map((teacher) => teacher.id).filter((teacher) => teacher !== primary);
      const course = { id, title, course_code: code, teacher_id: primary, co_teacher_ids: others };
      const more = teacherGone && primary === null ? { teacher_gone: true } : {};
      reading.check('courses', course, { file: this.file, line }, more);
      reading.bulk.courses.add(id);
    }
    for (const id of this.deleted) {
      if (!this.isDeleted(id)) continue;
      reading.bulk.courses.add(id);
      reading.bulk.deletedCourses.add(id);
    }
  }
}

export function readClasses({ file, bytes }: Table, reading: SchoolReading): OneRosterClasses {
  const classes = new OneRosterClasses(file);
  const reader = {
    required: ['sourcedId', 'title'],
    row: (row: CsvRow) =>
      classes.add(row, reading, (id) => ({
        id,
        title: row.cell('title'),
        code: row.cell('classCode'),
        line: row.line,
        teachers: [],
        teacherGone: false,
      })),
    refused: (row: CsvRow) => classes.spoil(row),
  };
  if (bytes) classes.usable = readTable(bytes, file, reader, reading);
  return classes;
}

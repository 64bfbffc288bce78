import { createHash } from 'node:crypto';
import type { AttendanceStatus, CourseId, SessionId, StudentId, TeacherId } from '@rollcall/protocol';
import { readConfig } from '../config/config.js';
import { encodeOpening } from '../journal/encode.js';
import type { Actor, Entry, RosterRow, RosterStudent } from '../journal/entries.js';
import { projectionOf } from '../register/projector.js';
import { SessionState } from '../register/session-state.js';
import type { Course, Storage } from '../storage/port.js';
import { demoSchool, localDate, type PastSession, pastSessions } from './demo-school.js';

export * from './demo-school.js';

/** As in a school that sets no policy of its own. */
const { policy: POLICY } = readConfig({});

/**
 * Puts the demo school, with three weeks of held sessions, into a database that has no users yet.
 * @returns false where it has some, and then nothing was changed
 */
export async function seedDemo(storage: Storage, now: Date): Promise<boolean> {
  if (!(await storage.people.isEmpty())) return false;
  const school = demoSchool(now);
  await storage.school.importSchool(school, { dryRun: false });
  for (const session of pastSessions(now)) {
    const course = await storage.courses.findCourse(session.course_id as CourseId);
    const uid = school.teachers.find((teacher) => teacher.id === course?.teacher_id)?.uid ?? '';
    const teacher = await storage.people.findPersonByUid(uid);
    if (!course || !teacher) throw new Error(`the demo school lacks the course or the teacher of ${session.id}`);
    const roster = await storage.courses.listRoster(course.course_id);
    const entries = journalOf(session, course, { user_id: teacher.user_id, name: teacher.name }, roster);
    // A conflict is another server that seeds the same database: it writes the very same entries.
    const commit = encodeOpening(session.id as SessionId, entries);
    if ((await storage.journal.append(session.id as SessionId, commit)) === 'conflict') continue;
    const state = SessionState.fromJournal(entries, commit.chain);
    await storage.projection.project(projectionOf(state, state.lines.values()));
  }
  return true;
}

/** The journal of a session as a real class would have left it; the same for the same session and roster. */
function journalOf(session: PastSession, course: Course, teacher: Actor, roster: readonly RosterStudent[]): Entry[] {
  const startedAt = session.start.getTime();
  const drafts: DraftEntry[] = roster.flatMap((student) => attendanceOf(session, startedAt, student.student_id));
  drafts.sort((a, b) => a.at - b.at);
  const opening: Entry = {
    seq: 1,
    at: startedAt,
    actor: teacher,
    type: 'started',
    policy: POLICY,
    session: {
      session_id: session.id as SessionId,
      course_id: course.course_id,
      course: { _id: course.course_id, title: course.title, course_code: course.course_code },
      date: localDate(session.start),
      start_time: clock(session.start),
      end_time: clock(session.end),
      topic: session.topic,
      description: null,
      teacher_id: course.teacher_id as TeacherId,
      teacher_name: teacher.name,
    },
    roster: roster.map((student) => rosterRow(session.id, student, startedAt)),
  };
  const students = new Map(roster.map((student) => [student.student_id, student]));
  const events = drafts.map(({ student_id, at, status, remarks }, index): Entry => {
    const seq = index + 2;
    const student = students.get(student_id);
    return status === undefined
      ? {
          seq,
          at,
          type: 'checked_in',
          student_id,
          actor: { user_id: student?.user_id ?? null, name: student?.name ?? '' },
        }
      : { seq, at, type: 'marked', student_id, actor: teacher, status, remarks, previous_status: 'absent' };
  });
  const end: Entry = {
    seq: events.length + 2,
    at: session.end.getTime(),
    actor: teacher,
    type: 'ended',
    reason: 'teacher',
  };
  return [opening, ...events, end];
}

interface DraftEntry {
  readonly student_id: StudentId;
  readonly at: number;
  /** Undefined for a check-in. */
  readonly status: AttendanceStatus | undefined;
  readonly remarks: string | null;
}

/** What one student did and was marked. Absent ones leave no trace: that is how everybody starts. */
function attendanceOf(session: PastSession, startedAt: number, student_id: StudentId): DraftEntry[] {
  const reliability = 0.75 + 0.24 * chance(student_id);
  const luck = chance(session.id, student_id, 'luck');
  const delay = chance(session.id, student_id, 'delay');
  const draft = (minutes: number, status?: AttendanceStatus, remarks: string | null = null): DraftEntry => ({
    student_id,
    at: startedAt + Math.round(minutes * 60_000),
    status,
    remarks,
  });
  if (luck < reliability) return [draft(8 * delay), draft(9 + delay, 'present')];
  if (luck < reliability + 0.08) return [draft(12 + 10 * delay), draft(23 + delay, 'late')];
  if (luck < reliability + 0.12) return [draft(30 + delay, 'excused', 'Note from the office')];
  return [];
}

function rosterRow(sessionId: string, student: RosterStudent, at: number): RosterRow {
  return {
    record_id: digest(sessionId, student.student_id, 'record').slice(0, 24),
    student,
    status: 'absent',
    remarks: null,
    checked_in_at: null,
    marked_at: null,
    marked_by: null,
    created_at: at,
    updated_at: at,
  };
}

const digest = (...parts: readonly string[]): string => createHash('sha256').update(parts.join('\n')).digest('hex');

/** A number from 0 to 1 that looks random and is always the same for the same parts. */
const chance = (...parts: readonly string[]): number =>
  Number.parseInt(digest(...parts).slice(0, 8), 16) / 0x1_0000_0000;

const clock = (at: Date): string =>
  `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;

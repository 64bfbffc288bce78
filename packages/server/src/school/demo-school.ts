import type { School } from '../storage/port.js';

/** The session of the seed's usage example, and the student it marks. */
export const DEMO_SESSION_ID = 'session123';
export const DEMO_STUDENT_ID = 'student123';
export const DEMO_TEACHER_UID = 'ada';
/** Who the start of a development server prints sign-ins for. */
export const DEMO_STUDENT_UIDS = [DEMO_STUDENT_ID, 'student124'] as const;

const STUDENTS = 40;
const FIRST_STUDENT_NUMBER = 123;
const SESSION_MINUTES = 90;

const GIVEN = ['Bo', 'Cy', 'Di', 'El', 'Fay', 'Gus', 'Hana', 'Ira', 'Jun', 'Kai'] as const;
const FAMILY = ['Lind', 'Abel', 'Hart', 'Quin'] as const;

/** `YYYY-MM-DD` of a time, by the clock on the server's wall: a school's dates are local. */
export const localDate = (at: Date): string =>
  `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')}`;

const clock = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

/** The demo school: 2 teachers, 3 courses, 40 students and one session scheduled now. The same for the same `today`. */
export function demoSchool(today: Date): School {
  const students = Array.from({ length: STUDENTS }, (_, index) => {
    const id = `student${FIRST_STUDENT_NUMBER + index}`;
    const given = GIVEN[index % GIVEN.length] ?? '';
    const family = FAMILY[Math.floor(index / GIVEN.length)] ?? '';
    return {
      id,
      uid: id,
      name: `${given} ${family}`,
      email: `${id}@school.example`,
      roll: String(1_907_001 + index),
      section: index % 2 === 0 ? 'A' : 'B',
      department: 'CSE',
      semester: '3',
      profile_picture: null,
    };
  });
  const enroll = (course_id: string, from: number, to: number) =>
    students.slice(from, to).map(({ id }) => ({ course_id, student_id: id, status: 'approved' as const }));
  const teacher = { department: 'CSE', designation: 'Lecturer', profile_picture: null };
  const course = { credit: 3, co_teacher_ids: [] };
  const now = today.getHours() * 60 + today.getMinutes();
  return {
    teachers: [
      { ...teacher, id: 'teacher-1', uid: DEMO_TEACHER_UID, name: 'Ada Osei', email: 'ada@school.example' },
      { ...teacher, id: 'teacher-2', uid: 'kit', name: 'Kit Moro', email: 'kit@school.example' },
    ],
    students,
    admins: [],
    courses: [
      {
        ...course,
        id: 'course-1',
        title: 'Databases',
        course_code: 'CSE-301',
        teacher_id: 'teacher-1',
        co_teacher_ids: ['teacher-2'],
      },
      { ...course, id: 'course-2', title: 'Operating Systems', course_code: 'CSE-303', teacher_id: 'teacher-1' },
      { ...course, id: 'course-3', title: 'Discrete Mathematics', course_code: 'MAT-201', teacher_id: 'teacher-2' },
    ],
    enrollments: [
      ...enroll('course-1', 0, STUDENTS),
      ...enroll('course-2', 0, 28),
      ...enroll('course-3', 10, STUDENTS),
    ],
    sessions: [
      {
        id: DEMO_SESSION_ID,
        course_id: 'course-1',
        teacher_id: null,
        date: localDate(today),
        start_time: clock(now),
        end_time: clock(Math.min(now + SESSION_MINUTES, 24 * 60 - 1)),
        topic: 'Joins',
        description: null,
        status: 'scheduled',
      },
    ],
  };
}

export interface PastSession {
  readonly id: string;
  readonly course_id: string;
  readonly topic: string;
  readonly start: Date;
  readonly end: Date;
}

const TOPICS: Readonly<Record<string, readonly string[]>> = {
  'course-1': ['Relations', 'Keys', 'Normal forms', 'Selections', 'Projections', 'Indexes'],
  'course-2': ['Processes', 'Threads', 'Scheduling', 'Locks', 'Paging', 'Files'],
  'course-3': ['Logic', 'Sets', 'Proofs', 'Induction', 'Graphs', 'Trees'],
};

/** Two sessions a week of each course in the three weeks before `today`, oldest first. */
export function pastSessions(today: Date): PastSession[] {
  const sessions: PastSession[] = [];
  for (let daysAgo = 21; daysAgo >= 1; daysAgo--) {
    const day = new Date(today.getFullYear(), today.getMonth(), today.getDate() - daysAgo);
    // Each course meets on two of the days from Monday (1) to Saturday (6).
    const turn = (day.getDay() - 1) % 3;
    const course = ['course-1', 'course-2', 'course-3'][turn];
    if (course === undefined) continue;
    const start = new Date(day.getFullYear(), day.getMonth(), day.getDate(), 9 + turn);
    const earlier = sessions.filter((session) => session.course_id === course).length;
    sessions.push({
      id: `demo-${course}-${localDate(day)}`,
      course_id: course,
      topic: TOPICS[course]?.[earlier] ?? 'Revision',
      start,
      end: new Date(start.getTime() + SESSION_MINUTES * 60_000),
    });
  }
  return sessions;
}

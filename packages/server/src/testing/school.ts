import type { School } from '../storage/port.js';

const nothing = {
  email: null,
  department: null,
  designation: null,
  section: null,
  semester: null,
  profile_picture: null,
};

/** Student number n: profile id `student-n`, uid `s-n`. */
export const student = (n: number): School['students'][number] => ({
  ...nothing,
  id: `student-${n}`,
  uid: `s-${n}`,
  name: `Student ${n}`,
  email: `s-${n}@school.example`,
  roll: String(1907000 + n),
  section: 'A',
});

/**
 * A small school: `ada` teaches course-1 with `cyd` as co-teacher, `eve` teaches course-2, `root` is an admin.
 * Students 1…n are approved in course-1; `pending` and `rejected` are enrolled in it but not approved; `outsider`
 * is in course-2 alone. session-1 (course-1) and session-2 (course-2) are scheduled, session-old is completed.
 */
export function schoolOf(students: number): School {
  const people = Array.from({ length: students }, (_, index) => student(index + 1));
  const others = ['pending', 'rejected', 'outsider', 'nowhere'].map((uid) => ({
    ...student(0),
    id: `student-${uid}`,
    uid,
    name: uid,
    email: `${uid}@school.example`,
  }));
  const teacher = (uid: string, name: string) => ({ ...nothing, id: `teacher-${uid}`, uid, name });
  const session = (id: string, course_id: string, status: 'scheduled' | 'completed') => ({
    id,
    course_id,
    teacher_id: null,
    date: '2026-11-23',
    start_time: '09:00',
    end_time: '10:30',
    topic: 'Joins',
    description: null,
    status,
  });
  return {
    teachers: [teacher('ada', 'Ada Osei'), teacher('cyd', 'Cyd Moreau'), teacher('eve', 'Eve Tanaka')],
    students: [...people, ...others],
    admins: [{ uid: 'root', name: 'Office', email: 'office@school.example' }],
    courses: [
      {
        id: 'course-1',
        title: 'Databases',
        course_code: 'CSE-301',
        credit: 3,
        teacher_id: 'teacher-ada',
        co_teacher_ids: ['teacher-cyd'],
      },
      {
        id: 'course-2',
        title: 'Networks',
        course_code: 'CSE-302',
        credit: 3,
        teacher_id: 'teacher-eve',
        co_teacher_ids: [],
      },
    ],
    enrollments: [
      ...people.map(({ id }) => ({ course_id: 'course-1', student_id: id, status: 'approved' as const })),
      { course_id: 'course-1', student_id: 'student-pending', status: 'pending' },
      { course_id: 'course-1', student_id: 'student-rejected', status: 'rejected' },
      { course_id: 'course-2', student_id: 'student-outsider', status: 'approved' },
    ],
    sessions: [
      session('session-1', 'course-1', 'scheduled'),
      session('session-2', 'course-2', 'scheduled'),
      session('session-old', 'course-1', 'completed'),
    ],
  };
}

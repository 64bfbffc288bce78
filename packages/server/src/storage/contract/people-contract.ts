import { expect, test } from 'vitest';
import { freshHarness, type MakeHarness } from './harness.js';
import { course, HOSTILE_IDS, importAll, SCHOOL, schoolOf, session, student, teacher } from './samples.js';

export function peopleContract(make: MakeHarness): void {
  const harness = freshHarness(make);

  test('[STORE-1] a person is found by uid with their profiles, an unknown uid answers null', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const ada = await storage.people.findPersonByUid('ada');
    expect(ada).toEqual({
      user_id: expect.any(String),
      uid: 'ada',
      name: 'Ada Osei',
      email: 'ada@school.example',
      profile_picture: null,
      is_admin: false,
      teacher: { teacher_id: 'teacher-1', department: 'CSE', designation: 'Lecturer' },
      student: null,
    });
    const bo = await storage.people.findPersonByUid('bo');
    expect(bo?.teacher).toBeNull();
    expect(bo?.student).toEqual({
      student_id: 'student-1',
      user_id: bo?.user_id,
      uid: 'bo',
      name: 'Bo Lind',
      email: 'bo@school.example',
      roll: '1907002',
      section: 'A',
      profile_picture: 'https://school.example/bo.png',
    });
    expect(await storage.people.findPersonByUid('root')).toMatchObject({
      is_admin: true,
      teacher: null,
      student: null,
    });
    expect(await storage.people.findPersonByUid('nobody')).toBeNull();
    expect(await storage.people.findPersonByUid('ADA')).toBeNull();
  });

  test('[STORE-92] people are found many at once, each as by their own uid, unknown ones left out', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const uids = ['bo', 'nobody', 'ada', 'root', 'ADA', 'bo', '', 'cy'];
    const found = await storage.people.findPeopleByUid(uids);
    expect([...found.keys()].sort()).toEqual(['ada', 'bo', 'cy', 'root']);
    for (const [uid, person] of found) expect(person).toEqual(await storage.people.findPersonByUid(uid));
    expect((await storage.people.findPeopleByUid([])).size).toBe(0);
    const ids = Array.from({ length: 1_000 }, (_, n) => `many-${n}`);
    await importAll(storage, schoolOf({ students: ids.map((id) => ({ id, uid: `uid-of-${id}` })) }));
    const all = await storage.people.findPeopleByUid(ids.map((id) => `uid-of-${id}`));
    expect(all.size).toBe(1_000);
    expect(ids.every((id) => all.get(`uid-of-${id}`)?.student?.student_id === id)).toBe(true);
  });

  test('[STORE-2] students are found by profile id, user id and uid under the reference as given', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const userId = (await storage.people.findPersonByUid('cy'))?.user_id ?? '';
    const found = await storage.people.findStudents([
      'student-1',
      userId,
      'di',
      'nobody',
      'ada',
      'teacher-1',
      'student-1',
    ]);
    expect([...found.keys()].sort()).toEqual([...new Set(['student-1', userId, 'di'])].sort());
    expect(found.get('student-1')).toMatchObject({ student_id: 'student-1', uid: 'bo', roll: '1907002' });
    expect(found.get(userId)).toMatchObject({ student_id: 'student-2', user_id: userId });
    expect(found.get('di')).toEqual({
      student_id: 'student-3',
      user_id: expect.any(String),
      uid: 'di',
      name: 'Di Hart',
      email: null,
      roll: null,
      section: null,
      profile_picture: null,
    });
    expect((await storage.people.findStudents([])).size).toBe(0);
  });

  test('[STORE-2] a profile id is preferred to a user id and a user id to a uid', async () => {
    const { storage } = harness();
    await importAll(storage, schoolOf({ students: [{ id: 'profile-of-b', uid: 'b' }] }));
    const userOfB = (await storage.people.findPersonByUid('b'))?.user_id ?? '';
    // Three students whom one text may name: by profile id, by user id, by uid.
    await importAll(storage, schoolOf({ students: [{ id: userOfB, uid: 'owner-of-that-profile-id' }] }));
    await importAll(storage, schoolOf({ students: [{ id: 'third', uid: 'profile-of-b' }] }));
    const found = await storage.people.findStudents([userOfB, 'profile-of-b', 'third']);
    expect(found.get(userOfB)).toMatchObject({ uid: 'owner-of-that-profile-id' });
    expect(found.get('profile-of-b')).toMatchObject({ uid: 'b' });
    expect(found.get('third')).toMatchObject({ student_id: 'third' });
  });

  test('[STORE-2] thousands of references are resolved in one call', async () => {
    const { storage } = harness();
    const ids = Array.from({ length: 3000 }, (_, i) => `s${i}`);
    await importAll(storage, schoolOf({ students: ids.map((id) => ({ id, uid: `u-${id}` })) }));
    const refs = ids.flatMap((id) => [id, `u-${id}`, `x-${id}`]);
    const found = await storage.people.findStudents(refs);
    expect(found.size).toBe(6000);
    expect(ids.every((id) => found.get(id)?.student_id === id && found.get(`u-${id}`)?.student_id === id)).toBe(true);
  });

  test('[STORE-3] ids and uids of any text are found under themselves alone', async () => {
    const { storage } = harness();
    const rest = HOSTILE_IDS.map((id, i) => ({ id, uid: `uid-${i}`, name: `name of ${id}`, roll: id }));
    const school = schoolOf({
      students: rest,
      courses: HOSTILE_IDS.map((id) => ({ id })),
      enrollments: HOSTILE_IDS.map((id) => ({ course_id: id, student_id: id })),
      sessions: HOSTILE_IDS.map((id) => ({ id, course_id: id, topic: id })),
    });
    expect((await importAll(storage, school)).added).toMatchObject({
      students: HOSTILE_IDS.length,
      sessions: HOSTILE_IDS.length,
    });
    const found = await storage.people.findStudents([...HOSTILE_IDS, 'missing', 'toString']);
    expect([...found.keys()].sort()).toEqual([...HOSTILE_IDS].sort());
    for (const [i, id] of HOSTILE_IDS.entries()) {
      expect(found.get(id)).toMatchObject({ student_id: id, uid: `uid-${i}`, name: `name of ${id}`, roll: id });
      expect(await storage.courses.findCourse(course(id))).toMatchObject({ course_id: id, title: `Course ${id}` });
      expect(await storage.projection.findSession(session(id))).toMatchObject({
        session_id: id,
        course_id: id,
        topic: id,
      });
      expect(await storage.courses.isEnrolled(course(id), student(id))).toBe(true);
      expect((await storage.courses.listRoster(course(id))).map((row) => row.student_id)).toEqual([id]);
    }
    await importAll(storage, schoolOf({ teachers: HOSTILE_IDS.map((uid, i) => ({ id: `t${i}`, uid, name: uid })) }));
    for (const [i, uid] of HOSTILE_IDS.entries()) {
      expect(await storage.people.findPersonByUid(uid)).toMatchObject({
        uid,
        name: uid,
        teacher: { teacher_id: `t${i}` },
      });
    }
  });

  test('[STORE-4] provisioning makes a user with the profile of their role', async () => {
    const { storage } = harness();
    const made = await storage.people.provisionPerson({
      uid: 'new-t',
      name: 'New T',
      email: 't@x.example',
      role: 'teacher',
    });
    expect(made).toEqual({
      user_id: expect.any(String),
      uid: 'new-t',
      name: 'New T',
      email: 't@x.example',
      profile_picture: null,
      is_admin: false,
      teacher: { teacher_id: expect.any(String), department: null, designation: null },
      student: null,
    });
    expect(await storage.people.findPersonByUid('new-t')).toEqual(made);

    const pupil = await storage.people.provisionPerson({ uid: 'new-s', name: 'New S', email: null, role: 'student' });
    expect(pupil).toMatchObject({ teacher: null, is_admin: false, student: { uid: 'new-s', name: 'New S' } });
    expect((await storage.people.findStudents(['new-s'])).get('new-s')).toEqual(pupil.student);

    const office = await storage.people.provisionPerson({ uid: 'new-a', name: 'New A', email: null, role: 'admin' });
    expect(office).toMatchObject({ is_admin: true, teacher: null, student: null });
  });

  test('[STORE-4] provisioning a uid that exists answers the person unchanged', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const before = await storage.people.findPersonByUid('ada');
    const again = await storage.people.provisionPerson({ uid: 'ada', name: 'Another', email: null, role: 'student' });
    expect(again).toEqual(before);
    expect(await storage.people.findPersonByUid('ada')).toEqual(before);
    expect((await storage.people.findStudents(['ada'])).size).toBe(0);
  });

  test('[STORE-4] many who provision one uid at the same time get one person', async () => {
    const { storage, reopen } = harness();
    const handles = [storage, (await reopen?.()) ?? storage];
    const people = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        (handles[i % 2] ?? storage).people.provisionPerson({ uid: 'one', name: `N${i}`, email: null, role: 'student' }),
      ),
    );
    expect(new Set(people.map((person) => JSON.stringify(person))).size).toBe(1);
    expect(people[0]).toEqual(await storage.people.findPersonByUid('one'));
  });

  test('[STORE-4] a provisioned student gets a profile id that nobody has, whatever their uid', async () => {
    const { storage } = harness();
    await importAll(storage, schoolOf({ students: [{ id: 'taken', uid: 'owner' }] }));
    const made = await storage.people.provisionPerson({ uid: 'taken', name: 'Late', email: null, role: 'student' });
    expect(made.student?.student_id).not.toBe('taken');
    expect(await storage.people.findPersonByUid('owner')).toMatchObject({
      student: { student_id: 'taken', uid: 'owner' },
    });
  });

  test('[STORE-5] a database is empty until it has a user', async () => {
    const { storage } = harness();
    expect(await storage.people.isEmpty()).toBe(true);
    await storage.people.provisionPerson({ uid: 'first', name: 'First', email: null, role: 'admin' });
    expect(await storage.people.isEmpty()).toBe(false);
  });

  test('[STORE-6] a course is found with its teacher and co-teachers', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    expect(await storage.courses.findCourse(course('course-1'))).toEqual({
      course_id: 'course-1',
      title: 'Databases',
      course_code: 'CSE-301',
      teacher_id: 'teacher-1',
      co_teacher_ids: [teacher('teacher-2')],
    });
    expect(await storage.courses.findCourse(course('course-2'))).toEqual({
      course_id: 'course-2',
      title: 'Logic',
      course_code: null,
      teacher_id: null,
      co_teacher_ids: [],
    });
    expect(await storage.courses.findCourse(course('course-3'))).toBeNull();
  });

  test('[STORE-7] only an approved enrolment counts', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const enrolled = (id: string, of = 'course-1') => storage.courses.isEnrolled(course(of), student(id));
    expect(await enrolled('student-1')).toBe(true);
    expect(await enrolled('student-3')).toBe(false);
    expect(await enrolled('student-4')).toBe(false);
    expect(await enrolled('student-3', 'course-2')).toBe(true);
    expect(await enrolled('student-1', 'course-2')).toBe(false);
    expect(await enrolled('nobody')).toBe(false);
    expect(await enrolled('student-1', 'nowhere')).toBe(false);
  });

  test('[STORE-8] a roster holds the approved students by roll, then name, without a roll last', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const roster = await storage.courses.listRoster(course('course-1'));
    expect(roster.map((row) => row.student_id)).toEqual(['student-2', 'student-1']);
    expect(roster[1]).toEqual((await storage.people.findPersonByUid('bo'))?.student);
    expect(await storage.courses.listRoster(course('nowhere'))).toEqual([]);

    const students = [
      { id: 'p', roll: '2', name: 'Zed' },
      { id: 'q', roll: '2', name: 'Abe' },
      { id: 'r', roll: '10', name: 'Mia' },
      { id: 's', roll: null, name: 'Kim' },
      { id: 't', roll: null, name: 'Jon' },
    ];
    await importAll(
      storage,
      schoolOf({
        students,
        courses: [{ id: 'c' }],
        enrollments: students.map(({ id }) => ({ course_id: 'c', student_id: id })),
      }),
    );
    expect((await storage.courses.listRoster(course('c'))).map((row) => row.student_id)).toEqual([
      'r',
      'q',
      'p',
      't',
      's',
    ]);
  });
}

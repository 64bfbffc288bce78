import { expect, test } from 'vitest';
import { course, importAll, rosterStudent, schoolOf } from '../contract/samples.js';
import { opened } from './openable.test.support.js';

test('[STORE-39] a profile whose uid changes goes over to the user of the new uid', async () => {
  const storage = await opened(':memory:');
  await importAll(storage, schoolOf({ students: [{ id: 's-1', uid: 'old-name', roll: '7' }] }));
  const renamed = schoolOf({ students: [{ id: 's-1', uid: 'new-name', roll: '7' }] });
  expect((await importAll(storage, renamed)).changed.students).toBe(1);
  expect(await storage.people.findPersonByUid('new-name')).toMatchObject({ student: { student_id: 's-1', roll: '7' } });
  expect(await storage.people.findPersonByUid('old-name')).toMatchObject({ student: null });
  expect((await importAll(storage, renamed)).left.students).toBe(1);
});

test('[STORE-39] two profiles may exchange their uids', async () => {
  const storage = await opened(':memory:');
  const of = (one: string, two: string) =>
    schoolOf({
      students: [
        { id: 's-1', uid: one, name: one },
        { id: 's-2', uid: two, name: two },
      ],
      courses: [{ id: 'c' }],
      enrollments: [
        { course_id: 'c', student_id: 's-1' },
        { course_id: 'c', student_id: 's-2' },
      ],
    });
  await importAll(storage, of('ann', 'ben'));
  await importAll(storage, of('ben', 'ann'));
  const roster = await storage.courses.listRoster(course('c'));
  expect(roster.map(({ student_id, uid }) => [student_id, uid])).toEqual([
    ['s-2', 'ann'],
    ['s-1', 'ben'],
  ]);
  expect((await importAll(storage, of('ben', 'ann'))).left.students).toBe(2);
});

test('[STORE-39] a student whose user went over to another profile is still found, by a name to call them', async () => {
  const storage = await opened(':memory:');
  await importAll(
    storage,
    schoolOf({
      students: [
        { id: 's-1', uid: 'ann' },
        { id: 's-2', uid: 'ben' },
      ],
    }),
  );
  await importAll(storage, schoolOf({ students: [{ id: 's-2', uid: 'ann' }] }));
  const found = await storage.people.findStudents(['s-1', 's-2', 'ann']);
  expect(found.get('s-1')).toEqual({ ...rosterStudent('s-1'), name: 's-1' });
  expect(found.get('ann')).toMatchObject({ student_id: 's-2', uid: 'ann' });
});

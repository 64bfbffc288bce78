import type { CourseId, StudentId } from '@rollcall/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { importAll, SCHOOL } from '../storage/contract/samples.js';
import { SqliteStorage } from '../storage/sqlite/storage.js';
import { Directory } from './directory.js';

const COURSE = 'course-1' as CourseId;
const STUDENT = 'student-1' as StudentId;

async function school() {
  const storage = new SqliteStorage({ path: ':memory:' });
  onTestFinished(() => storage.close());
  await storage.open();
  await importAll(storage, SCHOOL);
  return { storage, directory: new Directory(storage) };
}

test('[LIST-12] what was changed here counts at once, whatever was known of it', async () => {
  const { storage, directory } = await school();
  expect(await directory.person('bo')).toMatchObject({ name: 'Bo Lind' });
  expect(await directory.course(COURSE)).toMatchObject({ title: 'Databases' });
  expect(await directory.isEnrolled(COURSE, STUDENT)).toBe(true);
  await storage.accounts.changeAccount('bo', { name: 'Bo Lindqvist' });
  await storage.catalogue.changeCourse(COURSE, { title: 'Databases I' });
  await storage.catalogue.withdraw(COURSE, STUDENT);
  expect(directory.personNow('bo')?.name).toBe('Bo Lind');
  directory.personChanged('bo');
  directory.courseChanged(COURSE);
  directory.enrollmentChanged(COURSE, STUDENT);
  expect(await directory.person('bo')).toMatchObject({ name: 'Bo Lindqvist' });
  expect(await directory.course(COURSE)).toMatchObject({ title: 'Databases I' });
  expect(await directory.isEnrolled(COURSE, STUDENT)).toBe(false);
});

test('[LIST-12] an answer to a question from before a change is not remembered', async () => {
  const { storage, directory } = await school();
  // Asked before the change, and answered from before it, since the database takes them in order.
  const before = Promise.all([directory.person('bo'), directory.course(COURSE), directory.isEnrolled(COURSE, STUDENT)]);
  await new Promise((resolve) => setImmediate(resolve));
  const changes = Promise.all([
    storage.accounts.changeAccount('bo', { name: 'Bo Lindqvist' }),
    storage.catalogue.changeCourse(COURSE, { title: 'Databases I' }),
    storage.catalogue.withdraw(COURSE, STUDENT),
  ]);
  directory.personChanged('bo');
  directory.courseChanged(COURSE);
  directory.enrollmentChanged(COURSE, STUDENT);
  await before;
  await changes;
  expect(directory.personNow('bo')).toBeUndefined();
  expect(directory.courseNow(COURSE)).toBeUndefined();
  expect(await directory.person('bo')).toMatchObject({ name: 'Bo Lindqvist' });
  expect(await directory.course(COURSE)).toMatchObject({ title: 'Databases I' });
  expect(await directory.isEnrolled(COURSE, STUDENT)).toBe(false);
});

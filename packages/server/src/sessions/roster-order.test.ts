import { expect, test } from 'vitest';
import { accepted, dataOf, end, joined, mark, startedClass } from '../testing/class.js';
import { schoolOf } from '../testing/school.js';
import type { Payload } from '../testing/server.js';

const ROLLS = ['10', '9', 'B1', 'A10', '2', 'A2', '1'];
const AS_READ = ['1', '2', '9', '10', 'A2', 'A10', 'B1'];

/** Students with these rolls, by place; the outsider, who isn't on the roster, has roll 5. */
const school = (() => {
  const { students, ...lists } = schoolOf(ROLLS.length);
  const withRolls = students.map((row, index) => ({
    ...row,
    roll: row.uid === 'outsider' ? '5' : (ROLLS[index] ?? row.roll),
  }));
  return { ...lists, students: withRolls };
})();

const rollsOf = (records: unknown) => (records as { student: { roll: string } }[]).map(({ student }) => student.roll);

test('[DATA-100] records in every answer, and online students, are in the order of the roster, also who came later', async () => {
  const { server, teacher, started } = await startedClass(0, { school });
  expect(rollsOf(started['attendanceRecords'])).toEqual(AS_READ);
  await accepted(mark(teacher, 'outsider', 'late', { walk_in: true }));
  const withOutsider = AS_READ.toSpliced(2, 0, '5');
  expect(rollsOf((await dataOf(teacher))['attendanceRecords'])).toEqual(withOutsider);

  for (const uid of ['s-4', 's-1', 's-6', 's-2']) await joined(server, uid);
  const online = await accepted(teacher.send('getOnlineStudents', { session_id: 'session-1' }));
  const rolls = (online['online_students'] as { roll: string }[]).map(({ roll }) => roll);
  expect(rolls).toEqual(['9', '10', 'A2', 'A10']);

  const restarted = await server.restart();
  const again = await restarted.connect('ada');
  expect(rollsOf((await dataOf(again))['attendanceRecords'])).toEqual(withOutsider);
  const { finalData } = await accepted(end(again));
  expect(rollsOf((finalData as Payload)['attendanceRecords'])).toEqual(withOutsider);
  expect(rollsOf((await dataOf(again))['attendanceRecords'])).toEqual(withOutsider);
});

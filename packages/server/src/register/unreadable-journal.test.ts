import { expect, test } from 'vitest';
import { accepted, mark, refused, startedClass, UNLIMITED } from '../testing/class.js';
import { fileOf, otherConnection } from '../testing/database-file.js';
import { schoolOf } from '../testing/school.js';
import { startServer } from '../testing/server.js';

const session_id = 'session-2';
const UNREADABLE = { code: 'JOURNAL_UNREADABLE', retryable: false };

/** What a newer server, or a disk that forgets, leaves behind session-2's opening. */
const DAMAGES = {
  'a format of a newer version': `UPDATE journal SET format = 3`,
  'an entry type of a newer version': `UPDATE journal SET facts = replace(facts, '"type":"marked"', '"type":"moved"')`,
  'facts that are no JSON': `UPDATE journal SET facts = substr(facts, 2)`,
  'an entry that is missing': `UPDATE journal SET first_seq = 3, last_seq = 3`,
  'a student who is not on the roster': `UPDATE journal SET facts = replace(facts, 'student-outsider', 'nobody')`,
} as const;

test.each(Object.entries(DAMAGES))(
  '[JOURNAL-5] with %s one session is left alone by name, and all others go on',
  async (_, sql) => {
    const lines: string[] = [];
    const server = await startServer({ ...UNLIMITED, LOG_LEVEL: 'error' }, schoolOf(3), {
      onLog: (line) => lines.push(line),
    });
    const [ada, eve] = [await server.connect('ada'), await server.connect('eve')];
    await accepted(ada.send('startAttendanceSession', { session_id: 'session-1' }));
    await accepted(eve.send('startAttendanceSession', { session_id }));
    await accepted(mark(eve, 'student-outsider', 'present', { session_id }));
    await server.close();
    otherConnection(fileOf(server)).exec(`${sql} WHERE session_id = '${session_id}' AND first_seq = 2`);

    const again = await server.restart();
    expect([...again.rollcall.storage.kind]).not.toEqual([]);
    const [first, second] = [await again.connect('ada'), await again.connect('eve')];
    expect(await accepted(mark(first, 'student-1', 'late'))).toMatchObject({ seq: 2 });
    for (let n = 0; n < 2; n += 1) {
      expect(await refused(mark(second, 'student-outsider', 'late', { session_id }))).toMatchObject(UNREADABLE);
      expect(await refused(second.send('startAttendanceSession', { session_id }))).toMatchObject(UNREADABLE);
    }
    const told = lines.filter((line) => line.includes('left alone'));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(session_id);
    const ready = await fetch(`${again.url}/readyz`);
    expect(ready.status).toBe(200);
    const body = (await ready.json()) as { status: string; details: string[] };
    expect(body).toMatchObject({ status: 'ready', details: [expect.stringContaining(`session "${session_id}"`)] });
  },
);

test('[JOURNAL-5] a running session that another version writes to is left alone, and all others go on', async () => {
  const { server, teacher } = await startedClass(3);
  const eve = await server.connect('eve');
  await accepted(eve.send('startAttendanceSession', { session_id }));
  otherConnection(fileOf(server)).exec(
    `INSERT INTO journal SELECT session_id, 2, 2, 3, facts, personal, chain FROM journal WHERE session_id = '${session_id}'`,
  );
  for (let n = 0; n < 2; n += 1) {
    expect(await refused(mark(eve, 'student-outsider', 'late', { session_id }))).toMatchObject(UNREADABLE);
  }
  expect(await accepted(mark(teacher, 'student-1', 'late'))).toMatchObject({ seq: 2 });
});

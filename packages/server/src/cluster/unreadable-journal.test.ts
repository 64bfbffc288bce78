import { createConnection } from 'mongoose';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { TestServer } from '../testing/server.js';
import { missing, PATIENCE, startNodes } from './nodes.test.support.js';

const SESSION = { session_id: 'session-2' };

describe.skipIf(missing !== '')(`journals of a newer version${missing ? ` (${missing})` : ''}`, () => {
  test('[JOURNAL-5] a session that a newer node writes to is left alone by two nodes, and others go on', async () => {
    const { nodes } = await startNodes(2, 3);
    const [here, there] = nodes as [TestServer, TestServer];
    const [ada, eve, cyd] = [await here.connect('ada'), await here.connect('eve'), await there.connect('cyd')];
    await ada.send('startAttendanceSession', { session_id: 'session-1' });
    expect(await eve.send('startAttendanceSession', SESSION)).toMatchObject({ ok: true });
    await expect
      .poll(async () => (await cyd.send('watchAttendanceSession', { session_id: 'session-1' })).ok, PATIENCE)
      .toBe(true);

    const { database } = here.config;
    const raw = await createConnection(database.kind === 'mongodb' ? database.uri : '').asPromise();
    onTestFinished(() => raw.destroy());
    const journal = raw.collection('rollcall_journal');
    const opening = await journal.findOne({ _id: 'session-2:1' as never });
    if (!opening) throw new Error('session-2 has no journal');
    const { facts, personal, chain } = opening;
    await journal.insertOne({
      _id: 'session-2:2' as never,
      session_id: 'session-2',
      ...{ first_seq: 2, last_seq: 2, format: 3, facts, personal, chain },
    });

    const mark = { ...SESSION, student_id: 'student-outsider' };
    const code = async (node: TestServer) =>
      (await (await node.connect('eve')).send('markStudentPresent', mark)).error?.code;
    for (const node of [here, there, here]) await expect.poll(() => code(node), PATIENCE).toBe('JOURNAL_UNREADABLE');
    for (const { url } of nodes) {
      const body = (await (await fetch(`${url}/readyz`)).json()) as { details: string[] };
      expect(body.details).toContainEqual(expect.stringMatching(/"session-2".*format 3/));
    }
    for (const [n, teacher] of [ada, cyd].entries()) {
      const marked = { session_id: 'session-1', student_id: `student-${n + 1}` };
      expect(await teacher.send('markStudentPresent', marked)).toMatchObject({ ok: true, seq: n + 2 });
    }
  });
});

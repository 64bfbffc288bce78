import type { CourseId, SessionId } from '@rollcall/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { ReportThread } from './report-thread.js';
import type { ReportMessage } from './report-worker.js';

const parts = {
  course: { _id: 'c' as CourseId, title: null, course_code: null },
  range: { from: null, to: null },
  zone: 'UTC',
  codes: null,
  sessions: [],
  students: [],
  amendments: [],
  unreadable: new Set<SessionId>(),
};
const empty: ReportMessage = { kind: 'course', format: 'json', parts };

function freshThread(): ReportThread {
  const thread = new ReportThread();
  onTestFinished(() => thread.close());
  return thread;
}

test('[REPORT-17] reports are made one at a time, and one that fails leaves the next alone', async () => {
  const thread = freshThread();
  const order: string[] = [];
  const make = (name: string, fails = false) =>
    thread.make(async (send) => {
      order.push(`${name} is read`);
      if (fails) throw new Error('the database is away');
      send(empty);
    });
  const first = make('first').then(() => order.push('first is made'));
  const second = make('second', true);
  const third = make('third').then((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
  await first;
  await expect(second).rejects.toThrow('the database is away');
  expect(await third).toMatchObject({ rows: [], summary: { students: 0, rate: null } });
  expect(order).toEqual(['first is read', 'first is made', 'second is read', 'third is read']);
});

test('[REPORT-17] what can’t wait any more, and what is asked for after the end, is OVERLOADED', async () => {
  const thread = freshThread();
  let go: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const waiting = Array.from({ length: 20 }, () =>
    thread.make(async (send) => {
      await gate;
      send(empty);
    }),
  );
  const refused = expect.objectContaining({ code: 'OVERLOADED', details: { retry_after: 5 } });
  await expect(thread.make(async () => {})).rejects.toEqual(refused);
  const settled = Promise.allSettled(waiting);
  const closed = thread.close();
  go();
  await closed;
  for (const outcome of await settled) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'OVERLOADED' } });
  }
  await expect(thread.make(async () => {})).rejects.toEqual(refused);
});

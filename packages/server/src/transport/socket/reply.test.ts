import { RollcallError } from '@rollcall/protocol';
import { expect, test } from 'vitest';
import { schoolOf } from '../../testing/school.js';
import { startServer } from '../../testing/server.js';
import { embeddedAnswers, Reply, refusalOf, standaloneAnswers } from './reply.js';

test.each([
  ['a server of our own', standaloneAnswers(() => {})],
  ['another’s server', embeddedAnswers],
])('[ANS-1] [ANS-19] on %s an answer that cannot be encoded is refused, and that once', async (_, wire) => {
  const server = await startServer({}, schoolOf(1));
  const { socket } = await server.connect('ada');
  const [there] = server.rollcall.io.of('/').sockets.values();
  if (!there) throw new Error('not connected');
  const refused: unknown[] = [];
  there.on('odd', (...args: unknown[]) => {
    const reply = new Reply(there, 'getOnlineStudents', args, wire);
    try {
      // JSON has no such number, as a database's driver may hand one on.
      reply.succeed('onlineStudentsData', { total: 1n });
    } catch (error) {
      refused.push(error);
      reply.refuse(refusalOf(error));
      reply.refuse(new RollcallError('OVERLOADED'));
    }
  });
  const errors: unknown[] = [];
  socket.on('attendanceError', (error) => errors.push(error));
  const answer = await socket.timeout(20_000).emitWithAck('odd', {});
  expect(answer).toMatchObject({ ok: false, error: { code: 'INTERNAL' } });
  expect(refused).toHaveLength(1);
  socket.emit('odd', {});
  await expect.poll(() => errors).toHaveLength(2);
  expect(errors).toEqual([
    expect.objectContaining({ code: 'INTERNAL' }),
    expect.objectContaining({ code: 'INTERNAL' }),
  ]);
});

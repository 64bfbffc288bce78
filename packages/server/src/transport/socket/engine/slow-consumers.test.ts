import { connect } from 'node:net';
import { io } from 'socket.io-client';
import { expect, onTestFinished, test } from 'vitest';
import { schoolOf } from '../../../testing/school.js';
import { startServer, tokenOf } from '../../../testing/server.js';

const PATIENCE = { timeout: 60_000, interval: 20 };

/** A websocket client by hand, since a library would always read: it says CONNECT, asks, and never reads again. */
async function deafClient(port: number, token: string, asks: string[]): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => {
    socket.destroy();
  });
  socket.on('error', () => {});
  const frame = (text: string): Buffer => {
    const body = Buffer.from(text);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(body.length);
    // A masked text frame; a mask of zeros leaves the text as it is.
    return Buffer.concat([Buffer.from([0x81, 0x80 | 126]), length, Buffer.alloc(4), body]);
  };
  let heard = '';
  const hears = (word: string) =>
    new Promise<void>((resolve) => {
      const listen = (bytes: Buffer) => {
        heard += bytes.toString('latin1');
        if (!heard.includes(word)) return;
        socket.off('data', listen);
        resolve();
      };
      socket.on('data', listen);
    });
  socket.write(
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n' +
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await hears('pingInterval');
  socket.write(frame(`40${JSON.stringify({ token })}`));
  // An event sent before the server has let it in would end the connection, and that isn't what is tried.
  await hears('40{"sid"');
  socket.pause();
  for (const ask of asks) socket.write(frame(ask));
}

test('[CONN-25] a client that stops reading is dropped once its buffer has reached its bound, others go on', async () => {
  const log: string[] = [];
  const onLog = (line: string) => void log.push(line);
  const variables = { LOG_LEVEL: 'warn', RATE_LIMIT_TEACHER_PER_SECOND: '0' };
  const server = await startServer(variables, schoolOf(300), { onLog });
  // Not one of our own clients, which look into all that they get: it has to be faster than the server's patience.
  const teacher = io(server.url, { auth: { token: await tokenOf('ada') }, transports: ['websocket'], forceNew: true });
  onTestFinished(() => void teacher.disconnect());
  await teacher.emitWithAck('startAttendanceSession', { session_id: 'session-1' });
  const before = server.rollcall.io.engine.clientsCount;
  const watch = `42${JSON.stringify(['watchAttendanceSession', { session_id: 'session-1' }])}`;
  await deafClient(server.port, await tokenOf('cyd'), [watch]);
  await expect.poll(() => server.rollcall.io.engine.clientsCount, PATIENCE).toBe(before + 1);
  // Nearly half a megabyte each, to every teacher.
  for (let n = 0; n < 120 && server.rollcall.io.engine.clientsCount > before; n += 1) {
    const remarks = `${n} `.padEnd(1_000, 'x');
    const attendanceUpdates = Array.from({ length: 300 }, (_, student) => ({
      student_id: `student-${student + 1}`,
      status: 'late',
      remarks,
    }));
    await teacher.emitWithAck('bulkUpdateAttendance', { session_id: 'session-1', attendanceUpdates });
  }
  await expect.poll(() => server.rollcall.io.engine.clientsCount, PATIENCE).toBe(before);
  // Without the bound it would go all the same, once it has answered no ping for long enough.
  expect(log.join()).toContain('dropped a client that stopped reading');
  const answer = await teacher.emitWithAck('markStudentPresent', { session_id: 'session-1', student_id: 'student-1' });
  expect(answer).toMatchObject({ ok: true });
});

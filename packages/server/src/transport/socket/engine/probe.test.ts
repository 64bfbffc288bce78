import type { Socket as TcpSocket } from 'node:net';
import type { Server as ServerOf } from 'socket.io';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { accepted, caughtUp, dataOf, joined, mark, rowOf, UNLIMITED } from '../../../testing/class.js';
import { OtherWebSocketServer } from '../../../testing/other-websockets.js';
import { schoolOf } from '../../../testing/school.js';
import { type Client, type ServerOptions, startServer, type TestServer } from '../../../testing/server.js';
import { engineConnectionOf } from './connection.js';
import { parser } from './encoder.js';
import { whyNotStraight } from './probe.js';

const session_id = 'session-1';

async function started(options: ServerOptions = {}) {
  const log: string[] = [];
  const onLog = (line: string) => void log.push(line);
  const server = await startServer({ ...UNLIMITED, LOG_LEVEL: 'warn' }, schoolOf(30), { ...options, onLog });
  const teacher = await server.connect('ada');
  await accepted(teacher.send('startAttendanceSession', { session_id }));
  return { server, teacher, warnings: () => log.filter((line) => line.includes('Engine.IO or ws')) };
}

const tcpOf = (server: TestServer, { socket }: Client): TcpSocket => {
  const there = server.rollcall.io.of('/').sockets.get(String(socket.id));
  const tcp = there && engineConnectionOf(there.conn).transport.socket?._socket;
  if (!tcp) throw new Error('no TCP socket');
  return tcp;
};

test('[BATCH-240] with the versions of the lockfile a commit’s events go to a listener in one write, without a warning', async () => {
  const { server, teacher, warnings } = await started({ wsEngine: WebSocketServer });
  const listener = await joined(server, 's-1');
  await caughtUp(listener, teacher);
  const tcp = tcpOf(server, listener);
  let writes = 0;
  tcp.write = new Proxy(tcp.write, {
    apply(write, self, args) {
      writes += 1;
      return Reflect.apply(write, self, args);
    },
  });
  await Promise.all(Array.from({ length: 20 }, (_, n) => accepted(mark(teacher, `student-${n + 1}`, 'late'))));
  await expect.poll(() => listener.all('attendanceUpdated').length, { timeout: 60_000 }).toBe(20);
  // By Socket.IO's public way each event would be one write at least.
  expect(writes).toBeLessThan(15);
  expect(warnings()).toEqual([]);
  expect(await whyNotStraight({ wsEngine: WebSocketServer, parser })).toBeUndefined();
});

test('[BATCH-240] with websockets of another kind the server starts, warns once, and everybody gets everything in order', async () => {
  const { server, teacher, warnings } = await started({ wsEngine: OtherWebSocketServer });
  const polling = await server.connect('s-2', { transports: ['polling'] });
  const listener = await joined(server, 's-1');
  await accepted(polling.send('joinAttendanceSession', { session_id }));
  const marks = Array.from({ length: 20 }, (_, n) => accepted(mark(teacher, `student-${n + 1}`, 'late')));
  const seqs = (await Promise.all(marks)).map(({ seq }) => seq);
  await caughtUp(teacher, listener, polling);
  for (const client of [teacher, listener, polling]) {
    expect(client.all('attendanceUpdated').map(({ seq }) => seq)).toEqual(seqs);
  }
  await server.connect('s-3');
  expect(warnings()).toHaveLength(1);
  expect(warnings()[0]).toContain('takes no frame');
  expect(rowOf(await dataOf(teacher), 'student-20')).toMatchObject({ status: 'late' });
  await accepted(teacher.send('endAttendanceSession', { session_id }));
  await listener.next('attendanceSessionEnded');
});

/** Frames that were made beforehand go astray: what was used is there, and does something else. */
class SwallowingWebSocketServer extends WebSocketServer {
  override handleUpgrade(...[request, socket, head, callback]: Parameters<WebSocketServer['handleUpgrade']>): void {
    super.handleUpgrade(request, socket, head, (client, upgraded) => {
      const { _sender } = client as unknown as {
        readonly _sender: { sendFrame(frames: Buffer[], sent: () => void): void };
      };
      const sendFrame = _sender.sendFrame.bind(_sender);
      _sender.sendFrame = (frames, sent) => (frames.length === 1 ? sent() : sendFrame(frames, sent));
      callback(client, upgraded);
    });
  }
}

test('[BATCH-240] what looks the same and does something else is found out as well', async () => {
  const why = await whyNotStraight({ wsEngine: SwallowingWebSocketServer, parser });
  expect(why).toBe('what is written straight arrives otherwise');
  expect(await whyNotStraight({ wsEngine: OtherWebSocketServer, parser })).toBe(
    'the websocket takes no frame that was made beforehand',
  );
});

test('[BATCH-240] websockets that serve nobody are told, and not waited for', async () => {
  class Deaf extends WebSocketServer {
    override handleUpgrade(): void {}
  }
  const why: string | undefined = await whyNotStraight({ wsEngine: Deaf as unknown as ServerOf['engine'], parser });
  expect(why).toBe('a connection of its own was not answered');
  expect(WebSocket.OPEN).toBe(1);
});

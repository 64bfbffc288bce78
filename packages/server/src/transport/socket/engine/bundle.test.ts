import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { accepted, caughtUp, joined, startedClass } from '../../../testing/class.js';
import { type Answer, type Client, type Payload, tokenOf } from '../../../testing/server.js';
import { forEachMember, framesOf } from './bundle.js';

const session_id = 'session-1';

interface WebsocketReader {
  /** What a websocket client that isn't ours makes of these bytes. */
  read(bytes: Buffer, count: number): Promise<string[]>;
}

/** A client of another library, connected to a socket that sends whatever it is told to. */
async function websocketReader(): Promise<WebsocketReader> {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  const upgraded = new Promise<Duplex>((resolve) => {
    server.on('upgrade', ({ headers }: IncomingMessage, socket: Duplex) => {
      // RFC 6455, 4.2.2.
      const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash('sha1').update(key).digest('base64');
      const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
      socket.write(`${[...head, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`);
      resolve(socket);
    });
  });
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => client.terminate());
  const messages: string[] = [];
  client.on('message', (data, binary) => messages.push(`${binary ? 'binary ' : ''}${data}`));
  let failure: Error | undefined;
  client.on('error', (error) => {
    failure = error;
  });
  const socket = await upgraded;
  return {
    async read(bytes, count) {
      messages.length = 0;
      socket.write(bytes);
      await expect.poll(() => failure ?? messages.length, { timeout: 30_000, interval: 1 }).toBe(count);
      return [...messages];
    },
  };
}

test('[BATCH-6] texts of every length and script are frames that any websocket client reads', async () => {
  const lengths = [0, 1, 124, 125, 126, 65_533, 65_534, 65_535, 65_536, 200_000];
  const long = lengths.flatMap((length) => [
    'x'.repeat(length),
    'é'.repeat(length),
    '日'.repeat(length),
    '😀'.repeat(length),
  ]);
  const client = await websocketReader();
  expect(await client.read(framesOf(long), long.length)).toEqual(long.map((text) => `4${text}`));
  const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 300 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(texts, async (some) => {
      expect(await client.read(framesOf(some), some.length)).toEqual(some.map((text) => `4${text}`));
    }),
  );
});

test('[BATCH-6] a socket that is in several of the rooms is visited once', () => {
  const socket = fc.integer({ min: 0, max: 6 }).map(String);
  const room = fc.uniqueArray(socket).map((members) => new Set(members));
  const name = fc.constantFrom('a', 'b', 'c', 'nowhere');
  fc.assert(
    fc.property(room, room, room, fc.uniqueArray(name), (a, b, c, names) => {
      const rooms = new Map([
        ['a', a],
        ['b', b],
        ['c', c],
      ]);
      const visited: string[] = [];
      forEachMember(rooms, names, (id) => visited.push(id));
      const expected = new Set(names.flatMap((each) => [...(rooms.get(each) ?? [])]));
      expect([...visited].sort()).toEqual([...expected].sort());
    }),
  );
});

const seqsOf = (client: Client): unknown[] => client.all('attendanceUpdated').map((payload: Payload) => payload['seq']);

test('[BATCH-6] [MARK-9] marks of one commit come to websockets and to long polling one by one, in order', async () => {
  const { server, teacher } = await startedClass(20);
  const polling = await server.connect('s-1', { transports: ['polling'] });
  const upgraded = await server.connect('s-2', { transports: ['polling', 'websocket'] });
  const websocket = await joined(server, 's-3');
  for (const client of [polling, upgraded]) await accepted(client.send('joinAttendanceSession', { session_id }));
  const remarks = 'späť — 遅刻 😴 '.repeat(30);
  const marks = Array.from({ length: 20 }, (_, n) =>
    teacher.send('markStudentAttendance', { session_id, student_id: `student-${n + 1}`, status: 'late', remarks }),
  );
  const seqs = (await Promise.all(marks.map(accepted))).map(({ seq }) => seq);
  await caughtUp(teacher, polling, upgraded, websocket);
  for (const client of [teacher, polling, upgraded, websocket]) {
    expect(seqsOf(client)).toEqual(seqs);
    for (const payload of client.all('attendanceUpdated'))
      expect(payload['attendanceRecord']).toMatchObject({ remarks });
  }
});

test.each([
  ['one by one', false],
  ['in one frame', true],
])('[BATCH-6] who gets changes %s and joins behind a mark of the same commit is not told of it', async (_, batched) => {
  const { server, teacher } = await startedClass(100);
  const token = await tokenOf('s-1');
  const client = { name: 'test', version: '1', batched };
  const newcomer = await server.connect('s-1', { token, auth: { token, client } });
  const marks = Array.from({ length: 50 }, (_, n) =>
    teacher.send('markStudentPresent', { session_id, student_id: `student-${n + 2}` }),
  );
  const join = newcomer.send('joinAttendanceSession', { session_id });
  const more = Array.from({ length: 50 }, (_, n) =>
    teacher.send('markStudentAbsent', { session_id, student_id: `student-${n + 2}` }),
  );
  const answers = await Promise.all([join, ...marks, ...more].map(accepted));
  await caughtUp(newcomer);
  const joinedAt = Number(answers[0]?.['seq']);
  const later = answers.slice(1).flatMap(({ seq }) => (Number(seq) > joinedAt ? [seq] : []));
  const changes = newcomer.all('attendanceChanges').flatMap((batch) => batch['changes'] as Array<{ seq: number }>);
  expect(batched ? changes.map(({ seq }) => seq) : seqsOf(newcomer)).toEqual(later);
});

test('[BATCH-6] [MARK-9] who reads in fits and starts gets answers, updates and statistics in order', async () => {
  const { server, teacher } = await startedClass(1_000);
  const slow = await server.connect('cyd');
  const line = (slow.socket.io.engine.transport as unknown as { readonly ws: WebSocket }).ws;
  const asked: Promise<Answer>[] = [];
  const marked: unknown[] = [];
  await accepted(slow.send('getAttendanceSessionData', { session_id }));
  for (let fit = 0; fit < 3; fit += 1) {
    line.pause();
    // Answers of 450 KB, twice each: more than a connection takes that isn't read, so what follows has to wait.
    for (let n = 0; n < 12; n += 1) {
      asked.push(accepted(slow.send('getAttendanceSessionData', { session_id })));
      const student_id = `student-${fit * 12 + n + 1}`;
      marked.push((await accepted(teacher.send('markStudentPresent', { session_id, student_id })))['seq']);
    }
    line.resume();
    await Promise.all(asked);
  }
  await caughtUp(slow);
  expect(seqsOf(slow)).toEqual(marked);
  const all = slow.events.map(({ payload }) => Number(payload['seq']));
  expect(all).toEqual([...all].sort((a, b) => a - b));
});

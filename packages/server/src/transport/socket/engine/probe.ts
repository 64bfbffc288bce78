import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { Server, type ServerOptions, type Socket } from 'socket.io';
import { WebSocket } from 'ws';
import { EncodedPayload } from '../../../encoded-payload.js';
import { type Bundle, FrameWriter } from './bundle.js';
import { coalesceWrites } from './coalesce-writes.js';
import { engineConnectionOf, idleTcpOf, takesFrames } from './connection.js';

const WITHIN_MS = 5_000;
/** Shorter and longer than what fits the short forms of a frame's length. */
const LENGTHS = [1, 200, 70_000];

/**
 * Tries on a server and a client of its own whether events written past Engine.IO and ws arrive as they would by way of
 * them: whole, once and in order, on a connection that is idle and on one that is not.
 * @param options those of the server that is to be started
 * @returns why what is installed can't be written to like that; undefined where it can
 */
export async function whyNotStraight(options: Pick<ServerOptions, 'wsEngine' | 'parser'>): Promise<string | undefined> {
  const http = createServer();
  const io = new Server(http, { ...options, serveClient: false, transports: ['websocket'] });
  // Whoever holds on to a connection must not hold up the start.
  const connections = new Set<TcpSocket>();
  http.on('connection', (connection: TcpSocket) => connections.add(connection));
  let client: WebSocket | undefined;
  let late: NodeJS.Timeout | undefined;
  try {
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const timedOut = new Promise<string>((resolve) => {
      late = setTimeout(() => resolve('a connection of its own was not answered'), WITHIN_MS);
    });
    const sendNow = coalesceWrites(io);
    const connected = new Promise<Socket>((resolve) => io.once('connection', resolve));
    client = new WebSocket(
      `ws://127.0.0.1:${(http.address() as AddressInfo).port}/socket.io/?EIO=4&transport=websocket`,
    );
    // It is looked into by those who wait for it; what comes after that is nobody's business.
    client.on('error', () => {});
    return await Promise.race([timedOut, tryOut(io, connected, client, sendNow)]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(late);
    client?.terminate();
    for (const connection of connections) connection.destroy();
    await io.close();
  }
}

async function tryOut(
  io: Server,
  connected: Promise<Socket>,
  client: WebSocket,
  sendNow: () => void,
): Promise<string | undefined> {
  const heard: string[] = [];
  let heardAll = () => {};
  client.on('message', (data) => {
    const text = String(data);
    if (text.startsWith('42')) heard.push(text);
    if (text.includes('"over"')) heardAll();
  });
  const over = new Promise<void>((resolve) => {
    heardAll = resolve;
  });
  await once(client, 'open');
  client.send('40');
  const socket = await connected;
  const connection = engineConnectionOf(socket.conn);
  if (!Array.isArray(connection.writeBuffer)) return 'Engine.IO keeps what waits elsewhere';
  if (!takesFrames(connection)) return 'the websocket takes no frame that was made beforehand';
  const until = performance.now() + WITHIN_MS;
  while (!idleTcpOf(connection)) {
    if (performance.now() > until) return 'the websocket’s connection is not where it was';
    await turn();
  }
  const writer = new FrameWriter(io.of('/'), sendNow);
  const sent: string[] = [];
  const single = (name: string): void => {
    sent.push(`42${JSON.stringify([name, {}])}`);
    socket.emit(name, {});
  };
  const bundled = (name: string): void => {
    const notices = LENGTHS.map((length) => ({
      event: name,
      payload: EncodedPayload.of({ text: 'é'.repeat(length) }),
    }));
    for (const { event, payload } of notices) sent.push(`42["${event}",${payload.json}]`);
    const bundle: Bundle = { rooms: [socket.id], notices };
    writer.toRooms(bundle);
  };
  bundled('idle');
  bundled('behind a write');
  single('alone');
  bundled('behind a packet');
  await turn();
  single('later');
  bundled('later');
  single('over');
  await over;
  return JSON.stringify(heard) === JSON.stringify(sent) ? undefined : 'what is written straight arrives otherwise';
}

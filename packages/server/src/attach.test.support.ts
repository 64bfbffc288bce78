import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Server, type ServerOptions } from 'socket.io';
import { io as connect } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import { type AttachedRollcall, type AttachOptions, attachRollcall } from './attach.js';
import { openStorage } from './storage/open.js';
import { schoolOf } from './testing/school.js';
import { type Client, clientOf, SECRET, temporaryFolder } from './testing/server.js';

export const PATIENCE = { timeout: 20_000 };

export interface App {
  readonly io: Server;
  readonly url: string;
  readonly database: string;
  attach(options?: Partial<AttachOptions>): Promise<AttachedRollcall>;
}

/** A chat server that was there before Rollcall, with middleware, events and a room of its own. */
export async function chatApp(options: Partial<ServerOptions> = {}): Promise<App> {
  const path = join(await temporaryFolder(), 'app.db');
  const storage = await openStorage({ kind: 'sqlite', path }, { warn: () => {} });
  await storage.school.importSchool(schoolOf(2), { dryRun: false });
  await storage.close();
  const httpServer = createServer();
  const io = new Server(httpServer, options);
  io.use((socket, next) => {
    if (socket.handshake.auth['banned'] === true) next(Object.assign(new Error('Banned'), { data: { by: 'chat' } }));
    else next();
  });
  io.on('connection', (socket) => {
    void socket.join('lobby');
    Object.assign(socket, { user: 'the app’s own' });
    socket.on('chat', (text: string, ack?: (answer: string) => void) => {
      io.to('lobby').emit('chat', { text });
      ack?.('sent');
    });
    socket.on('who', (ack: (answer: unknown) => void) => ack((socket as unknown as { user: unknown }).user));
  });
  await new Promise<void>((resolve) => {
    httpServer.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    await io.close();
  });
  const { port } = httpServer.address() as AddressInfo;
  const database = `sqlite:${path}`;
  return {
    io,
    database,
    url: `http://127.0.0.1:${port}`,
    async attach(given = {}) {
      const attached = await attachRollcall(io, { database, secret: SECRET, ...given });
      onTestFinished(() => attached.close());
      return attached;
    },
  };
}

export async function stranger(url: string, auth: Record<string, unknown> = {}): Promise<Client> {
  const socket = connect(url, { transports: ['websocket'], forceNew: true, auth });
  onTestFinished(() => {
    socket.disconnect();
  });
  const client = clientOf(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return client;
}

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { onTestFinished } from 'vitest';
import { type ConnectOptions, connect, type RollcallClient, type RollcallClientError } from '../index.js';

/** What a command's acknowledgement says; undefined for none at all. */
export type Script = (command: Received, times: number) => object | undefined;

export interface Received {
  readonly event: string;
  readonly payload: Record<string, unknown>;
  readonly socket: Socket;
  /** By `performance.now()`. */
  readonly at: number;
}

/** A real Socket.IO server that answers as a test wants it to: refusals and silences that a healthy server doesn't give. */
export async function scripted(script: Script) {
  const http = createServer();
  const io = new Server(http);
  const received: Received[] = [];
  const connections: Socket[] = [];
  io.on('connection', (socket) => {
    connections.push(socket);
    socket.onAny((event: string, payload: Record<string, unknown>, ack: (answer: object) => void) => {
      const command = { event, payload, socket, at: performance.now() };
      received.push(command);
      const answer = script(command, received.filter(({ payload: { op_id } }) => op_id === payload['op_id']).length);
      if (answer) ack(answer);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await io.close();
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, io, received, connections };
}

/** A client of it, which ends with the test and comes back quickly. */
export function clientOf(url: string, options: Partial<ConnectOptions> = {}): RollcallClient {
  const client = connect({ url, token: 'token', reconnect: { min: 20, max: 50 }, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** A refusing acknowledgement. */
export const refused = (code: string, more: object = {}) => ({
  ok: false,
  error: { code, message: `${code} it is`, retryable: false, ...more },
});

/** What a promise was rejected with. */
export const errorOf = (promise: Promise<unknown>): Promise<RollcallClientError> =>
  promise.then(
    () => Promise.reject(new Error('was not refused')),
    (error: RollcallClientError) => error,
  );

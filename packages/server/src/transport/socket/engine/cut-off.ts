import type { Socket } from 'socket.io';
import { engineConnectionOf } from './connection.js';

/**
 * Ends a connection at once. By closing alone a websocket would wait half a minute for the other end to agree, and
 * read on meanwhile, and what waits for it would stay in memory.
 */
export function cutOff(connection: Socket['conn']): void {
  // The connection is closed with its websocket: taken before.
  const { socket } = engineConnectionOf(connection).transport;
  connection.close(true);
  socket?.terminate?.();
}

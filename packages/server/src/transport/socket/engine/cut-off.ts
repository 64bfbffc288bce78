import type { Socket } from 'socket.io';

type Connection = Socket['conn'];

/** There is no public way to a connection's websocket. */
interface Websocket {
  terminate?(): void;
}

/**
 * Ends a connection at once. By closing alone a websocket would wait half a minute for the other end to agree, and
 * read on meanwhile, and what waits for it would stay in memory.
 */
export function cutOff(connection: Connection): void {
  // The connection is closed with its websocket: taken before.
  const { socket } = connection.transport as unknown as { readonly socket?: Websocket };
  connection.close(true);
  socket?.terminate?.();
}

import type { Namespace, Socket } from 'socket.io';
import { waitingFor } from './connection.js';
import { cutOff } from './cut-off.js';

/**
 * What may wait for one client, in bytes: more than twice what the start of the largest class takes (15,000 students,
 * 13 MB), so that nobody is dropped for a slow line alone.
 */
export const WAITING_MAX_BYTES = 32 * 1024 * 1024;
/** And in packets, each of which costs memory whatever its size. */
const WAITING_MAX_PACKETS = 100_000;
const LOOK_EVERY_MS = 500;
/** A look at a hall of thousands takes as long as a slice of a broadcast: a part of it at a time. */
const PARTS = 10;

/**
 * Drops clients that stopped reading: what is sent to them would pile up without a bound. They lose nothing by it,
 * since they come back and catch up by seq.
 * @returns stops looking
 */
export function dropSlowConsumers(namespace: Namespace, onDrop: (socket: Socket, bytes: number) => void): () => void {
  let rest = namespace.sockets.values();
  const timer = setInterval(() => {
    for (let left = Math.ceil(namespace.sockets.size / PARTS); left > 0; left -= 1) {
      const { value: socket } = rest.next();
      if (!socket) {
        rest = namespace.sockets.values();
        break;
      }
      const { bytes, packets } = waitingFor(socket);
      if (bytes <= WAITING_MAX_BYTES && packets <= WAITING_MAX_PACKETS) continue;
      onDrop(socket, bytes);
      cutOff(socket.conn);
    }
  }, LOOK_EVERY_MS / PARTS).unref();
  return () => clearInterval(timer);
}

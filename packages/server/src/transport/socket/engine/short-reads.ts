import type { Server, Socket } from 'socket.io';
import { turnNow } from '../../../end-of-turn.js';
import { engineConnectionOf } from './connection.js';

/** How long a turn of the event loop takes packets of one connection apart, in ms; what has been read is finished. */
const TURN_MS = 5;
/** Packets in a row of one connection between two looks at the time. */
const LOOK_EVERY = 32;

type Transport = Socket['conn'];

/**
 * Node hands over up to two megabytes of a connection in one turn, and to take thousands of small commands apart takes
 * a tenth of a second. Here a connection that brings so many isn't read any further until the next turn.
 */
export function readInShortTurns(engine: Server['engine']): void {
  let reading: Transport | undefined;
  let packets = 0;
  // One listener for all: Engine.IO calls it with its connection.
  function onPacket(this: Transport): void {
    if (reading !== this) {
      reading = this;
      packets = 0;
      // Whatever it was that this turn did before, it isn't reckoned to this connection.
      return;
    }
    packets += 1;
    if (packets % LOOK_EVERY !== 0 || performance.now() - turnNow().began <= TURN_MS) return;
    const { socket } = engineConnectionOf(this).transport;
    // What follows was read before reading stopped. To go on twice in one turn would be a long one again.
    if (!socket?.pause || !socket.resume || socket.isPaused !== false) return;
    socket.pause();
    setImmediate(() => socket.resume?.());
  }
  engine.on('connection', (transport: Transport) => transport.on('packet', onPacket));
}

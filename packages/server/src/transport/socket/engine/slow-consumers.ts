import type { Namespace, Socket } from 'socket.io';
import { cutOff } from './cut-off.js';

/**
 * What may wait for one client, in bytes: more than twice what the start of the largest class takes (15,000 students,
 * 13 MB), so that nobody is dropped for a slow line alone.
 */
export const WAITING_MAX_BYTES = 32 * 1024 * 1024;
/** And in packets, each of which costs memory whatever its size. */
const WAITING_MAX_PACKETS = 100_000;
const LOOK_EVERY_MS = 500;

/**
 * Drops clients that stopped reading: what is sent to them would pile up without a bound. They lose nothing by it,
 * since they come back and catch up by seq.
 * @returns stops looking
 */
export function dropSlowConsumers(namespace: Namespace, onDrop: (socket: Socket, bytes: number) => void): () => void {
  const timer = setInterval(() => {
    for (const socket of namespace.sockets.values()) {
      const { bytes, packets } = waitingFor(socket);
      if (bytes <= WAITING_MAX_BYTES && packets <= WAITING_MAX_PACKETS) continue;
      onDrop(socket, bytes);
      cutOff(socket.conn);
    }
  }, LOOK_EVERY_MS).unref();
  return () => clearInterval(timer);
}

/** What Engine.IO keeps for a socket; there is no public way to ask how much it is. */
interface Outgoing {
  readonly writeBuffer: ReadonlyArray<{ readonly data?: { readonly length: number } }>;
  readonly transport: { readonly socket?: { readonly bufferedAmount?: number } };
}

function waitingFor({ conn }: Socket): { bytes: number; packets: number } {
  const { writeBuffer, transport } = conn as unknown as Outgoing;
  let bytes = transport.socket?.bufferedAmount ?? 0;
  for (const { data } of writeBuffer) bytes += data?.length ?? 0;
  return { bytes, packets: writeBuffer.length };
}

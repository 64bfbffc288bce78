import type { Server } from 'socket.io';
import type { EngineConnection, EnginePacket, EngineTransport } from './connection.js';

/**
 * Engine.IO writes the first packet of a turn at once, those behind it once that is out, and each by itself: header
 * and body, a system call each. Here a connection's packets of one turn are gathered and go out by one call, so that
 * the packets of a commit (answers, updates, statistics) cost little more than one of them.
 * @returns sends what is gathered now, before something that takes long
 */
export function coalesceWrites(io: Server): () => void {
  const gathering: EngineTransport[] = [];
  const send = (): void => {
    for (const transport of gathering.splice(0)) {
      transport.writable = true;
      transport.emit('ready');
    }
  };
  const gather = ({ transport }: EngineConnection, { options }: EnginePacket): void => {
    // One that isn't writable gathers already, and long polling takes an answer for each request.
    if (!transport.writable || transport.name !== 'websocket') return;
    // What goes to a whole room is gathered before it gets here.
    if (options?.wsPreEncodedFrame !== undefined) return;
    transport.writable = false;
    if (gathering.push(transport) === 1) setImmediate(send);
  };
  io.engine.on('connection', (connection: EngineConnection) => {
    connection.on('packetCreate', (packet) => gather(connection, packet));
  });
  const tcpOf = (connection: unknown) => (connection as EngineConnection).transport.socket?._socket;
  io.engine.on('flush', (connection: unknown, packets: readonly unknown[]) => {
    if (packets.length > 1) tcpOf(connection)?.cork();
  });
  io.engine.on('drain', (connection: unknown) => tcpOf(connection)?.uncork());
  return send;
}

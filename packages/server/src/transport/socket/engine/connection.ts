import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';

/*
 * All that is used of Engine.IO and of ws beyond what they promise. It is looked at once, at the start, whether what is
 * installed is like this (`probe.ts`), since whoever installs this package gets other versions than it was made with.
 */

/** Where one packet goes out. */
export interface EngineTransport {
  readonly name: string;
  /** False while Engine.IO has to gather what is sent. */
  writable: boolean;
  /** Longest request of long polling, in bytes. */
  maxHttpBufferSize?: number;
  /** Takes a request of long polling apart. */
  onData?(body: string | Buffer): void;
  /** Set where frames are compressed. */
  readonly perMessageDeflate?: unknown;
  readonly socket?: Websocket;
  emit(event: 'ready'): void;
}

/** A websocket of ws. */
export interface Websocket {
  readonly readyState: number;
  readonly bufferedAmount?: number;
  readonly _socket?: TcpSocket | null;
  readonly _sender?: { readonly sendFrame?: unknown } | null;
  terminate?(): void;
  /** Stops reading once what has been read is taken apart, and goes on. */
  pause?(): void;
  resume?(): void;
  readonly isPaused?: boolean;
}

export interface EngineConnection {
  readonly readyState: string;
  readonly transport: EngineTransport;
  readonly writeBuffer?: ReadonlyArray<{ readonly data?: { readonly length: number } }>;
  write(text: string, options?: { readonly wsPreEncodedFrame?: readonly Buffer[] }): void;
  on(event: 'packetCreate', listener: (packet: EnginePacket) => void): void;
}

export interface EnginePacket {
  readonly options?: { readonly wsPreEncodedFrame?: unknown };
}

/** The one place where types are left behind. */
export const engineConnectionOf = (conn: Socket['conn']): EngineConnection => conn as unknown as EngineConnection;

/** readyState of the WebSocket API. */
const OPEN = 1;

/**
 * The TCP socket of a websocket on which nothing waits or is under way: what is written there goes out as it would by
 * way of Engine.IO and ws, in the same order, without the events and callbacks of both for each of thousands.
 */
export function idleTcpOf({ readyState, transport, writeBuffer }: EngineConnection): TcpSocket | undefined {
  const { socket, writable } = transport;
  const tcp = socket?._socket;
  const idle = writable && writeBuffer?.length === 0 && readyState === 'open' && socket?.readyState === OPEN;
  return tcp && idle && tcp.writableLength === 0 ? tcp : undefined;
}

/** True where a frame that was made beforehand goes out as it is, and not as one text of all that is in it. */
export const takesFrames = ({ transport }: EngineConnection): boolean =>
  transport.name === 'websocket' &&
  !transport.perMessageDeflate &&
  typeof transport.socket?._sender?.sendFrame === 'function';

/** What was sent to a client and isn't out yet; nothing where Engine.IO can't say. */
export function waitingFor({ conn }: Pick<Socket, 'conn'>): { readonly bytes: number; readonly packets: number } {
  const { writeBuffer = [], transport } = engineConnectionOf(conn);
  let bytes = transport.socket?.bufferedAmount ?? 0;
  for (const { data } of writeBuffer) bytes += data?.length ?? 0;
  return { bytes, packets: writeBuffer.length };
}

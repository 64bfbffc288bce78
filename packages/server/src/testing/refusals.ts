import { io, type ManagerOptions, type SocketOptions } from 'socket.io-client';
import { onTestFinished } from 'vitest';

export interface ConnectionRefusal {
  readonly message: string;
  readonly data: { readonly code?: string } | undefined;
}

/** Tries to connect. @returns the connect_error, or undefined where the connection was let in */
export async function refusalOfConnection(
  url: string,
  options: Partial<ManagerOptions & SocketOptions>,
): Promise<ConnectionRefusal | undefined> {
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, ...options });
  onTestFinished(() => {
    socket.disconnect();
  });
  const refusal = await new Promise<ConnectionRefusal | undefined>((resolve) => {
    socket.once('connect', () => resolve(undefined));
    socket.once('connect_error', (error: Error & { data?: { code?: string } }) => {
      resolve({ message: error.message, data: error.data });
    });
  });
  socket.disconnect();
  return refusal;
}

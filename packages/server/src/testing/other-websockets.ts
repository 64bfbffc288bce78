import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/** What Rollcall uses of ws beyond its documentation, or of a browser's WebSocket. */
const MISSING = new Set<PropertyKey>(['_socket', '_sender', 'bufferedAmount', 'terminate']);

/**
 * Websockets as another library has them, or as ws may have them one day: they do what is documented of the WebSocket
 * API, and what lies behind that is elsewhere.
 */
export class OtherWebSocketServer extends WebSocketServer {
  override handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    callback: (client: WebSocket, request: IncomingMessage) => void,
  ): void {
    super.handleUpgrade(request, socket, head, (client, upgraded) => callback(disguised(client), upgraded));
  }
}

const disguised = (client: WebSocket): WebSocket =>
  new Proxy(client, {
    get(target, name) {
      if (MISSING.has(name)) return undefined;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

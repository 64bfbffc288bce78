import { createRequire } from 'node:module';
import { mongo } from 'mongoose';

/** What is used of the driver's connections; none of it is public. */
interface DriverConnection {
  readonly socket: { readonly destroyed: boolean };
  writeCommand(...args: unknown[]): Promise<void>;
}

const mended = new WeakSet<object>();

/**
 * Lets the driver notice that a socket is gone before it writes to it. Between a socket's end and its `close` the
 * driver (7.8 and 7.9) takes the connection for open, writes, and waits for a `drain` that never comes: no timeout
 * applies there. An operation then never ends, and where it was the monitor's, the driver never connects again.
 * That happens to one outage in ten or so, since all connections end in the same turn of the event loop.
 */
export function refuseClosedSockets(): void {
  const prototype = connectionPrototype();
  if (!prototype || mended.has(prototype)) return;
  mended.add(prototype);
  const { writeCommand } = prototype;
  prototype.writeCommand = function (this: DriverConnection, ...args) {
    if (!this.socket.destroyed) return writeCommand.apply(this, args);
    // What the driver itself says of a connection that has closed: it marks the server as gone, and looks again.
    return Promise.reject(new mongo.MongoNetworkError('the connection closed before the command was written'));
  };
}

/** Of the driver that Mongoose uses; undefined where it is built differently. */
function connectionPrototype(): DriverConnection | undefined {
  try {
    const mongoose = createRequire(import.meta.url).resolve('mongoose');
    const loaded: unknown = createRequire(mongoose)('mongodb/lib/cmap/connection.js');
    const { Connection } = loaded as { Connection?: { readonly prototype: DriverConnection } };
    return typeof Connection?.prototype.writeCommand === 'function' ? Connection.prototype : undefined;
  } catch {
    return undefined;
  }
}

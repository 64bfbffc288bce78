import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The port can't be listened on; the message names HOST or CHAT_PORT and the cure. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen';
}

/**
 * Listens on a port of an address; port 0 takes a free one.
 * @returns the port
 * @throws {CannotListen}
 */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(new CannotListen(explain(error, port, host)));
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function explain({ code, message }: NodeJS.ErrnoException, port: number, host: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} of ${host} is in use; take another with --port or CHAT_PORT`;
    case 'EACCES':
      return `port ${port} of ${host} may not be listened on; take one above 1023 with --port or CHAT_PORT`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    // An address that is local to a link is one of this machine together with the name of that link (fe80::1%eth0).
    case 'EINVAL':
      return `${host} is no address of this machine; name one with --host or HOST`;
    case 'EAFNOSUPPORT':
      return `this machine does not have the kind of address that ${host} is; name another with --host or HOST`;
    default:
      return `port ${port} of ${host} can't be listened on (${message}); see to HOST and CHAT_PORT`;
  }
}

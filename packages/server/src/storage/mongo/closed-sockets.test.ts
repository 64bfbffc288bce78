import { describe, expect, test } from 'vitest';
import { MONGO_MISSING, testMongoUri } from '../../testing/mongo-server.js';
import { connect } from './connection.js';

const uri = await testMongoUri();

/** The driver's monitor of a server, and the connection that it asks through. */
interface Monitor {
  readonly connection: Asking | null;
}
interface Asking {
  readonly socket: { destroy(): void };
  command(namespace: { toString(): string; readonly db: string }, command: object, options: object): Promise<unknown>;
}
interface Topology {
  readonly s: { readonly servers: ReadonlyMap<string, { readonly monitor: Monitor }> };
}

describe.skipIf(!uri)(`sockets that are gone${uri ? '' : `: ${MONGO_MISSING}`}`, () => {
  test('[STORE-79] a command on a socket whose close is still to be told of is refused, and not left waiting', async () => {
    const connection = await connect(uri ?? '');
    try {
      const { topology } = connection.getClient() as unknown as { readonly topology: Topology };
      const monitors = () => [...topology.s.servers.values()].map(({ monitor }) => monitor);
      await expect.poll(() => monitors().every((monitor) => monitor.connection), { timeout: 20_000 }).toBe(true);
      for (const monitor of monitors()) {
        const asking = monitor.connection as Asking;
        asking.socket.destroy();
        const answer = asking.command({ db: 'admin', toString: () => 'admin.$cmd' }, { ping: 1 }, {});
        await expect(answer).rejects.toThrow(/closed/);
      }
      // The monitor has noticed too, and the next command finds a server.
      await connection.db?.command({ ping: 1 });
    } finally {
      await connection.destroy();
    }
  });
});

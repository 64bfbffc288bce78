import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Lab } from '../experiment.js';

export interface Target {
  readonly host: string;
  readonly port: number;
}

/**
 * `open`: bytes are carried. `answers lost`: to the server only. `silent`: none, in both directions, and neither end
 * is told: a connection that is open on paper.
 */
export type LineState = 'open' | 'answers lost' | 'silent';

/** A TCP line to a server that can be cut, made silent and made slow; with several targets, the first that answers. */
export class Line {
  state: LineState = 'open';
  /** Milliseconds for which bytes are under way, in each direction. */
  delay = 0;
  /** Sees every byte that a server sends. */
  onAnswer: ((bytes: Buffer) => void) | undefined;
  readonly #targets: readonly Target[];
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #server: Server | undefined;
  #port = 0;

  private constructor(targets: readonly Target[]) {
    this.#targets = targets;
  }

  static async to(lab: Lab, ...targets: Target[]): Promise<Line> {
    const line = new Line(targets);
    lab.defer(() => line.cut());
    await line.restore();
    return line;
  }

  get port(): number {
    return this.#port;
  }
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }
  get connections(): number {
    return this.#pairs.size;
  }

  /** Ends every connection at once and refuses new ones until restore(). */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server && new Promise((resolve) => server.close(resolve));
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#pairs.clear();
    await closed;
  }

  /** Listens again on the port that it had, everything carried. */
  async restore(): Promise<void> {
    this.state = 'open';
    if (this.#server) return;
    const server = createServer({ noDelay: true }, (client) => this.#join(client, 0));
    this.#server = server.listen({ port: this.#port, host: '127.0.0.1', backlog: 4_096 });
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  #join(client: Socket, index: number): void {
    const target = this.#targets[index];
    if (!target) {
      client.destroy();
      return;
    }
    client.pause();
    client.on('error', () => {});
    const server = connect({ ...target, noDelay: true });
    const next = () => this.#join(client, index + 1);
    server.once('error', next);
    server.once('connect', () => {
      server.off('error', next);
      if (!this.#server || client.destroyed) {
        client.destroy();
        server.destroy();
        return;
      }
      const pair = [client, server] as const;
      this.#pairs.add(pair);
      this.#carry(client, server, pair);
      this.#carry(server, client, pair);
      client.resume();
    });
  }

  #carry(from: Socket, to: Socket, pair: readonly [Socket, Socket]): void {
    const toServer = from === pair[0];
    from.on('data', (bytes) => {
      if (!toServer) this.onAnswer?.(bytes);
      if (this.state === 'silent' || (this.state === 'answers lost' && !toServer)) return;
      if (this.delay > 0) setTimeout(() => to.writable && to.write(bytes), this.delay);
      else if (!to.write(bytes)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#pairs.delete(pair);
      to.destroy();
    });
  }
}

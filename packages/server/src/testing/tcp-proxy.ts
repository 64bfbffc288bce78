import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What becomes of the bytes: carried, carried to the server only (its answers are lost), or held in both directions. */
export type Line = 'open' | 'answers lost' | 'silent';

/** A TCP proxy on a loopback port that a test can cut, restore and make silent: a server that dies and comes back. */
export class TcpProxy {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  /** What each client sent, for as long as it is open. */
  readonly #sent = new WeakMap<Socket, string>();
  readonly #muted = new WeakSet<Socket>();
  #server: Server | undefined;
  #port = 0;
  line: Line = 'open';
  /** Called before each piece of what clients send is carried. */
  onSent: () => void = () => {};
  /** Once a client sends these bytes, answers are lost: the server gets them, and nobody hears what came of it. */
  loseAnswersTo: string | undefined;

  private constructor(host: string, port: number) {
    this.#target = { host, port };
  }

  static async start(target: { host: string; port: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(target.host, target.port);
    await proxy.restore();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections that are open now. */
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

  /** Listens (again) on the port that it had, every line open. */
  async restore(): Promise<void> {
    this.line = 'open';
    this.loseAnswersTo = undefined;
    if (this.#server) return;
    this.#server = createServer((client) => this.#join(client)).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** From now on answers are lost on those open connections on which the client has sent what matches. */
  loseAnswersWhere(sent: RegExp): void {
    for (const [client] of this.#pairs) if (sent.test(this.#sent.get(client) ?? '')) this.#muted.add(client);
  }

  #join(client: Socket): void {
    const server = connect(this.#target);
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [server, client]] as const) {
      from.on('data', (bytes: Buffer) => {
        if (from === client) {
          this.onSent();
          if (this.loseAnswersTo !== undefined && bytes.includes(this.loseAnswersTo)) this.line = 'answers lost';
          // The first of it says what the connection is for.
          this.#sent.set(client, ((this.#sent.get(client) ?? '') + bytes.toString('latin1')).slice(0, 4_096));
        } else if (this.#muted.has(client)) return;
        if (this.line === 'open' || (this.line === 'answers lost' && from === client)) to.write(bytes);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
    }
  }
}

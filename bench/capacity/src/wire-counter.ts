import { connect, createServer, type Server, type Socket } from 'node:net';

const HEADER_BYTES = 16;
const OP_MSG = 2013;

/** A door to a MongoDB that counts the commands that go through it, by name, and their bytes. */
export class WireCounter {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  commands: Record<string, number> = {};

  private constructor(host: string, port: number) {
    this.#server = createServer((inside) => {
      const outside = connect(port, host);
      const reader = new CommandReader((name) => {
        this.commands[name] = (this.commands[name] ?? 0) + 1;
      });
      inside.on('data', (chunk) => reader.read(chunk));
      inside.pipe(outside).pipe(inside);
      for (const [one, other] of [
        [inside, outside],
        [outside, inside],
      ] as const) {
        this.#sockets.add(one);
        one.setNoDelay(true);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
    });
  }

  /** @returns a counter, and the URI that leads through it */
  static async before(uri: string): Promise<{ counter: WireCounter; uri: string }> {
    const target = new URL(uri);
    const counter = new WireCounter(target.hostname, Number(target.port || 27017));
    await new Promise<void>((resolve) => {
      counter.#server.listen(0, '127.0.0.1', resolve);
    });
    const address = counter.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return { counter, uri: uri.replace(target.host, `127.0.0.1:${address.port}`) };
  }

  /** What was counted since the last call. Answers to the driver's own heartbeats are left out. */
  take(): Record<string, number> {
    const { hello: _hello, isMaster: _isMaster, ismaster: _ismaster, ...counted } = this.commands;
    this.commands = {};
    return counted;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** Finds the messages in a stream, and the name of each command: the first field of its document. */
class CommandReader {
  #buffer: Buffer = Buffer.alloc(0);
  readonly #onCommand: (name: string) => void;

  constructor(onCommand: (name: string) => void) {
    this.#onCommand = onCommand;
  }

  read(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    while (this.#buffer.length >= HEADER_BYTES) {
      const length = this.#buffer.readInt32LE(0);
      if (this.#buffer.length < length) return;
      if (this.#buffer.readInt32LE(12) === OP_MSG) this.#onCommand(nameOf(this.#buffer.subarray(0, length)));
      this.#buffer = this.#buffer.subarray(length);
    }
  }
}

/** After the header: 4 bytes of flags, the kind of section (0), a document's length, a type, and the name. */
function nameOf(message: Buffer): string {
  const start = HEADER_BYTES + 4 + 1 + 4 + 1;
  return message.toString('utf8', start, message.indexOf(0, start));
}

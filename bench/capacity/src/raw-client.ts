import WebSocket from 'ws';

/** A Socket.IO client of the least that the protocol asks for: thousands of them must cost a process little. */
export class RawClient {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #asked = 0;
  /** Events that came, by nothing but their number. */
  received = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static connect(url: string, token: string): Promise<RawClient> {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`, {
      perMessageDeflate: false,
    });
    const client = new RawClient(socket);
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the connection was closed')));
      socket.on('message', (data) => {
        const text = String(data);
        if (text.startsWith('0')) socket.send(`40${JSON.stringify({ token })}`);
        else if (text === '2') socket.send('3');
        else if (text.startsWith('40')) resolve(client);
        else if (text.startsWith('44')) reject(new Error(text));
        else if (text.startsWith('43')) client.#answered(text);
        else if (text.startsWith('42')) client.received += 1;
      });
    });
  }

  /** Sends a command. @throws {Error} when it is refused */
  async send(event: string, payload: object): Promise<void> {
    const id = this.#asked;
    this.#asked += 1;
    const answer = await new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(`42${id}${JSON.stringify([event, payload])}`);
    });
    if (!(answer as { ok: boolean }).ok) throw new Error(`${event}: ${JSON.stringify(answer)}`);
  }

  #answered(text: string): void {
    const start = text.indexOf('[');
    const id = Number(text.slice(2, start));
    const [answer] = JSON.parse(text.slice(start)) as [unknown];
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  close(): void {
    this.#socket.close();
  }
}

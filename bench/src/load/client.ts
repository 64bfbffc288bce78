import { WebSocket } from 'ws';
import { VoidRun } from '../harness/no-figures.js';
import { tokenOf } from './token.js';

/*
 * A Socket.IO client reduced to what measuring needs: websocket only, frames handed on as bytes and not parsed unless
 * somebody asks, so that thousands of listeners cost less than the server that is measured.
 */

export interface Answer {
  readonly ok: boolean;
  readonly seq: number;
  readonly error?: { readonly code?: string; readonly message?: string };
  readonly [field: string]: unknown;
}

interface Waiting {
  readonly event: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly late: NodeJS.Timeout;
}

/** Gets the frame of an event: `42["name",{…}]` */
export type FrameHandler = (frame: Buffer) => void;

export interface ClientOptions {
  /** Sent at the handshake beside the token. */
  readonly auth?: object;
}

const ANSWER_WITHIN_MS = 60_000;
const CONNECT_WITHIN_MS = 60_000;
const [MESSAGE, PING] = ['4', '2'].map((type) => type.charCodeAt(0));
const [CONNECT, EVENT, ACK, REFUSED] = ['0', '2', '3', '4'].map((type) => type.charCodeAt(0));
const QUOTE = '"'.charCodeAt(0);
const BRACKET = '['.charCodeAt(0);
const ACCEPTED = '[{"ok":true';
/** Bytes of an answer that is looked into. */
const PARSED_MAX = 16_384;
const SEQ = Buffer.from('"seq":');
const DIGIT_0 = '0'.charCodeAt(0);
const NAME_AT = '42["'.length;

/** Loopback has many addresses, and each its own ports: tens of thousands of connections need more than one. */
const ADDRESSES = 100;
let connections = 0;

export class Client {
  readonly uid: string;
  /** Bytes and frames of Engine.IO that came, without websocket heads. */
  bytes = 0;
  frames = 0;
  /** The first thing that went wrong on a connection that nobody was waiting on. */
  fault: string | undefined;
  readonly #socket: WebSocket;
  readonly #handlers = new Map<string, FrameHandler>();
  readonly #waiting = new Map<number, Waiting>();
  #connected: (error?: Error) => void = () => {};
  #closing = false;
  #sent = 0;

  private constructor(socket: WebSocket, uid: string) {
    this.#socket = socket;
    this.uid = uid;
    socket.on('message', (data: Buffer) => this.#receive(data));
    socket.on('error', (error) => this.#fail(error.message));
    socket.on('close', (code) => this.#fail(`the connection was closed (${code})`));
  }

  /** Rejects with VoidRun when the server doesn't let the user in. */
  static connect(port: number, uid: string, options: ClientOptions = {}): Promise<Client> {
    const localAddress = `127.0.0.${2 + (connections++ % ADDRESSES)}`;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`, {
      perMessageDeflate: false,
      skipUTF8Validation: true,
      localAddress,
    });
    const client = new Client(socket, uid);
    socket.once('open', () => socket.send(`40${JSON.stringify({ token: tokenOf(uid), ...options.auth })}`));
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => client.#connected(new VoidRun(`${uid} was not let in`)), CONNECT_WITHIN_MS);
      client.#connected = (error) => {
        clearTimeout(late);
        client.#connected = () => {};
        if (error) reject(error);
        else resolve(client);
      };
    });
  }

  on(event: string, handler: FrameHandler): void {
    this.#handlers.set(event, handler);
  }

  /** Sends and waits for the acknowledgement; a refusal or none at all makes the run void. */
  send(event: string, payload: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.fault !== undefined) return reject(new VoidRun(this.fault));
      const id = this.#sent++;
      const late = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new VoidRun(`${event} of ${this.uid} was not answered`));
      }, ANSWER_WITHIN_MS);
      this.#waiting.set(id, { event, resolve, reject, late });
      this.#socket.send(`42${id}${JSON.stringify([event, payload])}`);
    });
  }

  /** Goes as a phone does that loses its network: without a word. */
  cut(): void {
    this.#closing = true;
    this.#socket.terminate();
  }

  #receive(data: Buffer): void {
    this.bytes += data.length;
    this.frames += 1;
    if (data[0] === PING) this.#socket.send('3');
    if (data[0] !== MESSAGE) return;
    if (data[1] === EVENT) this.#event(data);
    else if (data[1] === ACK) this.#answered(data);
    else if (data[1] === CONNECT) this.#connected();
    else if (data[1] === REFUSED) this.#connected(new VoidRun(`${this.uid} was refused: ${data}`));
  }

  #event(data: Buffer): void {
    const event = data.toString('latin1', NAME_AT, data.indexOf(QUOTE, NAME_AT));
    if (event === 'attendanceError') this.fault ??= `${this.uid} was refused: ${data}`;
    this.#handlers.get(event)?.(data);
  }

  #answered(data: Buffer): void {
    const at = data.indexOf(BRACKET);
    const id = Number(data.toString('latin1', 2, at));
    const waiting = this.#waiting.get(id);
    if (!waiting) {
      this.fault ??= `${this.uid} was answered twice: ${data.subarray(0, 200)}`;
      return;
    }
    this.#waiting.delete(id);
    clearTimeout(waiting.late);
    const answer = answerIn(data, at);
    if (answer.ok) waiting.resolve(answer);
    else waiting.reject(new VoidRun(`${waiting.event} was refused: ${answer.error?.message}`));
  }

  #fail(reason: string): void {
    if (this.#closing) return;
    this.fault ??= `${this.uid}: ${reason}`;
    this.#connected(new VoidRun(this.fault));
    for (const { reject, late } of this.#waiting.values()) {
      clearTimeout(late);
      reject(new VoidRun(this.fault));
    }
    this.#waiting.clear();
  }
}

/** The last seq named in a frame, without parsing it: of an update that is the update's own. */
export function seqIn(frame: Buffer): number {
  let at = frame.lastIndexOf(SEQ) + SEQ.length;
  let seq = 0;
  for (let digit = (frame[at] ?? 0) - DIGIT_0; digit >= 0 && digit <= 9; digit = (frame[++at] ?? 0) - DIGIT_0) {
    seq = seq * 10 + digit;
  }
  return seq;
}

/** A long answer is not parsed: what that takes is no part of what is measured. */
function answerIn(data: Buffer, at: number): Answer {
  if (data.length > PARSED_MAX && data.toString('latin1', at, at + ACCEPTED.length) === ACCEPTED) {
    return { ok: true, seq: seqIn(data) };
  }
  const [answer] = JSON.parse(data.toString('utf8', at)) as [Answer];
  return answer;
}

/** Runs `work` for each with at most `atOnce` at the same time, in order. */
export async function inParallel<Item, Made>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, index: number) => Promise<Made>,
): Promise<Made[]> {
  const made: Made[] = new Array(items.length);
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) made[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return made;
}

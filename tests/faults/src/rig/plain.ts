import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { Broken, type Lab } from '../experiment.js';
import { tokenOf } from './token.js';

export type Payload = Record<string, unknown>;
export type Answer = Payload & {
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
};

const PATIENCE_MS = 60_000;

/** A socket of the stock library: what an app has that knows the protocol and nothing of ours. */
export class Plain {
  readonly socket: Socket;
  readonly uid: string;

  private constructor(uid: string, socket: Socket) {
    this.uid = uid;
    this.socket = socket;
  }

  static async connect(
    lab: Lab,
    url: string,
    uid: string,
    options: Partial<ManagerOptions & SocketOptions> = {},
  ): Promise<Plain> {
    const socket = io(url, {
      auth: { token: await tokenOf(uid) },
      transports: ['websocket'],
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 500,
      ...options,
    });
    lab.defer(() => socket.disconnect());
    const plain = new Plain(uid, socket);
    await lab.until(() => socket.connected, `${uid} connects`);
    return plain;
  }

  /** Another socket of this user. */
  sameUserAt(lab: Lab, url: string): Promise<Plain> {
    return Plain.connect(lab, url, this.uid);
  }

  /** The acknowledgement, whatever it says. */
  ask(event: string, payload: Payload): Promise<Answer> {
    return this.socket.timeout(PATIENCE_MS).emitWithAck(event, payload);
  }

  /** The acknowledgement of a command that must succeed. */
  async done(event: string, payload: Payload): Promise<Answer> {
    const answer = await this.ask(event, payload);
    if (!answer.ok) throw new Broken(`${this.uid}: ${event} was refused: ${JSON.stringify(answer.error)}`);
    return answer;
  }
}

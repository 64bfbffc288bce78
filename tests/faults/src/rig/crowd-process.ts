import { WebSocket } from 'ws';
import type { CrowdOrder, CrowdState } from './crowd.js';
import { tokenOf } from './token.js';

/*
 * Many clients, or one that asks for much, in a process of their own: frames are counted and not parsed, so that the
 * class beside them is measured and not the crowd. 4 begins a message, 2 in it an event, 3 an acknowledgement.
 */

const AT_ONCE = 50;
const ADDRESSES = 100;
const state = { connected: 0, answered: 0, lost: 0, megabytes: 0, events: 0, done: false };
let connections = 0;

async function connect(url: string, uid: string): Promise<WebSocket> {
  // Before there is a socket: it would open, and its first packets come, while nobody listens.
  const token = await tokenOf(uid);
  const localAddress = `127.0.0.${2 + (connections++ % ADDRESSES)}`;
  const address = `${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(address, { perMessageDeflate: false, skipUTF8Validation: true, localAddress });
  socket.once('open', () => socket.send(`40${JSON.stringify({ token })}`));
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.on('message', (data: Buffer) => {
      state.megabytes += data.length / 1_048_576;
      const kind = data.toString('latin1', 0, 2);
      if (kind === '2') socket.send('3');
      else if (kind === '40') resolve();
      else if (kind === '42') state.events += 1;
      else if (kind === '43') state.answered += 1;
    });
  });
  state.connected += 1;
  socket.on('error', () => {});
  socket.on('close', () => {
    state.connected -= 1;
    state.lost += 1;
  });
  return socket;
}

async function carryOut({ url, uids, each, frames }: CrowdOrder): Promise<void> {
  const sockets: WebSocket[] = [];
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < uids.length; n = next++) {
      const socket = await connect(url, uids[n] ?? '');
      if (each) socket.send(each);
      sockets.push(socket);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  state.done = true;
  // Of one client, in one write.
  process.once('message', () => {
    const [socket] = sockets;
    const { _socket: tcp } = socket as unknown as { readonly _socket: { cork(): void; uncork(): void } };
    tcp.cork();
    for (const frame of frames) socket?.send(frame);
    tcp.uncork();
  });
}

process.once('message', (order) => {
  setInterval(() => process.send?.({ ...state } satisfies CrowdState), 50);
  carryOut(order as CrowdOrder).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  });
});
process.once('disconnect', () => process.exit(0));

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { readInShortTurns } from './short-reads.js';

const FRAMES = 10_000;
const FRAME = `42${JSON.stringify(['anything', 'x'.repeat(200)])}`;
/** To begin a command takes about so long, in ms. */
const BUSY_MS = 0.03;
/** Frames that Node reads at once, behind those that five milliseconds have room for, and some. */
const IN_A_TURN = 65_536 / FRAME.length + 5 / BUSY_MS + 50;

test('[APP-292] what one connection sends in one write is read in many turns', { timeout: 60_000 }, async () => {
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'] });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  readInShortTurns(io.engine);
  const turns = [0];
  let seen = 0;
  let last = '';
  io.on('connection', (socket) => {
    socket.onAny((_event, text: string) => {
      if (turns[0] === 0) setImmediate(() => turns.unshift(0));
      turns[0] = (turns[0] ?? 0) + 1;
      seen += 1;
      last = text;
      const until = performance.now() + BUSY_MS;
      while (performance.now() < until);
    });
  });
  const client = new WebSocket(
    `ws://127.0.0.1:${(http.address() as AddressInfo).port}/socket.io/?EIO=4&transport=websocket`,
  );
  try {
    await once(client, 'open');
    client.send('40');
    await once(client, 'message');
    const { _socket: tcp } = client as unknown as { readonly _socket: { cork(): void; uncork(): void } };
    tcp.cork();
    for (let n = 0; n < FRAMES; n += 1) client.send(FRAME);
    client.send(`42${JSON.stringify(['last', 'over'])}`);
    tcp.uncork();
    await expect.poll(() => last, { timeout: 30_000 }).toBe('over');
    expect(seen).toBe(FRAMES + 1);
    expect(Math.max(...turns)).toBeLessThan(IN_A_TURN);
  } finally {
    client.terminate();
    await io.close();
  }
});

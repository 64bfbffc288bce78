import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { Server } from 'socket.io';
import { expect, test } from 'vitest';
import { readInShortTurns } from './short-reads.js';

const FRAMES = 20_000;
const FRAME = `42${JSON.stringify(['anything', 'x'.repeat(200)])}`;
/** To begin a command takes about so long, in ms. */
const BUSY_MS = 0.03;
/** What Node reads at once is taken apart before its commands begin: it may be two such pieces, and some. */
const IN_A_TURN = (2 * 65_536) / FRAME.length + 5 / BUSY_MS;

/** Sends all in one write, in a thread of its own, so that it goes on sending while the server reads. */
const CLIENT = `
  const { WebSocket } = require('ws');
  const { url, frame, frames } = require('node:worker_threads').workerData;
  const client = new WebSocket(url);
  client.once('open', () => client.send('40'));
  client.on('message', (data) => {
    if (!String(data).startsWith('40')) return;
    client._socket.cork();
    for (let n = 0; n < frames; n += 1) client.send(frame);
    client.send('42["last","over"]');
    client._socket.uncork();
  });`;

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
  const { port } = http.address() as AddressInfo;
  const url = `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`;
  const client = new Worker(CLIENT, { eval: true, workerData: { url, frame: FRAME, frames: FRAMES } });
  try {
    await expect.poll(() => last, { timeout: 30_000 }).toBe('over');
    expect(seen).toBe(FRAMES + 1);
    expect(Math.max(...turns)).toBeLessThan(IN_A_TURN);
  } finally {
    await client.terminate();
    await io.close();
  }
});

import { io, type Socket } from 'socket.io-client';
import type { Answer, Payload } from './plain.js';
import type { SwarmOrder, SwarmState } from './swarm.js';
import { tokenOf } from './token.js';

/** Connections that are being made at one time, at the beginning. */
const AT_ONCE = 50;
const REPORT_EVERY_MS = 100;

interface Member {
  readonly socket: Socket;
  readonly joins: boolean;
  joined: boolean;
  last_seq: number;
  lost_at: number | undefined;
}

const members: Member[] = [];
const refused: string[] = [];
let lost = 0;
let longest_away = 0;

async function add(order: SwarmOrder, n: number): Promise<void> {
  const auth = { token: await tokenOf(`s-${n}`) };
  const socket = io(order.url, { auth, transports: ['websocket'], forceNew: true });
  const member: Member = { socket, joins: n <= order.joining, joined: false, last_seq: 0, lost_at: undefined };
  members.push(member);
  socket.on('disconnect', () => {
    lost += 1;
    member.lost_at = performance.now();
  });
  socket.on('connect', () => {
    if (member.lost_at !== undefined) longest_away = Math.max(longest_away, performance.now() - member.lost_at);
    member.lost_at = undefined;
  });
  socket.on('connect_error', (error) => {
    if (socket.active) return;
    // The server itself said no, and the library gives up.
    refused.push(error.message);
  });
  socket.on('attendanceUpdated', ({ seq }: Payload) => {
    member.last_seq = Number(seq);
  });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  if (!member.joins) return;
  const answer: Answer = await socket.emitWithAck('joinAttendanceSession', { session_id: order.session_id });
  if (answer.ok) member.joined = true;
  else refused.push(JSON.stringify(answer.error));
}

function report(): void {
  const joiners = members.filter(({ joins }) => joins);
  const state: SwarmState = {
    connected: members.filter(({ socket }) => socket.connected).length,
    joined: joiners.filter(({ joined }) => joined).length,
    lost,
    lowest_seq: Math.min(...joiners.map(({ last_seq }) => last_seq)),
    longest_away,
    refused: refused.slice(0, 5),
  };
  process.send?.(state);
}

process.once('message', async (message) => {
  const order = message as SwarmOrder;
  setInterval(report, REPORT_EVERY_MS);
  let next = 0;
  const worker = async () => {
    while (next < order.clients) await add(order, ++next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
});
process.once('disconnect', () => process.exit(0));

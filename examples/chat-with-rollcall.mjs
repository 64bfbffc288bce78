// An existing chat server with Rollcall attached: the chat's own events, rooms and errors stay as they were.
//   npm run build && node examples/chat-with-rollcall.mjs
// Then a class on it, in another terminal:
//   export ACCESS_TOKEN_SECRET='the secret with which this app signs its tokens'
//   TEACHER_TOKEN="$(npx rollcall token --uid tess --name 'Tess Amin' --role teacher)" \
//   STUDENT_TOKEN="$(npx rollcall token --uid sam --name 'Sam Berg' --role student)" \
//   STUDENT_ID=sam node examples/usage.mjs
// It listens on port 4002, as Rollcall does; where `npm start` has that, set CHAT_PORT=4010 in both terminals.
// DATABASE_URL and ACCESS_TOKEN_SECRET come from the environment, too.
import { createServer } from 'node:http';
import { attachRollcall } from '@rollcall/server';
import { Server } from 'socket.io';

const secret = process.env.ACCESS_TOKEN_SECRET ?? 'the secret with which this app signs its tokens';
const database = process.env.DATABASE_URL ?? 'sqlite:./data/chat.db';

const httpServer = createServer();
const io = new Server(httpServer);

// The chat, as it always was: anybody may talk.
io.on('connection', (socket) => {
  socket.on('chat message', (text, ack) => {
    io.to('lobby').emit('chat message', { from: socket.id, text });
    ack?.('sent');
  });
  socket.join('lobby');
});

// Attendance, on the same server and the same sockets. Users with a token of the app may use it, and who isn't known
// yet is made from the token's claims name, email and role.
const rollcall = await attachRollcall(io, { database, secret, provisionFromToken: true });

httpServer.once('error', async (error) => {
  console.error(`The chat can't listen: ${error.message}. Set CHAT_PORT to a port that is free.`);
  process.exitCode = 1;
  await rollcall.close();
  await io.close().catch(() => undefined);
});
httpServer.listen(Number(process.env.CHAT_PORT ?? 4002), '127.0.0.1', () => {
  const { port } = httpServer.address();
  console.log(`Chat with attendance on http://localhost:${port}`);
  console.log('A class on it, in another terminal: see the top of examples/chat-with-rollcall.mjs');
});

process.once('SIGTERM', async () => {
  await rollcall.close();
  await io.close();
});

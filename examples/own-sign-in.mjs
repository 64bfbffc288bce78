// An app with a sign-in of its own: its users have session cookies and no tokens. Rollcall takes its word for who a
// socket's user is, and the app has a route and a hook of its own.
//   npm run build && node examples/own-sign-in.mjs
// It prints its address. Its users are those of its database; of the school of docs/guides/import.md, say:
//   DATABASE_URL=sqlite:./data/own.db npx rollcall import school.json
//   curl -i -X POST http://127.0.0.1:PORT/sign-in/ada
//   curl http://127.0.0.1:PORT/attendance
// A browser that has the cookie uses Rollcall's events on this server without a token.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { attachRollcall } from '@rollcall/server';
import { Server } from 'socket.io';

/** Cookie → uid: what an app keeps in Redis or a database. */
const signedIn = new Map();
const cookieOf = ({ headers }) => /(?:^|; )session=([\w-]+)/.exec(headers.cookie ?? '')?.[1];

const httpServer = createServer((request, response) => {
  const uid = /^\/sign-in\/(\w+)$/.exec(request.url ?? '')?.[1];
  if (request.method === 'POST' && uid) {
    const session = randomUUID();
    signedIn.set(session, uid);
    response.setHeader('set-cookie', `session=${session}; HttpOnly; SameSite=Lax; Path=/`).end(`signed in as ${uid}\n`);
  } else if (request.url === '/attendance') {
    response.setHeader('content-type', 'application/json').end(`${JSON.stringify(rollcall.sessions.list())}\n`);
  } else response.writeHead(404).end();
});
const io = new Server(httpServer);

// With Mongoose: `mongoose` instead of `database`, after `await mongoose.connect(…)`.
const rollcall = await attachRollcall(io, {
  database: process.env.DATABASE_URL ?? 'sqlite:./data/own.db',
  authenticate: (socket) => signedIn.get(cookieOf(socket.handshake)) ?? null,
});

rollcall.on('sessionEnded', ({ session_id, statistics }) => {
  console.log(`${session_id} has ended: ${statistics.presentCount} of ${statistics.totalStudents} were there`);
});

httpServer.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`An app with attendance on port ${httpServer.address().port}`);
});

process.once('SIGTERM', async () => {
  await rollcall.close();
  await io.close();
});

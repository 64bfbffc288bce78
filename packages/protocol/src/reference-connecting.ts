/** What a client author needs before the first event: the section of the reference on connecting. */
export const CONNECTING = `## Connecting

Rollcall speaks Socket.IO 4 (protocol 5) at the server's address, port 4002 unless set otherwise: path \`/socket.io\`, the default namespace, over websocket and polling.

**Token.** A JWT as \`token\` in Socket.IO's \`auth\`, else in the header \`Authorization: Bearer …\`; never in the query string. Its claim \`uid\`, else \`sub\`, is the sign-in name of a known user (a server may be told to take another claim); \`exp\` and \`nbf\` are obeyed with 5 s of leeway, \`iat\` isn't looked at, and \`name\`, \`email\` and \`role\` count only where the server makes unknown users from their tokens. It is signed with HS256 and the server's secret, or with a key of its JWKS address; \`rollcall token --uid ada\` prints one. \`auth.client\` may hold \`{name, version}\` for the log, \`batched: true\` asks for [attendanceChanges](#attendancechanges), and \`retries: true\` says that the client comes back by itself after a refusal that is for now.

**Refused.** \`connect_error\` brings an Error with \`data.code\`. After one Socket.IO doesn't try again by itself: get a token and call \`socket.connect()\`.

| message | \`data.code\` | when |
|---|---|---|
| \`Authentication error\` | \`UNAUTHENTICATED\` | there was no token |
| \`Invalid token\` | \`UNAUTHENTICATED\` | it is bad, has expired, or names nobody |
| \`User not found\` | \`UNAUTHENTICATED\` | its user is unknown to the server |
| \`Attendance session not active\` | \`SESSION_ENDED\` | the session of a display is over |
| any other | \`STORAGE_UNAVAILABLE\`, \`KEYS_UNAVAILABLE\`, \`RATE_LIMITED\`, \`INTERNAL\` | for now: \`data.retryable\` is true, and the same token may be good. Only clients that announced \`retries: true\` get this, after the server tried for 5 s; the connection of any other is closed without a word, after which Socket.IO tries again |

**A display.** A screen in the room needs nobody to sign in on it. A teacher asks the HTTP API for a token, \`POST /api/v1/sessions/{session_id}/display-tokens\` → \`{token, url, expires_at}\`, and the screen connects with \`auth: {display: token}\` instead of \`token\`. It gets [attendanceCode](#attendancecode) (where check-ins need one) and [attendanceStatistics](#attendancestatistics) of that session, at once and at each change, and nothing else: no name reaches it. Every event that it sends is refused with \`FORBIDDEN\`. When the session ends, the display gets the last statistics and its connection is closed. From then on \`connect_error\` has the code \`SESSION_ENDED\` and the message \`Attendance session not active\`. The token holds on every node and after a restart of the server; one session may have 50 displays on a node.

One user may have 50 connections to a node, and 250 who teaches or is an admin: over that the new one is refused with \`RATE_LIMITED\`.

A \`connect_error\` without \`data\` is the network's: Socket.IO tries again.

**Expiry.** When the token expires the socket gets [sessionExpired](#sessionexpired), and the connection is closed within 5 s. Before that, [refreshToken](#refreshtoken) with a newer token of the same user keeps it.

**Reconnecting.** Where the server closes a connection Socket.IO makes a new one: give \`auth\` as a function, so that it brings a token that is valid then. A student is put back into the sessions they joined and haven't left, a teacher into the one they started last ([watchAttendanceSession](#watchattendancesession) adds others); [subscribeToCourse](#subscribetocourse) must be sent again. What was missed is asked for by \`since_seq\`, the highest \`seq\` that was seen: of [getAttendanceSessionData](#getattendancesessiondata) as a teacher, of [joinAttendanceSession](#joinattendancesession) as a student.

**A restored database.** After a database was restored from a backup a session's \`seq\` may be below the one that a client has seen, and equal numbers may stand for other entries. An answer with a \`seq\` therefore carries the \`chain\` of the journal at that \`seq\`; a client that sends it back as \`since_chain\`, beside the \`since_seq\` that it belongs to, learns whether its picture still holds. Where it doesn't, the answer holds the whole session with \`reset: true\` instead of \`changes\`: the client throws away what it has, whatever its own \`seq\` is, and goes on from the answer's.

**Acknowledgements.** A command is carried out once it is acknowledged, and not before it is on disk. One without an acknowledgement may have taken effect: send it again with the same \`op_id\`. An event that the server doesn't know gets no answer at all, so wait with a timeout.

\`\`\`js
import { io } from 'socket.io-client';

const socket = io('http://localhost:4002', { auth: (give) => fetchToken().then((token) => give({ token })) });
socket.on('connect_error', ({ message, data }) => console.error(message, data?.code));
socket.on('attendanceUpdated', ({ student_id, status, seq }) => console.log(seq, student_id, status));

const send = (event, payload) => socket.timeout(10_000).emitWithAck(event, payload);
const session_id = \`class-\${Date.now()}\`;
console.log(await send('startAttendanceSession', { session_id, op_id: crypto.randomUUID() }));
console.log(await send('endAttendanceSession', { session_id, op_id: crypto.randomUUID() }));
socket.disconnect();
\`\`\``;

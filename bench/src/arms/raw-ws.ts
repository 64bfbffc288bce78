import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { type SchoolSize, teacherName } from '../school.js';
import * as say from './payloads.js';
import { numberOf, RememberedSchool, uidOf } from './remembered-school.js';

/*
 * Arm A, the floor: websockets without Socket.IO, speaking just enough of its framing for the same load to talk to it.
 * A broadcast is framed once, and the same bytes are written to every connection.
 */

const PING_MS = 25_000;

const school = new RememberedSchool(JSON.parse(process.argv[2] ?? '') as SchoolSize);

interface Session {
  readonly course: number;
  readonly teacher: Duplex;
  readonly members: Set<Duplex>;
  seq: number;
}
const sessions = new Map<string, Session>();

/** A text frame of a server: final, unmasked. */
function framed(text: string): Buffer {
  const body = Buffer.from(text);
  const { length } = body;
  const head =
    length < 126
      ? Buffer.from([0x81, length])
      : length < 65_536
        ? Buffer.from([0x81, 126, length >> 8, length & 255])
        : Buffer.from([0x81, 127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255]);
  return Buffer.concat([head, body]);
}

const eventFrame = (event: string, payload: object): Buffer => framed(`42${JSON.stringify([event, payload])}`);

interface Input {
  readonly session_id: string;
  readonly course_id: string;
  readonly student_id: string;
}

function start(socket: Duplex, { session_id, course_id }: Input): number {
  const session = { course: numberOf(course_id), teacher: socket, members: new Set([socket]), seq: 1 };
  sessions.set(session_id, session);
  return session.seq;
}

function join(socket: Duplex, uid: string, session: Session, { session_id }: Input): number {
  const at = Date.now();
  const student = school.student(numberOf(uid));
  session.members.add(socket);
  session.seq += 1;
  const record = say.recordPayload(session_id, student, school.row('absent', null), session.seq);
  socket.write(eventFrame('attendanceSessionJoined', say.joinedPayload(record, at, session.seq)));
  session.teacher.write(eventFrame('studentJoinedAttendance', say.joinedNotice(session_id, student, at, session.seq)));
  return session.seq;
}

function mark(socket: Duplex, session: Session, event: keyof typeof say.MARK_EVENTS, input: Input): number {
  const { status, answer } = say.MARK_EVENTS[event];
  session.seq += 1;
  const by = teacherName(session.course);
  const row = school.row(status, { at: Date.now(), by });
  const record = say.recordPayload(input.session_id, school.student(numberOf(input.student_id)), row, session.seq);
  socket.write(eventFrame(answer, say.markedPayload(record, record)));
  const payload = say.updatedPayload(record, status === 'present' ? 'absent' : 'present', by);
  const frame = eventFrame('attendanceUpdated', payload);
  for (const member of session.members) member.write(frame);
  return session.seq;
}

function handle(socket: Duplex, uid: string, event: string, input: Input): number {
  if (event === 'startAttendanceSession') return start(socket, input);
  const session = sessions.get(input.session_id);
  if (!session) throw new Error(`${input.session_id} was not started`);
  if (event === 'joinAttendanceSession') return join(socket, uid, session, input);
  if (event === 'markStudentPresent' || event === 'markStudentAbsent') return mark(socket, session, event, input);
  if (event !== 'endAttendanceSession') throw new Error(`${event} is not for this arm`);
  sessions.delete(input.session_id);
  return 0;
}

const httpServer = createServer();
const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const open = framed('0{"sid":"floor","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}');
const ping = framed('2');

httpServer.on('upgrade', (request, socket, head) => {
  webSockets.handleUpgrade(request, socket, head, (connection) => {
    let uid = '';
    socket.write(open);
    const pings = setInterval(() => socket.write(ping), PING_MS).unref();
    connection.on('message', (data) => {
      const text = String(data);
      if (text.startsWith('40')) {
        uid = uidOf((JSON.parse(text.slice(2)) as { token: string }).token);
        socket.write(framed('40{"sid":"floor"}'));
      } else if (text.startsWith('42')) {
        const at = text.indexOf('[');
        const [event, input] = JSON.parse(text.slice(at)) as [string, Input];
        const seq = handle(socket, uid, event, input);
        if (at > 2) socket.write(framed(`43${text.slice(2, at)}[{"ok":true,"seq":${seq}}]`));
      }
    });
    connection.on('close', () => {
      clearInterval(pings);
      for (const { members } of sessions.values()) members.delete(socket);
    });
  });
});

httpServer.listen(0, '127.0.0.1', () => say.announce((httpServer.address() as AddressInfo).port));
process.once('SIGTERM', () => process.exit(0));

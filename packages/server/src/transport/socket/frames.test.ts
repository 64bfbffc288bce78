import { expect, test } from 'vitest';
import { readEntries } from '../../storage/contract/journal-access.js';
import { schoolOf } from '../../testing/school.js';
import { type Client, startServer } from '../../testing/server.js';

const session_id = 'session-1';
const roundTrip = (client: Client) => client.send('unsubscribeFromCourse', { course_id: 'none' });
const disconnection = ({ socket }: Client): Promise<string> =>
  new Promise((resolve) => {
    socket.once('disconnect', resolve);
  });

interface RawEngine {
  write(message: string): void;
  readonly transport: { readonly ws: { send(frame: string | Uint8Array): void } };
}
const engineOf = ({ socket }: Client) => socket.io.engine as unknown as RawEngine;

test.each(['websocket', 'polling'])(
  '[CONN-24] a frame of more than 6 MB over %s is refused, others are served on',
  async (transport) => {
    const server = await startServer({}, schoolOf(2));
    const witness = await server.connect('ada');
    await witness.send('startAttendanceSession', { session_id });
    const client = await server.connect('cyd', { transports: [transport] });
    const cut = disconnection(client);
    const back = new Promise<void>((resolve) => client.socket.once('connect', resolve));
    client.emit('markStudentPresent', { session_id, student_id: 'student-1', remarks: 'x'.repeat(7 * 1024 * 1024) });
    expect(await cut).toMatch(/^transport (close|error)$/);
    expect(await witness.send('markStudentPresent', { session_id, student_id: 'student-1' })).toMatchObject({ seq: 2 });
    // The cut connection comes back by itself.
    await back;
    expect(await client.send('markStudentAbsent', { session_id, student_id: 'student-1' })).toMatchObject({ seq: 3 });
  },
);

test('[CONN-24] the largest legal bulk is no such frame', async () => {
  const server = await startServer({}, schoolOf(1));
  const client = await server.connect('ada');
  await client.send('startAttendanceSession', { session_id });
  const row = { student_id: 'student-1', status: 'present', remarks: 'x'.repeat(1_000) };
  const attendanceUpdates = Array.from({ length: 5_000 }, () => row);
  expect(await client.send('bulkUpdateAttendance', { session_id, attendanceUpdates })).toMatchObject({
    ok: true,
    totalUpdated: 1,
  });
});

test('[CONN-240] a bulk whose remarks are all brackets is read, and a frame that is nothing else ends its connection', async () => {
  const server = await startServer({}, schoolOf(1));
  const [teacher, witness] = [await server.connect('ada'), await server.connect('cyd')];
  await teacher.send('startAttendanceSession', { session_id });
  const row = {
    student_id: 'student-1',
    status: 'present',
    remarks: '[{,:"\\'.repeat(160),
    note: { of: ['the', 'app'] },
  };
  const attendanceUpdates = Array.from({ length: 3_000 }, () => row);
  expect(await teacher.send('bulkUpdateAttendance', { session_id, attendanceUpdates })).toMatchObject({
    totalUpdated: 1,
  });
  for (const filling of [
    '['.repeat(3_000_000),
    '{},'.repeat(900_000),
    '0,'.repeat(1_000_000),
    '{"a":'.repeat(400_000),
  ]) {
    const cut = disconnection(teacher);
    const back = new Promise<void>((resolve) => teacher.socket.once('connect', resolve));
    engineOf(teacher).write(`2["bulkUpdateAttendance",{"session_id":"${session_id}","attendanceUpdates":[${filling}`);
    expect(await cut).toMatch(/^transport (close|error)$/);
    expect(await roundTrip(witness)).toMatchObject({ ok: true });
    await back;
  }
});

const deep = (open: string, close: string, levels: number) => open.repeat(levels) + close.repeat(levels);

/** Messages of Socket.IO that no client would write. */
const MESSAGES = [
  '2',
  '2[',
  '2{}',
  '2[]',
  '2[7]',
  '2[null,{}]',
  '2[{}]',
  '2[["markStudentPresent"]]',
  '2["markStudentPresent"',
  '2999999999999999999999["markStudentPresent",{"session_id":"session-1"}]',
  '2-1["markStudentPresent"]',
  '2["error","x"]',
  '2["disconnect","x"]',
  '2["disconnecting"]',
  '2["connect"]',
  '2["newListener","x"]',
  '2["__proto__",{}]',
  '2/other,["markStudentPresent",{}]',
  '0{"token":"nonsense"}',
  '0{"token":',
  '1',
  '3',
  '31[]',
  '31["x"]',
  '4{"message":"x"}',
  '5',
  '51-["markStudentPresent",{"_placeholder":true,"num":0}]',
  '51-["markStudentPresent",{"_placeholder":true,"num":9}]',
  '599999999999-["markStudentPresent"]',
  '62-0[]',
  '9',
  'x',
  `2["markStudentPresent",${deep('[', ']', 200_000)}]`,
  `2["bulkUpdateAttendance",{"session_id":"session-1","attendanceUpdates":${deep('[', ']', 200_000)}}]`,
];

test.each(MESSAGES.map((message) => [message.slice(0, 60), message]))(
  '[ANS-15] the message %s harms nobody',
  async (_shown, message) => {
    const server = await startServer({}, schoolOf(1));
    const witness = await server.connect('ada');
    await witness.send('startAttendanceSession', { session_id });
    const client = await server.connect('cyd');
    engineOf(client).write(message);
    // The server may answer, ignore or cut this connection; then it is back by itself, or a new one is let in.
    const again = await server.connect('cyd');
    expect(await again.send('markStudentPresent', { session_id, student_id: 'student-1' })).toMatchObject({ ok: true });
    expect(await witness.next('attendanceUpdated')).toMatchObject({ status: 'present' });
    expect((await readEntries(server.storage, session_id as never, 0, 10)).length).toBe(2);
  },
);

test('[ANS-15] frames that aren’t Engine.IO’s harm nobody', async () => {
  const server = await startServer({}, schoolOf(1));
  const witness = await server.connect('ada');
  for (const frame of [
    '',
    'hello',
    '9',
    '1',
    '6',
    '2probe',
    '0{}',
    '4',
    'bAAAA',
    Buffer.alloc(0),
    Buffer.alloc(1_000, 255),
  ]) {
    const client = await server.connect('cyd');
    engineOf(client).transport.ws.send(frame);
    await roundTrip(await server.connect('s-1'));
    expect(await witness.send('checkActiveSessions', {})).toMatchObject({ ok: true });
    client.close();
  }
});

test('[CONN-4] a connect packet without any auth is refused like one without a token', async () => {
  const server = await startServer({}, schoolOf(1));
  const { url } = server;
  const open = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
  const { sid } = JSON.parse((await open.text()).slice(1)) as { sid: string };
  for (const packet of ['40', '40{}', '40{"token":null}', '40{"token":{"$ne":null}}']) {
    const address = `${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    expect((await fetch(address, { method: 'POST', body: packet })).status).toBe(200);
    const answer = await (await fetch(address)).text();
    expect(answer, packet).toBe('44{"message":"Authentication error","data":{"code":"UNAUTHENTICATED"}}');
  }
});

import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { accepted, mark, UNLIMITED } from '../testing/class.js';
import { schoolOf } from '../testing/school.js';
import { sdk } from '../testing/sdk.js';
import { type Client, type Payload, startServer, temporaryFolder } from '../testing/server.js';

const session_id = 'session-1';
const PATIENCE = { timeout: 60_000, interval: 50 };
type Row = { readonly student_id: string; readonly status: string; readonly seq: number };
const linesOf = (rows: Iterable<Row>) =>
  [...rows].map(({ student_id, status, seq }) => [student_id, status, seq]).sort();

/** What an app without the SDK shows: the snapshot that it asks for at each connection, and what came by seq since. */
function stockPicture(client: Client) {
  let rows = new Map<string, Row>();
  let seq = 0;
  const take = (payload: Payload) => {
    rows = new Map((payload['attendanceRecords'] as Row[]).map((row) => [row.student_id, row]));
    seq = Number(payload['seq']);
  };
  client.socket.on('attendanceUpdated', (update: Payload) => {
    const row = update['attendanceRecord'] as Row;
    if (row.seq <= seq) return;
    rows.set(row.student_id, row);
    seq = row.seq;
  });
  const ask = () => client.socket.emit('getAttendanceSessionData', { session_id });
  client.socket.on('attendanceSessionData', take);
  client.socket.on('connect', ask);
  ask();
  return { lines: () => linesOf(rows.values()) };
}

test('[SEQ-6] [SEQ-7] after a backup was restored under connected clients every picture equals the database', async () => {
  const file = join(await temporaryFolder(), 'rollcall.db');
  const variables = { ...UNLIMITED, DATABASE_URL: `sqlite:${file}` };
  const server = await startServer(variables, schoolOf(6));
  const teacher = await server.connect('ada');
  await accepted(teacher.send('startAttendanceSession', { session_id }));
  for (const n of [1, 2, 3]) await accepted(mark(teacher, `student-${n}`, 'present'));
  const stock = stockPicture(await server.connect('cyd'));
  const [ahead, beside] = [sdk(server.url, 'ada'), sdk(server.url, 'ada')];
  const lives = [await ahead.openSession(session_id), await beside.openSession(session_id)];

  // The backup: entries 1 to 4. What comes after it will not have been.
  const { SqliteStorage } = await import('../storage/sqlite/storage.js');
  const copier = new SqliteStorage({ path: file });
  await copier.open();
  await copier.backup(`${file}.backup`);
  await copier.close();
  for (const n of [1, 2, 3, 4, 5, 6]) await accepted(mark(teacher, `student-${n}`, 'late'));
  for (const live of lives) await expect.poll(() => live.seq, PATIENCE).toBe(10);

  const { port } = server;
  await server.close();
  for (const suffix of ['', '-wal', '-shm']) await rm(`${file}${suffix}`, { force: true });
  await copyFile(`${file}.backup`, file);
  const restored = await startServer({ ...variables, CHAT_PORT: String(port) });
  const marker = await restored.connect('cyd');
  onTestFinished(() => marker.close());
  // Other entries under the numbers that the clients have seen.
  for (const n of [4, 5]) await accepted(mark(marker, `student-${n}`, 'excused'));

  const stored = async () => {
    const answer = await marker.send('getAttendanceSessionData', { session_id });
    return linesOf(answer['attendanceRecords'] as Row[]);
  };
  for (const live of lives) {
    await expect.poll(() => live.state, PATIENCE).toBe('live');
    await expect.poll(async () => linesOf(live.records.values()), PATIENCE).toEqual(await stored());
  }
  await expect.poll(() => stock.lines(), PATIENCE).toEqual(await stored());
  // And it goes on from there.
  for (const n of [1, 2, 3, 6]) await accepted(mark(marker, `student-${n}`, 'excused'));
  for (const live of lives) await expect.poll(() => linesOf(live.records.values()), PATIENCE).toEqual(await stored());
  await expect.poll(() => stock.lines(), PATIENCE).toEqual(await stored());
});

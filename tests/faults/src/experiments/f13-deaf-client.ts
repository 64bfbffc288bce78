import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { type Experiment, type Lab, quantile } from '../experiment.js';
import { SqliteFile } from '../rig/database.js';
import { MarkLoad } from '../rig/mark-load.js';
import { importSchool } from '../rig/people.js';
import { Plain } from '../rig/plain.js';
import { ServerProcess } from '../rig/server-process.js';
import { tokenOf } from '../rig/token.js';

const SESSION = 'class-1';
const STUDENTS = 500;
const BULKS_PER_SECOND = 4;
/** WAITING_MAX_BYTES of the server, and what may be added to it between two looks. */
const BOUND_BYTES = 32 * 1024 * 1024;
const BETWEEN_LOOKS_BYTES = 4 * 1024 * 1024;

/** A websocket by hand, since a library would always read: it connects, watches the session and never reads again. */
async function deafClient(lab: Lab, port: number): Promise<void> {
  const token = await tokenOf('cyd');
  const socket = connect(port, '127.0.0.1');
  lab.defer(() => socket.destroy());
  socket.on('error', () => {});
  const frame = (text: string): Buffer => {
    const body = Buffer.from(text);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(body.length);
    // A masked text frame; a mask of zeros leaves the text as it is.
    return Buffer.concat([Buffer.from([0x81, 0x80 | 126]), length, Buffer.alloc(4), body]);
  };
  let heard = '';
  const hears = (word: string) =>
    new Promise<void>((resolve) => {
      const listen = (bytes: Buffer) => {
        heard += bytes.toString('latin1');
        if (!heard.includes(word)) return;
        socket.off('data', listen);
        resolve();
      };
      socket.on('data', listen);
    });
  socket.write(
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n' +
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await hears('pingInterval');
  socket.write(frame(`40${JSON.stringify({ token })}`));
  // What is sent before the server has let it in would end the connection.
  await hears('40{"sid"');
  socket.pause();
  socket.write(frame(`42${JSON.stringify(['watchAttendanceSession', { session_id: SESSION }])}`));
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024;
}

async function run(lab: Lab): Promise<void> {
  const database = await SqliteFile.fresh(lab);
  await importSchool(lab, database, { students: STUDENTS });
  const server = await ServerProcess.start(lab, { database: database.url });
  const { url } = server;
  const teacher = await Plain.connect(lab, url, 'ada');
  await teacher.done('startAttendanceSession', { session_id: SESSION, course_id: 'course-1' });
  const load = await MarkLoad.start(lab, { url, session_id: SESSION, students: STUDENTS, name: 'mark' });

  let made = 0;
  let bulking = true;
  const bulk = async () => {
    const text = `bulk ${++made} `.padEnd(480, 'x');
    const attendanceUpdates = Array.from({ length: STUDENTS }, (_, n) => ({
      student_id: `student-${n + 1}`,
      status: made % 2 ? 'present' : 'absent',
      remarks: text,
    }));
    await teacher.done('bulkUpdateAttendance', { session_id: SESSION, attendanceUpdates });
  };
  // What fills the buffer of whoever doesn't read: half a megabyte a bulk to each teacher. The same with and without.
  const bulks = (async () => {
    while (bulking) {
      const next = lab.lasting(1_000 / BULKS_PER_SECOND);
      await bulk();
      await next;
    }
  })();
  bulks.catch(() => {});
  lab.defer(() => {
    bulking = false;
  });
  const since = async (work: Promise<unknown>): Promise<number[]> => {
    const began = performance.now();
    await work;
    return load.latencies.filter(({ sent_at }) => sent_at >= began).map(({ ms }) => ms);
  };
  const dropped = () => server.log.split('\n').filter((line) => line.includes('stopped reading'));
  load.run(100);
  await lab.lasting(2_000);
  const alone: number[] = [];
  const beside: number[] = [];
  let highest = 0;
  const calm = await residentBytes(server.pid);
  for (let round = 1; round <= lab.of(1, 5); round += 1) {
    alone.push(...(await since(lab.lasting(lab.of(4_000, 15_000)))));
    const connections = await server.metric('rollcall_connections');
    const deaf = async () => {
      await deafClient(lab, server.port);
      const gone = async () => {
        highest = Math.max(highest, await residentBytes(server.pid));
        return dropped().length >= round;
      };
      await lab.until(gone, 'the client that stopped reading is dropped', { within: 120_000, every: 100 });
    };
    beside.push(...(await since(deaf())));
    await lab.until(
      async () => (await server.metric('rollcall_connections')) === connections,
      'its connection is gone',
    );
  }
  bulking = false;
  await bulks;
  await load.finish(lab);
  lab.must(load.refusals.size === 0, 'nobody else is refused');
  const marks = (await database.entries(SESSION)).filter(({ op_id = '', type }) => type !== 'marked' || op_id !== '');
  lab.must(marks.length > load.acknowledged.size, 'every mark is stored');
  const bytes = dropped().map((line) => Number((JSON.parse(line) as { bytes?: number }).bytes));
  lab.equal(bytes.length, lab.of(1, 5), 'clients dropped');
  const most = Math.max(...bytes);
  lab.must(Math.min(...bytes) >= BOUND_BYTES, 'none is dropped before the bound');
  lab.must(most <= BOUND_BYTES + BETWEEN_LOOKS_BYTES, `what waits for one client is bounded: ${most}`);
  const [without, during] = [quantile(alone, 0.99), quantile(beside, 0.99)];
  lab.saw('clients that stopped reading, all dropped', bytes.length);
  lab.saw('most that waited for one, MB', most / 1_048_576);
  lab.saw('memory of the server above the calm at most, MB', (highest - calm) / 1_048_576);
  lab.saw('ack p99 of others without, ms', without);
  lab.saw('ack p99 of others beside, ms', during);
  lab.saw('ratio', during / without);
  lab.saw('marks without', alone.length);
  lab.saw('marks beside', beside.length);
  const limit = 1.2 * without;
  if (lab.long) lab.must(during <= limit, `others’ p99 is ${Math.round(during)} ms, at most ${Math.round(limit)}`);
}

export const deafClientDropped: Experiment = {
  id: 'F13',
  fault: 'a client stops reading while everybody in its room is sent 2 MB a second (SQLite)',
  promise: 'its buffer is bounded, it is dropped, others’ ack p99 ≤ 1.2 × that without it',
  needs: [],
  limits: 'The short version looks for the drop, and judges no times.',
  run,
};

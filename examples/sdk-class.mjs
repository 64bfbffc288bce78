// A class from start to end with the SDK: students check in, the teacher marks and watches it happen live.
//   npm start                          in one terminal
//   node examples/sdk-class.mjs [URL]  in another
// Other people: TEACHER and STUDENTS (sign-in names, separated by commas) in the environment. Stop the server and
// start it again while this runs: nothing is lost, and nothing counts twice.
import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connect, RollcallClientError } from '@rollcall/client';

const url = process.argv[2] ?? `http://localhost:${process.env.CHAT_PORT ?? 4002}`;
const teacherName = process.env.TEACHER ?? 'ada';
const studentNames = (process.env.STUDENTS ?? 'student123,student124,student125,student126').split(',');
// An id of its own each time: a session that has ended stays ended.
const session_id = `class-${Date.now()}`;

// In an app this asks your own server for a token. It is asked again whenever a new one is needed; of this one, which
// is good for twelve hours, each user needs one.
const rollcall = fileURLToPath(new URL('../packages/server/bin/rollcall.js', import.meta.url));
const sign = async (uid) =>
  (await promisify(execFile)(process.execPath, [rollcall, 'token', '--uid', uid])).stdout.trim();
const tokens = new Map();
const tokenOf = (uid) => {
  if (!tokens.has(uid)) tokens.set(uid, sign(uid));
  return tokens.get(uid);
};
const clients = [];
const signIn = (uid) => {
  const client = connect({ url, token: () => tokenOf(uid) });
  client.on('state', ({ state, reason }) => {
    if (reason && state !== 'closed') console.log(`${uid} is ${state}: ${reason}`);
  });
  clients.push(client);
  return client;
};

try {
  const client = signIn(teacherName);
  await client.ready({ signal: AbortSignal.timeout(30_000) });
  const teacher = await client.openSession(session_id, { start: { topic: 'Joins' } });
  teacher.on('joined', ({ student_name }) => console.log(`→ ${student_name} is here`));
  teacher.on('change', ({ seq, type, record, status, actor }) => {
    if (type === 'marked')
      console.log(`${seq}. ${record?.student.name ?? 'a new student'} is ${status} (${actor.name})`);
  });

  // A view that compares, one made with React for instance, draws anew when the snapshot is another one.
  let shown;
  teacher.subscribe(() => {
    const { records, statistics } = teacher.getSnapshot();
    const marked = [...records.values()].filter(({ marked_at }) => marked_at !== null).length;
    const line = `   screen: ${marked} of ${records.size} marked, ${statistics?.onlineCount ?? 0} online`;
    if (line !== shown) console.log(line);
    shown = line;
  });

  // Where check-ins need a code (CHECK_IN=code), students type the one on the teacher's screen.
  const code = teacher.code?.code;
  const students = await Promise.all(studentNames.map((uid) => signIn(uid).joinSession(session_id, { code })));
  for (const student of students) {
    student.on('change', ({ student_id, status }) => {
      if (student_id === student.own?.student_id) console.log(`   ${student.own.student.name} sees: ${status}`);
    });
  }

  const [first, second, ...others] = students.map(({ own }) => own.student_id);
  await teacher.markPresent(first);
  if (second) await teacher.mark(second, 'late', { remarks: 'missed the bus' });
  if (others.length > 0) {
    await teacher.bulkUpdate(others.map((student_id) => ({ student_id, status: 'present' })));
  }

  await pause(500);
  const over = Promise.all(students.map((student) => student.state === 'ended' || student.once('ended')));
  const { finalData } = await teacher.end();
  await over;
  const { presentCount, lateCount, totalStudents, attendanceRate } = finalData.statistics;
  console.log(`Over: ${presentCount} present and ${lateCount} late of ${totalStudents}, ${attendanceRate} %`);
} catch (error) {
  if (error instanceof RollcallClientError) {
    console.error(`${error.event ?? 'connecting'}: ${error.message} (${error.code})`);
  } else if (error.name === 'TimeoutError') {
    console.error(`No connection to ${url} within 30 s. Is the server running there? \`npm start\` starts it.`);
  } else throw error;
  process.exitCode = 1;
} finally {
  for (const client of clients) client.close();
}

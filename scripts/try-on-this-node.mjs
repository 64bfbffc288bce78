// A class on the Node that runs this file: started, marked, killed, restarted, ended, simulated and verified.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from '@rollcall/client';

const [rollcall] = process.argv.slice(2);
const url = (port) => `http://127.0.0.1:${port}`;

/** The server on the Node of this process; resolves with its port once it listens. */
async function serve(port = 0) {
  const server = spawn(process.execPath, [rollcall, 'serve', '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  const listening = new Promise((resolve, reject) => {
    server.stdout.on('data', (text) => {
      out += text;
      const found = /running on port (\d+)/.exec(out);
      if (found) resolve(Number(found[1]));
    });
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return { server, port: await listening };
}

async function run(...args) {
  const child = spawn(process.execPath, [rollcall, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (text) => {
    out += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`rollcall ${args.join(' ')} ended with ${code}: ${out}`);
  return out;
}

const session_id = 'node-class';
const first = await serve();
const token = (await run('token', '--uid', 'ada')).trim();
const client = connect({ url: url(first.port), token: () => token });
const session = await client.openSession(session_id, { start: { course_id: 'course-1' } });
const students = [...session.records.keys()].slice(0, 5);
if (students.length === 0) throw new Error('the demo course has no students');
let last;
for (const student of students) last = await session.markPresent(student);

first.server.kill('SIGKILL');
await once(first.server, 'exit');
const second = await serve(first.port);
const late = await session.mark(students[0], 'late');
if (late.seq !== last.seq + 1) throw new Error(`after a kill and a restart comes ${late.seq}, not ${last.seq + 1}`);
await session.end();
client.close();
await run('simulate', '--students', '20', '--url', url(second.port));
second.server.kill('SIGTERM');
const [code] = await once(second.server, 'exit');
if (code !== 0) throw new Error(`told to stop, the server ended with ${code}`);
const verdict = JSON.parse(await run('verify', '--json'));
if (verdict.differences.length > 0 || verdict.sessions < 2) throw new Error(JSON.stringify(verdict));

import type { SessionId } from '@rollcall/protocol';
import type { Config } from '../config/config.js';
import { DEMO_SESSION_ID, DEMO_STUDENT_ID, DEMO_STUDENT_UIDS, DEMO_TEACHER_UID } from '../school/demo-school.js';
import { SignInLinks } from '../sign-in/links.js';
import type { Storage } from '../storage/port.js';
import { visible } from '../visible-text.js';
import { tokenSigner } from './sign-token.js';

const TWELVE_HOURS = 12 * 3_600;

/**
 * What a development server tells after its start: the seed's usage example as a command that can be pasted as it is,
 * and last, where they stay in sight, links that sign in a teacher and two students. Little of it where the database doesn't
 * hold the demo school.
 */
export async function developmentNotice(config: Config, storage: Storage, port: number): Promise<string> {
  const sign = await tokenSigner(config);
  const uids = [DEMO_TEACHER_UID, ...DEMO_STUDENT_UIDS];
  const people = await Promise.all(uids.map((uid) => storage.people.findPersonByUid(uid)));
  if (people.includes(null)) {
    return '\nDevelopment mode. The database has users of its own; `rollcall invite --uid UID` signs one of them in.\n';
  }
  const [teacherToken = '', studentToken = ''] = await Promise.all(uids.map((uid) => sign(uid, TWELVE_HOURS)));
  const url = `http://localhost:${port}`;
  const { signIn } = storage;
  // Links are made here, and used by the server.
  const personOfUser = async () => undefined;
  const links = new SignInLinks({ signIn, personOfUser, publicUrl: () => config.publicUrl ?? url, now: Date.now });
  // Those of an invite count for longer than somebody who tries things out takes to come to them.
  const made = await Promise.all(people.map((person) => person && links.make(person.user_id, 'invite')));
  const session = await storage.projection.findSession(DEMO_SESSION_ID as SessionId);
  const held =
    session?.status === 'completed'
      ? `\n(${DEMO_SESSION_ID} has been held, so this shows the refusal. node examples/usage.mjs takes a new session each time.)\n`
      : '';
  return `
Development mode. The usage example, to be pasted once into another terminal in this directory (a session that has
ended stays ended; node examples/usage.mjs runs the same with a new session each time):
${held}
${usageExample(url, teacherToken, studentToken)}

The HTTP API, to read and to try with a token: ${url}/api/v1/docs/

Sign-in links of the demo school, each good once, within 7 days (rollcall invite makes more, rollcall token makes tokens):
${uids.map((uid, index) => `  ${index === 0 ? 'teacher' : 'student'} ${uid} (${visible(people[index]?.name ?? '')}): ${made[index]?.url}`).join('\n')}
`;
}

const usageExample = (url: string, teacherToken: string, studentToken: string): string =>
  `node --input-type=module <<'EOF'
import { io } from 'socket.io-client';
const teacher = io('${url}', { auth: { token: '${teacherToken}' } });
const student = io('${url}', { auth: { token: '${studentToken}' } });
for (const socket of [teacher, student]) {
  for (const event of ['connect_error', 'attendanceError']) {
    socket.on(event, ({ message }) => { console.error(event + ': ' + message); process.exit(1); });
  }
}
teacher.emit('startAttendanceSession', { session_id: '${DEMO_SESSION_ID}' });
teacher.on('attendanceSessionStarted', (data) => {
  console.log('Session started:', data);
  student.emit('joinAttendanceSession', { session_id: '${DEMO_SESSION_ID}' });
});
student.on('attendanceSessionJoined', (data) => {
  console.log('Joined session:', data);
  teacher.emit('markStudentPresent', { session_id: '${DEMO_SESSION_ID}', student_id: '${DEMO_STUDENT_ID}' });
});
teacher.on('studentMarkedPresent', (data) => {
  console.log('Student marked present:', data);
  teacher.emit('endAttendanceSession', { session_id: '${DEMO_SESSION_ID}' });
});
teacher.on('attendanceSessionEndedConfirm', (data) => {
  console.log('Session ended:', data);
  teacher.close();
  student.close();
});
EOF`;

import { createApi } from '@rollcall/client';
import { expect, test } from 'vitest';
import { schoolOf } from '../../../testing/school.js';
import { sdk } from '../../../testing/sdk.js';
import { startServer, tokenOf } from '../../../testing/server.js';

const UNLIMITED = { RATE_LIMIT_TEACHER_PER_SECOND: '0', RATE_LIMIT_STUDENT_PER_SECOND: '0' };

test('[SDK-181] client.api has a method for each operation, which takes the fields of its path, query and body', async () => {
  const server = await startServer(UNLIMITED, schoolOf(2));
  const { api } = sdk(server.url, 'ada');
  expect((await api.getMe()).user).toMatchObject({ uid: 'ada', name: 'Ada Osei' });
  const { seq } = await api.startSession({ session_id: 'session-1', topic: 'Sets' });
  expect(seq).toBe(1);
  const marked = await api.putRecord({ session_id: 'session-1', student_id: 's-1', status: 'late', remarks: 'Bus' });
  expect(marked.attendanceRecord).toMatchObject({ student_id: 'student-1', status: 'late', remarks: 'Bus' });
  const { changes } = await api.getJournal({ session_id: 'session-1', after_seq: 1, limit: 10 });
  expect(changes).toMatchObject([{ seq: 2, type: 'marked' }]);
  await expect(api.getSession({ session_id: 'nowhere' })).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
  await expect(
    api.putRecord({ session_id: 'session-1', student_id: 's-1', status: 'here' as 'late' }),
  ).rejects.toMatchObject({ code: 'BAD_REQUEST', details: { field: 'status' } });
});

test('[SDK-182] a change that meets a server that is away is sent again, and has one effect', async () => {
  const server = await startServer(UNLIMITED, schoolOf(1));
  const { api } = sdk(server.url, 'ada');
  await api.startSession({ session_id: 'session-1' });
  await server.close();
  const marking = api.putRecord({
    session_id: 'session-1',
    student_id: 'student-1',
    status: 'present',
    op_id: 'tap-1',
  });
  const restarted = await server.restart();
  expect(await marking).toMatchObject({ seq: 2 });
  const again = sdk(restarted.url, 'ada').api;
  expect(
    await again.putRecord({ session_id: 'session-1', student_id: 'student-1', status: 'present', op_id: 'tap-1' }),
  ).toMatchObject({ seq: 2, duplicate: true });
});

test('[SDK-183] createApi needs no connection, and a deadline or a signal ends a request that can’t be answered', async () => {
  const server = await startServer(UNLIMITED, schoolOf(1));
  const api = createApi({ url: server.url, token: await tokenOf('s-1') });
  expect((await api.getMe()).student).toMatchObject({ student_id: 'student-1' });
  await expect(createApi({ url: server.url }).getMe()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  await server.close();
  await expect(api.getMe({}, { deadline: 500 })).rejects.toMatchObject({ code: 'TIMEOUT' });
  const stop = new AbortController();
  const waiting = api.getMe({}, { signal: stop.signal });
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect(() => createApi({ url: 'rollcall.example' })).toThrow(TypeError);
});

import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { schoolOf } from '../testing/school.js';
import { startServer, tokenOf } from '../testing/server.js';

/** Beside the source of this test: it isn't compiled, and stays where it is. */
const SOURCES = new URL('../../src/end-to-end/', import.meta.url);
const SCRIPT = fileURLToPath(new URL('python-client.py', SOURCES));
const REQUIREMENTS = 'packages/server/src/end-to-end/python-client.requirements.txt';
const PYTHON = process.env['ROLLCALL_TEST_PYTHON'] || 'python3';
const MISSING = `: needs a Python with python-socketio: python3 -m venv node_modules/.python && node_modules/.python/bin/pip install -r ${REQUIREMENTS}, then set ROLLCALL_TEST_PYTHON=node_modules/.python/bin/python`;

function hasSocketIo(): boolean {
  try {
    execFileSync(PYTHON, ['-c', 'import socketio, websocket, requests'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const required = (process.env['ROLLCALL_TEST_REQUIRE'] ?? '').split(',').some((name) => name.trim() === 'python');
const missing = !hasSocketIo();
if (missing && required) throw new Error(`${PYTHON} will not do${MISSING}`);

type Fields = Record<string, unknown>;

interface Report {
  readonly steps: Readonly<Record<string, unknown>>;
  readonly faults: readonly string[];
  readonly seen: Readonly<Record<string, readonly string[]>>;
  readonly refusals: Readonly<Record<string, unknown>>;
}

/** Runs the class in a process of its own; what it prints is its report. */
function runClass(url: string, transport: string, task: object): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = execFile(PYTHON, [SCRIPT, url, transport], { timeout: 100_000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`the client failed: ${stderr}`, { cause: error }));
      else resolve(JSON.parse(stdout) as Report);
    });
    child.stdin?.end(JSON.stringify(task));
  });
}

describe.skipIf(missing)(`python-socketio${missing ? MISSING : ''}`, () => {
  test.each(['websocket', 'polling'])(
    '[APP-1] [CONN-1] [CONN-15] the seed document alone is enough to run a class over %s',
    { timeout: 120_000 },
    async (transport) => {
      const server = await startServer({}, schoolOf(3));
      const users = { teacher: 'ada', stranger: 'eve', 's-1': 's-1', 's-2': 's-2', 's-3': 's-3', nobody: 'nobody' };
      const tokens: Record<string, string> = {};
      for (const [name, uid] of Object.entries(users)) tokens[name] = await tokenOf(uid);
      const students = [1, 2, 3].map((n) => ({ uid: `s-${n}`, student_id: `student-${n}` }));
      const task = { tokens, session_id: 'session-1', students };
      const { steps, faults, seen, refusals } = await runClass(server.url, transport, task);

      expect(faults).toEqual([]);
      expect(steps['transports']).toEqual([transport, transport, transport, transport]);
      expect(refusals).toEqual({
        'without a token': expect.objectContaining({ message: 'Authentication error' }),
        'with a bad token': expect.objectContaining({ message: 'Invalid token' }),
        unknown: expect.objectContaining({ message: 'User not found' }),
      });
      expect(messages(steps)).toEqual({
        joined_too_early: 'Attendance session not active',
        started_by_student: 'Teacher profile not found',
        ended_by_stranger: 'Only the session teacher can end attendance',
        joined_too_late: 'Attendance session not active',
      });

      const session_id = 'session-1';
      expect(steps['started']).toMatchObject({ session_id, totalStudents: 3, session: { status: 'active' } });
      expect(steps['joined']).toMatchObject([{ session_id }, { session_id }, { session_id }]);
      expect(steps['notices']).toMatchObject(
        students.map(({ student_id }, i) => ({ session_id, student_id, student_name: `Student ${i + 1}` })),
      );
      for (const status of ['present', 'absent']) {
        const record = { student_id: 'student-1', status };
        const update = { session_id, ...record, updated_by: 'Ada Osei', attendanceRecord: record };
        expect(steps[status]).toMatchObject({ session_id, student_id: 'student-1', attendanceRecord: record });
        expect(steps[`${status}_told`]).toMatchObject([update, update, update, update]);
      }
      const updatedRecords = ['present', 'absent', 'present'].map((status, i) => ({
        student_id: `student-${i + 1}`,
        status,
      }));
      const told = { session_id, updatedRecords: expect.any(Array), updated_by: 'Ada Osei' };
      expect(byStudent(steps['bulk'], 'updatedRecords')).toMatchObject(updatedRecords);
      expect(steps['bulk']).toMatchObject({ session_id, totalUpdated: 3 });
      expect(steps['bulk_told']).toMatchObject([told, told, told, told]);
      for (const one of steps['bulk_told'] as Fields[]) {
        expect(byStudent(one, 'updatedRecords')).toMatchObject(updatedRecords);
      }
      const statistics = { totalStudents: 3, presentCount: 2, absentCount: 1, attendanceRate: 66.67 };
      expect(steps['data']).toMatchObject({ session_id, session: { status: 'active' }, statistics });
      expect(byStudent(steps['data'], 'attendanceRecords')).toMatchObject(updatedRecords);
      const ended = { session_id, ended_by: 'Ada Osei', finalData: { statistics } };
      expect(steps['confirmed']).toMatchObject({ session_id, finalData: { statistics } });
      expect(steps['ended_told']).toMatchObject([ended, ended, ended, ended]);

      expect(seen['s-2']).toEqual([
        'attendanceSessionJoined',
        'attendanceUpdated',
        'attendanceUpdated',
        'attendanceBulkUpdated',
        'attendanceSessionEnded',
      ]);
    },
  );
});

const messages = (steps: Report['steps']): Fields =>
  Object.fromEntries(
    ['joined_too_early', 'started_by_student', 'ended_by_stranger', 'joined_too_late'].map((step) => [
      step,
      (steps[step] as Fields)['message'],
    ]),
  );

/** Records in order of student. */
const byStudent = (payload: unknown, field: string): Fields[] =>
  [...((payload as Record<string, Fields[]>)[field] ?? [])].sort((a, b) =>
    String(a['student_id']).localeCompare(String(b['student_id'])),
  );

import { expect, test } from 'vitest';
import { schoolOf } from './testing/school.js';
import { startServer } from './testing/server.js';

test('[APP-1] a whole class runs with the seed’s events alone', async () => {
  const server = await startServer({}, schoolOf(3));
  const teacher = await server.connect('ada');
  const student = await server.connect('s-1');
  const other = await server.connect('s-2');

  teacher.emit('startAttendanceSession', { session_id: 'session-1' });
  const started = await teacher.next('attendanceSessionStarted');
  expect(started).toMatchObject({ session_id: 'session-1', totalStudents: 3, seq: 1 });
  expect(started['attendanceRecords']).toHaveLength(3);

  student.emit('joinAttendanceSession', { session_id: 'session-1' });
  expect(await student.next('attendanceSessionJoined')).toMatchObject({ session_id: 'session-1', seq: 2 });
  expect(await teacher.next('studentJoinedAttendance')).toMatchObject({
    student_id: 'student-1',
    student_name: 'Student 1',
  });

  teacher.emit('markStudentPresent', { session_id: 'session-1', student_id: 'student-1' });
  expect(await teacher.next('studentMarkedPresent')).toMatchObject({ attendanceRecord: { status: 'present', seq: 3 } });
  expect(await student.next('attendanceUpdated')).toMatchObject({ status: 'present', updated_by: 'Ada Osei', seq: 3 });
  expect(await teacher.next('attendanceUpdated')).toMatchObject({ status: 'present', previous_status: 'absent' });

  const updates = [
    { student_id: 'student-1', status: 'absent' },
    { student_id: 'student-2', status: 'present' },
  ];
  teacher.emit('bulkUpdateAttendance', { session_id: 'session-1', attendanceUpdates: updates });
  expect(await teacher.next('attendanceBulkUpdateComplete')).toMatchObject({ totalUpdated: 2 });
  expect(await student.next('attendanceBulkUpdated')).toMatchObject({ updated_by: 'Ada Osei', seq: 5 });

  teacher.emit('getAttendanceSessionData', { session_id: 'session-1' });
  expect(await teacher.next('attendanceSessionData')).toMatchObject({
    statistics: { presentCount: 1, absentCount: 2 },
  });

  teacher.emit('endAttendanceSession', { session_id: 'session-1' });
  const confirm = await teacher.next('attendanceSessionEndedConfirm');
  expect(confirm).toMatchObject({ finalData: { statistics: { presentCount: 1, attendanceRate: 33.33 } } });
  expect(await student.next('attendanceSessionEnded')).toMatchObject({ ended_by: 'Ada Osei', reason: 'teacher' });
  expect(other.all('attendanceUpdated')).toEqual([]);
});

import { expect, test } from 'vitest';
import { accepted, bulk, caughtUp, end, joined, journalOf, mark, rowsOf, startedClass } from '../testing/class.js';
import type { Answer, Client, Payload } from '../testing/server.js';

interface Sent {
  readonly student_id: string;
  readonly status: string;
  readonly remarks: string;
  readonly answer: Promise<Answer>;
}

const STUDENTS = 80;

/** Marks of one device, each with a remark of its own, so that what became of it can be told. */
function volley(device: Client, name: string, count: number, status: string): Sent[] {
  return Array.from({ length: count }, (_, n) => {
    const student_id = `student-${(n % STUDENTS) + 1}`;
    const remarks = `${name} ${n}`;
    return { student_id, status, remarks, answer: mark(device, student_id, status, { remarks }) };
  });
}

/** What the journal says was marked, by remark. */
const remarksIn = (final: Payload) => new Set(rowsOf(final).map(({ remarks }) => remarks));

test.each([
  ['first', 0],
  ['amid', 150],
  ['last', 300],
])(
  '[END-8] [END-9] marks of two devices racing the end (%s): acknowledged is final, all else SESSION_ENDED',
  async (_, before) => {
    for (let round = 0; round < 3; round += 1) {
      const { server, teacher } = await startedClass(STUDENTS);
      const second = await server.connect('cyd');
      const student = await joined(server, 's-1');
      await accepted(second.send('watchAttendanceSession', { session_id: 'session-1' }));
      const sent = [...volley(teacher, 'a', before, 'present'), ...volley(second, 'b', 150, 'late')];
      const rows = Array.from({ length: STUDENTS }, (__, n) => ({ student_id: `student-${n + 1}`, status: 'excused' }));
      const bulkInFlight = bulk(second, rows);
      const ending = end(teacher);
      sent.push(...volley(teacher, 'c', 300 - before, 'excused'), ...volley(second, 'd', 150, 'present'));
      const ended = await accepted(ending);
      const final = ended['finalData'] as Payload;
      const answers = await Promise.all(sent.map(async (each) => ({ ...each, answer: await each.answer })));
      const acked = answers.filter(({ answer }) => answer.ok);
      const entries = await journalOf(server);
      expect(entries.at(-1)).toMatchObject({ type: 'ended', seq: ended['seq'] });
      // A bulk keeps the remarks that it finds.
      const singles = entries.flatMap((entry) => (entry.type === 'marked' && entry.group === undefined ? [entry] : []));
      const written = new Map(singles.map((entry) => [entry.remarks, entry]));
      for (const { answer, remarks, student_id, status } of answers) {
        if (!answer.ok) {
          expect(answer.error).toMatchObject({ code: 'SESSION_ENDED', message: 'Attendance session not active' });
          expect(written.has(remarks)).toBe(false);
          expect(remarksIn(final).has(remarks)).toBe(false);
          continue;
        }
        expect(written.get(remarks)).toMatchObject({ student_id, status, seq: answer['seq'] });
        // Whoever marked this student last is what finalData says.
        const record = rowsOf(final).find((row) => row.student_id === student_id);
        expect(record?.seq).toBeGreaterThanOrEqual(answer['seq'] as number);
        if (record?.seq === answer['seq']) expect(record).toMatchObject({ status, remarks });
      }
      const { ok, error } = await bulkInFlight;
      if (!ok) expect(error).toMatchObject({ code: 'SESSION_ENDED' });
      const bulkEntries = entries.filter((entry) => entry.type === 'marked' && entry.group !== undefined);
      if (!ok) expect(bulkEntries).toEqual([]);
      // One socket's commands are taken in their order: nothing sent after the end got in before it.
      expect(acked.filter(({ remarks }) => remarks.startsWith('c '))).toEqual([]);
      expect(acked.filter(({ remarks }) => remarks.startsWith('a '))).toHaveLength(before);
      await caughtUp(teacher, second, student);
      for (const client of [teacher, second, student]) {
        const seqs = client.events.flatMap(({ event, payload }) =>
          event === 'attendanceUpdated' ? [payload['seq']] : [],
        );
        expect(seqs).toEqual(singles.map(({ seq }) => seq));
        const names = client.events.map(({ event }) => event);
        expect(names.lastIndexOf('attendanceUpdated')).toBeLessThan(names.indexOf('attendanceSessionEnded'));
      }
    }
  },
);

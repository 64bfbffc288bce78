import { B, D } from '../arms/letters.js';
import { atMost, ratio, type Workload } from '../harness/workload.js';
import { Classroom, connectStudents } from '../load/classroom.js';

/** What a member who does nothing takes up, by the heap after garbage collection. */
const idleMembers = (members: number, quick: boolean): Workload => ({
  name: `memory-${members}`,
  title: `memory per connection, ${members.toLocaleString('en')} idle members`,
  arms: [B, D],
  quick,
  // What a server knows of people from the round before would not be counted.
  fresh: true,
  files: members + 500,
  school: { courses: 1, studentsPerCourse: members },
  metrics: [
    { key: 'heap', label: 'heap, bytes/connection', digits: 0 },
    { key: 'rss', label: 'resident, bytes/connection', digits: 0 },
  ],
  goals: [atMost(1.2, ratio('heap', 'D', 'B'))],
  async prepare(arm) {
    const room = await Classroom.start(arm);
    await arm.quiet();
    return {
      async round() {
        const before = await arm.ask('heap');
        await room.join(await connectStudents(arm, members));
        await arm.quiet();
        const after = await arm.ask('heap');
        const each = (now = 0, then = 0) => (now - then) / members;
        const measure = { heap: each(after.heapUsed, before.heapUsed), rss: each(after.rss, before.rss) };
        await room.dismiss(arm);
        room.teacher.cut();
        return measure;
      },
    };
  },
});

export const memory: readonly Workload[] = [idleMembers(1_000, true), idleMembers(10_000, false)];

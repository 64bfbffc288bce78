import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Experiment, Lab } from '../experiment.js';
import { ClassBeside, type Latencies } from '../rig/class-beside.js';
import { SqliteFile, verified } from '../rig/database.js';
import { importSchool, schoolOfCourses } from '../rig/people.js';
import { rollcall, ServerProcess } from '../rig/server-process.js';

const ALONE_MS = 5_000;
/** What a class may wait for its acknowledgements beside an import, in ms. */
const ACK_P99_MS = 100;

/** What `rollcall import --json` counts. */
interface Counts {
  readonly added: Readonly<Record<string, number>>;
  readonly changed: Readonly<Record<string, number>>;
  readonly left: Readonly<Record<string, number>>;
}

async function anImport(lab: Lab): Promise<void> {
  const students = lab.of(1_000, 17_000);
  const courses = lab.of(10, 36);
  const enrollments = students * courses;
  const database = await SqliteFile.fresh(lab);
  await importSchool(lab, database, { students: 60, beside: 30 });
  const folder = await lab.folder();
  const file = join(folder, 'many.json');
  await writeFile(file, JSON.stringify(schoolOfCourses(students, courses)));
  const server = await ServerProcess.start(lab, { database: database.url });
  const beside = await ClassBeside.start(lab, server.url);

  const tell = (name: string, { ack, worst, last, marks }: Latencies) => {
    lab.saw(`${name}: ack p99, ms`, ack);
    lab.saw(`${name}: ack at most, ms`, worst);
    lab.saw(`${name}: last recipient p99, ms`, last);
    lab.saw(`${name}: marks`, marks);
  };
  tell('alone', await beside.during(lab, lab.lasting(ALONE_MS)));

  const slow: string[] = [];
  const run = async (name: string, options: readonly string[]): Promise<Counts> => {
    const began = performance.now();
    let counts: Counts | undefined;
    const work = async () => {
      const { code, stdout, stderr } = await rollcall(folder, ['import', file, '--json', ...options], {
        DATABASE_URL: database.url,
      });
      lab.equal(code, 0, `the status of the import: ${stderr.slice(-500)}`);
      counts = JSON.parse(stdout) as Counts;
    };
    const during = await beside.during(lab, work());
    lab.saw(`${name}: s`, (performance.now() - began) / 1_000);
    tell(name, during);
    if (lab.long && during.ack > ACK_P99_MS) slow.push(`${name}: ack p99 is ${Math.round(during.ack)} ms`);
    lab.must(counts !== undefined, 'the import says what it did');
    return counts;
  };
  const tried = await run('dry run', ['--dry-run']);
  const done = await run('import', []);
  const again = await run('the same again', []);
  lab.equal(tried, done, 'what the dry run foretold');
  lab.equal(done.added['enrollments'], enrollments, 'enrolments that were added');
  lab.equal([again.added['enrollments'], again.changed['enrollments']], [0, 0], 'what the repeat wrote');
  lab.equal(again.left['enrollments'], enrollments, 'enrolments that the repeat left');
  lab.equal(await server.stop(), 0, 'the exit status of the server');
  await verified(lab, database);
  lab.equal(slow, [], `no import keeps the class waiting longer than ${ACK_P99_MS} ms`);
}

export const besideAnImport: Experiment = {
  id: 'L5',
  fault: '`rollcall import` of 612,000 enrolments beside a running class: tried, imported, and the same again (SQLite)',
  promise: 'a class of 30 beside it has its acknowledgements: p99 ≤ 100 ms',
  needs: [],
  limits: 'The short version imports 10,000 enrolments, and judges no times.',
  run: anImport,
};

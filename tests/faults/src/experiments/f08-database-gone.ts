import type { Experiment, Lab } from '../experiment.js';
import { MongoDatabase, verified, withName } from '../rig/database.js';
import { Screen, SdkFollower } from '../rig/followers.js';
import { Line } from '../rig/line.js';
import { MarkLoad, nothingLostOrDoubled } from '../rig/mark-load.js';
import { MongoProcess } from '../rig/mongo-process.js';
import { appliedAll, converged } from '../rig/nodes.js';
import { importSchool } from '../rig/people.js';
import { Plain } from '../rig/plain.js';
import { ServerProcess } from '../rig/server-process.js';

const SESSION = 'class-1';
const STUDENTS = 40;
/** A database that writes its file every second has written all of it by then. */
const WRITTEN_MS = 3_000;

async function run(lab: Lab): Promise<void> {
  const mongo = await MongoProcess.start(lab);
  const direct = new MongoDatabase(withName(mongo.uri));
  await importSchool(lab, direct, { students: STUDENTS });
  const line = await Line.to(lab, direct.host);
  const database = direct.through(line.port);
  const server = await ServerProcess.start(lab, {
    database: `${database.url}&serverSelectionTimeoutMS=1500&socketTimeoutMS=4000`,
  });
  const { url } = server;
  const teacher = await SdkFollower.follow(lab, url, 'ada', (client) =>
    client.openSession(SESSION, { start: { course_id: 'course-1' } }),
  );
  const screen = await Screen.open(lab, url, 'cyd', SESSION);
  const asking = await Plain.connect(lab, url, 'ada');
  const load = await MarkLoad.start(lab, { url, session_id: SESSION, students: STUDENTS, name: 'mark' });
  const followers = [teacher, screen];
  let outages = 0;

  const outage = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    outages += 1;
    if (signal === 'SIGKILL') {
      load.pause();
      await lab.until(() => load.waiting === 0, 'the marks before the kill are answered');
      await lab.lasting(WRITTEN_MS);
      await mongo.end('SIGKILL');
      load.run(50);
    }
    // Refusals of the outage before this one may have come until now.
    const refused = load.refusals.get('STORAGE_UNAVAILABLE') ?? 0;
    // To the server this is a database that dies in the middle of its work: answers under way are lost.
    await line.cut();
    await mongo.end(signal);
    await lab.until(() => (load.refusals.get('STORAGE_UNAVAILABLE') ?? 0) > refused, 'marks are refused');
    // With a remark of its own, since a mark that changes nothing needs no database and is answered without one.
    const answer = await asking.ask('markStudentPresent', {
      session_id: SESSION,
      student_id: 'student-1',
      remarks: `without a database, ${outages}`,
    });
    lab.equal(
      [answer.error?.code, answer.error?.retryable],
      ['STORAGE_UNAVAILABLE', true],
      'a mark without a database',
    );
    await lab.until(async () => (await server.ready()) === 503, '/readyz says 503');
    await lab.lasting(lab.of(0, 5_000));
    await mongo.start(lab);
    await line.restore();
    const stored = load.acknowledged.size;
    lab.saw(
      'slowest until marks are stored again after the database is back, ms',
      Math.max(
        Number(lab.figures['slowest until marks are stored again after the database is back, ms'] ?? 0),
        await lab.until(() => load.acknowledged.size > stored, 'marks are stored again'),
      ),
    );
    await lab.until(async () => (await server.ready()) === 200, '/readyz says 200');
    lab.count(signal === 'SIGTERM' ? 'connections cut under load, then SIGTERM' : 'SIGKILL after a pause');
  };

  load.run(50);
  for (let n = 0; n < lab.of(1, 10); n += 1) {
    const before = load.acknowledged.size;
    await lab.until(() => load.acknowledged.size > before + 20, 'marks are stored');
    await lab.lasting(Math.random() * 500);
    await outage('SIGTERM');
  }
  for (let n = 0; n < lab.of(1, 5); n += 1) await outage('SIGKILL');
  await load.finish(lab);
  const entries = await direct.entries(SESSION);
  nothingLostOrDoubled(lab, entries, [load]);
  const { hash } = await converged(lab, SESSION, { teachers: [asking], followers, database: direct });
  appliedAll(lab, followers, entries.length);
  lab.equal(await server.stop(), 0, 'exit status');
  await verified(lab, direct);
  lab.saw('refused with STORAGE_UNAVAILABLE and repeated', load.refusals.get('STORAGE_UNAVAILABLE') ?? 0);
  lab.saw('committed with a lost answer and repeated', load.duplicates);
  lab.saw('state hash', hash);
}

export const databaseGone: Experiment = {
  id: 'F8',
  fault: 'the MongoDB is killed and started again in the middle of a class, 50 marks/s',
  promise:
    '0 acknowledged changes lost; commands meanwhile are refused with STORAGE_UNAVAILABLE, retryable; works again by itself',
  needs: ['mongo-process'],
  limits:
    'Where a stand-in speaks MongoDB’s protocol over a file of its own, this proves what the server does when its ' +
    'database goes and comes back: refusals, repeats, nothing doubled, nothing lost that the database still has. It ' +
    'proves nothing of MongoDB’s own durability: the stand-in has no journal, so before SIGKILL the marks pause until ' +
    'its file is written, and under load it is ended by SIGTERM behind lines that were cut first. There is no replica ' +
    'set, so no stepping down is tried. Those claims wait for a real mongod.',
  run,
};

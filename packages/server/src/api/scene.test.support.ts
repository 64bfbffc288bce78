import type { ClientEventName, CourseId, SessionId } from '@rollcall/protocol';
import { pino } from 'pino';
import { Server } from 'socket.io';
import { onTestFinished } from 'vitest';
import type { Command, Services } from '../commands/command.js';
import { commandTable } from '../commands/command-table.js';
import { readConfig } from '../config/config.js';
import { RollcallCore } from '../rollcall-core.js';
import type { Person, School } from '../storage/port.js';
import { OpenableSqlite } from '../storage/sqlite/openable.test.support.js';
import { schoolOf } from '../testing/school.js';
import { environment, SECRET } from '../testing/server.js';

/** Noon of 2026-11-24 in Dhaka, six hours ahead of UTC. */
export const NOON = Date.parse('2026-11-24T06:00:00Z');
export const COURSE = 'course-1' as CourseId;

export interface Scene {
  readonly storage: OpenableSqlite;
  readonly services: Services;
  person(uid: string): Promise<Person>;
  /** Gives a command, as a socket would. */
  give(uid: string, name: keyof typeof commandTable, payload: object): Promise<void>;
  /** Resolves once what was committed is in the records. */
  projected(sessionId: string): Promise<void>;
}

/** The attendance part on a database in memory, with the school of the tests. */
export async function setScene(school: School = schoolOf(3), more: Partial<Services> = {}): Promise<Scene> {
  const storage = new OpenableSqlite({ path: ':memory:' });
  await storage.open();
  await storage.school.importSchool(school, { dryRun: false });
  const config = readConfig(environment({ DATABASE_URL: 'sqlite::memory:' }));
  const io = new Server();
  const core = new RollcallCore(io.of('/'), storage, { ...config, secret: SECRET }, pino({ level: 'silent' }), {
    exclusive: false,
    dismiss: () => {},
    publicUrl: () => 'http://localhost',
    alone: true,
  });
  await core.restore();
  onTestFinished(async () => {
    await core.finish();
    await storage.close();
  });
  const { services: own, dispatch } = core.api;
  const services: Services = { ...own, timeZone: 'Asia/Dhaka', now: () => NOON, ...more };
  const person = async (uid: string): Promise<Person> => {
    const found = await services.storage.people.findPersonByUid(uid);
    if (!found) throw new Error(`nobody is called ${uid}`);
    return found;
  };
  return {
    storage,
    services,
    person,
    async give(uid, name, payload) {
      const command = commandTable[name] as unknown as Command<ClientEventName>;
      await dispatch.carryOut(command, { uid, payload, connection: undefined, answer: () => {}, proceed: () => {} });
    },
    async projected(sessionId) {
      const id = sessionId as SessionId;
      for (;;) {
        const ends = await storage.journal.lastSeqs([id]);
        const seqs = await storage.projection.projectedSeqs([id]);
        if (ends.get(id) === seqs.get(id)) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
  };
}

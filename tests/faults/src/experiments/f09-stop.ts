import type { Experiment, Lab } from '../experiment.js';
import { type Database, SqliteFile, verified } from '../rig/database.js';
import { Line } from '../rig/line.js';
import { MarkLoad, nothingLostOrDoubled } from '../rig/mark-load.js';
import { startNodes, startSession } from '../rig/nodes.js';
import { importSchool } from '../rig/people.js';
import { Plain } from '../rig/plain.js';
import { ServerProcess } from '../rig/server-process.js';
import { Swarm } from '../rig/swarm.js';

const SESSION = 'class-1';
const MARKS_PER_SECOND = 20;

interface Stopping {
  readonly name: string;
  readonly server: ServerProcess;
  readonly line: Line;
  readonly clients: number;
  readonly joining: number;
  readonly database: Database;
  /** What happens once the server is gone. @returns the server where everybody is now */
  readonly afterwards: () => Promise<ServerProcess>;
}

async function stopUnder(lab: Lab, { name, server, line, clients, joining, database, afterwards }: Stopping) {
  const swarm = await Swarm.start(lab, { url: line.url, clients, session_id: SESSION, joining });
  lab.equal(await server.metric('rollcall_connections'), clients + 1, `${name}: connections of the server`);
  const options = { url: line.url, session_id: SESSION, students: clients, name: `mark-${name}` };
  const load = await MarkLoad.start(lab, options);
  load.run(MARKS_PER_SECOND);
  await lab.until(() => load.acknowledged.size >= 40, 'marks are acknowledged');
  // One client is gone without a word: it will never answer a goodbye.
  const silent = await Line.to(lab, { host: '127.0.0.1', port: server.port });
  const vanished = await Plain.connect(lab, silent.url, 'cyd', { reconnection: false });
  silent.state = 'silent';
  const began = performance.now();
  const code = await server.stop();
  const ms = performance.now() - began;
  lab.saw(`${name}: clients`, clients);
  lab.saw(`${name}: exit status`, code ?? 'a signal');
  lab.saw(`${name}: ms from SIGTERM to exit`, ms);
  lab.equal(code, 0, `${name}: exit status`);
  lab.must(ms <= 10_000, `${name}: it exits within 10 s (${Math.round(ms)} ms)`);
  const now = await afterwards();
  const all = () => swarm.state.connected === clients && swarm.state.lost >= clients;
  await lab.until(all, `${name}: all clients are back`, { within: 240_000, every: 50 });
  lab.saw(`${name}: ms from SIGTERM until all clients are back`, performance.now() - began);
  lab.saw(`${name}: longest time of a client without connection, ms`, swarm.state.longest_away);
  lab.equal(swarm.state.refused, [], `${name}: refusals`);
  await load.finish(lab);
  // Whoever had joined is in the room again: the next mark reaches them without their asking.
  load.send(1);
  await load.finish(lab);
  const last = Math.max(...load.acknowledged.values());
  await lab.until(() => swarm.state.lowest_seq >= last, `${name}: all who joined are sent the next mark`);
  nothingLostOrDoubled(lab, await database.entries(SESSION), [load]);
  lab.must((await now.metric('rollcall_connections')) >= clients, `${name}: the server knows its connections`);
  // Their open files are wanted by who comes next.
  load.socket.disconnect();
  vanished.socket.disconnect();
  await swarm.end();
  await line.cut();
}

async function ofTwoNodes(lab: Lab, clients: number, joining: number): Promise<void> {
  const { database, nodes } = await startNodes(lab, 2, { students: clients });
  const [here, there] = nodes as [ServerProcess, ServerProcess];
  await startSession(lab, nodes, SESSION).then((teachers) => teachers[0]?.socket.io.reconnection(false));
  const line = await Line.to(lab, { host: '127.0.0.1', port: here.port }, { host: '127.0.0.1', port: there.port });
  const afterwards = async () => there;
  await stopUnder(lab, { name: 'one node of two', server: here, line, clients, joining, database, afterwards });
}

async function ofOneServer(lab: Lab, clients: number, joining: number): Promise<void> {
  const database = await SqliteFile.fresh(lab);
  await importSchool(lab, database, { students: clients });
  const server = await ServerProcess.start(lab, { database: database.url });
  await startSession(lab, [server], SESSION).then((teachers) => teachers[0]?.socket.io.reconnection(false));
  const line = await Line.to(lab, { host: '127.0.0.1', port: server.port });
  const afterwards = async () => {
    await server.start(lab);
    return server;
  };
  await stopUnder(lab, { name: 'a server alone', server, line, clients, joining, database, afterwards });
  lab.equal(await server.stop(), 0, 'exit status at the end');
  await verified(lab, database);
}

export const stop: Experiment = {
  id: 'F9',
  fault:
    'SIGTERM with 5,000 clients, one of them gone without a word: one node of two, and a server alone that is started again',
  promise: 'stops accepting, flushes, exit 0 within 10 s, 0 acknowledged changes lost; clients come back by themselves',
  needs: ['mongo', 'redis'],
  limits:
    'A server alone closes all its connections at once: its clients come back with the jittered delays of their library ' +
    '(1 s to 5 s of socket.io-client by default). One node of several closes them one after another.',
  async run(lab) {
    const [clients, joining] = lab.of([300, 60], [5_000, 500]) as [number, number];
    await ofTwoNodes(lab, clients, joining);
    await ofOneServer(lab, clients, joining);
  },
};

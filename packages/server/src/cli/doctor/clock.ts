import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Config } from '../../config/config.js';
import { fileOf } from '../owner.js';
import { type Finding, fault, ok, warning } from './check.js';
import { withRedis } from './redis.js';

/** Tokens, check-in codes and the ends of sessions go by the clock: more than this is a fault, in ms. */
const APART_MS = 5_000;
const NOBODY = { servers: [] };
const CURE = 'Switch on the synchronisation of time (NTP) on both machines: timedatectl set-ntp true';

/** Does this machine's clock agree with those that it can ask? */
export async function checkClock(config: Config): Promise<readonly Finding[]> {
  const { database, redisUrl } = config;
  const others: Array<readonly [string, number | null]> = [];
  if (database.kind === 'mongodb') {
    const { inspectMongo, mongoClockAhead } = await import('../../storage/mongo/inspect.js');
    // That it can't be asked is for the check of the database to say.
    const ahead = await mongoClockAhead(database.uri).catch(() => null);
    others.push(["the database server's clock", ahead]);
    const { servers } = ahead === null ? NOBODY : await inspectMongo(database.uri).catch(() => NOBODY);
    for (const { name, ahead_ms } of servers) {
      others.push([`the clock of the server ${name}`, ahead === null || ahead_ms === null ? null : ahead + ahead_ms]);
    }
  }
  if (redisUrl !== null)
    others.push(["the clock of Redis' machine", await redisClockAhead(redisUrl).catch(() => null)]);
  const apart = others.flatMap(([whose, ahead]) => (ahead === null ? [] : [compared(whose, ahead)]));
  const findings = [...apart, ...(await fileFromTheFuture(fileOf(database)))];
  if ((await isSynchronised()) === false) {
    findings.push(warning('this machine does not synchronise its clock', 'Switch it on: timedatectl set-ntp true'));
  }
  return findings.length > 0 ? findings : [ok(`it is ${new Date().toISOString()}; there is no other clock to ask`)];
}

function compared(whose: string, ahead: number): Finding {
  const seconds = (Math.abs(ahead) / 1_000).toFixed(1);
  if (Math.abs(ahead) <= APART_MS) return ok(`${seconds} s from ${whose}`);
  const way = ahead > 0 ? 'behind' : 'ahead of';
  return fault(`this machine's clock is ${seconds} s ${way} ${whose}`, CURE);
}

const redisClockAhead = (url: string): Promise<number> =>
  withRedis(url, async (client) => {
    const asked = Date.now();
    const [seconds = '0', micros = '0'] = (await client.sendCommand(['TIME'])) as unknown as string[];
    return Number(seconds) * 1_000 + Number(micros) / 1_000 - (asked + Date.now()) / 2;
  });

/** A database that was last written in the future: the clock is behind now, or was ahead then. */
async function fileFromTheFuture(database: string | null): Promise<Finding[]> {
  const found = database === null ? null : await stat(database).catch(() => null);
  if (!found || found.mtimeMs <= Date.now() + APART_MS) return [];
  const when = found.mtime.toISOString();
  return [
    fault(`the database was last written at ${when}, which is in the future`, 'Set the clock, and switch on NTP'),
  ];
}

/** Null where the machine doesn't tell: without systemd, in a container. */
async function isSynchronised(): Promise<boolean | null> {
  try {
    const show = promisify(execFile)('timedatectl', ['show', '-p', 'NTPSynchronized', '--value'], { timeout: 2_000 });
    const answer = (await show).stdout.trim();
    return answer === 'yes' ? true : answer === 'no' ? false : null;
  } catch {
    return null;
  }
}

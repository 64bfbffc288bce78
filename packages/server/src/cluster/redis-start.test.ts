import { createClient } from 'redis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MongoStorage } from '../storage/mongo/mongo-storage.js';
import { dropTestDatabase, testMongoUri } from '../testing/mongo-server.js';
import { freePort, startRedis, type TestRedis } from '../testing/redis-server.js';
import { startServer, type TestServer } from '../testing/server.js';
import { missing, PATIENCE } from './nodes.test.support.js';

/** What an ACL user needs to be allowed for Rollcall on this database, and nothing else. */
async function enoughFor(database: string): Promise<string[]> {
  const storage = new MongoStorage({ uri: database });
  await storage.open();
  const channel = `rollcall-${await storage.installation.channelKey()}`;
  await storage.close();
  const channels = [`&${channel}*`, `&${channel}#/#*`];
  return ['on', '>pw', 'resetchannels', ...channels, '+publish', '+subscribe', '+psubscribe'];
}

async function freshDatabase(): Promise<string> {
  const database = (await testMongoUri()) ?? '';
  onTestFinished(() => dropTestDatabase(database));
  return database;
}

async function operatorOf(redis: TestRedis): Promise<(...command: string[]) => Promise<unknown>> {
  const client = await createClient({ url: redis.url }).connect();
  client.on('error', () => {});
  onTestFinished(() => {
    client.destroy();
  });
  return (...command) => client.sendCommand(command);
}

const at = (redis: TestRedis, user: string): string => redis.url.replace('//', `//${user}@`);

async function start(redisUrl: string, lines: string[] = [], database?: string): Promise<TestServer> {
  const variables = { DATABASE_URL: database ?? (await freshDatabase()), REDIS_URL: redisUrl, LOG_LEVEL: 'info' };
  return startServer(variables, undefined, { onLog: (line) => lines.push(line) });
}

const readyz = async ({ url }: TestServer) => {
  const response = await fetch(`${url}/readyz`);
  return { status: response.status, body: await response.json() };
};

describe.skipIf(missing !== '')(`Redis at the start${missing ? ` (${missing})` : ''}`, () => {
  test('[NODES-120] a Redis that wants a password, or another one, stops the start, which names REDIS_URL', async () => {
    const redis = await startRedis(['--requirepass', 'right']);
    for (const url of [redis.url, at(redis, ':wrong'), at(redis, 'nobody:right')]) {
      const refused = start(url).then(
        () => 'started',
        (error: Error) => error.message,
      );
      const message = await refused;
      expect(message, url).toMatch(/^Redis at 127\.0\.0\.1:\d+ refuses the password: give REDIS_URL the right one/);
      expect(message).not.toMatch(/wrong|nobody/);
    }
    expect(await readyz(await start(at(redis, ':right')))).toEqual({ status: 200, body: { status: 'ready' } });
  });

  test('[NODES-120] a Redis that refuses the channels or the commands stops the start, which names REDIS_URL', async () => {
    const redis = await startRedis();
    const operator = await operatorOf(redis);
    const database = await freshDatabase();
    const enough = await enoughFor(database);
    const lacking = {
      channels: enough.filter((rule) => !rule.startsWith('&')),
      pattern: enough.filter((rule) => !rule.endsWith('#/#*')),
      publish: enough.filter((rule) => rule !== '+publish'),
      subscribe: enough.filter((rule) => rule !== '+subscribe'),
      psubscribe: enough.filter((rule) => rule !== '+psubscribe'),
    };
    for (const [name, rules] of Object.entries(lacking)) {
      await operator('ACL', 'SETUSER', name, ...rules);
      await expect(start(at(redis, `${name}:pw`), [], database), name).rejects.toThrow(
        /^Redis at \S+ does not let the user of REDIS_URL do what Rollcall needs: allow it PUBLISH, .* \(NOPERM /,
      );
    }
    await operator('ACL', 'SETUSER', 'enough', ...enough);
    expect(await readyz(await start(at(redis, 'enough:pw'), [], database))).toEqual({
      status: 200,
      body: { status: 'ready' },
    });
  });

  test('[NODES-120] a Redis that isn’t there stops the start, which names REDIS_URL', async () => {
    const nowhere = `redis://127.0.0.1:${await freePort()}`;
    await expect(start(nowhere)).rejects.toThrow(
      /^Redis at 127\.0\.0\.1:\d+ does not answer: start it, or correct REDIS_URL \(.*ECONNREFUSED/,
    );
    await expect(start('redis://redis.invalid')).rejects.toThrow(
      /^Redis at redis\.invalid does not answer: .*REDIS_URL/,
    );
  });

  test('[NODES-121] [HTTP-120] a Redis that begins to refuse is said once in the log, and in /readyz while it lasts', async () => {
    const redis = await startRedis();
    const operator = await operatorOf(redis);
    const database = await freshDatabase();
    const enough = await enoughFor(database);
    await operator('ACL', 'SETUSER', 'node', ...enough);
    const lines: string[] = [];
    const server = await start(at(redis, 'node:pw'), lines, database);
    const told = () => lines.map((line) => JSON.parse(line)).filter(({ msg }) => /^Redis/.test(msg));
    for (const lost of [['-publish'], ['-subscribe'], ['resetchannels']]) {
      lines.length = 0;
      await operator('ACL', 'SETUSER', 'node', ...lost);
      // A permission to subscribe is asked for when the connection is made anew.
      await operator('CLIENT', 'KILL', 'USER', 'node');
      await expect
        .poll(() => readyz(server), PATIENCE)
        .toEqual({
          status: 200,
          body: {
            status: 'ready',
            details: [expect.stringMatching(/^Redis refuses this server: NOPERM .*; other nodes are followed through/)],
          },
        });
      // It is asked twice a second, and says the same each time.
      const asked = async () => {
        const stats = String(await operator('INFO', 'commandstats'));
        const [, carried, refused] = /^cmdstat_publish:calls=(\d+),.*rejected_calls=(\d+)/m.exec(stats) ?? [];
        return Number(carried) + Number(refused);
      };
      const before = await asked();
      await expect.poll(asked, PATIENCE).toBeGreaterThan(before);
      const refusals = told().filter(({ err }) => /NOPERM/.test(err?.message));
      expect(refusals, lost.join()).toHaveLength(1);
      await operator('ACL', 'SETUSER', 'node', ...enough);
      await expect.poll(() => readyz(server), PATIENCE).toEqual({ status: 200, body: { status: 'ready' } });
      await expect.poll(() => told().at(-1)?.msg, PATIENCE).toBe('Redis is back');
    }
  });
});

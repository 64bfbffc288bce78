import { expect, test } from 'vitest';
import type { ServerNote } from '../port.js';
import { freshHarness, type MakeHarness } from './harness.js';

const note = (node: string, more: Partial<ServerNote> = {}): ServerNote => ({
  node,
  name: `host:${node}`,
  channel: null,
  ahead_ms: null,
  ...more,
});

export function installationContract(make: MakeHarness): void {
  const harness = freshHarness(make);

  test('[STORE-200] the channel of an installation is made once, and is the same for all who ask', async () => {
    const { storage, reopen } = harness();
    const asked = await Promise.all(Array.from({ length: 8 }, () => storage.installation.channelKey()));
    expect(new Set(asked).size).toBe(1);
    expect(asked[0]).toMatch(/^[\w-]{22}$/);
    const beside = await reopen?.();
    if (beside) expect(await beside.installation.channelKey()).toBe(asked[0]);
  });

  test('[STORE-200] another database has another channel', async () => {
    const other = await make();
    try {
      expect(await other.storage.installation.channelKey()).not.toBe(await harness().storage.installation.channelKey());
    } finally {
      await other.dispose();
    }
  });

  test('[DISPLAY-1] the key that an installation signs with is the same for all who ask, and another’s is another', async () => {
    const { storage, reopen } = harness();
    const asked = await Promise.all(Array.from({ length: 8 }, () => storage.installation.signingKey()));
    expect(new Set(asked).size).toBe(1);
    expect(asked[0]).toMatch(/^[\w-]{43}$/);
    expect(asked[0]).not.toContain(await storage.installation.channelKey());
    const beside = await reopen?.();
    if (beside) expect(await beside.installation.signingKey()).toBe(asked[0]);
    const other = await make();
    try {
      expect(await other.storage.installation.signingKey()).not.toBe(asked[0]);
    } finally {
      await other.dispose();
    }
  });

  test('[STORE-201] servers are noted at the database’s time, each once, until they leave', async () => {
    const { installation } = harness().storage;
    const [first] = await installation.beat(note('a', { channel: 'c', ahead_ms: -1_234 }));
    expect(first).toEqual({ ...note('a', { channel: 'c', ahead_ms: -1_234 }), beat_at: expect.any(Number) });
    expect(Math.abs(Number(first?.beat_at) - Date.now())).toBeLessThan(60_000);
    const both = await installation.beat(note('b'));
    expect(both.map(({ node }) => node).sort()).toEqual(['a', 'b']);
    // By the same clock, whatever the servers' own say.
    await expect
      .poll(async () => (await installation.beat(note('a', { ahead_ms: 5 }))).find(({ node }) => node === 'a'))
      .toMatchObject({ ahead_ms: 5, channel: null });
    const again = await installation.beat(note('a'));
    const at = (node: string) => again.find((server) => server.node === node)?.beat_at ?? 0;
    expect(at('a')).toBeGreaterThanOrEqual(at('b'));
    await installation.leave('a');
    await installation.leave('nobody');
    expect((await installation.beat(note('b'))).map(({ node }) => node)).toEqual(['b']);
  });

  test('[STORE-201] servers of two handles see each other', async () => {
    const { storage, reopen } = harness();
    const beside = await reopen?.();
    if (!beside) return; // An in-memory database: one handle is all there is.
    await Promise.all([storage.installation.beat(note('a')), beside.installation.beat(note('b'))]);
    const seen = await storage.installation.beat(note('a'));
    expect(seen.map(({ node }) => node).sort()).toEqual(['a', 'b']);
  });
}

import { expect, test } from 'vitest';
import type { NewLink, WebSession } from '../port.js';
import { freshHarness, type MakeHarness } from './harness.js';
import { HOSTILE_IDS, importAll, SCHOOL, schoolOf, T0, user } from './samples.js';

const MINUTE = 60_000;

const link = (hash: string, more: Partial<NewLink> = {}): NewLink => ({
  hash,
  user_id: user('ada'),
  purpose: 'sign-in',
  expires_at: T0 + 15 * MINUTE,
  made_by: null,
  ...more,
});

const webSession = (id_hash: string, more: Partial<WebSession> = {}): WebSession => ({
  id_hash,
  user_id: user('ada'),
  made_at: T0,
  seen_at: T0,
  idle_until: T0 + 60 * MINUTE,
  ends_at: T0 + 600 * MINUTE,
  shared_device: false,
  user_agent: 'A browser/1.0',
  provider: null,
  ...more,
});

export function signInContract(make: MakeHarness): void {
  const harness = freshHarness(make);
  const handles = async () => {
    const { storage, reopen } = harness();
    return [storage.signIn, ((await reopen?.()) ?? storage).signIn] as const;
  };

  test('[SIGNIN-1] of all who use a link at once, on whatever server, one gets it', async () => {
    const [one, other] = await handles();
    await one.makeLink(link('a', { purpose: 'invite', made_by: user('root') }));
    const tries = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? one : other).useLink('a', T0 + index)),
    );
    const used = tries.filter((found) => found !== null);
    expect(used).toEqual([{ ...link('a', { purpose: 'invite', made_by: user('root') }), used_at: expect.any(Number) }]);
    expect(await one.useLink('a', T0 + 50)).toBeNull();
  });

  test('[SIGNIN-1] a link that is unknown or has expired is nobody’s', async () => {
    const [signIn] = await handles();
    await signIn.makeLink(link('a'));
    expect(await signIn.useLink('a', T0 + 15 * MINUTE)).toBeNull();
    expect(await signIn.useLink('b', T0)).toBeNull();
    expect(await signIn.useLink('a', T0 + 15 * MINUTE - 1)).toMatchObject({ user_id: 'ada' });
  });

  test('[SIGNIN-2] looking at a link changes nothing, and tells once it was used', async () => {
    const [one, other] = await handles();
    await one.makeLink(link('a'));
    for (let look = 0; look < 3; look += 1) expect(await other.peekLink('a')).toEqual({ ...link('a'), used_at: null });
    expect(await one.useLink('a', T0 + 1)).not.toBeNull();
    expect(await other.peekLink('a')).toEqual({ ...link('a'), used_at: T0 + 1 });
    expect(await other.peekLink('nobody’s')).toBeNull();
  });

  test('[SIGNIN-3] a web session is read as it was opened, until it is idle, over or closed', async () => {
    const [one, other] = await handles();
    const opened = webSession('a', { shared_device: true, provider: { issuer: 'https://idp', sid: 's' } });
    await one.openWebSession(opened);
    await one.openWebSession(webSession('b', { user_agent: null }));
    expect(await other.readWebSession('a', T0)).toEqual(opened);
    expect(await other.readWebSession('b', T0)).toEqual(webSession('b', { user_agent: null }));
    expect(await one.readWebSession('a', T0 + 60 * MINUTE)).toBeNull();
    await other.touchWebSession('a', T0 + 5, T0 + 900 * MINUTE);
    // Of two that note it at once the later one counts.
    await other.touchWebSession('a', T0 + 3, T0 + 70 * MINUTE);
    expect(await one.readWebSession('a', T0 + 599 * MINUTE)).toEqual({
      ...opened,
      seen_at: T0 + 5,
      idle_until: T0 + 900 * MINUTE,
    });
    expect(await one.readWebSession('a', T0 + 600 * MINUTE)).toBeNull();
    expect(await one.closeWebSession('a', T0 + 9)).toBe(true);
    expect(await other.closeWebSession('a', T0 + 9)).toBe(false);
    expect(await other.closeWebSession('nobody’s', T0 + 9)).toBe(false);
    await one.touchWebSession('a', T0 + 10, T0 + 990 * MINUTE);
    expect(await other.readWebSession('a', T0 + 10)).toBeNull();
    expect(await other.readWebSession('b', T0 + 10)).not.toBeNull();
  });

  test('[SIGNIN-3] the sessions of a user, or of a provider’s session, are closed together', async () => {
    const [one, other] = await handles();
    const provider = { issuer: 'https://idp', sid: 's' };
    await one.openWebSession(webSession('a1'));
    await one.openWebSession(webSession('a2', { provider }));
    await one.openWebSession(webSession('b', { user_id: user('bo'), provider }));
    await one.openWebSession(
      webSession('c', { user_id: user('cy'), provider: { ...provider, issuer: 'https://other' } }),
    );
    expect((await other.closeWebSessionsOf(user('ada'), T0 + 1)).sort()).toEqual(['a1', 'a2']);
    expect(await one.closeWebSessionsOf(user('ada'), T0 + 2)).toEqual([]);
    expect(await one.closeWebSessionsOf(provider, T0 + 3)).toEqual(['b']);
    expect(await one.closeWebSessionsOf({ ...provider, sid: 't' }, T0 + 3)).toEqual([]);
    expect((await other.closedWebSessions(T0)).sort()).toEqual(['a1', 'a2', 'b']);
    expect(await other.closedWebSessions(T0 + 2)).toEqual(['b']);
    expect(await other.readWebSession('c', T0 + 3)).not.toBeNull();
  });

  test('[SIGNIN-4] an identity is of the user for whom it was remembered first', async () => {
    const [one, other] = await handles();
    expect(await one.findIdentity('https://idp', '1')).toBeNull();
    const both = await Promise.all([
      one.rememberIdentity('https://idp', '1', user('ada')),
      other.rememberIdentity('https://idp', '1', user('bo')),
    ]);
    expect(new Set(both).size).toBe(1);
    expect(await other.findIdentity('https://idp', '1')).toBe(both[0]);
    expect(await one.rememberIdentity('https://idp', '1', user('cy'))).toBe(both[0]);
    for (const [index, subject] of HOSTILE_IDS.entries()) {
      await one.rememberIdentity('https://idp/x', subject, user(`user-${index}`));
    }
    for (const [index, subject] of HOSTILE_IDS.entries()) {
      expect(await other.findIdentity('https://idp/x', subject), subject).toBe(`user-${index}`);
    }
    expect(await one.findIdentity('https://idp', '__proto__')).toBeNull();
  });

  test('[SIGNIN-5] users are found by email as it is written or in lower case, disabled ones are not', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const found = (email: string) => storage.signIn.findUidsByEmail(email);
    expect(await found('ada@school.example')).toEqual(['ada']);
    expect(await found('Ada@School.Example')).toEqual(['ada']);
    for (const email of ['nobody@school.example', '', '%', 'ada', 'ada@school.example ']) {
      expect(await found(email), email).toEqual([]);
    }
    await importAll(
      storage,
      schoolOf({
        students: [
          { id: 'x1', uid: 'x1', email: 'two@school.example' },
          { id: 'x2', uid: 'x2', email: 'two@school.example' },
          { id: 'x3', uid: 'x3', email: 'two@school.example', disabled: true },
          { id: 'x4', uid: 'x4', email: 'Mixed@School.example' },
        ],
      }),
    );
    expect((await found('two@school.example')).sort()).toEqual(['x1', 'x2']);
    expect(await found('Mixed@School.example')).toEqual(['x4']);
  });

  test('[SIGNIN-6] a hash is taken once, by whoever asks first', async () => {
    const [one, other] = await handles();
    const tries = await Promise.all([one, other, one, other].map((signIn) => signIn.takeOnce('jti', T0 + MINUTE)));
    expect(tries.filter(Boolean)).toHaveLength(1);
    expect(await other.takeOnce('another', T0 + MINUTE)).toBe(true);
    await one.removeExpiredSignIns(T0 + MINUTE - 1);
    expect(await one.takeOnce('jti', T0 + MINUTE)).toBe(false);
    await one.removeExpiredSignIns(T0 + MINUTE);
    expect(await one.takeOnce('jti', T0 + 2 * MINUTE)).toBe(true);
  });

  test('[SIGNIN-7] what has expired is removed; that a session was closed is told for an hour', async () => {
    const [signIn] = await handles();
    await signIn.makeLink(link('early'));
    await signIn.makeLink(link('late', { expires_at: T0 + 600 * MINUTE }));
    await signIn.openWebSession(webSession('idle'));
    await signIn.openWebSession(webSession('closed', { idle_until: T0 + 900 * MINUTE, ends_at: T0 + 900 * MINUTE }));
    await signIn.openWebSession(webSession('open', { idle_until: T0 + 900 * MINUTE, ends_at: T0 + 900 * MINUTE }));
    await signIn.closeWebSession('closed', T0 + 30 * MINUTE);
    await signIn.removeExpiredSignIns(T0 + 61 * MINUTE);
    expect(await signIn.peekLink('early')).toBeNull();
    expect(await signIn.peekLink('late')).not.toBeNull();
    // Its row is gone: nothing of this id is in the way.
    await signIn.openWebSession(webSession('idle'));
    expect(await signIn.closedWebSessions(0)).toEqual(['closed']);
    await signIn.removeExpiredSignIns(T0 + 91 * MINUTE);
    expect(await signIn.closedWebSessions(0)).toEqual([]);
    expect(await signIn.readWebSession('open', T0 + 91 * MINUTE)).not.toBeNull();
  });

  test('[SIGNIN-8] the links, sessions and identities of a user are removed together', async () => {
    const [signIn, other] = await handles();
    for (const name of ['ada', 'bo']) {
      await signIn.makeLink(link(`link-${name}`, { user_id: user(name) }));
      await signIn.openWebSession(webSession(`open-${name}`, { user_id: user(name) }));
      await signIn.openWebSession(webSession(`closed-${name}`, { user_id: user(name) }));
      await signIn.closeWebSession(`closed-${name}`, T0 + 1);
      await signIn.rememberIdentity('https://idp', name, user(name));
    }
    expect(await signIn.forgetSignInsOf(user('ada'), T0 + 2)).toEqual(['open-ada']);
    expect(await other.peekLink('link-ada')).toBeNull();
    expect(await other.readWebSession('open-ada', T0 + 2)).toBeNull();
    expect(await other.findIdentity('https://idp', 'ada')).toBeNull();
    // Other servers still hear that they are closed.
    expect((await other.closedWebSessions(0)).sort()).toEqual(['closed-ada', 'closed-bo', 'open-ada']);
    expect(await other.peekLink('link-bo')).not.toBeNull();
    expect(await other.readWebSession('open-bo', T0 + 2)).not.toBeNull();
    expect(await other.findIdentity('https://idp', 'bo')).toBe('bo');
  });
}

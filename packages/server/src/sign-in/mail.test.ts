import { expect, test } from 'vitest';
import { schoolOf } from '../testing/school.js';
import { startServer, type TestServer } from '../testing/server.js';
import { CookieJar } from '../testing/sign-in.js';
import { mailer } from './mail.js';
import { type MailServer, startMailServer } from './mail-server.test.support.js';

const FROM = 'School Office <office@school.example>';

const through = ({ url }: MailServer) => ({ SMTP_URL: url, MAIL_FROM: FROM });

const ask = (server: TestServer, email: unknown) => new CookieJar(server).auth('POST', 'links', { body: { email } });

test('[SIGNIN-35] a link comes by mail to the address that the school has, and signs in', async () => {
  const mail = await startMailServer();
  const variables = { PUBLIC_URL: 'https://school.example/rollcall' };
  const server = await startServer({ ...variables, ...through(mail) }, schoolOf(2));
  expect((await new CookieJar(server).auth('GET', 'ways')).body).toEqual({ email: true, oidc: false });
  expect((await ask(server, ' S-1@school.example ')).status).toBe(202);
  await expect.poll(() => mail.received.length).toBe(1);
  const [letter] = mail.received;
  expect(letter).toMatchObject({ from: 'office@school.example', to: ['s-1@school.example'] });
  expect(letter?.raw).toMatch(/^From: School Office <office@school\.example>\r$/m);
  expect(letter?.raw).toMatch(/^Subject: Your sign-in link\r$/m);
  const [url = ''] = /https:\S+/.exec(letter?.text ?? '') ?? [];
  expect(url).toMatch(/^https:\/\/school\.example\/rollcall\/sign-in#[\w-]{43}$/);
  const jar = new CookieJar(server);
  const signedIn = await jar.auth('POST', 'sign-in', { body: { token: url.split('#')[1] } });
  expect(signedIn).toMatchObject({ status: 200, body: { user: { uid: 's-1' } } });
});

test('[SIGNIN-36] the answer is the same whether the address is known, unknown, or the mail server refuses', async () => {
  const mail = await startMailServer();
  const log: string[] = [];
  const server = await startServer({ LOG_LEVEL: 'warn', ...through(mail) }, schoolOf(1), {
    onLog: (line) => void log.push(line),
  });
  const shape = async (email: string) => {
    const { status, text, headers } = await ask(server, email);
    return { status, text, names: [...headers.keys()].sort() };
  };
  const unknown = await shape('nobody@school.example');
  expect(unknown).toMatchObject({ status: 202, text: '' });
  expect(await shape('s-1@school.example')).toEqual(unknown);
  await expect.poll(() => mail.received.length).toBe(1);
  mail.refusing = true;
  expect(await shape('s-1@school.example')).toEqual(unknown);
  await expect.poll(() => log.join('\n')).toContain('a sign-in link could not be mailed');
  expect(log.join('\n')).not.toMatch(/sign-in#/);
  expect(mail.received).toHaveLength(1);
});

test('[SIGNIN-36] a user gets five links an hour by mail, which nobody is told', async () => {
  const mail = await startMailServer();
  const server = await startServer(through(mail), schoolOf(2));
  for (let asked = 0; asked < 8; asked += 1) expect((await ask(server, 's-1@school.example')).status).toBe(202);
  expect((await ask(server, 's-2@school.example')).status).toBe(202);
  await server.close();
  const receivers = mail.received.map(({ to: [first] }) => first).sort();
  expect(receivers).toEqual([...Array.from({ length: 5 }, () => 's-1@school.example'), 's-2@school.example']);
});

test('[SIGNIN-35] nothing in a name or an address names another receiver, or a header', async () => {
  const mail = await startMailServer();
  const send = mailer({ url: mail.url, from: FROM });
  const names = [
    'Bo\r\nBcc: evil@evil.example',
    'Bo <evil@evil.example>, "Eve"',
    'evil@evil.example, Bo',
    'Bø "Ö" Lind',
  ];
  for (const name of names) {
    await send({ to: { name, address: 'bo@school.example' }, subject: 'Hello', text: 'text', html: '<p>page</p>' });
  }
  expect(mail.received.map(({ to }) => to)).toEqual(names.map(() => ['bo@school.example']));
  for (const { raw } of mail.received) expect(raw).not.toMatch(/^(Bcc|Cc):/im);
});

test('[SIGNIN-36] without mail there is nothing to ask, and what is no address is refused', async () => {
  const server = await startServer({}, schoolOf(1));
  expect(await ask(server, 's-1@school.example')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  for (const email of [undefined, null, '', 5, ['s-1@school.example'], { $ne: null }, 'x'.repeat(255)]) {
    expect(await ask(server, email), String(email)).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
  }
});

import { expect, test } from 'vitest';
import { ConfigError, type ConfigProblem, readConfig } from './config.js';
import { variablesInForce } from './in-force.js';
import { settingsOf } from './options.js';
import { variableNames, variables } from './variables.js';

function problemsOf(env: NodeJS.ProcessEnv): Record<string, string> {
  let problems: readonly ConfigProblem[] = [];
  try {
    readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems = error.problems;
  }
  return Object.fromEntries(problems.map(({ variable, message }) => [variable, message]));
}

test('[CONF-61] SCHOOL_TIME_ZONE is an IANA name, and the machine’s zone by default', () => {
  expect(readConfig({}).timeZone).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
  for (const zone of ['Europe/Berlin', 'Asia/Kolkata', 'UTC']) {
    expect(readConfig({ SCHOOL_TIME_ZONE: ` ${zone} ` }).timeZone).toBe(zone);
  }
  for (const SCHOOL_TIME_ZONE of ['Europe/Nowhere', '+01:00', '2', 'Berlin']) {
    expect(problemsOf({ SCHOOL_TIME_ZONE })).toEqual({
      SCHOOL_TIME_ZONE: `must be the IANA name of a time zone, such as Europe/Berlin, but is "${SCHOOL_TIME_ZONE}"`,
    });
  }
});

const OIDC = {
  OIDC_ISSUER: 'https://id.example/school',
  OIDC_CLIENT_ID: 'rollcall',
  OIDC_CLIENT_SECRET: ' hush-hush ',
  PUBLIC_URL: 'https://rollcall.example',
};

test('[CONF-62] the three variables of an identity provider and PUBLIC_URL are needed together', () => {
  expect(readConfig({}).oidc).toBeNull();
  const oidc = { issuer: 'https://id.example/school', clientId: 'rollcall', clientSecret: ' hush-hush ' };
  expect(readConfig(OIDC).oidc).toEqual({ ...oidc, linkByEmail: false });
  expect(readConfig({ ...OIDC, OIDC_LINK_BY_EMAIL: 'true' }).oidc).toEqual({ ...oidc, linkByEmail: true });
  for (const missing of Object.keys(OIDC)) {
    const cause = missing === 'OIDC_ISSUER' ? 'OIDC_CLIENT_ID' : 'OIDC_ISSUER';
    expect(problemsOf({ ...OIDC, [missing]: '' })).toEqual({ [missing]: `is required with ${cause}` });
  }
  expect(problemsOf({ OIDC_CLIENT_SECRET: 'hush-hush' })).toEqual({
    OIDC_ISSUER: 'is required with OIDC_CLIENT_SECRET',
    OIDC_CLIENT_ID: 'is required with OIDC_CLIENT_SECRET',
    PUBLIC_URL: 'is required with OIDC_CLIENT_SECRET',
  });
  expect(problemsOf({ OIDC_LINK_BY_EMAIL: '1' })).toEqual({ OIDC_LINK_BY_EMAIL: 'has no effect without OIDC_ISSUER' });
  // One that is there and bad isn't also called missing.
  expect(Object.keys(problemsOf({ ...OIDC, OIDC_ISSUER: 'id.example', PUBLIC_URL: 'x' })).sort()).toEqual([
    'OIDC_ISSUER',
    'PUBLIC_URL',
  ]);
});

test('[CONF-63] mail needs a server and a sender', () => {
  expect(readConfig({}).mail).toBeNull();
  for (const url of ['smtp://mail.example', 'smtps://office:hush@mail.example:465']) {
    for (const from of ['office@school.example', 'The Office <office@school.example>', '<office@school.example>']) {
      expect(readConfig({ SMTP_URL: url, MAIL_FROM: from }).mail).toEqual({ url, from });
    }
  }
  const MAIL_FROM = 'office@school.example';
  expect(problemsOf({ SMTP_URL: 'smtp://mail.example' })).toEqual({ MAIL_FROM: 'is required with SMTP_URL' });
  expect(problemsOf({ MAIL_FROM })).toEqual({ MAIL_FROM: 'has no effect without SMTP_URL' });
  for (const SMTP_URL of ['http://mail.example', 'smtp:', 'smtp://', 'office:hush-hush@mail.example']) {
    expect(problemsOf({ SMTP_URL, MAIL_FROM })).toEqual({ SMTP_URL: 'must be smtp://… or smtps://… with a host' });
  }
  for (const from of ['office', 'a@b, c@d', 'Office office@school.example', 'a@b\n<c@d>', 'A <a@b> <c@d>']) {
    expect(Object.keys(problemsOf({ SMTP_URL: 'smtp://mail.example', MAIL_FROM: from }))).toEqual(['MAIL_FROM']);
  }
});

test('[CONF-63] [CONF-62] what is shown of secrets tells nothing of them', () => {
  const environment = {
    ...OIDC,
    SMTP_URL: 'smtps://office:hush-hush@mail.example:465',
    MAIL_FROM: 'office@school.example',
  };
  const shown = variablesInForce(environment, {}, { mode: 'development', terminal: false });
  expect(JSON.stringify(shown)).not.toContain('hush');
  expect(shown).toContainEqual({ name: 'SMTP_URL', shown: 'smtps://…@mail.example:465', source: 'environment' });
  expect(shown).toContainEqual({ name: 'OIDC_CLIENT_SECRET', shown: '(hidden)', source: 'environment' });
});

test('[CONF-64] every row’s field is in the configuration, and every row’s option is read', () => {
  const at = (from: unknown, path: string): unknown =>
    path.split('.').reduce((part, name) => (part as Record<string, unknown> | undefined)?.[name], from);
  const config = readConfig({});
  for (const name of variableNames) {
    const { field, option } = variables[name];
    if (field !== undefined) expect(at(config, field), name).toBeDefined();
    if (option === undefined) continue;
    const [outer = '', inner] = option.split('.');
    const given = { [outer]: inner === undefined ? 'x' : { [inner]: 'x' } };
    const read = settingsOf(given).filter(({ value }) => value !== undefined);
    expect(read).toEqual([{ variable: name, option, value: 'x' }]);
  }
});

import { createHmac, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { claimsOfOrdinary, LEEWAY_SECONDS } from './hs256.js';

const secret = createSecretKey(Buffer.from('a secret of more than 32 bytes, for a test'));
const another = createSecretKey(Buffer.from('another secret of more than 32 bytes, too'));
const encode = (part: string | Uint8Array): string => Buffer.from(part).toString('base64url');
const now = Math.floor(Date.now() / 1000);

/** A token of these very parts, whatever they are, with the right signature. */
function signed(header: string, claims: string, key = secret, hash = 'sha256'): string {
  const signature = createHmac(hash, key).update(`${header}.${claims}`).digest('base64url');
  return `${header}.${claims}.${signature}`;
}

const byJose = (token: string): Promise<object | undefined> =>
  jwtVerify(token, secret, { algorithms: ['HS256'], clockTolerance: LEEWAY_SECONDS }).then(
    ({ payload }) => payload,
    () => undefined,
  );

const HEADERS = [
  '{"alg":"HS256"}',
  '{"alg":"HS256","typ":"JWT"}',
  '{"typ":"JWT","alg":"HS256"}',
  '{"alg":"HS256","kid":"a"}',
  '{"alg":"HS256","crit":["exp"]}',
  '{"alg":"HS256","crit":["b64"],"b64":false}',
  '{"alg":"HS256","b64":false}',
  '{"alg":"hs256"}',
  '{"alg":"HS384"}',
  '{"alg":"HS512"}',
  '{"alg":"RS256"}',
  '{"alg":"none"}',
  '{"alg":"none","alg":"HS256"}',
  '{"alg":"HS256","alg":"none"}',
  '{"alg":["HS256"]}',
  '{"alg":{}}',
  '{"typ":"JWT"}',
  '{}',
  'null',
  '[]',
  '"HS256"',
  '{',
  '',
];
const CLAIMS = [
  '{}',
  '{"uid":"ada"}',
  '{"uid":"ada","uid":"root"}',
  '{"__proto__":{"exp":1},"uid":"ada"}',
  '\ufeff{"uid":"ada"}',
  ' {"uid":"ada"} ',
  'null',
  '[]',
  '7',
  '"ada"',
  '{"uid":"ada"',
  '',
  ...['exp', 'nbf', 'iat'].flatMap((name) =>
    [
      now - 86_400,
      now - 60,
      now - 1,
      now + 2,
      now + 60,
      now + 86_400,
      now + 86_400.5,
      0,
      -1,
      '1e400',
      '-1e400',
      'null',
      '"1"',
      `"${now + 600}"`,
      '[]',
      '{}',
      'true',
    ].map((value) => `{"uid":"ada","${name}":${value}}`),
  ),
];

/** Ways to write a token that are not quite the way. */
const WRITINGS: ReadonlyArray<(token: string) => string> = [
  (token) => token,
  (token) => `${token}=`,
  (token) => `${token}A`,
  (token) => `${token}\n`,
  (token) => ` ${token}`,
  (token) => token.slice(0, -1),
  (token) => `${token}.`,
  (token) => `.${token}`,
  (token) => token.slice(0, token.lastIndexOf('.')),
  (token) => token.slice(0, token.lastIndexOf('.') + 1),
  (token) => token.replace('.', '..'),
  (token) => token.replaceAll('-', '+').replaceAll('_', '/'),
  (token) => token.replace('.', '=.'),
  (token) => token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
  // The last character of a signature holds two bits that mean nothing.
  (token) => token.replace(/.$/, (last) => ({ A: 'B', E: 'F', I: 'J', M: 'N', Q: 'R', U: 'V' })[last] ?? last),
];

/** What is accepted is what jose accepts, with the same claims; whatever else is left to jose. */
async function expectAgreement(token: string): Promise<boolean> {
  const ours = claimsOfOrdinary(token, secret);
  if (ours !== undefined) expect(ours, token).toEqual(await byJose(token));
  return ours !== undefined;
}

test('[AUTH-2] an HS256 token is accepted without jose only where jose accepts it: odd headers, claims and writings', async () => {
  let accepted = 0;
  for (const header of HEADERS) {
    for (const claims of CLAIMS) {
      for (const write of WRITINGS) {
        if (await expectAgreement(write(signed(encode(header), encode(claims))))) accepted += 1;
      }
    }
  }
  // The three usual headers, and each claim set that is good.
  expect(accepted).toBeGreaterThan(60);
}, 60_000);

test('[AUTH-2] the same with a wrong key, another hash, and bytes that are no text', async () => {
  const header = encode('{"alg":"HS256"}');
  const claims = encode('{"uid":"ada"}');
  expect(claimsOfOrdinary(signed(header, claims), secret)).toEqual({ uid: 'ada' });
  const refused = [
    signed(header, claims, another),
    signed(header, claims, secret, 'sha384'),
    signed(header, claims, secret, 'sha512'),
    signed(header, encode(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))),
    // A character that carries no byte, signed along.
    signed(header, `${claims.slice(0, claims.length - (claims.length % 4))}e`),
    signed(header, `${claims}=`),
    signed(header, `${claims}\n`),
    signed(`${header}=`, claims),
  ];
  for (const token of refused) {
    expect(claimsOfOrdinary(token, secret), token).toBeUndefined();
    await expectAgreement(token);
  }
});

test('[AUTH-2] the same for any claims, and for any change of a good token', async () => {
  const time = fc.oneof(fc.integer({ min: now - 10_000, max: now + 1_000_000 }), fc.double(), fc.jsonValue());
  const claims = fc.record(
    { uid: fc.string(), exp: time, nbf: time, iat: time, more: fc.jsonValue() },
    { requiredKeys: [] },
  );
  const header = fc.constantFrom(...HEADERS);
  await fc.assert(
    fc.asyncProperty(header, claims, fc.nat(), fc.string({ maxLength: 2 }), async (head, body, at, letters) => {
      const token = signed(encode(head), encode(JSON.stringify(body)));
      await expectAgreement(token);
      const place = at % (token.length + 1);
      const changed = token.slice(0, place) + letters + token.slice(place + 1);
      await expectAgreement(changed);
      if (changed !== token && changed.slice(0, -1) !== token.slice(0, -1)) {
        expect(claimsOfOrdinary(changed, secret)).toBeUndefined();
      }
    }),
    { numRuns: 1_000 },
  );
}, 60_000);

import { domain, optional, set } from './domain.js';
import { flag, httpUrl, plain } from './readers.js';

/** Shortest ACCESS_TOKEN_SECRET in production, in bytes: the size of an HS256 digest. */
export const SECRET_MIN_BYTES = 32;

export const identity = domain({
  section: 'Who is who',
  rows: {
    ACCESS_TOKEN_SECRET: optional(plain, {
      field: 'secret',
      option: 'secret',
      hidden: true,
      verbatim: true,
      meaning:
        'Key of HS256 tokens. Production needs it (at least 32 bytes) or JWKS_URL; development makes one and keeps it in DATA_DIR',
    }),
    ACCESS_TOKEN_SECRET_OLD: optional(plain, {
      field: 'oldSecret',
      option: 'oldSecret',
      hidden: true,
      verbatim: true,
      meaning: 'The key from before, whose HS256 tokens are still accepted while ACCESS_TOKEN_SECRET is changed',
    }),
    TOKEN_UID_CLAIM: optional(plain, {
      field: 'uidClaim',
      option: 'uidClaim',
      meaning:
        'Claim of HS256 tokens that names the user, such as id or userId; its value is a uid or a user id. Unset: uid, else sub',
    }),
    JWKS_URL: optional(httpUrl, {
      option: 'jwks.url',
      meaning: 'Address of the keys (JWKS) of an identity provider whose tokens are accepted',
    }),
    JWT_ISSUER: optional(plain, {
      option: 'jwks.issuer',
      meaning: 'Issuer (iss) that tokens of JWKS_URL must name',
    }),
    JWT_AUDIENCE: optional(plain, {
      option: 'jwks.audience',
      meaning: 'Audience (aud) that tokens of JWKS_URL must name',
    }),
    PROVISION_FROM_TOKEN: set(flag, 'false', {
      field: 'provisionFromToken',
      option: 'provisionFromToken',
      meaning: 'true: a user who is not known yet is made from the claims name, email and role of their token',
    }),
  },
  together(values, { mode, keyless, given, refuse }) {
    const { ACCESS_TOKEN_SECRET: secret, JWKS_URL: url, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = values;
    if (mode === 'production') {
      if (secret === null && !given('JWKS_URL') && !keyless) {
        refuse('ACCESS_TOKEN_SECRET', `is required in production (at least ${SECRET_MIN_BYTES} bytes), or JWKS_URL`);
      }
      for (const name of ['ACCESS_TOKEN_SECRET', 'ACCESS_TOKEN_SECRET_OLD'] as const) {
        const key = values[name];
        if (key === null || Buffer.byteLength(key) >= SECRET_MIN_BYTES) continue;
        refuse(name, `must have at least ${SECRET_MIN_BYTES} bytes in production`);
      }
    }
    if (!given('JWKS_URL')) {
      // Ignored, they would look like a protection that isn't there.
      if (issuer !== null) refuse('JWT_ISSUER', 'has no effect without JWKS_URL');
      if (audience !== null) refuse('JWT_AUDIENCE', 'has no effect without JWKS_URL');
    }
    return {
      /** An identity provider whose tokens count. */
      jwks: url === null ? null : { url, issuer, audience },
      /** Mode development with no key of its own: the server makes a secret, and an empty database gets the demo school. */
      development: mode === 'development' && secret === null && url === null,
    };
  },
});

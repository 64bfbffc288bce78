import { domain, optional, set } from './domain.js';
import { baseUrl, flag, plain } from './readers.js';

/** What a sign-in with an identity provider can't do without. */
const NEEDED = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'] as const;

export const signIn = domain({
  section: 'Sign-in with an identity provider (OpenID Connect)',
  rows: {
    OIDC_ISSUER: optional(baseUrl, {
      meaning:
        'Issuer of the identity provider with which people sign in; needs OIDC_CLIENT_ID, OIDC_CLIENT_SECRET and PUBLIC_URL',
    }),
    OIDC_CLIENT_ID: optional(plain, { meaning: 'Id of Rollcall at the identity provider' }),
    OIDC_CLIENT_SECRET: optional(plain, {
      hidden: true,
      verbatim: true,
      meaning: 'Secret of Rollcall at the identity provider',
    }),
    OIDC_LINK_BY_EMAIL: set(flag, 'false', {
      meaning: 'true: a first sign-in is that of the person who has the email address that the provider has verified',
    }),
  },
  together(values, { given, refuse }) {
    const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = values;
    const cause = NEEDED.find(given);
    if (cause !== undefined) {
      for (const name of NEEDED) if (!given(name)) refuse(name, `is required with ${cause}`);
      // The provider sends people back to an address that it knows.
      if (!given('PUBLIC_URL')) refuse('PUBLIC_URL', `is required with ${cause}`);
    } else if (values.OIDC_LINK_BY_EMAIL) {
      refuse('OIDC_LINK_BY_EMAIL', 'has no effect without OIDC_ISSUER');
    }
    return {
      /** The identity provider with which people sign in; null: there is none. */
      oidc:
        issuer === null || clientId === null || clientSecret === null
          ? null
          : { issuer, clientId, clientSecret, linkByEmail: values.OIDC_LINK_BY_EMAIL },
    };
  },
});

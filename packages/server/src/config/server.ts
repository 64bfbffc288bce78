import { depending, domain, optional, set } from './domain.js';
import { baseUrl, host, origins, plain, wholeNumber } from './readers.js';

export const server = domain({
  section: 'Server',
  rows: {
    NODE_ENV: set(plain, 'development', {
      meaning: 'production: the strict defaults, and no start without a secret; anything else is development',
    }),
    CHAT_PORT: set(wholeNumber(65_535, 'must be a port from 0 to 65535'), '4002', {
      field: 'port',
      meaning: 'Port; 0 takes a free one and logs it',
    }),
    HOST: depending(
      host,
      '127.0.0.1 in development, 0.0.0.0 in production',
      ({ mode }) => (mode === 'production' ? '0.0.0.0' : '127.0.0.1'),
      { field: 'host', meaning: 'Address to listen on' },
    ),
    CORS_ORIGIN: depending(
      origins,
      'the server’s own origin; in development also localhost',
      ({ mode }) => (mode === 'production' ? 'same-origin' : 'localhost'),
      {
        field: 'corsOrigins',
        meaning:
          'Origins of web pages that may connect, separated by commas; a * in the first label (https://*.school.example) stands for one label, * alone allows every origin',
      },
    ),
    PUBLIC_URL: optional(baseUrl, {
      field: 'publicUrl',
      option: 'publicUrl',
      meaning: 'Address at which people reach the server, or the app that shows its pages; links lead there',
    }),
  },
  together: ({ NODE_ENV }, { mode }) => ({
    mode,
    /** False where NODE_ENV is a word that Rollcall doesn't know, which makes it development all the same. */
    modeIsNamed: ['production', 'development', 'test'].includes(NODE_ENV),
  }),
});
